"""What a vendor's account has on offer, as rows with the ids that a venue's mapping needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

Rows = list[dict[str, Any]]


class MethodCall(Protocol):
    """One of the vendor's methods by its name. Raises what the caller is ready for: `Trouble` in the doctor."""

    def __call__(self, method: str, /, *arguments: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class CatalogKind:
    """One kind of thing. columns: the rows' keys, each of them always there. rows: takes the call, and the service
    that is chosen, "" for all."""

    columns: tuple[str, ...]
    rows: Callable[[MethodCall, str], Rows]
    by_service: bool = False
