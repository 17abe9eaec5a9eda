"""What people do with dead letters: list, group, search, assign, note, replay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.audit import record, stored_act
from bellhop.ledger.bookings import lock_key
from bellhop.ledger.by_hand import note_standing
from bellhop.ledger.letters import Letters, conditions, stored_letter
from bellhop.ledger.pages import CursorInvalid, Page, make_cursor, read_cursor
from bellhop.ledger.records import AuditRow, Letter, LetterFilter, LetterState, Note, Order, State
from bellhop.ledger.tables import EPOCH, audit, dead_letters, events, letter_bodies, letter_notes
from bellhop.schemas.envelope import decode
from bellhop.schemas.errors import EnvelopeError
from bellhop.schemas.reasons import Reason

_C: Final = dead_letters.c
_WHOLE: Final = sa.select(dead_letters, letter_bodies.c.body, letter_bodies.c.evidence).join(
    letter_bodies, letter_bodies.c.letter == _C.id
)
_URGENT: Final = "u"
_REST: Final = "r"
_REVIVE_EVENT: Final = (
    sa.update(events)
    .where(
        events.c.source == sa.bindparam("in_source"),
        events.c.event_id == sa.bindparam("id"),
        events.c.content_hash == sa.bindparam("hash"),
        events.c.state == State.DISCARDED,
    )
    .values(state=State.DEAD.value, updated=sa.bindparam("at"))
)


class Desk(Letters):
    """`ledger.letters`. Every method raises LedgerUnavailable."""

    def page(self, which: LetterFilter, order: Order, limit: int, after: str = "") -> Page[Letter]:
        """A page of letters. Raises CursorInvalid for an `after` that is none of this order's."""
        if order is Order.URGENT:
            return self._urgent(which, limit, after)
        newest = order is Order.NEWEST
        beyond = []
        if after:
            _, (last,) = read_cursor([order.value], after, 1)
            beyond.append(_C.id < last if newest else _C.id > last)
        rows = self._find_ordered(which, beyond, [_C.id.desc() if newest else _C.id], limit + 1)
        return Page(rows[:limit], make_cursor(order.value, rows[limit - 1].id) if len(rows) > limit else "")

    def _urgent(self, which: LetterFilter, limit: int, after: str) -> Page[Letter]:
        """First those whose booking is to come, the next first; then the others, the newest first. What is to come is
        so when the first page is made: a start that goes by between two pages would else be on both."""
        part, (at, last, since) = read_cursor([_URGENT, _REST], after, 3) if after else (_URGENT, (0, 0, 0))
        now = _moment(since) if after else self._now()
        rows: list[Letter] = []
        if part == _URGENT:
            place = sa.tuple_(_C.not_after, _C.id)
            coming: list[sa.ColumnElement[bool]] = [_C.not_after >= now]
            if after:
                coming.append(place > sa.tuple_(sa.literal(_moment(at), _C.not_after.type), last))
            rows = self._find_ordered(which, coming, [_C.not_after, _C.id], limit + 1)
            if len(rows) > limit and (start := rows[limit - 1].new.not_after):
                return Page(rows[:limit], make_cursor(_URGENT, _micros(start), rows[limit - 1].id, _micros(now)))
            last = 0
        others: list[sa.ColumnElement[bool]] = [sa.or_(_C.not_after.is_(None), _C.not_after < now)]
        if last:
            others.append(_C.id < last)
        rows += self._find_ordered(which, others, [_C.id.desc()], limit - len(rows) + 1)
        if len(rows) <= limit:
            return Page(rows, "")
        return Page(rows[:limit], self._after_rest(rows[limit - 1], rows[limit], now))

    @staticmethod
    def _after_rest(final: Letter, following: Letter, now: datetime) -> str:
        """The cursor where a page ends among the others, or just before the first of them."""
        is_coming = final.new.not_after is not None and final.new.not_after >= now
        return make_cursor(_REST, 0, following.id + 1 if is_coming else final.id, _micros(now))

    def by_reason(self, which: LetterFilter) -> Mapping[str, int]:
        """How many letters there are of each reason."""
        query = sa.select(_C.reason, sa.func.count()).where(*conditions(which)).group_by(_C.reason)
        with self._database.read() as connection:
            return {reason: count for reason, count in connection.execute(query)}

    def newest(self) -> int:
        """The number of the letter that came last; 0 where there is none."""
        with self._database.read() as connection:
            return connection.scalar(sa.select(sa.func.max(_C.id))) or 0

    def count_after(self, which: LetterFilter, number: int) -> int:
        """How many have come since the letter of this number."""
        query = sa.select(sa.func.count()).select_from(dead_letters).where(*conditions(which), _C.id > number)
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def first_death(self, which: LetterFilter) -> datetime | None:
        """When the first of them died; None where there are none."""
        with self._database.read() as connection:
            found: datetime | None = connection.scalar(sa.select(sa.func.min(_C.died)).where(*conditions(which)))
        return found

    def deaths(self, which: LetterFilter, start: datetime, width: timedelta, bins: int) -> list[int]:
        """How many of them died in each of so many spans of `width`, the first of which begins at `start`."""
        since_start = sa.type_coerce(_C.died, sa.BigInteger) - _micros(start)
        place = since_start // sa.literal(width // timedelta(microseconds=1), sa.BigInteger)
        query = sa.select(place, sa.func.count()).where(*conditions(which), _C.died >= start).group_by(sa.text("1"))
        with self._database.read() as connection:
            found = {int(one): count for one, count in connection.execute(query)}
        return [found.get(one, 0) for one in range(bins)]

    def ids(self, which: LetterFilter, limit: int = 100_000) -> list[int]:
        """The numbers of the letters, in their order."""
        query = sa.select(_C.id).where(*conditions(which)).order_by(_C.id).limit(limit)
        with self._database.read() as connection:
            return list(connection.scalars(query))

    def restore(self, ids: Sequence[int], who: str, why: str) -> int:
        """Opens the discarded ones of `ids` again, and their events are dead again; how many."""
        discarded = (LetterState.DISCARDED,)
        found = self.find(LetterFilter(ids=ids, states=discarded), len(ids)) if ids else []
        found = [one for one in found if one.new.body]  # erased: nothing is left that could be sent
        with self._database.write({lock_key(one.new.source, one.new.subject) for one in found}) as connection:
            now = self._now()
            opened = connection.execute(
                sa.update(dead_letters)
                .where(_C.id.in_([one.id for one in found]), _C.state == LetterState.DISCARDED.value)
                .values(state=LetterState.OPEN.value, updated=now)
                .returning(_C.id)
            ).scalars()
            numbers = set(opened)
            again = [one for one in found if one.id in numbers]
            for one in again:
                self._revive(connection, one, now)
            note_standing(connection, again, now)
            record(connection, [AuditRow(now, who, "restore", number, why) for number in sorted(numbers)])
        return len(numbers)

    def _revive(self, connection: sa.Connection, letter: Letter, now: datetime) -> None:
        try:
            envelope = decode(letter.new.body)
        except EnvelopeError:
            return
        event = {"in_source": envelope.source, "id": envelope.id, "hash": envelope.content_hash, "at": now}
        connection.execute(_REVIVE_EVENT, event)

    def assign(self, ids: Sequence[int], to: str, who: str) -> int:
        """Gives letters to somebody ("" to nobody); how many."""
        with self._database.write() as connection:
            now = self._now()
            given = sa.update(dead_letters).where(_C.id.in_(list(ids))).values(assignee=to).returning(_C.id)
            numbers = sorted(connection.execute(given).scalars())
            why = f"to {to}" if to else "to nobody"
            record(connection, [AuditRow(now, who, "assign", number, why) for number in numbers])
        return len(numbers)

    def note(self, id_: int, who: str, text: str) -> None:
        """Its text may tell of a guest, so the audit has only that it was written."""
        with self._database.write() as connection:
            now = self._now()
            connection.execute(sa.insert(letter_notes), {"letter": id_, "at": now, "who": who, "text": text})
            record(connection, [AuditRow(now, who, "note", id_, "")])

    def notes(self, id_: int) -> list[Note]:
        """In the order they were written."""
        query = sa.select(letter_notes).where(letter_notes.c.letter == id_).order_by(letter_notes.c.id)
        with self._database.read() as connection:
            return [Note(row.at, row.who, row.text) for row in connection.execute(query)]

    def note_reveal(self, id_: int, who: str) -> None:
        """A person has looked at what is masked."""
        with self._database.write() as connection:
            record(connection, [AuditRow(self._now(), who, "reveal", id_, "")])

    def note_act(self, who: str, act: str, why: str, what: str) -> None:
        """An act on something else than a letter: a vendor call by hand, say."""
        with self._database.write() as connection:
            record(connection, [AuditRow(self._now(), who, act, None, why, what)])

    def audit_page(
        self,
        limit: int,
        after: str = "",
        *,
        who: str | None = None,
        act: str | None = None,
        letter: int | None = None,
    ) -> Page[AuditRow]:
        """Acts of people, the newest first. Raises CursorInvalid."""
        query = sa.select(audit).where(*_audit_conditions(who=who, act=act, letter=letter)).order_by(audit.c.id.desc())
        if after:
            _, (last,) = read_cursor(["audit"], after, 1)
            query = query.where(audit.c.id < last)
        with self._database.read() as connection:
            rows = connection.execute(query.limit(limit + 1)).all()
        more = make_cursor("audit", rows[limit - 1].id) if len(rows) > limit else ""
        return Page([stored_act(row) for row in rows[:limit]], more)

    def acts_by_hand(self, after: int, since: datetime) -> tuple[list[AuditRow], int]:
        """Above this number and not older: who discarded or restored letters that ask for something to be done by hand,
        the oldest first; and the number of the newest act of all."""
        asked = (audit.c.letter == _C.id) & (_C.reason == Reason.UNSUPPORTED.value)
        with self._database.read() as connection:
            newest = connection.scalar(sa.select(sa.func.max(audit.c.id))) or 0
            if newest <= after:
                return [], newest
            span = (audit.c.id > after, audit.c.id <= newest, audit.c.at >= since)
            acts = (*span, audit.c.act.in_(("discard", "restore")))
            rows = connection.execute(sa.select(audit).join(dead_letters, asked).where(*acts).order_by(audit.c.id))
            return [stored_act(row) for row in rows], newest

    def _find_ordered(
        self,
        which: LetterFilter,
        beyond: Sequence[sa.ColumnElement[bool]],
        order: Sequence[sa.ColumnElement[Any]],
        limit: int,
    ) -> list[Letter]:
        """The first letters of an order. Their numbers first, of each state by itself: then an index has them in order
        already, where a hundred thousand would have to be sorted."""
        one_state = [
            sa.select(_C.id, _C.not_after)
            .where(*conditions(replace(which, states=(state,))), *beyond)
            .order_by(*order)
            .limit(limit)
            .subquery()
            for state in dict.fromkeys(which.states)
        ]
        if not one_state:
            return []
        together = sa.union_all(*(sa.select(part) for part in one_state)).subquery()
        first = sa.select(together.c.id).order_by(*(_in(together, key) for key in order)).limit(limit)
        with self._database.read() as connection:
            numbers = list(connection.scalars(first))
            rows = connection.execute(_WHOLE.where(_C.id.in_(numbers))).all() if numbers else []
        by_number = {row.id: stored_letter(row) for row in rows}
        return [by_number[number] for number in numbers if number in by_number]


def _micros(moment: datetime) -> int:
    return (moment - EPOCH) // datetime.resolution


def _moment(micros: int) -> datetime:
    """Raises CursorInvalid for what is outside the calendar."""
    try:
        return EPOCH + datetime.resolution * micros
    except OverflowError:
        raise CursorInvalid("the cursor is not one of this list's") from None


def _in(together: sa.Subquery, key: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A key of the order, of the union's own columns."""
    falls = isinstance(key, sa.UnaryExpression)
    column: sa.ColumnElement[Any] = together.c[key.element.key if falls else key.key]  # type: ignore[index]
    return column.desc() if falls else column


def _audit_conditions(**values: Any) -> Iterator[sa.ColumnElement[bool]]:
    for name, value in values.items():
        if value is not None:
            yield audit.c[name] == value
