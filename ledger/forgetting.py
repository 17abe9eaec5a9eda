"""Forgetting a guest: what the ledger keeps of them is erased, wherever it stands; ids, hashes and states stay.

A guest is named by a member's id or an address. Who has the one in an event that has the other is the same guest, where
an address is of one member alone. What is at work, or waits in a queue, is worked as was promised, and erased once it
has ended: `forgotten` keeps the number of a search term for it, never the guest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from bellhop.ledger.audit import record
from bellhop.ledger.bookings import standing
from bellhop.ledger.chain import FORGET, tell_erased
from bellhop.ledger.engine import Database
from bellhop.ledger.guest_looks import Beforehand, Look, Within
from bellhop.ledger.guests import Guest, bookings_among, event_rows, find_guest, letters_of
from bellhop.ledger.known import RANKS, UNFINISHED
from bellhop.ledger.loose_words import erase_bookings_words, erase_loose_words, find_mentions, names_in
from bellhop.ledger.payloads import ENDED, WAITING, erase_events, erase_letters
from bellhop.ledger.records import AuditRow, GuestFound
from bellhop.ledger.search_terms import numbers, plain
from bellhop.ledger.tables import (
    audit,
    bookings,
    dead_letters,
    event_words,
    events,
    forgotten,
    refused_posts,
)
from bellhop.schemas.errors import LedgerError
from bellhop.schemas.quantities import quantity

_CHUNK: Final = 500


class ForgetRefused(LedgerError):
    """Raised where something of the guest still stands; says what, and what to do."""


class Forgetting:
    """`ledger.forgetting`. Every method raises LedgerUnavailable."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def find(self, name: str, source: str = "") -> GuestFound:
        """What would go, and what stands in the way. name: a member's id or an address. source: of all, else of one."""
        look = Beforehand(self._database, self._now())
        return _count(look, _find(look, name, source), self._now())

    def forget(
        self, name: str, who: str, why: str, *, source: str = "", also_open: bool = False, seen: str = ""
    ) -> GuestFound:
        """Erases it in one commit, with a row of audit that has a digest alone. also_open: also where something still
        needs it; open letters are then discarded, a booking to come loses its guest and stands, and what is at work
        goes once it has ended. seen: the digest of what was found before, where nothing else is to go. Raises
        ForgetRefused."""
        before = Beforehand(self._database, self._now())
        known = _find(before, name, source) if self._database.has_one_writer else None
        with self._database.write() as connection:
            now = self._now()
            guest = _find(Within(connection, before.ends), name, source, known)
            if known is not None and not guest.is_known_as(known):  # nobody has read the rest for what is new of them
                guest = _find(Within(connection, {}), name, source)
            if not guest.names:
                raise ForgetRefused("name a member's id or an e-mail address")
            if names_in(guest)(why) or guest.names.intersection(plain(why).split()):
                raise ForgetRefused("the reason names the guest, and the audit keeps it: say it otherwise")
            found = _count(Within(connection, {}), guest, now)
            if seen and seen != found.digest:
                raise ForgetRefused("what there is of the guest has changed since it was looked at: look once more")
            if len(found.sources) > 1 and not source and "@" not in name:
                raise ForgetRefused(f"members of {', '.join(found.sources)} have this id: name the source of one")
            _must_be_free(found, also_open=also_open)
            if also_open:
                _discard(connection, guest, now)
            _erase(connection, guest, now)
            self._note_later(connection, guest, source, now)
            counts = f"{quantity(found.events, 'event')}, {quantity(found.letters, 'letter')}"
            what = f"guest {numbers(name)[0] & (2**64 - 1):016x}: {counts}"
            _tell(connection, guest, AuditRow(now, who, FORGET, None, why, what))
        self._database.checkpoint()
        return found

    def _note_later(self, connection: sa.Connection, guest: Guest, source: str, now: datetime) -> None:
        """By what the guest is known in what waits in queues."""
        later = [{"word": numbers(one)[0], "source": source, "at": now} for one in sorted(guest.names)]
        insert = self._database.insert(forgotten)
        again = insert.on_conflict_do_update(index_elements=["word", "source"], set_={"at": insert.excluded["at"]})
        connection.execute(again, later)

    def prune(self, before: datetime) -> int:
        """Erases what was accepted before its guest was forgotten, and has ended since; of how many events."""
        with self._database.write() as connection:
            connection.execute(sa.delete(forgotten).where(forgotten.c.at < before))
            late = (
                sa.select(events.c.pk, events.c.source, events.c.event_id, events.c.type, events.c.subject)
                .join(event_words, event_words.c.event_pk == events.c.pk)
                .join(forgotten, forgotten.c.word == event_words.c.word)
                .where(ENDED, events.c.received <= forgotten.c.at, ~_has_waiting())
                .where(sa.or_(forgotten.c.source == "", forgotten.c.source == events.c.source))
            )
            rows = connection.execute(late.limit(_CHUNK)).all()
            if rows:
                guest = Guest(set(), {row.pk for row in rows})
                guest.letters = letters_of(Within(connection, {}), guest.events)
                guest.keys = bookings_among(rows)
                _erase(connection, guest, self._now())
        return len(rows)


