"""What an upstream writes amiss and cannot mend: trimmed, cut or left out with a warning where it decides nothing.

It is for the formats that are not our own. What says which slot, which service, which person and which booking stays as
it is, for the contract to refuse: taken otherwise than meant, it would book something else.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from marshmallow import ValidationError

from bellhop.ingest.formats.parts import Event
from bellhop.schemas.contract import DeliveryId, EmailAddress, Moment, ZoneName, as_fit_text, unfit
from bellhop.schemas.durations import read_duration
from bellhop.schemas.errors import FieldProblem
from bellhop.schemas.events import DATA_FIELDS, MAX_NAME, MAX_NOTES, MAX_PHONE, MEMBER_TYPES
from bellhop.schemas.moments import iso_of
from bellhop.schemas.statuses import is_cancel

_MOST_WARNINGS: Final = 50
_PRICE: Final = re.compile(r"[^\d.,-]{0,4}(\d{1,8})(?:[.,](\d{1,2}))?[^\d.,-]{0,4}", re.ASCII)
_EMAIL: Final = EmailAddress()
_ZONE: Final = ZoneName()
_ID: Final = DeliveryId()
_MOMENT: Final = Moment(required=True)
_EMPTY: Final[tuple[object, ...]] = ("", [], {})


_CANCEL_FIELDS: Final = ("booking_id", "venue", "status", "notes", "client", "member_id")


def cancel_alone(made: Event, problems: Sequence[FieldProblem] = ()) -> Event:
    """What cancels, without what only a booking needs: half of a service, as a map's constants make one, or an e-mail
    address with a slip in it must not keep a cancel from being taken. What does not cancel stays as it is. Its guest
    is kept, who tells which one of a group's bookings is meant.

    problems: what is wrong with it; then only what names the booking is kept, and all the rest is warned of.
    """
    if not is_cancel(made.body) or not isinstance(made.body.get("data"), Mapping):
        return made
    wrong = {problem.field for problem in problems}
    whole = made.body["data"]
    data = {name: value for name, value in whole.items() if name in _CANCEL_FIELDS}
    if not problems:
        return replace(made, body={**made.body, "data": data}, warnings=(*made.warnings, *_left_out(whole, data, ())))
    kept = _Relaxing().booking({n: v for n, v in data.items() if n == "booking_id" or f"data.{n}" not in wrong})
    head = {name: value for name, value in made.body.items() if name not in wrong or name == "type"}
    body = {name: value for name, value in head.items() if name in ("id", "type", "timestamp")} | {"data": kept}
    told = [
        f"{problem.field}: {problem.rule}: left out, as a cancel needs no more than its booking"
        for problem in problems
        if problem.field != "data.booking_id"
    ]
    left = _left_out(whole, kept, [problem.field for problem in problems])
    return replace(made, body=body, warnings=(*made.warnings, *told[:_MOST_WARNINGS], *left))


def _left_out(data: Mapping[str, Any], kept: Mapping[str, Any], told: Sequence[str]) -> list[str]:
    """Words for what a cancel does not need, beside what was told by itself."""
    known = [name for name in DATA_FIELDS[""] if data.get(name) not in (None, *_EMPTY) and name not in kept]
    names = sorted(f"data.{name}" for name in known if f"data.{name}" not in told)
    return [f"{', '.join(names)}: left out, as a cancel needs no more than its booking"] if names else []


def relax(made: Event) -> Event:
    """An event in our own words, with what decides nothing made fit or left out; and what is to be told of that."""
    if not isinstance(made.body, Mapping):
        return made
    relaxing = _Relaxing()
    body = {name: value for name, value in made.body.items() if value not in (None, "")}
    if "id" in body:
        body["id"] = delivery_id(body["id"])
    if "timestamp" in body:
        body["timestamp"] = iso_of(body["timestamp"])
        if is_cancel(body) and not _is_moment(body["timestamp"]):
            del body["timestamp"]
            relaxing.told.append("timestamp: cannot be read: the receipt's stands for it")
    if isinstance(body.get("data"), Mapping):
        is_member = body.get("type") in MEMBER_TYPES
        body["data"] = relaxing.member(body["data"]) if is_member else relaxing.booking(body["data"])
    kept = {name: value for name, value in body.items() if value is not None}
    return replace(made, body=kept, warnings=(*made.warnings, *relaxing.told)[:_MOST_WARNINGS])


def _is_moment(value: object) -> bool:
    try:
        return _MOMENT.deserialize(value).tzinfo is not None
    except ValidationError:
        return False


def delivery_id(value: object) -> str | None:
    """As it is where it can be kept, else its hash: it names a post, and is shown to nobody."""
    try:
        return str(_ID.deserialize(_whole(value)))
    except ValidationError:
        return None if isinstance(value, list | dict | bool) else f"sha256-{_digest(str(value))}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(slots=True)
class _Relaxing:
    told: list[str] = field(default_factory=list)

    def booking(self, data: Mapping[str, Any]) -> dict[str, Any]:
        made = self._keep_known(data, "data", "")
        self._change(made, "data", "booking_id", _whole)
        self._change(made, "data", "member_id", _whole)
        self._change(made, "data", "venue", _trim)
        self._change(made, "data", "status", _trim)
        self._text(made, "data", "notes", MAX_NOTES)
        self._check(made, "data", "promo_code", _short, "is no code of at most 100 characters")
        self._table(made, "data", "additional")
        if "client" in made:
            self._client(made)
        services = made.get("services")
        if isinstance(services, Mapping):
            services = [services]
        if isinstance(services, list):
            made["services"] = [self._service(one, f"data.services.{index}") for index, one in enumerate(services)]
        return made

    def member(self, data: Mapping[str, Any]) -> dict[str, Any]:
        made = {name: value for name, value in data.items() if value not in (None, "")}
        self._change(made, "data", "member_id", _whole)
        self._table(made, "data", "profile")
        self._table(made, "data", "attributes")
        return made

    def _client(self, booking: dict[str, Any]) -> None:
        if isinstance(booking["client"], str):
            booking["client"] = {"name": booking["client"]}
        if not isinstance(booking["client"], Mapping):
            return
        made = self._keep_known(booking["client"], "data.client", "client")
        place = "data.client"
        self._check(made, place, "email", _email, "is no e-mail address")
        self._check(made, place, "phone", _phone, f"is no telephone number of at most {MAX_PHONE} characters")
        self._check(made, place, "timezone", _zone, "is no time zone such as Europe/London")
        self._text(made, place, "name", MAX_NAME)
        if "name" not in made and (instead := made.get("email") or made.get("phone")):
            made["name"] = instead
            what = "e-mail address" if "email" in made else "telephone number"
            self._tell(f"{place}.name", f"is missing: the {what} stands in its place")
        if "name" in made:
            booking["client"] = made
        else:
            del booking["client"]

    def _service(self, service: Any, place: str) -> Any:
        if not isinstance(service, Mapping):
            return service
        made = self._keep_known(service, place, "services")
        for name in ("service_id", "provider_id", "facility_id"):
            self._change(made, place, name, _whole)
        for name in ("start", "end"):
            self._change(made, place, name, iso_of)
        self._change(made, place, "count", _count)
        self._check(made, place, "price", _price, "is no amount from 0 to 10,000,000")
        self._check(made, place, "duration", _duration, "is no duration that can be read")
        if "duration" in made and "end" in made:
            del made["duration"]
        return made

    def _keep_known(self, data: Mapping[str, Any], place: str, of: str) -> dict[str, Any]:
        """Without what is empty, and without what has no place in an event."""
        made = {}
        for name, value in data.items():
            if name not in DATA_FIELDS[of]:
                self._tell(place, "holds a field that events do not have")
            elif value is not None and value not in _EMPTY:
                made[name] = value
        return made

    def _change(self, holder: dict[str, Any], place: str, name: str, change: Callable[[Any], Any]) -> None:
        """Only how it is written: what cannot be read stays, for the contract to refuse."""
        if name in holder:
            holder[name] = change(holder[name])

    def _check(self, holder: dict[str, Any], place: str, name: str, read: Callable[[Any], Any], problem: str) -> None:
        """read: None for what cannot be kept."""
        if name not in holder:
            return
        made = read(holder.pop(name))
        if made is None:
            self._tell(f"{place}.{name}", problem)
        elif made not in _EMPTY:
            holder[name] = made

    def _text(self, holder: dict[str, Any], place: str, name: str, most: int) -> None:
        if name not in holder:
            return
        value = holder.pop(name)
        lines = value if isinstance(value, list) else [value]
        texts = [_text(line) for line in lines]
        if None in texts:
            self._tell(f"{place}.{name}", "is no text")
        text = "\n".join(text for text in texts if text)
        if len(text) > most:
            self.told.append(f"{place}.{name}: has {len(text)} characters: cut after {most}")
        if text:
            holder[name] = text[:most]

    def _table(self, holder: dict[str, Any], place: str, name: str) -> None:
        if name not in holder:
            return
        value = holder.pop(name)
        if not isinstance(value, Mapping):
            if value not in _EMPTY:  # PHP writes an empty table as []
                self._tell(f"{place}.{name}", "is no table")
            return
        kept = {key: each for key, each in value.items() if not any(unfit({key: each}, "", 2))}
        if len(kept) < len(value):
            self._tell(f"{place}.{name}", "holds what cannot be stored")
        if kept:
            holder[name] = kept

    def _tell(self, place: str, problem: str) -> None:
        self.told.append(f"{place}: {problem}{'' if 'stands in' in problem else ': left out'}")


# --- single values: None for what cannot be kept ----------------------------------------------------------------


def _text(value: object) -> str | None:
    number = _whole(value)
    if isinstance(number, bool) or not isinstance(number, str | int | float):
        return None
    return as_fit_text(str(number)).strip()


def _whole(value: object) -> object:
    """7.0 is 7: some languages know no whole numbers."""
    return int(value) if isinstance(value, float) and math.isfinite(value) and value.is_integer() else value


def _trim(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _email(value: object) -> str | None:
    text = _text(value)
    try:
        return _EMAIL.deserialize(re.sub("^mailto:", "", text, flags=re.IGNORECASE)) if text else text
    except ValidationError:
        return None


def _phone(value: object) -> str | None:
    text = _text(value)
    return text if text is not None and len(text) <= MAX_PHONE else None


def _short(value: object) -> str | None:
    text = _text(value)
    return text if text is not None and len(text) <= 100 else None


def _zone(value: object) -> str | None:
    text = _text(value)
    try:
        return _ZONE.deserialize(text) if text else text
    except ValidationError:
        return None


def _count(value: object) -> object:
    text = _trim(_whole(value))
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 6 else text


def _price(value: object) -> float | None:
    if isinstance(value, str):
        found = _PRICE.fullmatch(value.strip())
        value = float(f"{found[1]}.{found[2] or 0}") if found else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= 10_000_000 else None


def _duration(value: object) -> object:
    """Nought is how some say that they do not know."""
    if value in (0, "0", "00:00", "00:00:00", "PT0S"):
        return ""
    return value if read_duration(value) is not None else None
