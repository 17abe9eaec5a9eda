"""The bookings the ledger holds: read, merged and stored. A vendor's id, once known, is never forgotten."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger import batch
from bellhop.ledger.codec import asked_to_json, entries_from_json, entries_to_json
from bellhop.ledger.engine import Database
from bellhop.ledger.guest_places import guests_from_json, guests_to_json
from bellhop.ledger.known import RANKS, HeldBooking
from bellhop.ledger.records import Booking, Entry, EntryState
from bellhop.ledger.tables import bookings, event_words, events, vendor_ids
from bellhop.schemas.envelope import Envelope

Key = tuple[str, str]
"""A booking's source and reference."""

_PROGRESS: Final = (EntryState.UNPAID, EntryState.BOOKED, EntryState.CONFIRMED, EntryState.CANCELLED)
_KEPT: Final = (
    *("secret_hash", "batch", "batch_hash", "took", "cancelled_by", "changed_by"),
    *("account", "start", "end", "asked", "warnings", "differs"),
)
_STORED: Final = (
    *("account", "entries", "as_of", "as_of_rank", "as_of_received", "cancelled", "last_start"),
    *("asked", "replaced_by", "updated", "venue"),
)

_COLUMNS: Final = ("reference", "source", *_STORED)
_READ: Final = batch.select(bookings, _COLUMNS, ["source", "reference"])
_WRITE: Final = batch.upsert(bookings, _COLUMNS)
_NAME: Final = batch.insert_if_new(vendor_ids, ("vendor_id", "account", "reference", "source"))


def lock_key(source: str, subject: str) -> str:
    """What a transaction names to be alone with the events of a booking (or member), see `Database.write`."""
    return f"subject:{source}/{subject}"


def read_bookings(connection: sa.Connection, keys: Collection[Key]) -> dict[Key, HeldBooking]:
    """Those of the bookings that are stored."""
    if not keys:
        return {}
    sources, references = ({key[part] for key in keys} for part in (0, 1))
    rows = _READ.run(connection, sources, references)
    return {(row.source, row.reference): _held_booking(row) for row in rows}


def _held_booking(row: Any) -> HeldBooking:
    entries = entries_from_json(row.entries, row.asked, row.account)
    booking = Booking(row.source, row.reference, row.account, entries, row.as_of, bool(row.cancelled), row.replaced_by)
    guests = guests_from_json(row.asked)
    return HeldBooking(booking, row.as_of_rank, row.last_start, row.as_of_received, row.venue, guests)


def merge_booking(held: HeldBooking | None, new: Booking, *, owned: bool) -> HeldBooking:
    """`new` laid over what is stored. `owned`: by a worker whose claim holds; one that lost it only adds entries, and
    can undo nothing that was found out since.

    Neither moves the place: `apply_event` does.
    """
    placed = [entry if entry.account else replace(entry, account=new.account) for entry in new.entries]
    if held is None:
        return HeldBooking(replace(new, entries=tuple(placed), as_of=None))
    entries = {entry.key: entry for entry in held.booking.entries}
    for entry in placed:
        entries[entry.key] = _further(entries.get(entry.key), entry, owned=owned)
    told = new if owned else held.booking
    booking = replace(
        held.booking,
        account=told.account,
        entries=tuple(entries.values()),
        cancelled=told.cancelled,
        replaced_by=told.replaced_by,
    )
    return replace(held, booking=booking)


def apply_event(held: HeldBooking, time: datetime, rank: int, received: datetime | None = None) -> HeldBooking:
    """The booking after an event at this place, received then, was applied: places only move on."""
    if held.booking.as_of is not None and held.place > (time, rank):
        return held
    if held.place == (time, rank) and held.received is not None:
        received = max(held.received, received or held.received)
    return replace(held, booking=replace(held.booking, as_of=time), rank=rank, received=received)


def reaching(held: HeldBooking, envelope: Envelope) -> HeldBooking:
    """The booking, kept at least until the last start this event tells, at the venue it names."""
    starts = [_start(service) for service in envelope.data.get("services", ())]
    known = [start for start in (*starts, envelope.not_after, held.last_start) if start is not None]
    venue = str(envelope.data.get("venue") or held.venue)
    return replace(held, last_start=max(known, default=None), venue=venue)


