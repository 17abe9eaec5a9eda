"""What the flood guard holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bellhop.ledger.records import Flood, HeldEvent
from bellhop.letters.serializers import JsonObject
from bellhop.schemas.clock import iso


def flood_row(flood: Flood, events: Sequence[HeldEvent]) -> JsonObject:
    """events: what it holds, as far as it is listed."""
    return {
        "id": flood.id,
        "source": flood.source,
        "since": iso(flood.since),
        "limit": flood.limit,
        "state": flood.state.value,
        "held": flood.held,
        "starts": iso(flood.soonest),
        "who": flood.who,
        "why": flood.reason,
        "ended": iso(flood.ended),
        "events": [
            {
                "id": one.id,
                "type": one.type,
                "subject": one.subject,
                "account": one.account,
                "received": iso(one.received),
                "starts": iso(one.starts),
            }
            for one in events
        ],
    }


def list_floods(ledger: Any) -> list[JsonObject]:
    """Floods, those that hold something first, with what they hold. Raises LedgerUnavailable."""
    return [
        flood_row(flood, ledger.floods.events_of(flood.source) if flood.held else ()) for flood in ledger.floods.all()
    ]
