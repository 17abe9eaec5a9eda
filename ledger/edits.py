"""Letters' contents changed by people. Whoever asks, the rule is kept here: nobody approves their own edit, nor by a
token that they made; and where the settings ask for a second person, none is replayed that nobody else approved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bellhop.ledger.audit import record
from bellhop.ledger.doubts import doubtful_events
from bellhop.ledger.engine import Database
from bellhop.ledger.people import people_behind
from bellhop.ledger.records import AuditRow, Edit, EditState, LetterState
from bellhop.ledger.tables import dead_letters, letter_edits
from bellhop.schemas.errors import LedgerError


class EditRefused(LedgerError):
    """Raised when an edit cannot be approved, refused or replayed as it stands; says why."""


class Edits:
    """Every method raises LedgerUnavailable. second_approver: whether another person must approve each edit."""

    def __init__(self, database: Database, now: Callable[[], datetime], *, second_approver: bool) -> None:
        self._database = database
        self._now = now
        self._second_approver = second_approver

    def propose(self, letter: int, who: str, why: str, body: bytes) -> Edit:
        """An edit; approved at once where nobody else must. body: the whole envelope, JSON. Raises EditRefused where
        the letter is not open."""
        needs_approval = self._second_approver
        with self._database.write() as connection:
            now = self._now()
            _must_be_open(connection, letter)
            state = EditState.PROPOSED if needs_approval else EditState.APPROVED
            values = {"letter": letter, "who": who, "why": why, "at": now, "body": body, "state": state.value}
            values["approver"] = "" if needs_approval else who
            row = connection.execute(sa.insert(letter_edits).returning(letter_edits), values).one()
            record(connection, [AuditRow(now, who, "edit", letter, why)])
            return _edit(row)

    def approve(self, id_: int, who: str) -> Edit:
        """By another than who proposed it, and by no token of theirs. Raises EditRefused, also where the letter is not
        open any more."""
        return self._decide(id_, who, "", EditState.APPROVED)

    def refuse(self, id_: int, who: str, why: str) -> Edit:
        """Raises EditRefused."""
        return self._decide(id_, who, why, EditState.REFUSED)

    def to_replay(self, id_: int) -> Edit:
        """The edit as it is kept, where it may be replayed. Raises EditRefused where it is not approved, or, with the
        rule of the second person, by whom it must not be: it may have been proposed before there was the rule."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(letter_edits).where(letter_edits.c.id == id_)).one_or_none()
            if row is None:
                raise EditRefused(f"there is no edit {id_}")
            if row.state != EditState.APPROVED.value:
                raise EditRefused(f"edit {id_} is {row.state}: only an approved one is replayed")
            if self._second_approver and _same_person(connection, row.who, row.approver):
                raise EditRefused(f"edit {id_} was approved by who proposed it: another person must approve it")
            _must_be_sure(connection, row.letter)
            return _edit(row)

    def of(self, letter: int) -> list[Edit]:
        """A letter's, the newest first."""
        return self._find(letter_edits.c.letter == letter)

    def waiting(self) -> list[Edit]:
        """Those that wait for approval, the newest first."""
        return self._find(letter_edits.c.state == EditState.PROPOSED.value)

    def get(self, id_: int) -> Edit | None:
        return next(iter(self._find(letter_edits.c.id == id_)), None)

    def _find(self, which: sa.ColumnElement[bool]) -> list[Edit]:
        with self._database.read() as connection:
            query = sa.select(letter_edits).where(which).order_by(letter_edits.c.id.desc())
            return [_edit(row) for row in connection.execute(query)]

    def _decide(self, id_: int, who: str, why: str, state: EditState) -> Edit:
        with self._database.write([f"edit:{id_}"]) as connection:
            query = sa.select(letter_edits).where(letter_edits.c.id == id_)
            row = connection.execute(query.with_for_update()).one_or_none()
            if row is None:
                raise EditRefused(f"there is no edit {id_}")
            if row.state != EditState.PROPOSED.value:
                raise EditRefused(f"edit {id_} is {row.state} already")
            if state is EditState.APPROVED and _same_person(connection, row.who, who):
                raise EditRefused("the edit is yours, or of a token of the same person: another person must approve it")
            if state is EditState.APPROVED:
                _must_be_open(connection, row.letter)
            changed = {"state": state.value, "approver": who}
            connection.execute(sa.update(letter_edits).where(letter_edits.c.id == id_).values(changed))
            act = "approve edit" if state is EditState.APPROVED else "refuse edit"
            record(connection, [AuditRow(self._now(), who, act, row.letter, why)])
            return _edit(connection.execute(query).one())


def _must_be_open(connection: sa.Connection, number: int) -> None:
    columns = (dead_letters.c.state, dead_letters.c.source, dead_letters.c.subject)
    row = connection.execute(sa.select(*columns).where(dead_letters.c.id == number).with_for_update()).one_or_none()
    if row is None or row.state != LetterState.OPEN.value:
        raise EditRefused(f"dead letter {number} is {row.state if row else 'not there'}: only an open one is edited")
    _must_not_be_in_doubt(connection, number, row.source, row.subject)


def _must_be_sure(connection: sa.Connection, number: int) -> None:
    columns = (dead_letters.c.source, dead_letters.c.subject)
    row = connection.execute(sa.select(*columns).where(dead_letters.c.id == number)).one_or_none()
    if row is not None:
        _must_not_be_in_doubt(connection, number, row.source, row.subject)


def _must_not_be_in_doubt(connection: sa.Connection, number: int, source: str, subject: str) -> None:
    """Another content would be booked beside what the first one may have made."""
    if doubtful_events(connection, source, subject):
        what = f"a call for the booking of dead letter {number} is in doubt"
        raise EditRefused(f"{what}: say first whether it is there (`bellhop dead there`, `bellhop dead absent`)")


def _same_person(connection: sa.Connection, one: str, other: str) -> bool:
    return bool(people_behind(connection, one) & people_behind(connection, other))


def _edit(row: Any) -> Edit:
    return Edit(row.id, row.letter, row.who, row.why, row.at, bytes(row.body), EditState(row.state), row.approver)
