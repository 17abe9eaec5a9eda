"""Forgetting a guest: what the ledger keeps of them is erased, wherever it stands; ids, hashes and states stay.

A guest is named by a member's id or an address. Who has the one in an event that has the other is the same guest, where
an address is of one member alone. What is at work, or waits in a queue, is worked as was promised, and erased once it
has ended: `forgotten` keeps the number of a search term for it, never the guest.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from bellhop.ledger.audit import record
from bellhop.ledger.chain import FORGET, tell_erased
from bellhop.ledger.engine import Database
from bellhop.ledger.guests import Guest, event_rows, find_guest, letters_of, names_guest, read_json
from bellhop.ledger.known import RANKS, UNFINISHED
from bellhop.ledger.loose_words import erase_bookings_words, erase_loose_words, names_in
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
        with self._database.read() as connection:
            return _count(connection, find_guest(connection, name, source), self._now())

    def forget(
        self, name: str, who: str, why: str, *, source: str = "", also_open: bool = False, seen: str = ""
    ) -> GuestFound:
        """Erases it in one commit, with a row of audit that has a digest alone. also_open: also where something still
        needs it; open letters are then discarded, a booking to come loses its guest and stands, and what is at work
        goes once it has ended. seen: the digest of what was found before, where nothing else is to go. Raises
        ForgetRefused."""
        with self._database.write() as connection:
            now = self._now()
            guest = find_guest(connection, name, source)
            if not guest.names:
                raise ForgetRefused("name a member's id or an e-mail address")
            if names_in(guest)(why) or guest.names.intersection(plain(why).split()):
                raise ForgetRefused("the reason names the guest, and the audit keeps it: say it otherwise")
            found = _count(connection, guest, now)
            if seen and seen != found.digest:
                raise ForgetRefused("what there is of the guest has changed since it was looked at: look once more")
            if len(found.sources) > 1 and not source and "@" not in name:
                raise ForgetRefused(f"members of {', '.join(found.sources)} have this id: name the source of one")
            _must_be_free(found, also_open=also_open)
            if also_open:
                _discard(connection, guest, now)
            _erase(connection, guest, now)
            later = [{"word": numbers(one)[0], "source": source, "at": now} for one in sorted(guest.names)]
            insert = self._database.insert(forgotten)
            again = insert.on_conflict_do_update(index_elements=["word", "source"], set_={"at": insert.excluded["at"]})
            connection.execute(again, later)
            told = _acts_naming(connection, guest)
            what = f"guest {numbers(name)[0] & (2**64 - 1):016x}: {found.events} events, {found.letters} letters"
            number = record(
                connection, [AuditRow(now, who, FORGET, None, why, "; ".join(filter(None, (what, told[0]))))]
            )
            gone = {"why": "", "what": "", "forgotten": number}
            connection.execute(sa.update(audit).where(audit.c.id.in_(told[1])).values(gone))
        self._database.checkpoint()
        return found

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
                guest.letters = letters_of(connection, guest.events)
                guest.keys = {(row.source, row.subject) for row in rows}
                _erase(connection, guest, self._now())
        return len(rows)


def _has_waiting() -> sa.ColumnElement[bool]:
    letters = dead_letters.c
    same = (letters.source == events.c.source, letters.event_id == events.c.event_id, letters.state.in_(WAITING))
    return sa.exists().where(*same)


# --- what stands in the way -----------------------------------------------------------------------------------------


def _count(connection: sa.Connection, guest: Guest, now: datetime) -> GuestFound:
    rows = event_rows(connection, guest.events)
    letters = connection.execute(sa.select(dead_letters).where(dead_letters.c.id.in_(sorted(guest.letters)))).all()
    open_ = [letter.id for letter in letters if letter.state in WAITING]
    unfinished = {state.value for state in UNFINISHED}
    same = sa.tuple_(bookings.c.source, bookings.c.reference).in_(sorted(guest.keys))
    coming = sa.select(bookings.c.reference).where(same, bookings.c.cancelled.is_(False), bookings.c.last_start >= now)
    return GuestFound(
        events=len(rows),
        letters=len(letters),
        refused=len(_refused_of(connection, guest)),
        at_work=tuple(sorted(row.event_id for row in rows if row.state in unfinished)),
        open_letters=tuple(sorted(open_)),
        in_doubt=tuple(sorted(row.event_id for row in rows if row.calling and row.state not in unfinished)),
        coming=tuple(sorted(connection.scalars(coming))) if guest.keys else (),
        sources=tuple(sorted({row.source for row in rows} | {letter.source for letter in letters})),
    )


def _must_be_free(found: GuestFound, *, also_open: bool) -> None:
    if found.in_doubt:
        raise ForgetRefused(
            f"a call of {found.in_doubt[0]} is in doubt: say first whether it is there (`bellhop dead there`, `absent`)"
        )
    stands = [
        f"{len(some)} {what} ({', '.join(map(str, some[:5]))}{', …' if len(some) > 5 else ''})"
        for some, what in (
            (found.at_work, "events at work"),
            (found.open_letters, "open dead letters"),
            (found.coming, "bookings to come"),
        )
        if some
    ]
    if stands and not also_open:
        raise ForgetRefused(
            f"still needed: {', '.join(stands)}; --also-open (also_open) erases what they tell of the guest, too"
        )


def _refused_of(connection: sa.Connection, guest: Guest) -> list[int]:
    columns = refused_posts.c
    found = []
    for row in connection.execute(sa.select(columns.id, columns.content, columns.detail, columns.body)):
        content = bytes(row.content or b"")
        told = [read_json(content), row.detail, row.body]
        raw = plain(content.decode("utf-8", "replace"))
        if any(names_guest(one, name) for one in told for name in guest.names) or any(
            "@" in name and (name in raw or name.replace("@", "%40") in raw) for name in guest.names
        ):
            found.append(row.id)
    return found


# --- erasing --------------------------------------------------------------------------------------------------------


def _discard(connection: sa.Connection, guest: Guest, now: datetime) -> None:
    chosen = (dead_letters.c.id.in_(sorted(guest.letters)), dead_letters.c.state.in_(WAITING))
    connection.execute(sa.update(dead_letters).where(*chosen).values(state="discarded", updated=now))
    dead = (events.c.pk.in_(sorted(guest.events)), events.c.state == "dead")
    connection.execute(sa.update(events).where(*dead).values(state="discarded", updated=now))


def _erase(connection: sa.Connection, guest: Guest, now: datetime) -> None:
    ended = connection.scalars(sa.select(events.c.pk).where(events.c.pk.in_(sorted(guest.events)), ENDED)).all()
    refused = _refused_of(connection, guest) if guest.names else []
    members = [row for row in event_rows(connection, set(ended)) if row.type not in RANKS]
    erase_events(connection, ended, now)
    erase_letters(connection, sorted(guest.letters))
    connection.execute(sa.delete(refused_posts).where(refused_posts.c.id.in_(refused)))
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


def _acts_naming(connection: sa.Connection, guest: Guest) -> tuple[str, list[int]]:
    """The rows of audit whose words name the guest: as they are told of, and their numbers."""
    is_named = names_in(guest)
    acts = sa.select(audit.c.id, audit.c.why, audit.c.what).where(audit.c.forgotten.is_(None))
    found = {row.id for row in connection.execute(acts) if is_named(f"{row.why} {row.what}")}
    return tell_erased(sorted(found)), sorted(found)
