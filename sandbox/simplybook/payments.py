"""SimplyBook.me's payments, pretended: carts, and the confirmation that something was paid elsewhere.

Document: `simplybook-public-service-methods`. No money moves here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from bellhop.sandbox.answers import Reply
from bellhop.sandbox.simplybook.batches import signature
from bellhop.sandbox.simplybook.booked import Booked
from bellhop.sandbox.simplybook.bookings import Bookings
from bellhop.sandbox.simplybook.hours import Hours
from bellhop.sandbox.simplybook.rpc import RpcError, identifier
from bellhop.sandbox.simplybook.seed import SimplybookSeed
from bellhop.sandbox.simplybook.switches import SimplybookSwitches

CURRENCY: Final = "GBP"


@dataclass(frozen=True, slots=True)
class _Cart:
    id: str
    hash: str
    bookings: list[Booked]


class Payments:
    """`methods` are the document's, by name."""

    def __init__(
        self,
        seed: SimplybookSeed,
        switches: Callable[[], SimplybookSwitches],
        hours: Hours,
        bookings: Bookings,
        ids: Iterator[str],
        hex_of: Callable[[int], str],
    ) -> None:
        self._seed = seed
        self._switches = switches
        self._hours = hours
        self._bookings = bookings
        self._ids = ids
        self._hex = hex_of
        self._carts: dict[str, _Cart] = {}
        self.methods: Mapping[str, Callable[..., Reply]] = {
            "confirmBookingPayment": self._confirm_booking_payment,
            "confirmBookingBatchPayment": self._confirm_booking_batch_payment,
            "confirmBookingCart": self._confirm_booking_cart,
            "getBookingCart": self._get_booking_cart,
            "getPaymentProcessorConfig": self._get_payment_processor_config,
            "isPaymentRequired": self._is_payment_required,
            "validatePayment": self._validate_payment,
        }

    def _confirm_booking_payment(self, id_: Any, processor: Any, sign: Any) -> Reply:
        return self._pay([self._bookings.by_signature(id_, sign)], processor)

    def _confirm_booking_batch_payment(self, id_: Any, type_: Any, processor: Any, sign: Any) -> Reply:
        return self._pay(self._bookings.in_batch(id_, type_, sign), processor)

    def _confirm_booking_cart(self, id_: Any, processor: Any, sign: Any) -> Reply:
        cart = self._carts.get(identifier(id_))
        if cart is None:
            raise RpcError(-32080)
        if sign != signature(cart.id, cart.hash, self._seed.secret_key):
            raise RpcError(-32085)
        return self._pay(cart.bookings, processor)

    def _pay(self, bookings: list[Booked], processor: Any) -> Reply:
        self._need_processor(processor)
        if self._switches().simplybook_payment_fails:
            raise RpcError(-32099)
        for booked in bookings:
            booked.paid = True
            self._bookings.confirm(booked)
        return Reply(True, effect="confirmed", id=bookings[0].id if bookings else "")

    def _need_processor(self, name: Any) -> None:
        if not isinstance(name, str) or name not in self._seed.payment_processors:
            raise RpcError(-32097)

    def _get_booking_cart(self, booking_ids: Any) -> Reply:
        if not isinstance(booking_ids, list) or not booking_ids:
            raise RpcError(-32602)
        bookings = [self._bookings.standing(one) for one in booking_ids]
        cart = _Cart(next(self._ids), self._hex(16), bookings)
        self._carts[cart.id] = cart
        rows = [
            {
                "id": booked.id,
                "event_id": booked.service.id,
                "name": f"{booked.service.name} {booked.start:%Y-%m-%d %H:%M:%S}",
                "price": booked.price,
                "qty": "1",
            }
            for booked in bookings
        ]
        total = sum(Decimal(booked.price) for booked in bookings)
        return Reply(
            {"cart_id": cart.id, "cart_hash": cart.hash, "amount": f"{total:.4f}", "currency": CURRENCY, "cart": rows}
        )

    def _get_payment_processor_config(self, name: Any) -> Reply:
        """The document tells nothing of its form."""
        self._need_processor(name)
        return Reply({"name": name, "currency": CURRENCY, "is_active": "1"})

    def _is_payment_required(self, event_id: Any = None) -> Reply:
        services = self._seed.services if event_id is None else (self._hours.service(event_id),)
        priced = any(Decimal(service.price) > 0 for service in services)
        return Reply(priced and self._switches().plugin("paid_events"))

    def _validate_payment(self, payment_info: Any, cart_id: Any) -> Reply:
        """True for anything but nothing, of a cart there is."""
        known = identifier(cart_id) in self._carts
        return Reply(known and bool(payment_info) and not self._switches().simplybook_payment_fails)
