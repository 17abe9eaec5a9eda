"""What the formats share: what they are given, what they make, and how they read what others wrote."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, NoReturn
from zoneinfo import ZoneInfo

from marshmallow import ValidationError

from bellhop.schemas.contract import Identifier, Moment
from bellhop.schemas.durations import read_duration
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.errors import EventInvalid, FieldProblem
from bellhop.schemas.events import MAX_ID, VenueFacts
from bellhop.schemas.moments import iso_of
from bellhop.schemas.settings import Account, SourceSettings, SourceVenue
from bellhop.vendors.registry import carries_ends
from bellhop.vendors.vendor import Notice

_HASH_LENGTH: Final = 12


@dataclass(frozen=True, slots=True)
class Receipt:
    """One post, or an item of one that is a list. digest: of its body, SHA-256 in hex. signed_id: "" where its scheme
    signs none. unique: unlike that of any other post."""

    received: datetime
    unique: str
    digest: str
    signed_id: str = ""
    is_of_item: bool = False

    @property
    def own_id(self) -> str:
        """An id that no other post has, whatever its body."""
        return f"received-{self.received.astimezone(UTC):%Y%m%dT%H%M%S}-{self.unique}"

    def of_item(self, index: int) -> Receipt:
        """That of an item of its list: the same each time the list is sent."""
        signed = f"{self.signed_id}/{index}" if self.signed_id else ""
        if len(signed) > MAX_ID:
            signed = f"sha256-{hashlib.sha256(signed.encode()).hexdigest()}"
        return replace(
            self,
            unique=f"{self.unique}-{index}",
            digest=f"{self.digest}-{index}",
            signed_id=signed,
            is_of_item=True,
        )


@dataclass(frozen=True, slots=True)
class Context:
    """What a format may know beside the body. account: the one whose vendor posts here, None where others do."""

    source: SourceSettings
    venues: Mapping[str, VenueFacts]
    receipt: Receipt
    account: Account | None = None

    @property
    def is_pulled(self) -> bool:
        """Whether bookings are only a reason to pull: then nothing but the reference and the time count."""
        return bool(self.source.pull_account)


@dataclass(frozen=True, slots=True)
class Event:
    """An event in our own words, for its contract to check.

    has_own_time: False where its time is the receipt's: then the same id may come with another time and be the same.
    counts_at: when it counts, where its time does not tell that.
    warnings: what was left out of it.
    elsewhere: why it is of a place, or of services, that are none of ours; "" where it is not. It may still take away
    what stands here.
    """

    body: Any
    has_own_time: bool = True
    warnings: tuple[str, ...] = ()
    counts_at: datetime | None = None
    elsewhere: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """What means nothing here; never a booking or a member. why: without values."""

    why: str


@dataclass(frozen=True, slots=True)
class Tested:
    """An event of type `test`: it goes nowhere. id: its own, "" where it has none. event: what the event in its data
    would have become; None where it holds none."""

    id: str
    event: Envelope | Ignored | None = None


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """An item of a list that breaks its contract. The others are taken without it."""

    problems: Sequence[FieldProblem]


Made = Event | Notice | Ignored
Adapt = Callable[[Any, Context], Made]
"""One item of a body → what it is. Raises EventInvalid, naming fields as the upstream does."""


@dataclass(slots=True)
class Draft:
    """A booking's data as it is put together: what is empty is left out."""

    data: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, value: object) -> None:
        if value not in (None, "", [], {}):
            self.data[name] = value


def refuse(field_name: str, rule: str) -> NoReturn:
    raise EventInvalid((FieldProblem(field_name, rule),))