def _find(look: Look, name: str, source: str, known: Guest | None = None) -> Guest:
    guest = find_guest(look, name, source, known)
    find_mentions(look, guest)
    return guest


def _has_waiting() -> sa.ColumnElement[bool]:
    letters = dead_letters.c
    same = (letters.source == events.c.source, letters.event_id == events.c.event_id, letters.state.in_(WAITING))
    return sa.exists().where(*same)


# --- what stands in the way -----------------------------------------------------------------------------------------


def _count(look: Look, guest: Guest, now: datetime) -> GuestFound:
    rows = event_rows(look, guest.events)
    letters = look.rows(sa.select(dead_letters).where(dead_letters.c.id.in_(sorted(guest.letters))))
    open_ = [letter.id for letter in letters if letter.state in WAITING]
    unfinished = {state.value for state in UNFINISHED}
    same = sa.tuple_(bookings.c.source, bookings.c.reference).in_(sorted(guest.keys))
    coming = sa.select(bookings.c.reference).where(same, standing(bookings), bookings.c.last_start >= now)
    return GuestFound(
        events=len(rows),
        letters=len(letters),
        refused=len(guest.refused),
        at_work=tuple(sorted(row.event_id for row in rows if row.state in unfinished)),
        open_letters=tuple(sorted(open_)),
        in_doubt=tuple(sorted(row.event_id for row in rows if row.calling and row.state not in unfinished)),
        coming=tuple(sorted(row.reference for row in look.rows(coming))) if guest.keys else (),
        sources=tuple(sorted({row.source for row in rows} | {letter.source for letter in letters})),
    )


def _must_be_free(found: GuestFound, *, also_open: bool) -> None:
    if found.in_doubt:
        raise ForgetRefused(
            f"a call of {found.in_doubt[0]} is in doubt: say first whether it is there (`bellhop dead there`, `absent`)"
        )
    stands = [
        f"{quantity(len(some), noun)}{more} ({', '.join(map(str, some[:5]))}{', …' if len(some) > 5 else ''})"
        for some, noun, more in (
            (found.at_work, "event", " at work"),
            (found.open_letters, "open dead letter", ""),
            (found.coming, "booking", " to come"),
        )
        if some
    ]
    if stands and not also_open:
        raise ForgetRefused(
            f"still needed: {', '.join(stands)}; --also-open (also_open) erases what they tell of the guest, too"
        )


# --- erasing --------------------------------------------------------------------------------------------------------


def _discard(connection: sa.Connection, guest: Guest, now: datetime) -> None:
    chosen = (dead_letters.c.id.in_(sorted(guest.letters)), dead_letters.c.state.in_(WAITING))
    connection.execute(sa.update(dead_letters).where(*chosen).values(state="discarded", updated=now))
    dead = (events.c.pk.in_(sorted(guest.events)), events.c.state == "dead")
    connection.execute(sa.update(events).where(*dead).values(state="discarded", updated=now))


def _erase(connection: sa.Connection, guest: Guest, now: datetime) -> None:
    ended = connection.scalars(sa.select(events.c.pk).where(events.c.pk.in_(sorted(guest.events)), ENDED)).all()
    members = [row for row in event_rows(Within(connection, {}), set(ended)) if row.type not in RANKS]
    erase_events(connection, ended, now)
    erase_letters(connection, sorted(guest.letters))
    connection.execute(sa.delete(refused_posts).where(refused_posts.c.id.in_(sorted(guest.refused))))
    if guest.keys:
        erase_bookings_words(connection, sorted(guest.keys))
    if guest.names:
        erase_loose_words(connection, guest)
    for row in members:
        # The content's hash still knows what comes twice.
        hidden = f"forgotten-{row.pk}"
        changed = {"subject": hidden, "business_key": f"{row.source}/{hidden}"}
        connection.execute(sa.update(events).where(events.c.pk == row.pk).values(changed))
    for letter in sorted(guest.letters):
        not_booking = dead_letters.c.type.not_in(list(RANKS))
        renamed = {"subject": f"forgotten-letter-{letter}"}
        connection.execute(sa.update(dead_letters).where(dead_letters.c.id == letter, not_booking).values(renamed))


def _tell(connection: sa.Connection, guest: Guest, act: AuditRow) -> None:
    """Enters it in the audit, whose other rows that name the guest lose their words."""
    acts = sorted(guest.acts)
    number = record(connection, [replace(act, what="; ".join(filter(None, (act.what, tell_erased(acts)))))])
    gone = {"why": "", "what": "", "forgotten": number}
    connection.execute(sa.update(audit).where(audit.c.id.in_(acts)).values(gone))
