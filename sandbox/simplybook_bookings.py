"""SimplyBook.me's bookings, pretended: what occupies a provider's time, and the methods that change it.

Document: `simplybook-public-service-methods`; its codes and words. Which of two codes fits a case is inferred.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sandbox.answers import Answer, ids
from sandbox.diary import Diary
from sandbox.seed import Service, SimplybookSeed, Unit
from sandbox.switches import Switches

WORDS: Final = {
    -32015: "Passed event id is not reccuren",
    -32051: "Selected event id is not available",
    -32052: "Selected unit id is not available",
    -32053: "Selected date start is not available",
    -32054: "Selected time start is not available",
    -32055: "One or more appointments couldn't be reserved",
    -32056: "Booking is not allowed at this time",
    -32061: "Client name value is wrong",
    -32062: "Client email value is wrong",
    -32063: "Client phone value is wrong",
    -32080: "Appointemnt couldn't be found",
    -32085: "Signature error",
    -32095: "Batch not found",
    -32601: "Method not found",
    -32602: "Invalid params",
    -32603: "Internal error",
    -33001: "Company does not exist",
    -33002: "Wrong API key",
}
"""The document's own words, its spelling included; the login codes' from the vendor's messages."""

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_TIME: Final = re.compile(r"\d\d:\d\d:\d\d")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE: Final = re.compile(r"\+?[\d\s().-]{5,30}")


