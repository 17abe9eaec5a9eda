"""Who is silent beyond their habit, over histories as sources have them."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.broker.port import QueueStats
from bellhop.ledger.records import Silence
from bellhop.letters.silence import WEEK, SilentSources, hour_of, lags_behind, learn
from bellhop.schemas.errors import BrokerUnavailable
from bellhop.vendors.settings import build

MONDAY = hour_of(datetime(2026, 9, 7, tzinfo=UTC))
"""The first hour of a Monday."""


def is_day(hour: int) -> bool:
    return (hour - MONDAY) % WEEK < 5 * 24 and 8 <= (hour - MONDAY) % 24 < 18


def weeks(count: int) -> range:
    return range(MONDAY, MONDAY + count * WEEK)


def office(_: random.Random) -> Iterator[int]:
    """Every hour of the working day, and neither by night nor at the weekend."""
    return (hour for hour in weeks(12) if is_day(hour))


def round_the_clock(_: random.Random) -> Iterator[int]:
    return iter(weeks(12))


def nightly(_: random.Random) -> Iterator[int]:
    """One list of everything, at three in the morning."""
    return (hour for hour in weeks(12) if (hour - MONDAY) % 24 == 3)


def weekly(_: random.Random) -> Iterator[int]:
    """On Mondays, all morning."""
    return (hour for hour in weeks(12) if 8 <= (hour - MONDAY) % WEEK < 12)


def rarely(chance: random.Random) -> Iterator[int]:
    """Some three times a week, at any hour."""
    return (hour for hour in weeks(12) if chance.random() < 3 / WEEK)


def now_and_then(chance: random.Random) -> Iterator[int]:
    """By day, in one hour of three."""
    return (hour for hour in weeks(12) if is_day(hour) and chance.random() < 1 / 3)


def in_bursts(chance: random.Random) -> Iterator[int]:
    """Some hours in a row, and then nothing for a day or more."""
    hour = MONDAY
    while hour < MONDAY + 12 * WEEK:
        for _ in range(chance.randint(1, 8)):
            yield hour
            hour += 1
        hour += chance.randint(12, 60)


HABITS: Mapping[str, Callable[[random.Random], Iterator[int]]] = {
    one.__name__: one for one in (office, round_the_clock, nightly, weekly, rarely, now_and_then, in_bursts)
}


def alarms(heard: Sequence[int]) -> int:
    """How many silences of a history that goes on as it always was would have been told, from the seventh week on."""
    told = 0
    for place, (last, after) in enumerate(pairwise(heard)):
        if last >= MONDAY + 6 * WEEK and (habit := learn(heard[: place + 1])) is not None:
            told += habit.is_broken(last, after)
    return told


@pytest.mark.parametrize("name", ["office", "round_the_clock", "nightly", "weekly"])
def test_a_source_of_regular_habit_is_never_told_of(name: str) -> None:
    assert alarms(list(HABITS[name](random.Random(1)))) == 0


@pytest.mark.parametrize("name", ["rarely", "now_and_then", "in_bursts"])
def test_of_a_source_without_one_false_alarms_are_few(name: str) -> None:
    """In six weeks each, of twenty sources: less than one in six of them is told of, and that once."""
    told = [alarms(list(HABITS[name](random.Random(seed)))) for seed in range(20)]
    assert sum(told) <= 3, told


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        # Since its last hour; the office's is on a Friday, and its alarm on Monday before noon.
        *(("round_the_clock", 4), ("office", 66), ("nightly", 73), ("weekly", 168 + 6)),
        *(("now_and_then", 5 * 24), ("rarely", 40 * 24), ("in_bursts", 14 * 24)),
    ],
)
def test_a_source_that_has_stopped_is_told_of_in_its_time(name: str, hours: int) -> None:
    heard = list(HABITS[name](random.Random(3)))
    habit = learn(heard)
    assert habit is not None
    assert habit.is_broken(heard[-1], heard[-1] + hours), (
        habit.longest,
        habit.count_missed(heard[-1], heard[-1] + hours),
    )


def test_a_night_and_a_weekend_are_no_silence_and_an_hour_of_summer_time_is_none() -> None:
    heard = list(office(random.Random(1)))
    habit = learn(heard)
    assert habit is not None
    friday = heard[-1]
    assert not habit.is_broken(friday, friday + 62)  # to Monday at eight
    assert not habit.is_broken(friday, friday + 64)  # all of Monday came an hour later


def test_a_burst_in_one_night_makes_no_habit_of_that_night() -> None:
    plain = list(office(random.Random(1)))
    habit = learn(sorted({*plain, MONDAY + 2 * WEEK + 5 * 24 + 3}))
    assert habit is not None
    assert habit.count_missed(plain[-1], plain[-1] + 62) < 1


def test_a_new_source_and_one_that_is_hardly_heard_have_no_habit() -> None:
    assert learn(list(range(MONDAY, MONDAY + 13 * 24))) is None
    assert learn([MONDAY + week * WEEK for week in range(6)]) is None


hours = st.lists(st.integers(MONDAY, MONDAY + 5 * WEEK), min_size=20, unique=True).map(sorted)


@given(hours)
def test_nothing_that_a_source_has_done_before_is_an_alarm(heard: list[int]) -> None:
    if (habit := learn(heard)) is None:
        return
    assert not any(habit.is_broken(last, after) for last, after in pairwise(heard))


@given(hours, st.integers(0, 2000), st.integers(0, 500))
def test_a_silence_only_grows_and_is_told_of_in_the_end(heard: list[int], later: int, more: int) -> None:
    if (habit := learn(heard)) is None:
        return
    last = heard[-1]
    assert habit.count_missed(last, last + later) <= habit.count_missed(last, last + later + more) + 1e-9
    assert habit.is_broken(last, last + 200 * WEEK)


@given(hours, st.integers(1, 8))
def test_a_habit_is_the_same_whichever_week_it_is(heard: list[int], later: int) -> None:
    moved = learn([hour + later * WEEK for hour in heard])
    assert moved == learn(heard)


# --- as the archive looks -----------------------------------------------------------------------------------------


class Ledger:
    def __init__(self, **heard: datetime) -> None:
        self.last = heard
        self.noted: list[Silence] = []

    def take_in(self) -> int:
        return 0

    def last_times(self) -> Mapping[str, datetime]:
        return self.last

    def hours(self, source: str) -> Sequence[int]:
        last = hour_of(self.last[source])
        return range(last - 3 * WEEK, last + 1)

    def note_silences(self, silences: Sequence[Silence]) -> None:
        self.noted = list(silences)


NOW = datetime(2026, 11, 28, 12, 30, tzinfo=UTC)


def look(ledger: Ledger, **more: str) -> tuple[list[str], list[dict[str, object]]]:
    told: list[dict[str, object]] = []
    source = {"verifier": "bearer", "secrets": ["a-secret-of-24-characters"], **more}
    sources = build({"sources": {"crm": source}}).sources
    SilentSources(ledger, sources, lambda _event, /, **fields: told.append(fields), lambda: NOW).look()
    return [one.source for one in ledger.noted], told


@pytest.mark.parametrize(("ago", "is_silent"), [(2, False), (5, True)])
def test_a_source_that_was_always_there_is_silent_after_some_hours(ago: int, is_silent: bool) -> None:
    found, told = look(Ledger(crm=NOW - timedelta(hours=ago), gone=NOW - timedelta(days=9)))
    assert found == ["crm"] * is_silent
    assert told == [{"groups": [{"source": "crm", "silent": int(is_silent)}]}]


def test_the_settings_say_how_long_it_may_be_silent_or_that_it_is_ignored() -> None:
    ledger = Ledger(crm=NOW - timedelta(minutes=2))
    assert look(ledger)[0] == []
    assert look(ledger, silent_after="1m")[0] == ["crm"]
    assert look(ledger, silent_after="3m")[0] == []
    assert look(Ledger(crm=NOW - timedelta(hours=9)), silence="ignore")[0] == []


class Broker:
    def __init__(self, *, ready: int = 0, oldest: float | None = None, is_away: bool = False) -> None:
        self._queue, self._is_away = QueueStats(ready, 0, oldest), is_away

    def stats(self) -> Mapping[str, QueueStats]:
        if self._is_away:
            raise BrokerUnavailable("connection refused")
        return {"members": self._queue}


def test_nobody_is_silent_whose_events_may_wait_for_a_worker() -> None:
    assert not lags_behind(Broker())
    assert not lags_behind(Broker(ready=3, oldest=2.0))
    assert lags_behind(Broker(ready=3, oldest=600.0))
    assert lags_behind(Broker(is_away=True))
    ledger = Ledger(crm=NOW - timedelta(hours=9))
    source = {"verifier": "bearer", "secrets": ["a-secret-of-24-characters"], "silent_after": "1m"}
    sources = build({"sources": {"crm": source}}).sources
    SilentSources(ledger, sources, now=lambda: NOW, lags=lambda: True).look()
    assert ledger.noted == []


def test_a_ledger_that_is_away_is_looked_at_again() -> None:
    stop = threading.Event()
    stop.set()
    SilentSources(Ledger(), {}).run(stop)
