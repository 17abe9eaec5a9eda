"""Events of places that are none of ours, where their source says that such are ignored: any may take away a booking
that stands here, and only the ledger knows whether one does. Of a booking that is unknown here it is recorded."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from typing import Any

from bellhop.ingest import leniency
from bellhop.ingest.formats.parts import Event
from bellhop.schemas.events import BOOKING_TYPES
from bellhop.schemas.settings import SourceSettings


def unknown_venue(source: SourceSettings, venues: Container[str], body: Any) -> str:
    """Why an event is of a venue that is none of ours, where the source says that such are ignored; else ""."""
    venue = _data(body).get("venue")
    if source.pull_account or not source.ignores_unknown_venues or not isinstance(venue, str) or venue in venues:
        return ""
    return "its venue is none of this Bellhop's" if body.get("type") in BOOKING_TYPES else ""


def named_venue(body: Any) -> str:
    """Words for the venue that a cancel names and nobody knows; "" where it names none."""
    return "" if _data(body).get("venue") in (None, "") else "data.venue: names none of this Bellhop's"


def events_alone(made: Event, why: str) -> Iterator[Event]:
    """What may take away a booking that stands here, of an event of a place that is none of ours: the booking's names
    with guest and time, then without the guest, then without both. A request may as well: some upstreams move a booking
    by asking for it once more, at another venue."""
    body = made.body
    data = _data(body)
    names, guest, head = ("booking_id", "replaces", "status"), ("client", "member_id"), ("id", "type", "timestamp")
    for heads, fields in ((head, (*names, *guest)), (head, names), (head[:2], names)):
        kept = {name: data[name] for name in fields if name in data}
        alone = {**{name: body[name] for name in heads if name in body}, "data": kept}
        yield replace(leniency.relax(replace(made, body=alone)), elsewhere=why)


def _data(body: Any) -> Mapping[str, Any]:
    data = body.get("data") if isinstance(body, Mapping) else None
    return data if isinstance(data, Mapping) else {}
