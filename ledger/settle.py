"""Settlements: the mark before a call and the end after it. Both leave alone what another has claimed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger import batch, bookings
from bellhop.ledger.accounts import AccountStates, account_key
from bellhop.ledger.bookings import Key, apply_event, merge_booking, reaching
from bellhop.ledger.codec import call_from_json, call_to_json
from bellhop.ledger.decide import mark_after
from bellhop.ledger.doubts import note_doubts, unknown_call
from bellhop.ledger.engine import Database
from bellhop.ledger.gone import end_permits
from bellhop.ledger.guest_places import apply_for_guest
from bellhop.ledger.known import RANKS, HeldBooking
from bellhop.ledger.records import Attempt, Booking, Claimed, Settlement, State, VendorCall
from bellhop.ledger.records.accounts import LeaveAsked
from bellhop.ledger.tables import attempts, events
from bellhop.ledger.writer import GroupWriter
from bellhop.schemas.errors import ClaimLost, LeaveLater

_CLAIMS: Final = batch.select(
    events,
    ("pk", "state", "account", "claim_token", "calling", "calling_token", "called_at"),
    ["pk"],
    more="ORDER BY pk",
    is_locking=True,
)
_MARK: Final = batch.update(events, ("calling", "calling_token", "called_at", "claim_until", "updated"))
_END: Final = batch.update(
    events,
    ("state", "detail", "reason", "calling", "claim_until", "next_at", "updated", "attempts"),
    adding=("attempts",),
)
_COUNT: Final = batch.update(events, ("attempts",), adding=("attempts",))
_ATTEMPT: Final = batch.insert(
    attempts, ("event_pk", "method", "started", "seconds", "outcome", "error", "request", "answer")
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A call about to be made."""

    claimed: Claimed
    call: VendorCall
    booking: Booking | None
    lease_seconds: float
    leave: LeaveAsked | None


class Settling:
    def __init__(self, database: Database, accounts: AccountStates, now: Callable[[], datetime]) -> None:
        self._database = database
        self._accounts = accounts
        self._now = now
        self._marks: GroupWriter[Mark, Claimed] = GroupWriter(self._mark)

    def calling(
        self,
        claimed: Claimed,
        call: VendorCall,
        booking: Booking | None,
        lease_seconds: float,
        leave: LeaveAsked | None,
    ) -> Claimed:
        """See `Ledger.calling`."""
        return self._marks.submit(Mark(claimed, call, booking, lease_seconds, leave))

    def settle(self, settlements: Sequence[Settlement]) -> list[int]:
        """See `Ledger.settle`."""
        if not settlements:
            return []
        keys = {(s.envelope.source, s.envelope.subject) for s in settlements}
        keys |= {_key(s.booking) for s in settlements if s.booking}
        locks = [bookings.lock_key(*key) for key in keys]
        with self._accounts.take_spent() as spent, self._database.write(locks) as connection:
            now = self._now()
            end_permits(connection, spent)
            stored = _claims(connection, [s.claimed for s in settlements])
            # Settled before, by a commit whose confirmation was lost on the way: it must not count twice.
            todo = [s for s in settlements if not _is_settled(stored.get(s.claimed.event_pk), s)]
            owned = [s for s in todo if _is_owned(stored.get(s.claimed.event_pk), s.claimed)]
            lost = [s for s in todo if not _is_owned(stored.get(s.claimed.event_pk), s.claimed)]
            callings = [_calling_after(s, stored[s.claimed.event_pk]) for s in owned]
            _END.run(connection, [_end(s, calling, now) for s, calling in zip(owned, callings, strict=True)])
            unknown = [unknown_call(stored[s.claimed.event_pk], c, now) for s, c in zip(owned, callings, strict=True)]
            note_doubts(self._database, connection, unknown)
            tries = Counter(s.claimed.event_pk for s in lost if _is_try(s))
            _COUNT.run(connection, [(count, pk) for pk, count in tries.items()])
            _ATTEMPT.run(connection, [_attempt(s.claimed.event_pk, a) for s in todo for a in s.attempts])
            self._store(connection, todo, {s.claimed.event_pk for s in lost}, now)
        return [s.claimed.event_pk for s in lost]

    def _mark(self, marks: Sequence[Mark]) -> list[Claimed | Exception]:
        keys = {_key(mark.booking) for mark in marks if mark.booking}
        locks = [bookings.lock_key(*key) for key in keys]
        locks += [account_key(mark.leave.permit.account) for mark in marks if mark.leave]
        with self._accounts.take_spent() as spent, self._database.write(locks) as connection:
            now = self._now()
            end_permits(connection, spent)
            stored = _claims(connection, [mark.claimed for mark in marks])
            own = [_is_owned(stored.get(mark.claimed.event_pk), mark.claimed) for mark in marks]
            leaves = self._grant(connection, marks, own, now)
            held = bookings.read_bookings(connection, keys)
            answers: list[Claimed | Exception] = []
            marked, unknown = [], []
            for mark, owned, wait in zip(marks, own, leaves, strict=True):
                booking = mark.claimed.booking
                if mark.booking is not None:
                    held[_key(mark.booking)] = merge_booking(held.get(_key(mark.booking)), mark.booking, owned=owned)
                    booking = held[_key(mark.booking)].booking
                if not owned:
                    answers.append(ClaimLost(f"event {mark.claimed.event_pk} was claimed by another worker meanwhile"))
                    continue
                if wait is None:
                    answers.append(LeaveLater("its account has no leave for a call at this moment"))
                    continue
                until = now + timedelta(seconds=mark.lease_seconds)
                before = stored[mark.claimed.event_pk]
                if before.calling is not None and before.calling_token != mark.claimed.token:
                    # Asked about and made again: the first may still come to be.
                    unknown.append(unknown_call(before, call_from_json(before.calling), now))
                marked.append((call_to_json(mark.call), mark.claimed.token, now, until, now, mark.claimed.event_pk))
                answers.append(replace(mark.claimed, until=until, booking=booking, wait=wait))
            _MARK.run(connection, sorted(marked, key=itemgetter(-1)))
            note_doubts(self._database, connection, unknown)
            bookings.store(connection, [held[key] for key in sorted(keys)], now)
        return answers

    def _grant(
        self, connection: sa.Connection, marks: Sequence[Mark], own: Sequence[bool], now: datetime
    ) -> list[float | None]:
        """In how many seconds each may call; None where it has no leave. Who asks for none has it already. None is
        taken for a claim that was lost."""
        asked = {place: mark.leave for place, mark in enumerate(marks) if mark.leave and own[place]}
        granted = dict(zip(asked, self._accounts.grant(connection, list(asked.values()), now), strict=True))
        return [granted.get(place, 0.0) for place in range(len(marks))]

    def _store(
        self, connection: sa.Connection, settlements: Sequence[Settlement], lost: Collection[int], now: datetime
    ) -> None:
        """The bookings as they now stand."""
        changing = [s for s in settlements if s.booking or (s.applies and s.envelope.type in RANKS)]
        held = bookings.read_bookings(connection, {_booking_key(s) for s in changing})
        changed: dict[Key, HeldBooking] = {}
        for settlement in changing:
            key, envelope = _booking_key(settlement), settlement.envelope
            new = settlement.booking or (held[key].booking if key in held else Booking(*key, envelope.account))
            owned = settlement.claimed.event_pk not in lost
            one = merge_booking(held.get(key), new, owned=owned)
            if settlement.applies and envelope.type in RANKS:
                guests = apply_for_guest(one, envelope)
                one = apply_event(one, envelope.time, RANKS[envelope.type], envelope.received)
                one = replace(one, guests=guests)
            one = reaching(one, envelope)
            held[key] = changed[key] = one
        bookings.store(connection, [changed[key] for key in sorted(changed)], now)