def store(connection: sa.Connection, changed: Iterable[HeldBooking], now: datetime) -> None:
    """Writes the bookings. On PostgreSQL their keys must be locked."""
    stored = list(changed)
    _WRITE.run(connection, [_values(held, now) for held in stored])
    # Sorted, as on PostgreSQL two transactions that insert the same two keys in different orders wait in a ring.
    ids = {(e.vendor_id, e.account, h.booking.reference, h.booking.source) for h in stored for e in h.booking.entries}
    _NAME.run(connection, sorted(ids))


def move_vendor_ids(connection: sa.Connection, booking: Booking) -> None:
    """Says of the ids of a booking's entries that they are its own: it took another's place."""
    for entry in booking.entries:
        same = (vendor_ids.c.vendor_id == entry.vendor_id, vendor_ids.c.account == entry.account)
        values = {"reference": booking.reference, "source": booking.source}
        connection.execute(sa.update(vendor_ids).where(*same).values(**values))


def standing(of: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether something of the booking stands at the vendor. of: the table, or an alias of it."""
    entries = sa.cast(of.c.entries, sa.Text)
    return sa.or_(
        *(entries.contains(f'"state": "{state}"') for state in EntryState if state is not EntryState.CANCELLED)
    )


def find_booking(database: Database, source: str, reference: str) -> Booking | None:
    """See `Ledger.booking`."""
    with database.read() as connection:
        found = read_bookings(connection, [(source, reference)])
    return found[source, reference].booking if found else None


def of_guest(database: Database, source: str, number: int | None, but: str) -> list[Booking]:
    """See `Ledger.bookings_of_guest`."""
    named = sa.select(event_words.c.event_pk).where(event_words.c.word == number)
    query = (
        sa.select(events.c.subject)
        .where(events.c.pk.in_(named), events.c.source == source, events.c.subject != but, events.c.type.in_(RANKS))
        .order_by(events.c.pk.desc())
        .limit(100)
    )
    if number is None:
        return []
    with database.read() as connection:
        references = list(dict.fromkeys(connection.scalars(query)))[:20]
        found = read_bookings(connection, [(source, reference) for reference in references])
    return [found[key].booking for key in ((source, reference) for reference in references) if key in found]


def by_vendor_id(database: Database, account: str, vendor_id: str) -> Booking | None:
    """See `Ledger.booking_of`."""
    same = sa.and_(vendor_ids.c.source == bookings.c.source, vendor_ids.c.reference == bookings.c.reference)
    query = (
        sa.select(bookings)
        .join(vendor_ids, same)
        .where(vendor_ids.c.vendor_id == vendor_id, vendor_ids.c.account == account)
    )
    with database.read() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else _held_booking(row).booking


def _values(held: HeldBooking, now: datetime) -> tuple[object, ...]:
    """As `_WRITE` takes it."""
    booking = held.booking
    place = (booking.as_of, held.rank, held.received, booking.cancelled, held.last_start)
    asked = {**(asked_to_json(booking.entries) or {}), **guests_to_json(held.guests)} or None
    entries = entries_to_json(booking.entries)
    own = (booking.reference, booking.source, booking.account, entries)
    return *own, *place, asked, booking.replaced_by, now, held.venue


def _further(old: Entry | None, new: Entry, *, owned: bool) -> Entry:
    """owned: by a worker whose claim holds; of what another says late only its progress counts."""
    if old is None:
        return new
    state = max(old.state, new.state, key=_PROGRESS.index)
    first, second = (new, old) if owned else (old, new)
    kept = {name: getattr(first, name) or getattr(second, name) for name in _KEPT}
    return replace(first, state=state, **kept)


def _start(service: Mapping[str, object]) -> datetime | None:
    """A service's start. None where it is not as the event contract has it: no reason to lose the rest of a commit."""
    try:
        start = datetime.fromisoformat(str(service.get("start")))
    except ValueError:
        return None
    return start if start.tzinfo else None
