"""Settings that a process takes while it runs: read anew on SIGHUP, checked as at a start, and refused whole where
anything is wrong. The process then goes on with what it has."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from bellhop.schemas.clock import utc_now
from bellhop.schemas.errors import BellhopError, SettingsError
from bellhop.schemas.observe import Observe
from bellhop.schemas.redact import learn_settings
from bellhop.schemas.settings import Settings
from bellhop.schemas.settings.files import Config

_TOLD: Final = 10

NoteAct = Callable[[str, str, str, str], None]
"""Who, act, why and what, for the audit. Raises LedgerError."""


class LiveSettings:
    """The settings that a process works with now. Safe from any thread."""

    def __init__(self, file: Path | None, config: Config) -> None:
        self._file = file
        self._lock = threading.Lock()
        self.settings = config.settings
        self.place = config.place
        self.digest = config.digest
        self.problem = ""
        """Why what was read since is not taken."""
        self.read_at = utc_now()
        self._untold: list[dict[str, object]] = []

    def reload(self, observe: Observe, *, is_at_work: bool = True) -> tuple[str, ...] | None:
        """Reads them anew. The names of what is taken; None where they are refused, or nothing is new that can be.

        Tells `settings.refused` (problems), or `settings.taken` (digest, changed, restart: what waits for a start).
        is_at_work: what is taken counts from now on. Else `tell_at_work` tells it, once it does: whoever waits for
        these words may send what the settings before would have refused.
        """
        from bellhop.ingest.verify import credentials_problem
        from bellhop.schemas.settings.reload import take_over
        from bellhop.vendors.settings import read_config

        with self._lock:
            try:
                config = read_config(self._file, os.environ, credentials_problem)
            except SettingsError as error:
                observe("settings.refused", problems=[str(one) for one in error.problems[:_TOLD]])
                self.problem = str(error.problems[0])
                return None
            learn_settings(config.settings.secrets, config.settings.names)  # before any of them may be told
            taken = take_over(self.settings, config.settings)
            if taken.changed:
                self.settings, self.place = taken.settings, config.place
            self.problem = f"waits for a restart: {', '.join(taken.restart)}" if taken.restart else ""
            if not taken.restart:
                self.digest = config.digest
            told: dict[str, object] = {"digest": self.digest, "changed": taken.changed, "restart": taken.restart}
            if taken.changed and not is_at_work:
                self._untold.append(told)
            else:
                observe("settings.taken", **told)
            return taken.changed or None

    def reread(self, observe: Observe) -> bool:
        """Of a process that forks others: whether they are to read for themselves, also to know why it is refused."""
        return self.reload(observe) is not None or bool(self.problem)

    def tell_at_work(self, observe: Observe) -> None:
        with self._lock:
            told, self._untold = self._untold, []
        for one in told:
            observe("settings.taken", **one)

    def take(self, part: str, observe: Observe, use: Callable[[Settings], object], note: NoteAct) -> bool:
        """Reloads, has what is new used, and enters it into the audit; whether anything was. part: as the command that
        runs this process is called."""
        if (changed := self.reload(observe, is_at_work=False)) is None:
            return False
        use(self.settings)
        try:
            note(
                f"{part} on {socket.gethostname()}", "reload settings", "SIGHUP", f"{self.digest}: {', '.join(changed)}"
            )
        except BellhopError as error:  # what is new counts all the same
            observe("ledger.unavailable", where="reload", error=str(error))
        return True


class Rounds:
    """A service's rounds of work. SIGTERM ends the last; SIGHUP with new settings ends one, and another begins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._round = threading.Event()
        self._hung_up = threading.Event()
        self._is_over = False
        self._goes_on = False

    def begin(self) -> threading.Event:
        """The stop of the next round; set already where the service was told to stop meanwhile."""
        with self._lock:
            self._round, self._goes_on = threading.Event(), False
            if self._is_over:
                self._round.set()
            return self._round

    @property
    def goes_on(self) -> bool:
        """Whether the round that has ended did so for new settings, and not because a thread of it died, say."""
        return self._goes_on and not self._is_over

    def all(self) -> Iterator[threading.Event]:
        """The stop of each."""
        yield self.begin()
        while self.goes_on:
            yield self.begin()

    def stop(self) -> None:
        """For good, from any thread."""
        with self._lock:
            self._is_over = True
            self._round.set()

    def hang_up(self) -> None:
        """From any thread: has `watch` reload."""
        self._hung_up.set()

    def watch(self, reload: Callable[[], bool]) -> None:
        """Ends a round whenever `reload`, on SIGHUP, has taken something; in a thread of its own, for ever."""

        def run() -> None:
            while True:
                self._hung_up.wait()
                self._hung_up.clear()
                if reload():
                    with self._lock:
                        self._goes_on = True
                        self._round.set()

        threading.Thread(target=run, name="reload", daemon=True).start()
