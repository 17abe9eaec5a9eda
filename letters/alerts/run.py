"""Looks what needs a person, and has each receiver told. Of all archives one looks; each sends, every message once.

What if the process dies here? What is to be told is committed before it is sent. Sent and not noted, it is sent again a
minute later with the same id, by which PagerDuty, webhooks and mail programs know it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from bellhop.broker.port import Broker
from bellhop.ledger.records import AlertMessage, AlertRow, CauseState, LetterFilter
from bellhop.letters.alerts.facts import Alert, alerts_of, ledger_away, trial_alert
from bellhop.letters.alerts.messages import AlertNotice
from bellhop.letters.alerts.plan import revise_all
from bellhop.letters.alerts.post import AlertUnsent
from bellhop.letters.attention import attention, check_broker
from bellhop.letters.serializers import NO_VENUES
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.errors import LedgerError
from bellhop.schemas.events import VenueFacts
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.settings.alerts import AlertReceiver

LOOK_SECONDS: Final = 2.0
LEAD_SECONDS: Final = 30.0
BACK_OFF_SECONDS: Final = (5.0, 15.0, 60.0, 300.0, 600.0)
_CAUSES: Final = 200
_AWAY: Final = "bellhop-ledger-away"


class Post(Protocol):
    def send(self, notice: AlertNotice, receiver: AlertReceiver, now: Any) -> None:
        """Raises AlertUnsent."""
        ...


class Alerting:
    """One for each archive. by: this process' name. public_url: the console's, "" where nobody set it. venues: by name.

    Each receiver is told in a thread of its own: one that is slow or away holds up no other.
    """

    def __init__(
        self,
        ledger: Any,
        broker: Broker,
        receivers: Mapping[str, AlertReceiver],
        post: Post,
        *,
        by: str,
        public_url: str,
        venues: Mapping[str, VenueFacts] = NO_VENUES,
        observe: Observe = silent,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._ledger = ledger
        self._broker = broker
        self._receivers = receivers
        self._post = post
        self._by = by
        self._venues = venues
        self._public_url = public_url.rstrip("/")
        self._observe = observe
        self._clock = clock
        self._away_since: float | None = None
        self._told_away: set[str] = set()

    def start(self, stop: threading.Event) -> None:
        if self._receivers:
            self._thread("alerts", stop, self.look)
        for name in self._receivers:
            self._thread(f"alerts {name}", stop, lambda name=name: self.send(name))  # type: ignore[misc]

    def _thread(self, name: str, stop: threading.Event, step: Callable[[], object]) -> None:
        def run() -> None:
            while not stop.wait(LOOK_SECONDS):
                try:
                    step()
                except LedgerError as error:
                    self._observe("ledger.unavailable", where="alerts", error=str(error))
                except Exception as error:  # noqa: BLE001  # whatever it is, the next look may be better than none
                    self._observe("thread.crashed", thread=name, error=type(error).__name__)

        threading.Thread(target=run, name=name, daemon=True).start()

    # --- what is to be told -------------------------------------------------------------------------------------

    def look(self) -> None:
        """Decides what is to be told, where no other process does. Raises LedgerError."""
        try:
            self._look()
            self._away_since = None
        except LedgerError:
            self._away_since = self._away_since if self._away_since is not None else self._clock.monotonic()
            raise

    def _look(self) -> None:
        rows = self._ledger.alerts.all()
        self._measure(rows)
        if not self._ledger.alerts.lead(self._by, LEAD_SECONDS):
            return
        now = self._clock.now()
        items = attention(self._ledger, check_broker(self._broker), now, self._venues)
        causes = self._ledger.causes.find(LetterFilter(), _CAUSES)
        causes = [row for row in causes if row.life.state is not CauseState.SNOOZED]
        alerts = alerts_of(items, causes, now, self._venues)
        if any(revise_all(rows, alerts, self._receivers, now)):
            # Asked again under the lock: a message may be on its way by now.
            self._ledger.alerts.revise(lambda stored: revise_all(stored, alerts, self._receivers, now))

    def _measure(self, rows: list[AlertRow]) -> None:
        unsent = [row.receiver for row in rows if row.pending and row.tries and row.error]
        groups = [{"receiver": name, "count": unsent.count(name)} for name in self._receivers]
        self._observe("alerts.measured", groups=groups)

    # --- telling it ---------------------------------------------------------------------------------------------

    def send(self, name: str) -> None:
        """Sends what is due to this receiver. Raises LedgerError."""
        self._tell_away(self._receivers[name])
        for row in self._ledger.alerts.claim(name):
            notice = self._notice(row.pending.value, row.incident, Alert.from_json(row.facts))
            if (unsent := self._say(notice, self._receivers[name])) is None:
                self._ledger.alerts.note_sent(row)
            else:
                usual = BACK_OFF_SECONDS[min(row.tries, len(BACK_OFF_SECONDS)) - 1]
                self._ledger.alerts.note_failed(row, str(unsent), max(usual, unsent.after or 0.0))

    def _say(self, notice: AlertNotice, receiver: AlertReceiver) -> AlertUnsent | None:
        """Why it was not taken; None where it was."""
        fields = {"receiver": receiver.name, "says": notice.says, "alert": notice.alert.key}
        try:
            self._post.send(notice, receiver, self._clock.now())
        except AlertUnsent as unsent:
            self._observe("alert.failed", error=str(unsent), **fields)
            return unsent
        self._observe("alert.sent", **fields)
        return None

    def _notice(self, says: str, incident: str, alert: Alert) -> AlertNotice:
        link = f"{self._public_url}{alert.path}" if self._public_url else ""
        return AlertNotice(says, incident, alert, link, self._clock.now())

    def _tell_away(self, receiver: AlertReceiver) -> None:
        """That the ledger is away, and is back: each archive tells it by itself, from memory."""
        since, is_told = self._away_since, receiver.name in self._told_away
        is_away = since is not None and self._clock.monotonic() - since >= receiver.wait_seconds
        if is_away != is_told and (is_away or since is None):
            says = AlertMessage.OPEN if is_away else AlertMessage.OVER
            if self._say(self._notice(says.value, _AWAY, ledger_away()), receiver) is None:
                self._told_away ^= {receiver.name}


def try_receiver(receiver: AlertReceiver, post: Post, incident: str, clock: Clock = SYSTEM_CLOCK) -> None:
    """Sends it a message that says it is a test. Raises AlertUnsent."""
    post.send(AlertNotice("test", incident, trial_alert(), "", clock.now()), receiver, clock.now())
