"""Everything the sandbox holds: the vendors, the faults, the switches and what was called. One lock guards it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, Final

from bellhop.sandbox.answers import Reply
from bellhop.sandbox.faults import Fault
from bellhop.sandbox.registry import PRETENDED
from bellhop.sandbox.seed import Seed

CALLS_KEPT: Final = 200_000


@dataclass(slots=True)
class ReceivedCall:
    """One call received, its credentials masked.

    system: what stands behind the account, "" for nothing in particular.
    answered: whether an answer was sent (a caller that had hung up is not told apart). effect: what the call changed
    ("booked", "cancelled", "confirmed", "synced", "pulled") or None; id: the vendor's id of that, of several the first.
    refusal: the vendor's reason where it refused. fault: the kind of the fault that hit it.
    """

    n: int
    at: str
    vendor: str
    method: str
    params: Any = None
    query: dict[str, str] | None = None
    body: Any = None
    answered: bool = False
    system: str = ""
    effect: str | None = None
    id: str | None = None
    refusal: str | None = None
    fault: str | None = None

    def came_to(self, answer: Reply) -> None:
        self.effect, self.id, self.refusal = answer.effect or None, answer.id or None, answer.refusal or None


_CALL_FIELDS: Final = tuple(item.name for item in fields(ReceivedCall))


class SandboxState:
    """Take `lock` for every use of its parts. `released` is set when held connections must be let go."""

    def __init__(self, seed: Seed, now: Callable[[], datetime]) -> None:
        self.lock = threading.RLock()
        self.seed = seed
        self._now = now
        self._fill()

    def _fill(self) -> None:
        self.switches = self.seed.switches
        self.vendors: dict[str, Any] = {
            row.name: row.open(self.seed.vendors[row.name], partial(self._switches_of, row.name), self._now)
            for row in PRETENDED
        }
        self.faults: list[Fault] = []
        self._orders = count(1)
        self.calls: deque[ReceivedCall] = deque(maxlen=CALLS_KEPT)
        self.received = 0
        self.released = threading.Event()
        self._late: list[tuple[datetime, Callable[[], None]]] = []

    def _switches_of(self, vendor: str) -> Any:
        return self.switches.of(vendor)

    def now(self) -> datetime:
        return self._now()

    def reset(self) -> None:
        """Back to the seed. Held connections are let go."""
        with self.lock:
            released = self.released
            self._fill()
        released.set()

    def release(self) -> None:
        """Lets held connections go, now and from now on: for stopping."""
        self.released.set()

    def order(self, fault: Fault) -> Fault:
        """Lets calls be hit from now on. Faults that were ordered earlier come first."""
        with self.lock:
            fault.id = next(self._orders)
            self.faults.append(fault)
        return fault

    def take_back(self, id_: int | None) -> list[Fault]:
        """Ends a fault, or all of them; those that it ended. Connections that it holds are still held."""
        with self.lock:
            gone = [fault for fault in self.faults if id_ in (None, fault.id)]
            self.faults = [fault for fault in self.faults if fault not in gone]
        return gone

    def put_off(self, seconds: float, act: Callable[[], None]) -> None:
        """Has `act` done that many seconds from now."""
        self._late.append((self._now() + timedelta(seconds=seconds), act))

    def catch_up(self) -> None:
        """Does what was put off until now, in the order of its times. Whoever looks at what is held here comes after
        it, so none can tell that it was not done at its very moment."""
        due = sorted((one for one in self._late if one[0] <= self._now()), key=lambda one: one[0])
        self._late = [one for one in self._late if one not in due]
        for _, act in due:
            act()

    def note(self, vendor: str, method: str, **request: Any) -> ReceivedCall:
        self.received += 1
        call = ReceivedCall(self.received, self._now().isoformat(), vendor, method, **request)
        self.calls.append(call)
        return call

    def record(self, vendor: str, method: str, **request: Any) -> tuple[ReceivedCall, Fault | None]:
        """Notes a call, and the first fault that hits it."""
        call = self.note(vendor, method, **request)
        fault = next((fault for fault in self.faults if fault.hits(vendor, method)), None)
        call.fault = fault.kind if fault else None
        return call, fault

    def calls_after(self, n: int) -> list[dict[str, Any]]:
        with self.lock:
            self.catch_up()
            found = [call for call in self.calls if call.n > n]
        return [{name: getattr(call, name) for name in _CALL_FIELDS} for call in found]

    def snapshot(self) -> dict[str, Any]:
        """What stands at every vendor, as plain JSON."""
        with self.lock:
            self.catch_up()
            return {name: value for vendor in self.vendors.values() for name, value in vendor.snapshot().items()}
