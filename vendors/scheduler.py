"""When pulls are due: each tick of an account's cron expression becomes an event in the queue.

Every worker that works the route may run one: a tick's id is made of its time, so however many announce it, the
ledger knows it once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cronsim import CronSim

from bellhop.broker.messages import work_message
from bellhop.broker.port import Publisher
from bellhop.broker.topology import work
from bellhop.schemas.clock import utc_now
from bellhop.schemas.envelope import Envelope, content_hash
from bellhop.schemas.errors import BrokerError
from bellhop.schemas.events import PULL_TYPE
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.routes import PULLS_ROUTE
from bellhop.schemas.settings import Account

SOURCE: Final = "schedule"
_LOOK_SECONDS: Final = 1.0
_CONFIRM_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Due:
    """A pull and the tick it is due at."""

    account: str
    what: str
    tick: datetime


def pull_event(
    account: str, what: str, *, source: str, id_: str, at: datetime, from_: datetime | None = None
) -> Envelope:
    """The event that asks for a pull. at: when it was asked for. from_: instead of the last watermark."""
    data: dict[str, Any] = {"what": what}
    if from_ is not None:
        data["from"] = from_.astimezone(UTC).isoformat()
    return Envelope(
        id=id_,
        source=source,
        type=PULL_TYPE,
        subject=f"{account}/{what}",
        route=PULLS_ROUTE,
        account=account,
        time=at,
        received=at,
        data=data,
        content_hash=content_hash(PULL_TYPE, at, data),
    )


def last_tick(cron: str, now: datetime) -> datetime:
    """The newest tick up to `now`, UTC. A worker that starts announces it too: it may have been missed."""
    # CronSim's are all before the time it is given; one of this very moment counts.
    return next(CronSim(cron, now.astimezone(UTC) + timedelta(microseconds=1), reverse=True))


class Scheduler:
    """Announces what is due, looking every second."""

    def __init__(
        self,
        accounts: Mapping[str, Account],
        publisher: Publisher,
        *,
        observe: Observe = silent,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._crons = {(a.name, what): cron for a in accounts.values() for what, cron in a.pulls.items()}
        self._publisher = publisher
        self._observe = observe
        self._now = now
        self._announced: dict[tuple[str, str], datetime] = {}

    def run(self, stop: threading.Event) -> None:
        """Until `stop`."""
        while self._crons and not stop.wait(_LOOK_SECONDS):
            self.look()

    def look(self) -> list[Due]:
        """Announces what has become due since the last look. What the broker does not confirm is due still."""
        announced = []
        for (account, what), cron in self._crons.items():
            tick = last_tick(cron, self._now())
            if self._announced.get((account, what)) == tick:
                continue
            due = Due(account, what, tick)
            if self._announce(due):
                self._announced[account, what] = tick
                announced.append(due)
        return announced

    def _announce(self, due: Due) -> bool:
        id_ = f"{due.account}/{due.what}/{due.tick:%Y%m%dT%H%MZ}"
        envelope = pull_event(due.account, due.what, source=SOURCE, id_=id_, at=due.tick)
        try:
            self._publisher.publish(work_message(envelope, self._now()), work(PULLS_ROUTE)).result(_CONFIRM_SECONDS)
        except (BrokerError, TimeoutError, CancelledError) as error:
            self._observe("publish.failed", route=PULLS_ROUTE, to="schedule", error=type(error).__name__)
            return False
        self._observe("pull.due", account=due.account, what=due.what, id=id_)
        return True
