"""The ledger's words as JSON columns, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from bellhop.ledger.records import Entry, EntryState, VendorCall

_CALL: Final = tuple(f.name for f in fields(VendorCall))
_ENTRY: Final = tuple(f.name for f in fields(Entry))


def call_to_json(call: VendorCall | None) -> dict[str, Any] | None:
    return None if call is None else {name: getattr(call, name) for name in _CALL}


def call_from_json(stored: Mapping[str, Any] | None) -> VendorCall | None:
    return None if stored is None else VendorCall(**{**stored, "warnings": tuple(stored.get("warnings", ()))})


def entries_to_json(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    return [{name: getattr(entry, name) for name in _ENTRY} for entry in entries]


def entries_from_json(stored: Sequence[Mapping[str, Any]]) -> tuple[Entry, ...]:
    return tuple(
        Entry(**{**entry, "state": EntryState(entry["state"]), "warnings": tuple(entry.get("warnings", ()))})
        for entry in stored
    )
