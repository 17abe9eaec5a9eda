"""Pages of long lists: rows, and a cursor that says where the next page begins. Opaque to everyone else."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bellhop.schemas.errors import LedgerError

T = TypeVar("T")


class CursorInvalid(LedgerError):
    """Raised for a cursor that none of our pages gave."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """next: the cursor of the page after this, "" where there is none."""

    rows: Sequence[T]
    next: str


def make_cursor(kind: str, *numbers: int) -> str:
    """kind: which list, and how ordered: a cursor of another is refused."""
    text = ":".join((kind, *map(str, numbers)))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(kinds: Sequence[str], given: str, count: int) -> tuple[str, tuple[int, ...]]:
    """The cursor's kind, one of `kinds`, and its `count` numbers. Raises CursorInvalid."""
    try:
        text = base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True).decode("ascii")
        kind, *rest = text.split(":")
        numbers = tuple(int(part) for part in rest)
    except (binascii.Error, ValueError):
        raise CursorInvalid("the cursor is not one of this list's") from None
    if kind not in kinds or len(numbers) != count or not all(abs(number) < 2**63 for number in numbers):
        raise CursorInvalid("the cursor is not one of this list's")
    return kind, numbers
