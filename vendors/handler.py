"""What the executor asks of a route's handler."""

from __future__ import annotations

from typing import Final, Protocol, runtime_checkable

from bellhop.ledger.records import Booking, Json, VendorCall
from bellhop.schemas.envelope import Envelope
from bellhop.vendors.outcome import Dead, InDoubt, Outcome, Performed, Shown

_GUEST_KEYS: Final = ("member_id", "client", "notes", "additional")


class Handler(Protocol):
    """A handler compares what the event wants with what the ledger holds and names the next call until nothing is
    left to call. So it starts anew from the ledger after every crash, and a call once recorded is not made again.

    booking: what the ledger holds of it so far; of an event that is about none an empty one, which nobody keeps.
    """

    def translate(self, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        """The next vendor call, or the outcome where there is none. Pure: no I/O, the same for the same arguments."""
        ...

    def prepare(self, call: VendorCall, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        """Asks the vendor what must be known before the call, and nothing that books: the call as it is to be made,
        or the outcome where it cannot be. The ledger's mark comes after it, so dying here leaves no doubt.

        Raises VendorFailure, Held.
        """
        ...

    def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Performed:
        """Makes the call: the booking as it stands after it, or the outcome where the event is no booking's. A refusal
        that leaves something else to call comes with the booking that says so.

        Raises VendorFailure; Held, where nothing that changes anything was sent.
        """
        ...

    def resolve(self, call: VendorCall, event: Envelope) -> Dead | InDoubt | Shown | None:
        """Asks the vendor what became of a call in doubt. None: it certainly made nothing, and may be made again.

        Raises VendorFailure where the vendor cannot be asked, Held where it may not be asked now.
        """
        ...


@runtime_checkable
class AsksAhead(Protocol):
    """A handler that asks its vendors, as soon as a worker starts, what its events will be held against."""

    def ask_ahead(self) -> None:
        """May take a while. Raises nothing: what could not be asked is asked when it is needed."""
        ...


@runtime_checkable
class SharesThreads(Protocol):
    """A handler that keeps its events waiting by `schemas.fibres` alone, and holds no lock meanwhile: many of them may
    share a thread."""

    shares_threads: bool


def shares_threads(handler: Handler) -> bool:
    return isinstance(handler, SharesThreads) and handler.shares_threads


def attempt_request(call: VendorCall, envelope: Envelope) -> Json:
    """A call as people are shown it. What books is sent with its guest, which the mark of the call leaves out."""
    if call.repeatable:
        return call.arguments
    return {key: envelope.data[key] for key in _GUEST_KEYS if envelope.data.get(key)} | dict(call.arguments)
