"""A source that is silent beyond its habit is noticed.

Its habit is learned: for each hour of the week, in how many of the last six weeks it was heard at all. A silence counts
the hours that have passed with nothing, each as much as it is usually heard in: a night or a weekend counts for little,
a morning in full, and a burst for no more than an hour. A source is silent once that is more than two hours and twice
its longest silence of those weeks: whatever it has done before is no alarm.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final, Protocol

from bellhop.ledger.records import Silence
from bellhop.letters.conservation import StatsBroker
from bellhop.schemas.clock import utc_now
from bellhop.schemas.errors import BrokerError, LedgerError
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.settings import SourceSettings
from bellhop.vendors.registry import ROUTES

LOOK_SECONDS: Final = 10.0
WEEK: Final = 168
LEARNT: Final = 6 * WEEK
"""So many hours are looked back."""
_LEAST_SPAN: Final = 2 * WEEK
_LEAST_HEARD: Final = 12
_LEAST_MISSED: Final = 2.0
_MARGIN: Final = 2.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Habit:
    """What is learned of a source. usual: of each hour of the week, in what share of the weeks it was heard then.
    longest: its longest silence, in hours that it is usually heard in."""

    usual: Mapping[int, float]
    longest: float

    def count_missed(self, last: int, until: int) -> float:
        """The hours between the two, without either, as much as it is usually heard in each."""
        weeks, rest = divmod(max(0, until - last - 1), WEEK)
        first = last + 1
        odd = sum(self.usual.get((first + hour) % WEEK, 0.0) for hour in range(rest))
        return weeks * sum(self.usual.values()) + odd

    def is_broken(self, last: int, now: int) -> bool:
        missed = self.count_missed(last, now)
        return missed > max(_LEAST_MISSED, _MARGIN * self.longest)


def learn(heard: Sequence[int]) -> Habit | None:
    """heard: the hours since 1970 in which it was, in their order. None where that is too little to know of a habit:
    less than two weeks, or than 12 hours. Learned up to the last: the silence that may be on now is none of it."""
    recent = [hour for hour in heard if hour > heard[-1] - LEARNT]
    if len(recent) < _LEAST_HEARD or recent[-1] - recent[0] < _LEAST_SPAN:
        return None
    span = recent[-1] - recent[0] + 1
    times = Counter(hour % WEEK for hour in recent)
    weeks, rest = divmod(span, WEEK)
    once_more = {(recent[0] + hour) % WEEK for hour in range(rest)}
    habit = Habit({hour: count / (weeks + (hour in once_more)) for hour, count in times.items()}, 0.0)
    return Habit(habit.usual, max((habit.count_missed(*pair) for pair in pairwise(recent)), default=0.0))


def hour_of(moment: datetime) -> int:
    return int((moment - _EPOCH).total_seconds() // 3600)


class HabitLedger(Protocol):
    """Every method raises LedgerUnavailable."""

    def take_in(self) -> int: ...

    def last_times(self) -> Mapping[str, datetime]: ...

    def hours(self, source: str) -> Sequence[int]: ...

    def note_silences(self, silences: Sequence[Silence]) -> None: ...


@dataclass(slots=True)
class SilentSources:
    """One for each archive; two at once find the same. sources: those of the settings. lags: whether what was accepted
    may still wait for a worker: then nobody knows who is silent."""

    ledger: HabitLedger
    sources: Mapping[str, SourceSettings]
    observe: Observe = silent
    now: Callable[[], datetime] = utc_now
    lags: Callable[[], bool] = lambda: False
    _known: dict[str, tuple[int, Habit | None]] = field(default_factory=dict)

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self.look()
            except LedgerError as error:
                self.observe("ledger.unavailable", where="silence", error=str(error))
            stop.wait(LOOK_SECONDS)

    def look(self) -> None:
        """Raises LedgerError."""
        while self.ledger.take_in():
            pass
        if self.lags():
            return
        heard = {name: last for name, last in self.ledger.last_times().items() if name in self.sources}
        silences = list(self._silences(heard))
        self.ledger.note_silences(silences)
        gone = {one.source for one in silences}
        groups = [{"source": name, "silent": int(name in gone)} for name in self.sources]
        self.observe("silence.measured", groups=groups)

    def _silences(self, heard: Mapping[str, datetime]) -> Iterator[Silence]:
        now = self.now()
        for name, last in sorted(heard.items()):
            source = self.sources[name]
            if source.silence == "ignore":
                continue
            if source.silent_after_seconds:
                if now - last > timedelta(seconds=source.silent_after_seconds):
                    yield Silence(name, last, f"the settings expect it every {_span(source.silent_after_seconds)}")
            elif (habit := self._habit(name, last)) is not None and habit.is_broken(hour_of(last), hour_of(now)):
                yield Silence(name, last, "more than twice as long as ever in the last six weeks")

    def _habit(self, name: str, last: datetime) -> Habit | None:
        """Learned anew once it was heard in another hour."""
        hour, habit = self._known.get(name, (-1, None))
        if hour != hour_of(last):
            hours = self.ledger.hours(name)
            habit = learn(hours) if hours else None
            self._known[name] = hour_of(last), habit
        return habit


def lags_behind(broker: StatsBroker) -> bool:
    """Whether events wait in a work queue for longer than a minute; also where that cannot be told."""
    try:
        stats = broker.stats()
    except BrokerError:
        return True
    queues = [stats[route] for route in ROUTES if route in stats]
    return any(queue.ready and (queue.oldest_seconds is None or queue.oldest_seconds > 60) for queue in queues)


def _span(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
