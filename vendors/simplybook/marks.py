"""Our mark in what is booked: by it a booking is known as ours whose `book` was never answered.

The account's `mark` says where it goes: an intake field, by its title or name, or `client.KEY`, one of the client's
data. SimplyBook.me's details need not show either: where they do not, a booking is known by its slot and guest alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_CLIENT: Final = "client."
_DIGITS: Final = 15


def mark_of(source: str, event_id: str, line: int) -> str:
    """The same for each call of one service of an event; digits alone, which every field takes."""
    digest = hashlib.blake2b(f"{source}\n{event_id}\n{line}".encode(), digest_size=8).digest()
    return f"{int.from_bytes(digest) % 10**_DIGITS:0{_DIGITS}}"


def mark_field(
    place: str, given: Mapping[str, Any], intake: Sequence[Mapping[str, Any]], mark: str
) -> Mapping[str, Any]:
    """What is answered to the intake form, with the mark where the service has its field and nobody else answers it."""
    known = {str(field[key]): str(field["name"]) for field in intake for key in ("title", "name") if field.get(key)}
    name = known.get(place)
    if name is None or any(known.get(key) == name for key in given):
        return given
    return {**given, name: mark}


def mark_client(place: str, person: Mapping[str, Any], mark: str) -> dict[str, Any]:
    """The client's data, with the mark where it goes there."""
    key = place.removeprefix(_CLIENT)
    return {key: mark, **person} if place.startswith(_CLIENT) and key else dict(person)


def has_mark(details: Any, mark: str) -> bool:
    """Whether a booking's details show it, in whatever field."""
    return any(mark in text for text in _texts(details))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)
