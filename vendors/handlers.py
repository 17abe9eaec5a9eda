"""Who works which route: every vendor's handlers, and one before those of a route that vendors share."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bellhop.ledger.records import Booking, VendorCall
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.observe import Observe
from bellhop.schemas.reasons import Reason
from bellhop.schemas.routes import MEMBERS_ROUTE, PULLS_ROUTE, bookings_route, callbacks_route
from bellhop.schemas.settings import Settings
from bellhop.schemas.statuses import cancels
from bellhop.vendors.handler import AsksAhead, Handler, shares_threads
from bellhop.vendors.held import Gate
from bellhop.vendors.http import HttpClient
from bellhop.vendors.outcome import Dead, InDoubt, Outcome, Performed, Shown
from bellhop.vendors.registry import VENDORS
from bellhop.vendors.standing import asked_to_cancel, end_elsewhere
from bellhop.vendors.vendor import HandlerContext, MakeHandler

if TYPE_CHECKING:
    from bellhop.ledger.store import Ledger


class ByAccount:
    """A route that vendors share: an event is worked by the handler of its account's vendor. `handlers` by account."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = handlers
        self.shares_threads = all(map(shares_threads, handlers.values()))

    def translate(self, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        handler = self._of(event)
        return handler if isinstance(handler, Dead) else handler.translate(event, booking)

    def prepare(self, call: VendorCall, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        handler = self._of(event)
        return handler if isinstance(handler, Dead) else handler.prepare(call, event, booking)

    def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Performed:
        handler = self._of(event)
        return handler if isinstance(handler, Dead) else handler.perform(call, event, booking)

    def resolve(self, call: VendorCall, event: Envelope) -> Dead | InDoubt | Shown | None:
        handler = self._of(event)
        return handler if isinstance(handler, Dead) else handler.resolve(call, event)

    def _of(self, event: Envelope) -> Handler | Dead:
        words = f"the settings have no account {event.account} for the route {event.route}"
        return self._handlers.get(event.account) or Dead(Reason.MISCONFIGURED, words)


class WhereItStands:
    """A vendor's route of bookings. A cancel is worked by whoever has what stands under its reference: it need not say
    where that is. What a change leaves behind at another vendor is cancelled by that one's handler, where it has a call
    for it. An event that names none of our venues comes to something only where its booking stands here. `handlers` by
    account, of all vendors; `many_places`: the sources that post the events of others' places, too."""

    def __init__(self, own: Handler, handlers: Mapping[str, Handler], many_places: Container[str] = ()) -> None:
        self._own = own
        self._handlers = handlers
        self._many_places = many_places

    @property
    def shares_threads(self) -> bool:
        """See `vendors.handler.SharesThreads`. All are asked, as a booking may go from one vendor to another."""
        return all(map(shares_threads, self._handlers.values()))

    def ask_ahead(self) -> None:
        """See `vendors.handler.AsksAhead`."""
        if isinstance(self._own, AsksAhead):
            self._own.ask_ahead()

    def translate(self, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        is_cancel = cancels(event.type, event.data.get("status"))
        if "venue" not in event.data and (not is_cancel or event.source in self._many_places):
            ended = end_elsewhere(event, booking, is_cancel=is_cancel)
            if ended is not None:
                return ended
        if not is_cancel:
            step = self._own.translate(event, booking)
            return self._cancel_elsewhere(event, booking, step) or step
        here = [entry for entry in booking.entries if entry.stands or entry.cancelled_by == event.id]
        accounts = dict.fromkeys(entry.account or booking.account for entry in here)
        having = dict.fromkeys(self._handlers[name] for name in accounts if name in self._handlers)
        steps = [handler.translate(event, booking) for handler in having or (self._own,)]
        # What a person must do is left for when no call is.
        if (call := next((step for step in steps if isinstance(step, VendorCall)), None)) is not None:
            return call
        lacking = [name for name in accounts if name not in self._handlers]
        text = f"the settings lack account {', '.join(lacking)}, where it stands"
        return Dead(Reason.MISCONFIGURED, text) if lacking else steps[-1]

    def _cancel_elsewhere(self, event: Envelope, booking: Booking, step: VendorCall | Outcome) -> VendorCall | None:
        """The next call for what the event would leave to a person to cancel; None where there is none."""
        left = asked_to_cancel(event, step.booking) if isinstance(step, Dead) and step.booking else ()
        if not left:
            return None
        cancel = replace(event, type="booking.cancelled", data={"booking_id": event.subject, "services": []})
        for entry in left:
            handler = self._handlers.get(entry.account or booking.account, self._own)
            call = handler.translate(cancel, replace(booking, entries=(entry,)))
            if isinstance(call, VendorCall):
                return call
        return None

    def prepare(self, call: VendorCall, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        return self._of(call).prepare(call, event, booking)

    def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Performed:
        return self._of(call).perform(call, event, booking)

    def resolve(self, call: VendorCall, event: Envelope) -> Dead | InDoubt | Shown | None:
        return self._of(call).resolve(call, event)

    def _of(self, call: VendorCall) -> Handler:
        return self._handlers.get(call.account, self._own)


def handlers(
    settings: Settings,
    *,
    http: HttpClient,
    gates: Callable[[str], Gate],
    ledger: Ledger,
    observe: Observe,
    now: Callable[[], datetime],
) -> Mapping[str, Handler]:
    """By route, one for each that is a vendor's or shared by vendors. gates: the gate of a route."""
    made: dict[str, Handler] = {}
    many_places = {name for name, source in settings.sources.items() if source.ignores_unknown_venues}
    by_account: dict[str, Handler] = {}
    shared: dict[str, dict[str, Handler]] = {MEMBERS_ROUTE: {}, PULLS_ROUTE: {}}
    for vendor in VENDORS:
        accounts = {name: one for name, one in settings.accounts.items() if one.kind == vendor.kind}

        def make(route: str, maker: MakeHandler[Any], accounts: Mapping[str, Any] = accounts) -> Handler:
            return maker(HandlerContext(accounts, settings, http, gates(route), ledger, observe, now))

        bookings, callbacks = bookings_route(vendor.kind), callbacks_route(vendor.kind)
        own = make(bookings, vendor.bookings)
        by_account |= dict.fromkeys(accounts, own)
        made[bookings] = WhereItStands(own, by_account, many_places)
        if vendor.callbacks:
            made[callbacks] = make(callbacks, vendor.callbacks.handler)
        if vendor.members:
            shared[MEMBERS_ROUTE] |= dict.fromkeys(accounts, make(MEMBERS_ROUTE, vendor.members))
        if vendor.pulls:
            shared[PULLS_ROUTE] |= dict.fromkeys(accounts, make(PULLS_ROUTE, vendor.pulls.handler))
    return {**made, **{route: ByAccount(by_account) for route, by_account in shared.items()}}