def an_object(value: object, field_name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        refuse(field_name, "must be a JSON object")
    return value


def a_word(value: object, field_name: str) -> str:
    """A text of the upstream's vocabulary."""
    if not isinstance(value, str) or not value.strip():
        refuse(field_name, "must be a text, and is required")
    return value.strip()


def an_id(value: object, field_name: str) -> str:
    if value is None:
        refuse(field_name, "is required")
    try:
        return str(Identifier().deserialize(value))
    except ValidationError as error:
        refuse(field_name, str(error.messages[0]))


def a_moment(value: object, field_name: str, zone: ZoneInfo) -> datetime:
    """ISO 8601, UTC; without a zone it is that of `zone`."""
    try:
        moment: datetime | None = None if value is None else Moment().deserialize(iso_of(value))
    except ValidationError as error:
        refuse(field_name, str(error.messages[0]))
    if moment is None:
        refuse(field_name, "is required")
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def event_time(
    value: object, field_name: str, context: Context, zone: ZoneInfo, *, is_needed: bool = True
) -> datetime | None:
    """An event's own time, UTC; None where the receipt's is to stand for it: the source says so of events without one,
    and a cancel needs none."""
    if value is None and context.source.takes_receipt_time:
        return None
    try:
        return a_moment(value, field_name, zone)
    except EventInvalid:
        if is_needed:
            raise
        return None


def counts_at(told: datetime | None, zone: ZoneInfo, received: datetime) -> datetime | None:
    """When an event counts whose time was told without a zone, in the hour that its clock goes through twice: at its
    arrival, between the two moments it may mean. None at any other time. told: the first of the two, UTC."""
    first = told.astimezone(zone) if told else None
    if told is None or first is None:
        return None
    second = first.replace(fold=1).astimezone(UTC)
    return None if second == told else min(max(told, received.astimezone(UTC)), second)


def stable_id(reference: str, kind: str, time: datetime | None, content: object) -> str:
    """The same for the same content, sent again, and another for any other."""
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:_HASH_LENGTH]
    end = f"-{kind}-{f'{time:%Y%m%dT%H%M%SZ}-' if time else ''}{digest}"
    if len(f"{reference}{end}".encode(errors="replace")) > MAX_ID:
        reference = hashlib.sha256(reference.encode(errors="replace")).hexdigest()
    return f"{reference}{end}"


class NotOurs(Exception):
    """Raised for an event that means nothing here, as the source says."""


@dataclass(frozen=True, slots=True)
class TheirSite:
    """What an upstream's id of a place stands for: the row of the source's table and the venue, None where it stands
    for none of ours. elsewhere: as of `Event`. warnings: that a cancel's is not known, which it need not be."""

    row: SourceVenue | None = None
    venue: VenueFacts | None = None
    elsewhere: str = ""
    warnings: tuple[str, ...] = ()


NO_SITE: Final = TheirSite()


def fate(*, cancels: bool) -> str:
    """What becomes of a booking by an event of a venue that is none of ours."""
    return f"what stands under its reference is {'cancelled' if cancels else 'left to a person'}, wherever it is"


def their_site(key: object, field_name: str, context: Context, *, is_needed: bool) -> TheirSite:
    """is_needed: not so by a cancel."""
    try:
        row = context.source.venues.get(an_id(key, field_name))
        if row is not None:
            return TheirSite(row, context.venues[row.venue])
        if context.source.ignores_unknown_venues:
            return TheirSite(elsewhere=f"its {field_name} is none of the source's venues")
        refuse(field_name, f"is not in sources.{context.source.name}.venues")
    except EventInvalid as error:
        if is_needed:
            raise
        told = [] if key is None else [f"{one.field}: {one.rule}: {fate(cancels=True)}" for one in error.problems]
        return TheirSite(warnings=tuple(told))


def lay_map(
    whole: object, base: Mapping[str, Any], context: Context, at: datetime | None = None, site: TheirSite = NO_SITE
) -> Event:
    """The event that the source's map makes of a body, laid over what the format itself says. at: its time, where the
    format tells it; None: the receipt's, unless the map finds one. Raises NotOurs."""
    unknown = ("data.venue",) if context.source.ignores_unknown_venues else ()
    known = {"timestamp": at.isoformat()} if at else {}
    mapped = context.source.map.read(whole, {**base, **known}, ignore_unknown=unknown)
    if not mapped.ignored:
        return Event(mapped.body, warnings=(*site.warnings, *mapped.warnings), elsewhere=site.elsewhere)
    why = f"the source's map says so, for {mapped.ignored}"
    if not mapped.is_elsewhere:
        raise NotOurs(why)
    return Event(mapped.body, elsewhere=why)


def service(
    venue: SourceVenue, facts: VenueFacts, start: object, end: object, duration: object = None
) -> Sequence[Mapping[str, Any]]:
    """A booking's one service, as the source's table says; none where that names none, or there is no start. duration:
    as the upstream writes it; without one that can be read it is the table's, for a vendor that is told when it ends.
    One that says itself how long its services last would refuse an end that nobody asked for."""
    if not venue.service_id or start in (None, ""):
        return ()
    made = {"service_id": venue.service_id, "start": start}
    if end in (None, "") and read_duration(duration) is None:
        duration = venue.duration_seconds / 60 if carries_ends(facts.kind) else None
    ours = {"provider_id": venue.provider_id, "facility_id": venue.facility_id}
    for name, value in {**ours, "end": end, "duration": None if end else duration}.items():
        if value:
            made[name] = value
    if venue.price is not None:
        made["price"] = venue.price
    return (made,)
