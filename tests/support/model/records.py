"""The ledger of the model: rows in memory, decided by the functions that decide for the real one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any, Final

from bellhop.ledger.bookings import apply_event, merge_booking
from bellhop.ledger.claims import _claim
from bellhop.ledger.decide import apply, decide, mark_after
from bellhop.ledger.doubtful import LastRestore
from bellhop.ledger.known import RANKS, UNFINISHED, EventRecord, HeldBooking, KnownEvent
from bellhop.ledger.records import RESTORED, Booking, Claim, Claimed, Entry, Settlement, State, VendorCall
from bellhop.ledger.settle import _is_owned, _is_settled, _is_try
from bellhop.schemas.envelope import Envelope
from tests.support.model.worker import LOST, SECONDS, Arguments, moment

_NAMES: Final = tuple(item.name for item in fields(EventRecord))
_PK, _CLAIM, _CALLING = map(_NAMES.index, ("pk", "claim_token", "calling_token"))
Row = tuple[Any, ...]
_LEASE: Final = timedelta(seconds=SECONDS)


@dataclass(frozen=True)
class Rows:
    """Every row of `events`, the booking, and whether the ledger was put back. All of it a value."""

    rows: tuple[Row, ...] = ()
    held: HeldBooking | None = None
    restored: LastRestore | None = None

    def records(self) -> list[EventRecord]:
        return [EventRecord(**dict(zip(_NAMES, row, strict=True))) for row in self.rows]

    def of(self, event: str) -> EventRecord | None:
        return next((one for one in self.records() if one.event_id == event), None)

    def tokens(self) -> dict[int, set[int]]:
        """By row: those it knows."""
        return {row[_PK]: {row[_CLAIM], row[_CALLING]} for row in self.rows}

    def with_tokens(self, pk: int, new: Mapping[int, int]) -> Rows:
        rows = []
        for row in self.rows:
            values = list(row)
            if row[_PK] == pk:
                values[_CLAIM], values[_CALLING] = new[row[_CLAIM]], new[row[_CALLING]]
            rows.append(tuple(values))
        return replace(self, rows=tuple(rows))

    def with_records(self, records: list[EventRecord], held: HeldBooking | None) -> Rows:
        return replace(self, rows=tuple(_row(one) for one in records), held=held)


def _row(record: EventRecord) -> Row:
    if record.calling is not None:
        record.calling = replace(record.calling, arguments=Arguments(record.calling.arguments))
    return tuple(getattr(record, name) for name in _NAMES)


def claim(ledger: Rows, envelope: Envelope, tick: int) -> tuple[Rows, Claim]:
    now, records = moment(tick), ledger.records()
    known = KnownEvent(keys=frozenset({(envelope.source, envelope.subject)}), restored=ledger.restored)
    if ledger.held is not None:
        known.bookings[envelope.source, envelope.subject] = ledger.held
    for record in records:
        bears = record.state in (*UNFINISHED, State.DEAD) or (record.state is State.DISCARDED and record.calling)
        if bears or record.event_id == envelope.id or record.business_key == envelope.business_key:
            known.add(record)
    answer = decide(envelope, known, now)
    changed = apply(envelope, answer, known, worker="w", now=now, until=now + _LEASE)
    for record in changed:
        if not record.pk:
            record.pk = len(records) + 1
            records.append(record)
    return ledger.with_records(records, ledger.held), _claim(answer, changed, known.booking(envelope))


def mark(ledger: Rows, asked: tuple[Claimed, VendorCall, Booking | None], tick: int) -> tuple[Rows, Claimed | str]:
    """As `Settling._mark`."""
    claimed, call, booking = asked
    records, held, now = ledger.records(), ledger.held, moment(tick)
    record = _of(records, claimed)
    owned = _is_owned(record, claimed)
    if booking is not None:
        held = merge_booking(held, booking, owned=owned)
    if not owned:
        return ledger.with_records(records, held), LOST
    until = now + _LEASE
    record.calling, record.calling_token, record.called_at = call, claimed.token, now
    record.claim_until, record.updated = until, now
    answer = replace(claimed, until=until, booking=held.booking if booking is not None and held else claimed.booking)
    return ledger.with_records(records, held), answer


def settle(ledger: Rows, settlement: Settlement, tick: int) -> tuple[Rows, tuple[int, ...]]:
    """As `Settling.settle`, without what only people are shown."""
    records, held, now, claimed = ledger.records(), ledger.held, moment(tick), settlement.claimed
    record = _of(records, claimed)
    if _is_settled(record, settlement):
        return ledger, ()
    owned = _is_owned(record, claimed)
    if owned:
        marked = record.calling_token == record.claim_token
        record.calling = mark_after(settlement, record.calling, marked=marked)
        record.state = settlement.state
        record.reason = settlement.reason.value if settlement.reason else ""
        record.claim_until, record.updated = now, now
    record.attempts += _is_try(settlement)
    envelope = settlement.envelope
    if settlement.booking is not None or settlement.applies:
        old = held.booking if held else Booking(envelope.source, envelope.subject, envelope.account)
        held = merge_booking(held, settlement.booking or old, owned=owned)
        if settlement.applies:
            held = apply_event(held, envelope.time, RANKS[envelope.type], envelope.received)
    return ledger.with_records(records, held), () if owned else (record.pk,)


def end_doubt(ledger: Rows, event: str, entries: tuple[Entry, ...], tick: int) -> Rows:
    """A person's word, as `Proofs.prove` and `deny`: these stand; none where nothing does."""
    records, held = ledger.records(), ledger.held
    record = next(one for one in records if one.event_id == event)
    record.calling, record.updated = None, moment(tick)
    if entries:
        booking = Booking(
            record.source, record.subject, record.account, entries, cancelled=bool(held and held.booking.cancelled)
        )
        held = merge_booking(held, booking, owned=False)
    return ledger.with_records(records, held)


def put_back(ledger: Rows, restored: LastRestore, lines: int, tick: int) -> Rows:
    """As `Restores.say`."""
    records = ledger.records()
    for record in records if lines > 1 else ():
        calling = record.calling
        if record.state is State.DEAD and calling is not None and not calling.repeatable and calling.method != RESTORED:
            record.calling = VendorCall(record.account, RESTORED, {}, repeatable=False)
            record.called_at = moment(tick)
    return replace(ledger.with_records(records, ledger.held), restored=restored)


def _of(records: list[EventRecord], claimed: Claimed) -> EventRecord:
    return next(one for one in records if one.pk == claimed.event_pk)
