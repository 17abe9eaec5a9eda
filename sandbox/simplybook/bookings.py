"""SimplyBook.me's bookings, pretended: what occupies a provider's time, and the methods that change it.

Document: `simplybook-public-service-methods`; its codes and words. Which of two codes fits a case is inferred.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from bellhop.sandbox.answers import Reply
from bellhop.sandbox.simplybook.batches import GROUP, RECURRENT, Batch, Batches, signature
from bellhop.sandbox.simplybook.booked import Booked
from bellhop.sandbox.simplybook.hours import Hours
from bellhop.sandbox.simplybook.intake import answers, entries, promocode
from bellhop.sandbox.simplybook.promotions import Promotions
from bellhop.sandbox.simplybook.rpc import RpcError, identifier, seats_of
from bellhop.sandbox.simplybook.seed import Promotion, Service, SimplybookSeed, Unit
from bellhop.sandbox.simplybook.switches import SimplybookSwitches

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE: Final = re.compile(r"\+?[\d\s().-]{5,30}")
_OFFSET: Final = re.compile(r"[+-]?\d{1,4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Person:
    """Who books: name, email and phone, "" where not given."""

    client: dict[str, str]
    offset: int | None

    @property
    def key(self) -> str:
        return self.client["email"] or self.client["name"]


class Bookings:
    """One company's bookings. Not safe between threads: its owner holds a lock.

    hex_of gives that many random bytes as hex. tell: see `Callbacks.tell`. `methods` are the document's, by name.
    """

    def __init__(
        self,
        seed: SimplybookSeed,
        switches: Callable[[], SimplybookSwitches],
        hours: Hours,
        ids: Iterator[str],
        batch_ids: Iterator[str],
        hex_of: Callable[[int], str],
        tell: Callable[..., None] = lambda *_told: None,
    ) -> None:
        self.all: dict[str, Booked] = {}
        self._seed = seed
        self._switches = switches
        self._hours = hours
        self._hex = hex_of
        self._tell = tell
        self._ids = ids
        self._clients: dict[tuple[str, ...], str] = {}
        self._batches = Batches(batch_ids, hex_of, seed.secret_key)
        self.promotions = Promotions(seed, switches, hours, lambda id_: id_ in self._clients.values())
        self.methods: Mapping[str, Callable[..., Reply]] = {
            "book": self._book,
            "confirmBooking": self._confirm,
            "confirmBookingBatch": self._confirm_batch,
            "cancelBooking": self._cancel,
            "getBooking": self._details,
            "getBookingDetails": self._details,
            "createBatch": self._create_batch,
        }

    def cancel_unpaid(self) -> None:
        """What was to be paid and was not in time, as the vendor does by itself."""
        now = self._hours.local_now()
        for booked in self.all.values():
            if booked.pay_by is not None and now >= booked.pay_by and not booked.paid and not booked.cancelled:
                self._free(booked)

    def by_signature(self, id_: Any, sign: Any, *, also_cancelled: bool = False) -> Booked:
        """Raises RpcError -32080, -32085."""
        booked = self.standing(id_, also_cancelled=also_cancelled)
        if sign != signature(booked.id, booked.hash, self._seed.secret_key):
            raise RpcError(-32085)
        return booked

    def standing(self, id_: Any, *, also_cancelled: bool = False) -> Booked:
        """Raises RpcError -32080."""
        booked = self.all.get(identifier(id_))
        if booked is None or (booked.cancelled and not also_cancelled):
            raise RpcError(-32080)
        return booked

    def in_batch(self, id_: Any, type_: Any, sign: Any) -> list[Booked]:
        """The bookings of a batch that stand. Raises RpcError -32095, -32085."""
        batch = self._batches.by_signature(id_, type_, sign)
        return [self.all[one] for one in batch.bookings if not self.all[one].cancelled]

    def _book(
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
    ) -> Reply:
        service, unit, seats = self._hours.service(event_id), self._hours.unit(unit_id), seats_of(count)
        if seats > 1 and batch_id:
            raise RpcError(-32602)
        if recurring and service.repeats == 1:
            raise RpcError(-32015)
        self._need_plugin("group_booking", seats > 1)
        batch = self._batches.group(batch_id) if batch_id else None
        person, given = self._person(client), entries(additional)
        fields = answers(service, given) if self._switches().plugin("event_field") else {}
        starts = self._hours.turns(service, self._hours.start(service, unit, date, time))
        code = promocode(given)
        promotion = self.promotions.check(code, service, starts[0], seats, person.key) if code else None
        self._check_free(service, unit, starts, seats)
        if promotion is not None:
            self.promotions.use(promotion.code, seats, person.key)
        made = [self._add(service, unit, start, person, promotion, fields) for start in starts for _ in range(seats)]
        if batch is None and len(made) > 1:
            batch = self._batches.new(RECURRENT if service.repeats > 1 else GROUP)
        for booked in made:
            self._tell("create", booked.id, booked.hash)
        return Reply(self._book_response(made, batch), effect="booked", id=made[0].id)

    def _book_response(self, made: list[Booked], batch: Batch | None) -> dict[str, Any]:
        switches = self._switches()
        body: dict[str, Any] = {
            "require_confirm": switches.simplybook_require_confirm,
            "bookings": [booked.as_json() for booked in made],
        }
        if switches.plugin("paid_events") and switches.simplybook_says_require_payment:
            body |= {"require_payment": made[0].pay_by is not None}
        if switches.simplybook_newer_fields:
            body |= self._newer_fields(made[0])
        if batch is not None:
            batch.bookings.extend(booked.id for booked in made)
            body |= batch.as_json()
        return body

    def _newer_fields(self, booked: Booked) -> dict[str, Any]:
        invoice = {"id": booked.id, "amount": booked.price, "status": "new"} if booked.pay_by is not None else None
        return {"invoice": invoice, "client_hash": self._hex(16), "time_offset": booked.client_time_offset or 0}

    def _create_batch(self) -> Reply:
        """An Integer, as the document says."""
        self._need_plugin("multiple_booking", True)
        return Reply(int(self._batches.new(GROUP).id))

    def _confirm(self, id_: Any, sign: Any) -> Reply:
        booked = self.by_signature(id_, sign)
        self.confirm(booked)
        return Reply(True, effect="confirmed", id=booked.id)

    def confirm(self, booked: Booked) -> None:
        old, is_new = booked.as_json(), not booked.confirmed
        booked.confirmed = True
        if is_new:
            self._tell("change", booked.id, booked.hash, old)

    def move(self, booked: Booked, start: datetime, end: datetime) -> None:
        old = booked.as_json()
        booked.start, booked.end = start, end
        self._tell("change", booked.id, booked.hash, old)

    def _confirm_batch(self, id_: Any, type_: Any, sign: Any) -> Reply:
        bookings = self.in_batch(id_, type_, sign)
        for booked in bookings:
            self.confirm(booked)
        return Reply(True, effect="confirmed", id=bookings[0].id if bookings else "")

    def _cancel(self, id_: Any, sign: Any) -> Reply:
        booked = self.by_signature(id_, sign, also_cancelled=self._switches().simplybook_cancel_twice_is_true)
        if booked.cancelled:
            return Reply(True)
        self._free(booked)
        return Reply(True, effect="cancelled", id=booked.id)

    def _free(self, booked: Booked) -> None:
        booked.cancelled = True
        self._hours.diary.release(booked.unit.id, booked.start, booked.end, booked.id)
        self._tell("cancel", booked.id, booked.hash)

    def _details(self, id_: Any, sign: Any) -> Reply:
        """The document gives no example: the `book response`'s fields, with names, the client and the price, and
        `booking_code`, which the vendor's callback example stores."""
        told = self._switches().simplybook_tells_cancelled
        booked = self.by_signature(id_, sign, also_cancelled=told)
        named = {
            "event_name": booked.service.name,
            "unit_name": booked.unit.name,
            "client_name": booked.client["name"],
            "client_email": booked.client["email"],
            "client_phone": booked.client["phone"],
            "price": booked.price,
            "booking_code": booked.code,
        }
        if self._switches().simplybook_tells_payment and booked.pay_by is not None:
            named["payment_status"] = "paid" if booked.paid else "not_paid"
        return Reply(booked.as_json() | named | ({"is_cancelled": str(int(booked.cancelled))} if told else {}))

    def _need_plugin(self, name: str, needed: bool) -> None:
        if needed and not self._switches().plugin(name):
            raise RpcError(-32001)

    def _person(self, client: Any) -> _Person:
        """Raises RpcError -32061, -32062, -32063; -32602 for a time offset that is no whole number."""
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
        offset = client.get("client_time_offset")
        if offset is None:
            return _Person(given, None)
        if isinstance(offset, bool) or not isinstance(offset, int | str) or not _OFFSET.fullmatch(str(offset)):
            raise RpcError(-32602)
        return _Person(given, int(offset))

    def _check_free(self, service: Service, unit: Unit, starts: list[datetime], seats: int) -> None:
        if not all(self._hours.free(service, unit, start, seats) for start in starts):
            raise RpcError(-32054 if len(starts) == seats == 1 else -32055)

    def _add(
        self,
        service: Service,
        unit: Unit,
        start: datetime,
        person: _Person,
        promotion: Promotion | None,
        fields: dict[str, Any],
    ) -> Booked:
        switches = self._switches()
        start += timedelta(minutes=switches.simplybook_books_minutes_later)
        client_id = self._clients.setdefault(tuple(person.client.values()), str(len(self._clients) + 1))
        booked = Booked(
            id=next(self._ids),
            service=service,
            unit=unit,
            client_id=client_id,
            client=person.client,
            start=start,
            end=start + timedelta(minutes=service.minutes),
            pay_by=self._pay_by(service),
            code=self._hex(4),
            hash=self._hex(16),
            confirmed=not switches.simplybook_require_confirm and not switches.simplybook_unconfirmed,
            promotion=promotion,
            fields=fields,
            client_time_offset=person.offset,
        )
        self.all[booked.id] = booked
        self._hours.diary.occupy(unit.id, booked.start, booked.end, booked.id)
        return booked

    def _pay_by(self, service: Service) -> datetime | None:
        if not self._switches().plugin("paid_events") or not Decimal(service.price):
            return None
        count, unit = self._switches().simplybook_payment_timeout.split()
        return self._hours.local_now() + timedelta(**{f"{unit.rstrip('s')}s": int(count)})
