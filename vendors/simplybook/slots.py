"""Slots of SimplyBook.me: what an event wants of them, compared with the entries that stand."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from bellhop.ledger.records import Booking, Entry
from bellhop.schemas.asked import Asked, asked_of
from bellhop.schemas.envelope import Envelope

_SLOT: Final = ("event_id", "unit_id", "date", "time", "count")


ANY_UNIT: Final = "any"
"""Stands for the provider where the event names none."""


def slot_of(arguments: Mapping[str, Any]) -> str:
    """What is booked, for comparing."""
    return "/".join([str(arguments[key]) for key in _SLOT])


def place_of(slot_text: str) -> str:
    """Service, provider and start of a slot: more or fewer seats are of the same."""
    return slot_text.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A slot that the event wants: its service's line, the arguments of `book`, and what is asked of it. have: the
    entries that stand there."""

    line: int
    arguments: Mapping[str, Any]
    asked: Asked
    have: list[Entry] = field(default_factory=list)

    @property
    def is_course(self) -> bool:
        """Whether one booking of it makes several, at several times: their number is the vendor's to say."""
        return bool(self.asked.get("recurring")) or is_course(self.have)

    @property
    def missing(self) -> int:
        """How many seats are still to be booked."""
        if self.is_course:
            return 0 if self.have else int(self.arguments["count"])
        return max(0, int(self.arguments["count"]) - len(self.have))

    @property
    def surplus(self) -> list[Entry]:
        """Seats that are not wanted any more, the last ones made."""
        if self.is_course or not all(entry.start for entry in self.have):
            return []
        return self.have[int(self.arguments["count"]) :]

    @property
    def comparable(self) -> Asked:
        """Without the seats where calls see to them."""
        return self.asked if self.is_course else without_count(self.asked)


def wanted_slots(event: Envelope, booking: Booking, own: Sequence[Entry], zone: ZoneInfo) -> dict[str, Wanted]:
    """The slots the event wants, by their place, with what stands there. own: what stands and is the event's. Times
    are those of the company's zone, and do not tell it."""
    theirs = (event.data.get("client") or {}).get("timezone")
    here = [entry for entry in own if (entry.account or booking.account) == event.account]
    wanted: dict[str, Wanted] = {}
    services = sorted(enumerate(event.data["services"]), key=lambda one: "provider_id" not in one[1])
    for line, service in services:
        start = datetime.fromisoformat(service["start"]).astimezone(zone)
        arguments: dict[str, Any] = {
            "event_id": service["service_id"],
            "unit_id": service.get("provider_id", ANY_UNIT),
            "date": start.date().isoformat(),
            "time": start.time().isoformat("seconds"),
            "count": service["count"],
        }
        if event.data.get("recurring"):
            arguments["recurring"] = True  # several bookings: what one callback tells is not the whole of it
        if "end" in service:
            arguments["end"] = f"{datetime.fromisoformat(service['end']).astimezone(zone):%Y-%m-%d %H:%M:%S}"
        if theirs:
            arguments["client_time_offset"] = client_time_offset(start, ZoneInfo(theirs))
        if arguments["unit_id"] == ANY_UNIT:
            arguments["unit_id"] = unit_at(arguments, here, wanted)
        place = place_of(slot_of(arguments))
        have = [entry for entry in here if place_of(entry.slot) == place]
        wanted[place] = Wanted(line, arguments, asked_of(event.type, event.data, [service]), have)
    return dict(sorted(wanted.items(), key=lambda item: item[1].line))


def client_time_offset(start: datetime, theirs: ZoneInfo) -> int:
    """ "difference between client's time zone and company's time zone in minutes. For example if company located in
    city with time zone GMT+2 and customer located in city with GMT+3 then $clientTimeOffset will be 60 minutes".

    start: in the company's zone; the difference is that of this moment, for clocks change on different days.
    """
    here, there = start.replace(tzinfo=None), start.astimezone(theirs).replace(tzinfo=None)
    return round((there - here).total_seconds() / 60)


def unit_at(arguments: Mapping[str, Any], standing: Sequence[Entry], others: Collection[str]) -> str:
    """The provider of what stands at the service and start of a slot that names none: once taken, it stays. others:
    the places that other services of the event have."""
    for entry in standing:
        event_id, unit_id, date, time, *_ = (*entry.slot.split("/"), "", "", "", "")
        is_there = [event_id, date, time] == [arguments[key] for key in ("event_id", "date", "time")]
        if is_there and place_of(entry.slot) not in others:
            return unit_id
    return ANY_UNIT


def is_course(entries: Sequence[Entry]) -> bool:
    """Whether what stands at one slot are the turns of a recurring service."""
    return len({entry.start for entry in entries}) > 1


def without_count(asked: Asked) -> Asked:
    return {**asked, "services": [{**one, "count": 1} for one in asked.get("services", ())]}


def times_of(entry: Entry) -> tuple[datetime, datetime] | None:
    """Venue-local; None where the vendor did not tell them."""
    try:
        return datetime.fromisoformat(entry.start), datetime.fromisoformat(entry.end)
    except ValueError:
        return None


def entries_to_cancel(own: Sequence[Entry], wanted: Mapping[str, Wanted]) -> Iterator[Entry]:
    """What stands and is to be cancelled."""
    kept = {entry.vendor_id for one in wanted.values() for entry in one.have}
    dropped = {entry.vendor_id for one in wanted.values() for entry in one.surplus}
    return (entry for entry in own if entry.vendor_id not in kept or entry.vendor_id in dropped)
