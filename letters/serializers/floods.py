"""What the flood guard holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bellhop.ledger.records import Flood, HeldEvent
from bellhop.letters.serializers import JsonObject, zone_name
from bellhop.schemas.clock import iso
from bellhop.schemas.events import VenueFacts


def flood_row(flood: Flood, events: Sequence[HeldEvent], venues: Mapping[str, VenueFacts]) -> JsonObject:
    """events: what it holds, as far as it is listed. zone: of the venue where `starts` is, None where it is
    not known."""
    return {
        "id": flood.id,
        "source": flood.source,
        "since": iso(flood.since),
        "limit": flood.limit,
        "state": flood.state.value,
        "held": flood.held,
        "starts": iso(flood.soonest),
        "zone": zone_name(flood.venue, venues),
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
                "zone": zone_name(one.venue, venues),
            }
            for one in events
        ],
    }


def list_floods(ledger: Any, venues: Mapping[str, VenueFacts]) -> list[JsonObject]:
    """Floods, those that hold something first, with what they hold. Raises LedgerUnavailable."""
    return [
        flood_row(flood, ledger.floods.events_of(flood.source) if flood.held else (), venues)
        for flood in ledger.floods.all()
    ]
