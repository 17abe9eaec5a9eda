"""What becomes of each field of an event at a vendor: its fate. No field is silent.

A vendor's table stands in its folder (`fates.py`), its row of the registry names it, and `docs/fields.md` is made of
all. What a table has as warned of is told in the answer to the post, and in the event's history and result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from bellhop.schemas.events import BOOKING_TYPES
from bellhop.schemas.statuses import Meaning, meaning

CANCELLED: Final = "booking.cancelled"
_EMPTY: Final[tuple[object, ...]] = (None, "", [], {})


class Fate(StrEnum):
    CARRIED = "carried"
    """Stands in the vendor's call."""

    CHECKED = "checked"
    """Held against what the words say; where it differs it is refused, or decides what is called."""

    WARNED = "warned of"
    """Not sent to the vendor, and said so."""

    REFUSED = "refused"
    """The event is turned away at the post, or stands in front of a person."""


@dataclass(frozen=True, slots=True)
class FieldFate:
    """words: as which argument it is carried, what it is checked against, why it is not sent, or by what rule it is
    refused. needs: the account's setting without which it is warned of instead, with the words `otherwise`."""

    fate: Fate
    words: str
    needs: str = ""
    otherwise: str = ""

    def warning_for(self, account: object) -> str:
        """Why the field is not sent for this account; "" where it has another fate."""
        if self.needs and not getattr(account, self.needs):
            return self.otherwise
        return self.words if self.fate is Fate.WARNED else ""


@dataclass(frozen=True)
class CallFates:
    """The fates of the fields of one vendor's call, "" where it has none for these events. types: of the events that
    come to it. fields: by name in `data`; those of its client and of each service as `client.name`."""

    call: str
    types: tuple[str, ...]
    fields: Mapping[str, FieldFate]

    @cached_property
    def perhaps_warned(self) -> Mapping[str, FieldFate]:
        """Those that some account is warned of: few, and asked about with every post."""
        return {name: fate for name, fate in self.fields.items() if fate.fate is Fate.WARNED or fate.needs}


def carries(words: str, *, needs: str = "", otherwise: str = "") -> FieldFate:
    return FieldFate(Fate.CARRIED, words, needs, otherwise)


def checks(words: str) -> FieldFate:
    return FieldFate(Fate.CHECKED, words)


def warns(words: str) -> FieldFate:
    return FieldFate(Fate.WARNED, words)


def refuses(words: str) -> FieldFate:
    return FieldFate(Fate.REFUSED, words)


OF_EVERY_EVENT: Final[Mapping[str, FieldFate]] = {
    "id": checks("the ids known of its source: what is done is not done again"),
    "type": checks("the types there are: it decides the call"),
    "timestamp": checks("the times of its booking's other events: it decides their order"),
}
"""What stands beside `data`, whoever the vendor is."""

OF_EVERY_BOOKING: Final[Mapping[str, FieldFate]] = {
    "booking_id": checks("what stands under this reference"),
    "replaces": checks("what stands under that reference: it is compared with, and gives way once the new is made"),
    "venue": checks(
        "the venues of the settings: it decides account and time zone; another than before is a move: what stood is"
        " cancelled, or a person is asked to see to it"
    ),
    "status": checks("SevenRooms' statuses: it decides whether to book, to cancel or only to record"),
}
"""What a booking's `data` has for Bellhop itself, whoever the vendor is."""

OF_EVERY_CANCEL: Final[Mapping[str, FieldFate]] = {
    **OF_EVERY_BOOKING,
    "venue": checks("the venues of the settings; without one of these it is cancelled wherever it stands"),
    **dict.fromkeys(
        ("member_id", "client.name", "client.email"),
        checks("the guests whose bookings stand: it cancels that guest's alone; only another's are left to a person"),
    ),
}
"""What names the booking that a cancel is of."""

BEYOND_A_CANCEL: Final = (
    *("client.phone", "client.timezone", "notes"),
    *("services.service_id", "services.provider_id", "services.facility_id", "services.start"),
    *("services.end", "services.duration", "services.price", "services.count", "additional", "promo_code", "recurring"),
)
"""What a booking's `data` may have and a cancel does not need."""


def field_warnings(
    title: str, table: Sequence[CallFates], account: object, type_: str, data: Mapping[str, Any]
) -> tuple[str, ...]:
    """What of an event is not sent to the vendor, a line for each reason; never a value. title: the vendor's.

    type_, data: as `schemas.events.parse` gives them. What is only recorded is sent nowhere, and says so by itself.
    """
    known = _call_of(table, type_, data)
    reasons: dict[str, list[str]] = {}
    for name, fate in known.perhaps_warned.items() if known else ():
        if (words := fate.warning_for(account)) and _says(data, name):
            reasons.setdefault(words, []).append(f"data.{name}")
    return tuple(f"{', '.join(names)}: not sent to {title}: {words}" for words, names in reasons.items())


def _says(data: Mapping[str, Any], name: str) -> bool:
    """Whether the field, named as in `CallFates.fields`, says something."""
    part, _, inner = name.partition(".")
    if not inner:
        return data.get(part) not in _EMPTY
    found = data.get(part)
    rows = found if isinstance(found, list) else [found or {}]
    return any(row.get(inner) not in _EMPTY for row in rows)


def sent_fields(data: Mapping[str, Any]) -> list[str]:
    """The names of the fields that say something, as in `CallFates.fields`."""
    return list(dict.fromkeys(_names_in(data)))


def _names_in(data: Mapping[str, Any]) -> Iterator[str]:
    for name, value in data.items():
        if value in _EMPTY:
            continue
        rows = {"client": [value], "services": value}.get(name)
        if rows is None:
            yield name
        for row in rows or ():
            yield from (f"{name}.{inner}" for inner, one in row.items() if one not in _EMPTY)


def _call_of(table: Sequence[CallFates], type_: str, data: Mapping[str, Any]) -> CallFates | None:
    """The call that an event comes to; None where it comes to none."""
    if type_ in BOOKING_TYPES:
        meant, _ = meaning(type_, data.get("status"), (None,))
        if meant is Meaning.RECORD:
            return None
        type_ = CANCELLED if meant is Meaning.CANCEL else type_
    return next((one for one in table if type_ in one.types), None)
