"""Where the ledger tells of a guest: search terms, a member's events, and what calls, bookings and letters hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.known import RANKS
from bellhop.ledger.search_terms import national_digits, numbers, plain
from bellhop.ledger.tables import attempts, bookings, dead_letters, doubts, event_words, events, letter_bodies

_ROUNDS: Final = 2
_PERSON: Final = ("client", "profile")
_NAME_PARTS: Final = ("first_name", "last_name")
_TELEPHONE: Final = re.compile(r"(?i)phone|mobile|tel$")
_SHORTEST_NUMBER: Final = 7


@dataclass
class Guest:
    """names: ids and addresses, plain. called: full names, plain. telephones: as their national digits. The rest:
    primary keys of what tells of them."""

    names: set[str]
    events: set[int] = field(default_factory=set)
    letters: set[int] = field(default_factory=set)
    keys: set[tuple[str, str]] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    telephones: set[str] = field(default_factory=set)


def find_guest(connection: sa.Connection, name: str, source: str) -> Guest:
    guest = Guest({one for one in (plain(name),) if one})
    for _ in range(_ROUNDS):
        for one in sorted(guest.names):
            guest.events |= set(_events_of(connection, one, source))
            guest.keys |= set(_bookings_of(connection, one, source))
            guest.letters |= set(_letters_naming(connection, one, source))
        rows = event_rows(connection, guest.events)
        guest.letters |= letters_of(connection, guest.events)
        guest.keys |= {(row.source, row.subject) for row in rows}
        members, mails = set(), set()
        for row in rows:
            members |= set() if row.type in RANKS or not row.type.startswith("member") else {plain(row.subject)}
        for told in _payloads(connection, guest):
            _note_person(guest, told)
            for key, value in _texts(told):
                members |= {plain(value)} if key == "member_id" else set()
                mails |= {plain(value)} if "mail" in key and "@" in value else set()
        if len(members) == 1:
            guest.names |= members | (mails if plain(name) in members else set())
    return guest


def _note_person(guest: Guest, value: Any) -> None:
    """How a payload calls them, and their telephones: first names alone could be anybody's."""
    if isinstance(value, list | tuple):
        for inner in value:
            _note_person(guest, inner)
    if not isinstance(value, Mapping):
        return
    for key, inner in value.items():
        if key in _PERSON and isinstance(inner, Mapping):
            whole = plain(str(inner.get("name") or " ".join(str(inner.get(part) or "") for part in _NAME_PARTS)))
            guest.called |= {whole} if " " in whole else set()
            numbers_ = (national_digits(text) for name, text in _texts(inner) if _TELEPHONE.search(name))
            guest.telephones |= {digits for digits in numbers_ if len(digits) >= _SHORTEST_NUMBER}
        else:
            _note_person(guest, inner)


def event_rows(connection: sa.Connection, pks: set[int]) -> Sequence[Any]:
    return connection.execute(sa.select(events).where(events.c.pk.in_(sorted(pks)))).all()


def _events_of(connection: sa.Connection, name: str, source: str) -> Iterator[int]:
    """By search terms, by a member's events, and by what calls tell."""
    mine = [events.c.source == source] if source else []
    worded = sa.select(event_words.c.event_pk).where(event_words.c.word == numbers(name)[0])
    # A booking's reference may be written like a member's id.
    named = sa.and_(
        events.c.pk.in_(worded), sa.or_(events.c.type.not_in(list(RANKS)), sa.func.lower(events.c.subject) != name)
    )
    is_member = sa.and_(events.c.type.not_in(list(RANKS)), sa.func.lower(events.c.subject) == name)
    yield from connection.scalars(sa.select(events.c.pk).where(sa.or_(named, is_member), *mine))
    for table, column in ((attempts, "request"), (attempts, "answer"), (doubts, "call")):
        like = _like(table.c[column], name)
        query = sa.select(table.c.event_pk, table.c[column]).join(events, events.c.pk == table.c.event_pk)
        for row in connection.execute(query.where(like, *mine)):
            if names_guest(row[1], name):
                yield row.event_pk
    for held_source, reference in _bookings_of(connection, name, source):
        same = (events.c.source == held_source, events.c.subject == reference)
        yield from connection.scalars(sa.select(events.c.pk).where(*same))


def _bookings_of(connection: sa.Connection, name: str, source: str) -> Iterator[tuple[str, str]]:
    """Also of which no event is kept any more."""
    asked = sa.select(bookings.c.source, bookings.c.reference, bookings.c.asked).where(_like(bookings.c.asked, name))
    for held in connection.execute(asked).all():
        if names_guest(held.asked, name) and source in ("", held.source):
            yield held.source, held.reference


def _letters_naming(connection: sa.Connection, name: str, source: str) -> Iterator[int]:
    query = sa.select(dead_letters.c.id, letter_bodies.c.body).join(
        letter_bodies, letter_bodies.c.letter == dead_letters.c.id
    )
    for row in connection.execute(query.where(*([dead_letters.c.source == source] if source else []))):
        if name.encode() in bytes(row.body).lower() and names_guest(read_json(bytes(row.body)), name):
            yield row.id


def letters_of(connection: sa.Connection, pks: set[int]) -> set[int]:
    same = sa.and_(dead_letters.c.source == events.c.source, dead_letters.c.event_id == events.c.event_id)
    return set(connection.scalars(sa.select(dead_letters.c.id).join(events, same).where(events.c.pk.in_(sorted(pks)))))


def _payloads(connection: sa.Connection, guest: Guest) -> Iterator[Any]:
    pks = sorted(guest.events)
    for row in connection.execute(sa.select(attempts.c.request).where(attempts.c.event_pk.in_(pks))):
        yield row.request
    for body in connection.scalars(sa.select(letter_bodies.c.body).where(letter_bodies.c.letter.in_(guest.letters))):
        yield read_json(bytes(body))
    same = sa.tuple_(bookings.c.source, bookings.c.reference).in_(sorted(guest.keys))
    if guest.keys:
        yield from connection.scalars(sa.select(bookings.c.asked).where(same))


def _like(column: sa.Column[Any], name: str) -> sa.ColumnElement[bool]:
    """As JSON's text is stored: what is beyond ASCII is escaped there."""
    text = sa.func.lower(sa.cast(column, sa.Text))
    return text.contains(json.dumps(name)[1:-1].lower(), autoescape=True)


def read_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text and number of a JSON value, with its key."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(inner, str(name))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, key)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield key, str(value)


def names_guest(value: Any, name: str) -> bool:
    """Whether it tells of the guest: an address anywhere in a text, a member's id as a member's."""
    if "@" in name:
        return any(name in plain(text) for _, text in _texts(value))
    return any("member" in key and plain(text) == name for key, text in _texts(value))