class RpcError(Exception):
    """The call is answered with this code, and the document's words for it unless others are given."""

    def __init__(self, code: int, message: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = WORDS[code] if message is None else message


@dataclass(slots=True)
class Booked:
    id: str
    service: Service
    unit: Unit
    client_id: str
    client: dict[str, str]
    start: datetime
    end: datetime
    code: str
    hash: str
    confirmed: bool
    cancelled: bool = False

    def as_json(self) -> dict[str, str]:
        """As in the document's `book response`."""
        return {
            "id": self.id,
            "event_id": self.service.id,
            "unit_id": self.unit.id,
            "client_id": self.client_id,
            "start_date_time": f"{self.start:%Y-%m-%d %H:%M:%S}",
            "end_date_time": f"{self.end:%Y-%m-%d %H:%M:%S}",
            "is_confirmed": "1" if self.confirmed else "0",
            "code": self.code,
            "hash": self.hash,
        }


class Bookings:
    """One company's bookings, in the company's wall-clock time. Not safe between threads: its owner holds a lock.

    hex_of gives that many random bytes as hex.
    """

    def __init__(
        self,
        seed: SimplybookSeed,
        switches: Callable[[], Switches],
        now: Callable[[], datetime],
        hex_of: Callable[[int], str],
    ) -> None:
        self.all: dict[str, Booked] = {}
        self._seed = seed
        self._switches = switches
        self._now = now
        self._hex = hex_of
        self._diary = Diary()
        self._ids = ids(now())
        self._clients: dict[tuple[str, ...], str] = {}
        self._batches: dict[str, str] = {}
        self._services = {service.id: service for service in seed.services}
        self._units = {unit.id: unit for unit in seed.units}

    def book(  # the document's own parameters, which arrive by position
        self,
        event_id: Any,
        unit_id: Any,
        date: Any,
        time: Any,
        client: Any,
        additional: Any = None,
        count: Any = None,
        batch_id: Any = None,
        recurring: Any = None,
    ) -> Answer:
        """All of it or nothing. `additional` is accepted as it comes: intake forms are not active."""
        service, unit = self.service(event_id), self.unit(unit_id)
        seats = 1 if count is None else whole(count)
        batch = "" if batch_id in (None, "") else identifier(batch_id)
        if seats < 1 or (seats > 1 and batch):  # "only one parameter can be specified"
            raise RpcError(-32602)
        if recurring and service.repeats == 1:
            raise RpcError(-32015)
        if batch and batch not in self._batches:
            raise RpcError(-32095)
        person = self._client(client)
        first = self._start(service, date, time)
        starts = [first + timedelta(days=service.every_days * turn) for turn in range(service.repeats)]
        self._check_free(service, unit, starts, seats)
        made = [self._add(service, unit, start, person) for start in starts for _ in range(seats)]
        body: dict[str, Any] = {
            "require_confirm": self._switches().simplybook_require_confirm,
            "bookings": [booked.as_json() for booked in made],
        }
        if service.repeats > 1:
            body |= self._new_batch("batch_recurrent_booking", "recurrent_batch_id")
        elif seats > 1:
            body |= self._new_batch("batch_booking", "batch_id")
        elif batch:
            body |= {"batch_type": "batch_booking", "batch_id": batch, "batch_hash": self._batches[batch]}
        return Answer(body, effect="booked", id=made[0].id)

    def create_batch(self) -> Answer:
        return Answer(self._new_batch("batch_booking", "batch_id")["batch_id"])

    def confirm(self, id_: Any, sign: Any) -> Answer:
        booked = self._signed(id_, sign)
        booked.confirmed = True
        return Answer(True, effect="confirmed", id=booked.id)

    def cancel(self, id_: Any, sign: Any) -> Answer:
        booked = self._signed(id_, sign, also_cancelled=self._switches().simplybook_cancel_twice_is_true)
        if booked.cancelled:
            return Answer(True)
        booked.cancelled = True
        self._diary.release(booked.unit.id, booked.start, booked.end, booked.id)
        return Answer(True, effect="cancelled", id=booked.id)

    def details(self, id_: Any, sign: Any) -> Answer:
        """The document gives no example: the `book response`'s fields, with names and the client."""
        booked = self._signed(id_, sign)
        named = {
            "event_name": booked.service.name,
            "unit_name": booked.unit.name,
            "client_name": booked.client["name"],
            "client_email": booked.client["email"],
            "client_phone": booked.client["phone"],
        }
        return Answer(booked.as_json() | named)

    def starts(self, service: Service, units: list[Unit], day: datetime, seats: int) -> list[datetime]:
        """The starts of `day` (its midnight) at which at least one of the units is free."""
        step = self._seed.timeframe
        minutes = range(self._seed.opens, self._seed.closes - service.minutes + 1, step)
        moments = (day + timedelta(minutes=minute) for minute in minutes)
        earliest, latest = self._horizon()
        return [
            start
            for start in moments
            if earliest < start <= latest and any(self._free(service, unit, start, seats) for unit in units)
        ]

    def service(self, id_: Any) -> Service:
        service = self._services.get(identifier(id_))
        if service is None:
            raise RpcError(-32051)
        return service

    def unit(self, id_: Any) -> Unit:
        unit = self._units.get(identifier(id_))
        if unit is None:
            raise RpcError(-32052)
        return unit

    def _horizon(self) -> tuple[datetime, datetime]:
        now = self._now().astimezone(self._seed.zone).replace(tzinfo=None)
        return now, now + timedelta(days=self._seed.days_ahead)

    def _start(self, service: Service, date: Any, time: Any) -> datetime:
        if not isinstance(date, str) or not _DATE.fullmatch(date):
            raise RpcError(-32053)
        if not isinstance(time, str) or not _TIME.fullmatch(time):
            raise RpcError(-32054)
        try:
            day = datetime.fromisoformat(date)
        except ValueError:
            raise RpcError(-32053) from None
        hours, minutes, seconds = map(int, time.split(":"))
        minute = hours * 60 + minutes
        in_hours = self._seed.opens <= minute and minute + service.minutes <= self._seed.closes
        if minutes > 59 or seconds or minute % self._seed.timeframe or not in_hours:
            raise RpcError(-32054)
        start = day + timedelta(minutes=minute)
        earliest, latest = self._horizon()
        if start <= earliest:
            raise RpcError(-32056)
        if start > latest:
            raise RpcError(-32053)
        return start

    def _client(self, client: Any) -> dict[str, str]:
        if not isinstance(client, dict):
            raise RpcError(-32061)
        given = {key: client.get(key) or "" for key in ("name", "email", "phone")}
        needed = self._seed.require_fields
        if not isinstance(given["name"], str) or not given["name"].strip():
            raise RpcError(-32061)
        for key, form, code in (("email", _EMAIL, -32062), ("phone", _PHONE, -32063)):
            value = given[key]
            if not isinstance(value, str) or (value and not form.fullmatch(value)) or (not value and key in needed):
                raise RpcError(code)
        return given

    def _free(self, service: Service, unit: Unit, start: datetime, seats: int) -> bool:
        end = start + timedelta(minutes=service.minutes)
        return self._diary.fits(unit.id, start, end, holds=unit.qty, seats=seats)

    def _check_free(self, service: Service, unit: Unit, starts: list[datetime], seats: int) -> None:
        if not all(self._free(service, unit, start, seats) for start in starts):
            raise RpcError(-32054 if len(starts) == seats == 1 else -32055)

    def _add(self, service: Service, unit: Unit, start: datetime, person: dict[str, str]) -> Booked:
        client_id = self._clients.setdefault(tuple(person.values()), str(len(self._clients) + 1))
        booked = Booked(
            id=next(self._ids),
            service=service,
            unit=unit,
            client_id=client_id,
            client=person,
            start=start,
            end=start + timedelta(minutes=service.minutes),
            code=self._hex(4),
            hash=self._hex(16),
            confirmed=not self._switches().simplybook_require_confirm,
        )
        self.all[booked.id] = booked
        self._diary.occupy(unit.id, booked.start, booked.end, booked.id)
        return booked

    def _new_batch(self, type_: str, key: str) -> dict[str, str]:
        batch = str(len(self._batches) + 1)
        self._batches[batch] = self._hex(16)
        return {"batch_type": type_, key: batch, "batch_hash": self._batches[batch]}

    def _signed(self, id_: Any, sign: Any, *, also_cancelled: bool = False) -> Booked:
        booked = self.all.get(identifier(id_))
        if booked is None or (booked.cancelled and not also_cancelled):
            raise RpcError(-32080)
        if sign != signature(booked.id, booked.hash, self._seed.secret_key):
            raise RpcError(-32085)
        return booked


def signature(id_: str, hash_: str, secret_key: str) -> str:
    """md5(id + hash + secret key), as hex: the document's formula for bookings and batches."""
    return hashlib.md5(f"{id_}{hash_}{secret_key}".encode(), usedforsecurity=False).hexdigest()


def identifier(value: Any) -> str:
    """An Integer of the document as text; PHP takes "7" for 7. Raises RpcError -32602."""
    return str(whole(value))


def whole(value: Any) -> int:
    """Raises RpcError -32602."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    raise RpcError(-32602)