def _key(booking: Booking) -> Key:
    return booking.source, booking.reference


def _booking_key(settlement: Settlement) -> Key:
    if settlement.booking is not None:
        return _key(settlement.booking)
    return settlement.envelope.source, settlement.envelope.subject


def _claims(connection: sa.Connection, claims: Iterable[Claimed]) -> Mapping[int, Any]:
    return {row.pk: row for row in _CLAIMS.run(connection, {claimed.event_pk for claimed in claims})}


def _is_owned(row: Any, claimed: Claimed) -> bool:
    """Whether the claim still holds; also one that has run out, as long as nobody else took the event."""
    return row is not None and row.claim_token == claimed.token and row.state == State.WORKING


def _is_settled(row: Any, settlement: Settlement) -> bool:
    return row is not None and row.claim_token == settlement.claimed.token and row.state == settlement.state


def _calling_after(settlement: Settlement, row: Any) -> VendorCall | None:
    """The call that its event stays marked with."""
    return mark_after(settlement, call_from_json(row.calling), marked=row.calling_token == row.claim_token)


def _end(settlement: Settlement, calling: VendorCall | None, now: datetime) -> tuple[Any, ...]:
    """As `_END` takes it."""
    reason = settlement.reason.value if settlement.reason else ""
    told = (settlement.state.value, settlement.detail, reason, call_to_json(calling))
    return *told, now, settlement.next_at, now, int(_is_try(settlement)), settlement.claimed.event_pk


def _is_try(settlement: Settlement) -> bool:
    """Whether the delivery counts on the ladder: once, however many calls it made. One that waits for its account's
    turn after calls that went well is not a try that failed."""
    going_on = settlement.state in (State.RETRYING, State.IN_DOUBT)
    return any(attempt.outcome != "ok" or not going_on for attempt in settlement.attempts)


def _attempt(event_pk: int, attempt: Attempt) -> tuple[Any, ...]:
    """As `_ATTEMPT` takes it."""
    request = None if attempt.request is None else dict(attempt.request)
    answer = None if attempt.answer is None else dict(attempt.answer)
    told = (attempt.method, attempt.started, attempt.seconds, attempt.outcome, attempt.error)
    return event_pk, *told, request, answer
