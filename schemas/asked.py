"""What a booking event asks for, in a form that two events are compared by, field by field. Pure.

What is asked is kept with the booking it made. A newer event is compared with it, and what differs is carried to the
vendor, or told to a person. What an event leaves out it asks to be without: an event says all of its booking.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bellhop.schemas.envelope import Data
from bellhop.schemas.redact import MASK

Asked = Mapping[str, Any]
"""`type` of the event, what it says of the guest and the whole booking, and `services`: those a vendor's booking is
for."""

_CLIENT: Final = ("name", "email", "phone", "timezone")
_WHOLE: Final = ("venue", "member_id", "notes", "additional", "promo_code", "recurring")
_SERVICE: Final = ("service_id", "provider_id", "facility_id", "start", "end", "price", "count")
_PLAIN: Final = frozenset({"venue", "member_id", "promo_code", "status", "booking_id"})
"""Fields that name no guest, beside those of services."""
_TIMES: Final = frozenset({"start", "end"})


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that two events ask otherwise; None for nothing."""

    field: str
    before: Any
    after: Any

    @property
    def is_plain(self) -> bool:
        """Whether its values name no guest."""
        return self.field in _PLAIN or self.field.startswith("services.")

    @property
    def masked(self) -> str:
        """As people may read it in any log: a guest's own values are masked."""
        return f"{self.field}: {_text(self.before, self.is_plain)} → {_text(self.after, self.is_plain)}"


def asked_of(type_: str, data: Data, services: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What an event asks of the booking that these of its services are for."""
    client = data.get("client") or {}
    asked = {
        "type": type_,
        "client": {name: client[name] for name in _CLIENT if client.get(name)},
        **{name: data[name] for name in _WHOLE if data.get(name)},
        "services": [{name: one[name] for name in _SERVICE if one.get(name) is not None} for one in services],
    }
    return asked if data.get("status") is None else {**asked, "status": data["status"]}


def compare_asked(before: Asked, after: Asked, lines: Sequence[int] = ()) -> list[Difference]:
    """What is asked otherwise. lines: the services' places in the newer event, where they are only some of its."""
    if before == after:
        return []
    found = [
        Difference(f"client.{name}", old, new)
        for name in _CLIENT
        for old, new in [_both(name, before.get("client", {}), after.get("client", {}))]
        if _plain(name, old) != _plain(name, new)
    ]
    found += [
        Difference(name, old, new)
        for name in _WHOLE
        for old, new in [_both(name, before, after)]
        if _plain(name, old) != _plain(name, new)
    ]
    return [*found, *_of_services(_in_order(before), _in_order(after), lines)]


def is_other_guest(one: Asked, other: Asked) -> bool:
    """Whether the two are surely of two guests: other members, or another name and no common address. One name with two
    addresses, or two names with one, may be a correction as well: a person decides. Case, accents and the order of a
    name's words make no other."""
    if one.get("member_id") and other.get("member_id"):
        return bool(one["member_id"] != other["member_id"])
    return have_other_name(one, other) and not _have_common("email", one, other)


def have_other_name(one: Asked, other: Asked) -> bool:
    """Whether both name a guest, and by two names; with one address it may be one guest or two who share it. One member
    is one guest, whatever the names. "Ada" and "Dr Ada Lee" are one name, told at another length."""
    if one.get("member_id") and other.get("member_id"):
        return False
    first, second = (set(_name_words(asked.get("client", {}).get("name"))) for asked in (one, other))
    return bool(first and second) and not (first <= second or second <= first)


def have_common_phone(one: Asked, other: Asked) -> bool:
    """A hint that two names are one guest's; a group's seats are often booked with one telephone's number, too."""
    return _have_common("phone", one, other)


def _have_common(name: str, one: Asked, other: Asked) -> bool:
    first, second = (_plain(name, asked.get("client", {}).get(name)) for asked in (one, other))
    return first is not None and first == second


def _name_words(name: Any) -> list[str]:
    letters = unicodedata.normalize("NFKD", str(name or "")).casefold()
    return sorted(re.findall(r"\w+", "".join(one for one in letters if not unicodedata.combining(one))))


def _both(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Any, Any]:
    return before.get(name), after.get(name)


def _of_services(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], lines: Sequence[int]
) -> Iterator[Difference]:
    for place in range(max(len(before), len(after))):
        line = lines[place] if place < len(lines) else place
        old, new = (some[place] if place < len(some) else None for some in (before, after))
        if old is None or new is None:
            yield Difference(f"services.{line}", _service_text(old), _service_text(new))
            continue
        for name in _SERVICE:
            if _plain(name, old.get(name)) != _plain(name, new.get(name)):
                yield Difference(f"services.{line}.{name}", old.get(name), new.get(name))


def _in_order(asked: Asked) -> list[Mapping[str, Any]]:
    """The services by their start: two events may name them in two orders."""
    return sorted(asked.get("services", ()), key=lambda one: (str(_plain("start", one.get("start"))), str(one)))


def _plain(name: str, value: Any) -> Any:
    """A value without what makes no difference: spaces, a telephone's punctuation, how an instant is written."""
    if value in (None, "", [], {}):
        return None
    if name in _TIMES:
        try:
            return datetime.fromisoformat(str(value)).timestamp()
        except ValueError:
            return value
    if name == "email":
        return str(value).strip().casefold()
    if name == "phone":
        return re.sub(r"[^\d+]", "", str(value)) or value
    if name == "price":
        return float(value)
    return " ".join(value.split()) if isinstance(value, str) else value


def _service_text(service: Mapping[str, Any] | None) -> str | None:
    if service is None:
        return None
    names = (f"{name} {service[name]}" for name in _SERVICE if service.get(name) is not None)
    return ", ".join(names)


def _text(value: Any, is_plain: bool) -> str:
    if value in (None, "", [], {}):
        return "nothing"
    return f"{value:g}" if is_plain and isinstance(value, float) else str(value) if is_plain else MASK
