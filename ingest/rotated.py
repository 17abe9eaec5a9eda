"""The sources' rotated secrets, as the ledger has them: taken by each process of the ingress within a second or two."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol

from bellhop.schemas.clock import utc_now
from bellhop.schemas.errors import LedgerError
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.redact import learn_secret
from bellhop.schemas.rotations import SecretRotation, good_secrets
from bellhop.schemas.settings import Settings

LOOK_SECONDS: Final = 1.0
_FIRST_SECONDS: Final = 2.0

Rows = Mapping[str, Sequence[SecretRotation]]


class RotationLedger(Protocol):
    """Every method raises LedgerUnavailable."""

    def rotations(self) -> Rows: ...

    def note_rotations(self, numbers: Sequence[int], /) -> None: ...


class RotatedSecrets:
    """While the ledger is away what was read last counts. is_known: whether it has ever been read: before, a signature
    that is not known may be of a secret that is.

    Safe from any thread."""

    def __init__(
        self, ledger: RotationLedger, observe: Observe = silent, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._ledger = ledger
        self._observe = observe
        self._now = now
        self._rows: Rows = {}
        self._used: Mapping[str, tuple[str, ...]] = {}
        self._read = threading.Event()

    @property
    def is_known(self) -> bool:
        return self._read.is_set()

    def over(self, settings: Settings) -> Settings:
        """The settings with the secrets that are good now."""
        self._used = found = self._good(settings)
        for secret in {each for secrets in found.values() for each in secrets}:
            learn_secret(secret)
        sources = {
            name: replace(source, secrets=found.get(name, source.secrets)) for name, source in settings.sources.items()
        }
        return replace(settings, sources=sources)

    def look(self, settings: Settings) -> bool:
        """Whether other secrets are good than those in use. Raises LedgerError."""
        self._rows = self._ledger.rotations()
        self._read.set()
        return self._good(settings) != self._used

    def note_used(self) -> None:
        """Raises LedgerError."""
        new = [one.number for name in self._used for one in self._rows.get(name, ()) if one.taken is None]
        if new:
            self._ledger.note_rotations(new)
            self._rows = self._ledger.rotations()

    def start(self, settings: Callable[[], Settings], use: Callable[[], None]) -> None:
        """settings: as they are now, without what was rotated. use: called where other secrets are good, in a thread.
        Waits a moment for the first look: most ledgers are there."""

        def run() -> None:
            pause = threading.Event()
            while True:
                try:
                    if self.look(settings()):
                        use()
                    self.note_used()
                except LedgerError:
                    pass  # the probes tell that it is away
                except Exception as error:  # noqa: BLE001  # the next look may go well
                    self._observe("thread.crashed", thread="rotated", error=type(error).__name__)
                pause.wait(LOOK_SECONDS)

        threading.Thread(target=run, name="rotated", daemon=True).start()
        self._read.wait(_FIRST_SECONDS)

    def _good(self, settings: Settings) -> dict[str, tuple[str, ...]]:
        """Of the sources that have rotated any."""
        now, rows = self._now(), self._rows
        found = {
            name: good_secrets(source.verifier, source.secrets, rows[name], now)
            for name, source in settings.sources.items()
            if rows.get(name)
        }
        return {name: good for name, good in found.items() if good}
