"""Where the ledger tells of a guest: search terms, a member's events, and what calls, bookings and letters hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.guest_looks import Look
from bellhop.ledger.known import RANKS
from bellhop.ledger.search_terms import national_digits, numbers, plain
from bellhop.ledger.tables import attempts, bookings, dead_letters, doubts, event_words, events, letter_bodies

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
    refused: set[int] = field(default_factory=set)
    acts: set[int] = field(default_factory=set)
    notes: set[int] = field(default_factory=set)

    def is_known_as(self, other: Guest) -> bool:
        """Whether whatever names the one names the other."""
        return (self.names, self.called, self.telephones) == (other.names, other.called, other.telephones)


def find_guest(look: Look, name: str, source: str, known: Guest | None = None) -> Guest:
    """known: what was found of them before, to which this look adds what it finds."""
    guest = Guest({one for one in (plain(name),) if one}) if known is None else deepcopy(known)
    read: set[str] = set()
    while names := sorted(guest.names - read):
        read |= guest.names
        guest.events |= set(_events_of(look, names, source))
        rows = event_rows(look, guest.events)
        guest.keys |= {*_bookings_of(look, names, source), *bookings_among(rows)}
        guest.events |= _events_of_bookings(look, guest.keys)
        guest.letters |= {*_letters_naming(look, names, source), *letters_of(look, guest.events)}
        members, mails = {plain(row.subject) for row in rows if row.type.startswith("member")}, set()
        for told in _payloads(look, guest):
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


def bookings_among(rows: Sequence[Any]) -> set[tuple[str, str]]:
    """Those that events are of. A member's id may be written like somebody else's reference."""
    return {(row.source, row.subject) for row in rows if row.type in RANKS}


def event_rows(look: Look, pks: set[int]) -> Sequence[Any]:
    return look.rows(sa.select(events).where(events.c.pk.in_(sorted(pks))))


def _events_of(look: Look, names: Sequence[str], source: str) -> Iterator[int]:
    """By search terms, by a member's events, and by what calls tell."""
    mine = [events.c.source == source] if source else []
    is_booking, subject = events.c.type.in_(list(RANKS)), sa.func.lower(events.c.subject)
    for name in names:
        worded = sa.select(event_words.c.event_pk).where(event_words.c.word == numbers(name)[0])
        # A booking's reference may be written like a member's id.
        named = sa.and_(events.c.pk.in_(worded), sa.or_(~is_booking, subject != name))
        yield from (row.pk for row in look.rows(sa.select(events.c.pk).where(named, *mine)))
    of_member = sa.select(events.c.pk).where(~is_booking, subject.in_(names), *mine)
    yield from (row.pk for row in look.whole(events, of_member))
    calls = sa.select(attempts.c.event_pk, attempts.c.request, attempts.c.answer)
    told = calls.join(events, events.c.pk == attempts.c.event_pk)
    for row in look.whole(attempts, told.where(_like(names, attempts.c.request, attempts.c.answer), *mine)):
        if names_any((row.request, row.answer), names):
            yield row.event_pk
    doubtful = sa.select(doubts.c.event_pk, doubts.c.call).join(events, events.c.pk == doubts.c.event_pk)
    yield from (row.event_pk for row in look.rows(doubtful.where(*mine)) if names_any(row.call, names))


def _events_of_bookings(look: Look, keys: set[tuple[str, str]]) -> set[int]:
    same = sa.and_(events.c.type.in_(list(RANKS)), sa.tuple_(events.c.source, events.c.subject).in_(sorted(keys)))
    return {row.pk for row in look.rows(sa.select(events.c.pk).where(same))} if keys else set()


def _bookings_of(look: Look, names: Sequence[str], source: str) -> Iterator[tuple[str, str]]:
    """Also of which no event is kept any more."""
    asked = sa.select(bookings.c.source, bookings.c.reference, bookings.c.asked).where(_like(names, bookings.c.asked))
    for held in look.whole(bookings, asked):
        if names_any(held.asked, names) and source in ("", held.source):
            yield held.source, held.reference


def _letters_naming(look: Look, names: Sequence[str], source: str) -> Iterator[int]:
    query = sa.select(dead_letters.c.id, letter_bodies.c.body).join(
        letter_bodies, letter_bodies.c.letter == dead_letters.c.id
    )
    mine = [dead_letters.c.source == source] if source else []
    for row in look.whole(letter_bodies, query.where(*mine)):
        body = bytes(row.body)
        if any(name.encode() in body.lower() and names_guest(read_json(body), name) for name in names):
            yield row.id


def letters_of(look: Look, pks: set[int]) -> set[int]:
    same = sa.and_(dead_letters.c.source == events.c.source, dead_letters.c.event_id == events.c.event_id)
    asked = sa.select(dead_letters.c.id).join(events, same).where(events.c.pk.in_(sorted(pks)))
    return {row.id for row in look.rows(asked)}


def _payloads(look: Look, guest: Guest) -> Iterator[Any]:
    for row in look.rows(sa.select(attempts.c.request).where(attempts.c.event_pk.in_(sorted(guest.events)))):
        yield row.request
    for row in look.rows(sa.select(letter_bodies.c.body).where(letter_bodies.c.letter.in_(guest.letters))):
        yield read_json(bytes(row.body))
    same = sa.tuple_(bookings.c.source, bookings.c.reference).in_(sorted(guest.keys))
    if guest.keys:
        yield from (row.asked for row in look.rows(sa.select(bookings.c.asked).where(same)))


def _like(names: Sequence[str], *columns: sa.Column[Any]) -> sa.ColumnElement[bool]:
    """As JSON's text is stored: what is beyond ASCII is escaped there."""
    texts = [sa.func.lower(sa.cast(column, sa.Text)) for column in columns]
    words = [json.dumps(name)[1:-1].lower() for name in names]
    return sa.or_(*(text.contains(word, autoescape=True) for text in texts for word in words))


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


def names_any(value: Any, names: Iterable[str]) -> bool:
    return any(names_guest(value, name) for name in names)


def names_guest(value: Any, name: str) -> bool:
    """Whether it tells of the guest: an address anywhere in a text, a member's id as a member's."""
    if "@" in name:
        return any(name in plain(text) for _, text in _texts(value))
    return any("member" in key and plain(text) == name for key, text in _texts(value))
