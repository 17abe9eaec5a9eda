"""What a flood holds: how much it is, and its messages brought back once a person has ended it."""

from __future__ import annotations

import threading
from typing import Any, Final

from bellhop.broker.port import Broker
from bellhop.schemas.errors import BrokerError, LedgerError
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.routes import bookings_route
from bellhop.vendors.registry import VENDORS

LOOK_SECONDS: Final = 1.0


class FloodEnds:
    """One for each archive; two at once only look twice. What is not brought back comes by itself, at its step of the
    ladder: that a flood was ended is in the ledger, and nothing but the time hangs on this."""

    def __init__(self, ledger: Any, broker: Broker, observe: Observe = silent) -> None:
        self._ledger = ledger
        self._broker = broker
        self._observe = observe

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(LOOK_SECONDS):
            try:
                self.step()
            except (LedgerError, BrokerError) as error:
                self._observe("ledger.unavailable", where="floods", error=str(error))

    def step(self) -> None:
        """Raises LedgerError, BrokerError; then the next look does what is left."""
        if ended := self._ledger.floods.to_hasten():
            for vendor in VENDORS:
                self._broker.hasten(bookings_route(vendor.kind))
            self._ledger.floods.note_hastened(ended)


def measure_floods(floods: Any, observe: Observe) -> None:
    """Tells `floods.measured`; nothing where it is not known: an old number would be a lie."""
    try:
        groups = [{"source": flood.source, "count": flood.held} for flood in floods.open()]
    except LedgerError:
        groups = []
    observe("floods.measured", groups=groups)
