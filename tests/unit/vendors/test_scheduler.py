"""When pulls are due: each tick once, however many workers announce it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bellhop.broker.topology import work
from bellhop.schemas.envelope import decode
from bellhop.schemas.errors import PublishUnconfirmed
from bellhop.schemas.routes import PULLS_ROUTE
from bellhop.vendors.peoplevine.settings import PeoplevineAccount
from bellhop.vendors.scheduler import Scheduler, last_tick
from tests.support.ingress import MemoryPublisher, Told

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ACCOUNT = PeoplevineAccount(
    "pv",
    "http://x",
    "a",
    "c",
    "u",
    "p",
    "",
    True,
    1.0,
    1.0,
    pulls={"profiles": "*/15 * * * *", "services": "0 4 * * *"},
)


class Clock:
    time = NOON

    def __call__(self) -> datetime:
        return self.time


def scheduler(publisher: MemoryPublisher, clock: Clock, told: Told | None = None) -> Scheduler:
    return Scheduler({"pv": ACCOUNT}, publisher, observe=told or Told(), now=clock)


def test_a_worker_that_starts_announces_the_last_ticks_and_then_each_new_one_once() -> None:
    publisher, clock = MemoryPublisher(), Clock()
    at_work = scheduler(publisher, clock)
    assert [(due.what, due.tick.hour) for due in at_work.look()] == [("profiles", 12), ("services", 4)]
    assert at_work.look() == []
    clock.time = NOON + timedelta(minutes=14, seconds=59)
    assert at_work.look() == []
    clock.time = NOON + timedelta(minutes=15)
    assert [due.what for due in at_work.look()] == ["profiles"]
    assert len(publisher.published) == 3


def test_two_workers_announce_the_same_tick_as_the_same_event() -> None:
    clock = Clock()
    one, other = MemoryPublisher(), MemoryPublisher()
    scheduler(one, clock).look()
    clock.time = NOON + timedelta(minutes=3)
    scheduler(other, clock).look()
    assert [m.body for m, _ in one.published] == [m.body for m, _ in other.published]
    message, to = one.published[0]
    envelope = decode(message.body)
    assert to == work(PULLS_ROUTE)
    assert (envelope.message_id, envelope.type, envelope.time) == (
        "schedule/pv/profiles/20261121T1200Z", "pull.requested", NOON,
    )  # fmt: skip
    assert envelope.data == {"what": "profiles"}


def test_a_tick_that_the_broker_did_not_confirm_is_announced_again() -> None:
    publisher, told = MemoryPublisher(fail=PublishUnconfirmed("no confirm")), Told()
    at_work = scheduler(publisher, Clock(), told)
    assert at_work.look() == []
    assert "publish.failed" in told.names
    publisher.fail = None
    assert len(at_work.look()) == 2


@given(st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)), st.sampled_from(["*/15 * * * *", "0 4 * * *"]))  # noqa: DTZ001
def test_the_last_tick_is_never_later_than_now_and_within_a_period(at: datetime, cron: str) -> None:
    now = at.replace(tzinfo=UTC)
    tick = last_tick(cron, now)
    assert timedelta() <= now - tick < (timedelta(minutes=15) if cron.startswith("*") else timedelta(days=1))
    assert last_tick(cron, tick) == tick
