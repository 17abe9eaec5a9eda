"""What a vendor is to the rest: the row that `registry.py` has of it."""

from __future__ import annotations

from dataclasses import dataclass

from bellhop.schemas.settings.accounts import AccountKind


@dataclass(frozen=True, slots=True)
class Vendor:
    """kind: what an account's `kind` says. title: as people know it. account: what the settings say of its accounts.
    routes: its own, beside that of its bookings."""

    kind: str
    title: str
    account: AccountKind
    routes: tuple[str, ...] = ()
