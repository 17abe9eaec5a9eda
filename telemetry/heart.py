"""A process' heart: it tells the ledger every few seconds that the process runs.

In a thread of its own: while the ledger is away, nothing else of the process waits, and nothing is written down. What
if the process dies here? Then the beats stop, which is how others know.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, Protocol

from bellhop.ledger.records import Part
from bellhop.schemas.errors import BellhopError
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.process import own_name
from bellhop.schemas.settings import Settings
from bellhop.schemas.version import VERSION
from bellhop.vendors.registry import routes_in_use

BEAT_SECONDS: Final = 5.0
_FAREWELL_SECONDS: Final = 2.0
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Beats(Protocol):
    """The ledger's. Every method raises LedgerUnavailable."""

    def beat(self, part: Part, /) -> None: ...

    def leave(self, id_: str, /) -> None: ...


class Heart:
    def __init__(self, part: Part, beats: Beats, observe: Observe = silent) -> None:
        self._part = part
        self._beats = beats
        self._observe = observe
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Tells that the process was told to stop; a ledger that is away is not waited for."""
        self._stop.set()
        self._thread.join(_FAREWELL_SECONDS)

    def _run(self) -> None:
        self.beat()
        while not self._stop.wait(BEAT_SECONDS):
            self.beat()
        with suppress(BellhopError):
            self._beats.leave(self._part.id)

    def beat(self) -> None:
        try:
            self._beats.beat(self._part)
        except BellhopError:  # others tell that the ledger is away: this one would tell it every few seconds
            pass
        except Exception as error:  # noqa: BLE001  # the process must not be taken for gone over one odd answer
            self._observe("thread.crashed", thread="heart", error=type(error).__name__)


def part_of(settings: Settings, kind: str, routes: Sequence[str] = ()) -> Part:
    """This process. kind: as the command that runs it is called."""
    needs = (*(["ingest"] if settings.sources else []), "archive", *routes_in_use(settings))
    return Part(own_name(), kind, socket.gethostname(), VERSION, routes, needs, _NEVER, _NEVER, _NEVER)
