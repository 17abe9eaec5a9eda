"""`/healthz`, `/readyz`, `/metrics`: for whoever keeps the process running."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Final

from flask import Response

from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.readiness import HEALTHY, readiness

Ready = Callable[[], Mapping[str, str]]
"""What is wrong with each part (`broker`, `ledger`, …), in a sentence; "" where nothing is."""

Metrics = Callable[[], tuple[bytes, str]]
"""The metrics' text and its content type."""

_NEEDED: Final = "broker"
_LOOK_SECONDS: Final = 1.0
_STALE_SECONDS: Final = 10.0


class HealthProbe:
    """Looks after a part again and again, in a thread of its own, so that whoever asks is answered at once: asking a
    broker that is away takes seconds."""

    def __init__(self, look: Callable[[], str], clock: Clock = SYSTEM_CLOCK) -> None:
        """look: what is wrong with the part, "" where nothing is. It may take long, and raise."""
        self._look = look
        self._clock = clock
        self._seen = "it has not been looked at yet"
        self._seen_at = clock.monotonic()

    def start(self) -> None:
        threading.Thread(target=self._look_forever, name="probe", daemon=True).start()

    def look(self) -> None:
        try:
            seen = self._look()
        except Exception as error:  # noqa: BLE001  # the thread must go on looking
            seen = f"cannot be told: {type(error).__name__}"
        self._seen, self._seen_at = seen, self._clock.monotonic()

    def problem(self) -> str:
        """As it was seen last; a look that does not come to its end is a problem too."""
        seconds = self._clock.monotonic() - self._seen_at
        return self._seen if seconds < _STALE_SECONDS else f"it has not answered for {seconds:.0f} s"

    def _look_forever(self) -> None:
        while True:
            self.look()
            self._clock.sleep(_LOOK_SECONDS)


def healthz() -> Response:
    """The process runs and answers."""
    return _json(HEALTHY, 200)


def readyz(ready: Ready) -> Response:
    """503 where webhooks would not be accepted: the broker cannot confirm. A ledger that is away is told, as degraded;
    webhooks are accepted without it."""
    problems = ready()
    return _json(*readiness(problems, set(problems) - {_NEEDED}))


def _json(told: Mapping[str, object], status: int) -> Response:
    return Response(json.dumps(told), status, {"Cache-Control": "no-store"}, content_type="application/json")
