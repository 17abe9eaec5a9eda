"""A process' heart: it tells the ledger every few seconds that the process runs, with which settings, and hears there
that it is to read them anew.

In a thread of its own: while the ledger is away, nothing else of the process waits, and nothing is written down. What
if the process dies here? Then the beats stop, which is how others know.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from bellhop.ledger.records import Part, ReloadAsked
from bellhop.schemas.errors import BellhopError
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.process import own_name
from bellhop.schemas.settings import Settings
from bellhop.schemas.version import VERSION
from bellhop.vendors.registry import routes_in_use

BEAT_SECONDS: Final = 5.0
_FAREWELL_SECONDS: Final = 2.0
_SLACK: Final = timedelta(minutes=1)  # of clocks, and of a slow start
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Beats(Protocol):
    """The ledger's. Every method raises LedgerUnavailable."""

    def beat(self, part: Part, /) -> None: ...

    def leave(self, id_: str, /) -> None: ...

    def reload_asked(self) -> ReloadAsked | None: ...


class TakenSettings(Protocol):
    """What the process works with. problem: why it refused what it was to take since."""

    @property
    def digest(self) -> str: ...

    @property
    def problem(self) -> str: ...

    @property
    def read_at(self) -> datetime: ...


class Heart:
    """settings, hang_up: where the process takes new settings while it runs: called once they are asked for, so many
    beats later as `patience` says."""

    def __init__(
        self,
        part: Part,
        beats: Beats,
        observe: Observe = silent,
        *,
        settings: TakenSettings | None = None,
        hang_up: Callable[[], None] | None = None,
        patience: int = 0,
    ) -> None:
        self._part = part
        self._settings = settings
        self._hang_up = hang_up
        self._patience = patience
        self._heard: int | None = None
        self._due: int | None = None
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
            if self._settings is not None:
                self._part = replace(self._part, digest=self._settings.digest, problem=self._settings.problem)
            self._beats.beat(self._part)
            self._listen()
        except BellhopError:  # others tell that the ledger is away: this one would tell it every few seconds
            pass
        except Exception as error:  # noqa: BLE001  # the process must not be taken for gone over one odd answer
            self._observe("thread.crashed", thread="heart", error=type(error).__name__)

    def _listen(self) -> None:
        """One that was asked for about when the process read its settings is heard, too: to read them twice is no
        harm."""
        if self._settings is None or self._hang_up is None or (asked := self._beats.reload_asked()) is None:
            return
        is_new = asked.asked > self._settings.read_at - _SLACK if self._heard is None else asked.number > self._heard
        self._heard = asked.number
        self._due = self._patience if is_new else self._due
        if self._due == 0:
            self._hang_up()
        self._due = self._due - 1 if self._due else None


def part_of(settings: Settings, kind: str, routes: Sequence[str] = ()) -> Part:
    """This process. kind: as the command that runs it is called."""
    needs = (*(["ingest"] if settings.sources else []), "archive", *routes_in_use(settings))
    return Part(own_name(), kind, socket.gethostname(), VERSION, routes, needs, _NEVER, _NEVER, _NEVER)
