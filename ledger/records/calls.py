"""Vendor calls: one about to be made, and one that was tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VendorCall:
    """One vendor call about to be made. `arguments` is what a person needs to see later, without credentials.

    repeatable: calling twice is harmless. What is not repeatable is marked in the ledger before it is called.
    line: the service of the event it is for. warnings: what of the event it leaves out, without values. heard: of a
    call in doubt, what came back that proves nothing (`said_no`: a refusal that nobody knows; `look_for`: ids that
    stood in it), None where nothing did.
    """

    account: str
    method: str
    arguments: Json
    repeatable: bool
    line: int = 0
    warnings: tuple[str, ...] = ()
    heard: Json | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a vendor call, for the record. Times are UTC; `error`, `request` and `answer` hold no secrets.

    outcome: `ok`, `rejected`, `transient`, `throttled`, `auth` or `unknown`. request: what was asked; it may name the
    guest. answer: what the vendor said where it refused, else what came of it.
    """

    method: str
    started: datetime
    seconds: float
    outcome: str
    error: str = ""
    answer: Json | None = None
    request: Json | None = None
