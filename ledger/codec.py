"""The ledger's words as JSON columns, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from bellhop.ledger.records import Entry, EntryState, VendorCall

_CALL: Final = tuple(f.name for f in fields(VendorCall))
_ENTRY: Final = tuple(f.name for f in fields(Entry))
_ASKED: Final = ("asked", "left")


def call_to_json(call: VendorCall | None) -> dict[str, Any] | None:
    """What was not heard is left out: a worker of the version before knows no such field."""
    stored = {} if call is None else {name: getattr(call, name) for name in _CALL}
    if stored.get("heard") is None:
        stored.pop("heard", None)
    return stored or None


def call_from_json(stored: Mapping[str, Any] | None) -> VendorCall | None:
    return None if stored is None else VendorCall(**{**stored, "warnings": tuple(stored.get("warnings", ()))})


def entries_to_json(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Without what names the guest, which has a column of its own: it is pruned before the entries are."""
    return [{name: getattr(entry, name) for name in _ENTRY if name not in _ASKED} for entry in entries]


def asked_to_json(entries: Sequence[Entry]) -> dict[str, Any] | None:
    """What the entries were asked for, by account and vendor id; None where nothing is known."""
    known = {"/".join(e.key): {name: getattr(e, name) for name in _ASKED if getattr(e, name)} for e in entries}
    return {key: asked for key, asked in known.items() if asked} or None


def entries_from_json(
    stored: Sequence[Mapping[str, Any]], asked: Mapping[str, Any] | None, account: str
) -> tuple[Entry, ...]:
    """account: of those that are older than theirs."""
    return tuple(_entry_from_json(one, asked or {}, one.get("account") or account) for one in stored)


def _entry_from_json(stored: Mapping[str, Any], asked: Mapping[str, Any], account: str) -> Entry:
    told = asked.get(f"{account}/{stored['vendor_id']}", {})
    own = {"state": EntryState(stored["state"]), "warnings": tuple(stored.get("warnings", ())), "account": account}
    return Entry(**{**stored, **own, **told})
