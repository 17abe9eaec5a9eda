"""Who is suspected, and what a suspect may be worked beside."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from bellhop.broker.headers import DEATHS
from bellhop.broker.port import Delivery, Message
from bellhop.schemas.clock import Clock
from bellhop.vendors.outcome import Dead, Wait
from bellhop.workers.suspects import TURN_SECONDS, Room, Suspects, count_deaths


def delivery(deliveries: int = 0, carried: str | int | float | None = None) -> Delivery:
    headers = {} if carried is None else {DEATHS: carried}
    return Delivery(Message("m", b"", headers), None, deliveries)


@pytest.fixture
def seconds() -> list[float]:
    return [100.0]


@pytest.fixture
def room(seconds: list[float]) -> Room:
    made = Room(20, Clock(lambda: datetime(2026, 11, 1, tzinfo=UTC), lambda: seconds[0]), in_company=3)
    seconds[0] += 60
    return made


@pytest.mark.parametrize(
    ("of", "deaths"),
    [
        *[((0, None), 0), ((2, None), 2), ((1, 2), 3), ((1, -5), 1), ((1, "many"), 1), ((0, 2.0), 2)],
        *[((19, None), 5), ((9, 3), 5), ((0, 5), 5), ((1, 5), 6), ((9, 6), 7)],
    ],
)
def test_deaths_are_those_the_broker_counted_in_company_up_to_a_few_and_then_one_each_time_alone(
    of: tuple[int, str | int | float | None], deaths: int
) -> None:
    assert count_deaths(delivery(*of)) == deaths


def test_a_low_delivery_limit_suspects_and_ends_sooner() -> None:
    assert [(r.deaths, r.limit) for r in map(Room, (2, 3, 4, 20, 1000))] == [(1, 2), (2, 3), (3, 4), (5, 8), (5, 8)]


def test_of_several_suspects_the_least_often_died_over_stays_and_the_others_are_sent_on(room: Room) -> None:
    fresh, often, less, lost = delivery(2), delivery(0, 5), delivery(0, 3), delivery(1, 5)
    suspects = Suspects(room)
    unsuspected, aside = suspects.split([often, fresh, less, lost])
    assert unsuspected == [fresh]
    assert [(one, type(outcome)) for one, outcome in aside] == [(often, Wait), (lost, Dead)]
    assert suspects.unbegun == (less,)


def test_what_a_process_held_that_ended_is_counted_and_sent_on_before_it_is_worked_alone(room: Room) -> None:
    suspects = Suspects(room)
    in_company, alone, last = delivery(3), delivery(1, 3), delivery(0, 5)
    assert [type(outcome) for _, outcome in suspects.split([in_company, alone])[1]] == [Wait, Wait]
    assert suspects.unbegun == ()
    suspects.split([last])
    assert suspects.unbegun == (last,), "twice alone, and once more"


@pytest.mark.parametrize("times", [3, 8, 19, 1000])
def test_however_often_workers_that_held_it_are_stopped_it_is_worked_alone_before_it_is_a_letter(
    room: Room, times: int
) -> None:
    suspects = Suspects(room)
    ((_, outcome),) = suspects.split([held := delivery(times)])[1]
    assert isinstance(outcome, Wait)
    assert count_deaths(held, room.deaths) == room.deaths
    assert suspects.split([delivery(0, count_deaths(held))])[1] == []


def test_one_route_at_a_time_has_a_suspect(room: Room) -> None:
    one, other = Suspects(room), Suspects(room)
    first = delivery(0, 3)
    assert one.split([first])[1] == []
    assert len(other.split([delivery(0, 3)])[1]) == 1
    one.leave(first)
    assert other.split([delivery(0, 3)])[1] == []


def test_a_suspect_begins_only_when_the_others_are_sent_on_and_no_more_are_coming(
    room: Room, seconds: list[float]
) -> None:
    suspects = Suspects(room)
    first, second = delivery(0, 3), delivery(4)
    suspects.split([first, second])
    seconds[0] += 60
    assert suspects.next() is None  # the other is still in hand
    suspects.leave(second)
    assert suspects.next() is None  # its ack is on its way
    seconds[0] += 60
    assert suspects.next() is first


def test_a_suspect_waits_until_no_worker_of_the_process_fetches_any_more(room: Room, seconds: list[float]) -> None:
    for worker in ("members", "pulls"):
        room.join(worker)
    suspects = Suspects(room)
    assert not room.needs_silence()
    first = delivery(0, 3)
    suspects.split([first])
    assert room.needs_silence()
    room.note_silence("pulls")
    assert suspects.next() is None
    room.note_silence("members")
    assert suspects.next() is first
    suspects.leave(first)
    assert not room.needs_silence()
    seconds[0] += 60
    suspects.split([second := delivery(0, 3)])
    assert suspects.next() is None, "they may have fetched since"
    for worker in ("members", "pulls"):
        room.note_silence(worker)
    assert suspects.next() is second


def test_others_are_fetched_again_while_a_suspect_waits_long_for_its_accounts_turn(
    room: Room, seconds: list[float]
) -> None:
    suspects = Suspects(room)
    suspects.split([delivery(0, 3)])
    seconds[0] += 2 * TURN_SECONDS
    assert room.needs_silence(), "it has not begun"
    suspects.begin()
    assert room.needs_silence()
    seconds[0] += TURN_SECONDS
    assert not room.needs_silence()
    with room.place(delivery(0, 3)):
        assert room.needs_silence(), "it is worked now"
    suspects.postpone()
    assert room.needs_silence()


def test_a_suspect_that_comes_by_the_ladder_may_begin_at_once_and_once(room: Room) -> None:
    suspects = Suspects(room)
    suspects.split([delivery(0, 3)])
    assert suspects.next() is not None
    suspects.begin()
    assert suspects.next() is None
    suspects.postpone()
    assert suspects.next() is not None


def test_a_suspect_is_worked_when_nothing_else_is_and_what_comes_meanwhile_waits(room: Room) -> None:
    order: list[str] = []
    entered = threading.Event()
    company = room.place(delivery())
    company.__enter__()

    def alone() -> None:
        with room.place(delivery(3)):
            order.append("suspect")
            entered.set()

    thread = threading.Thread(target=alone)
    thread.start()
    assert not entered.is_set()
    order.append("company")
    company.__exit__(None, None, None)
    thread.join(5)
    with room.place(delivery()):
        order.append("next")
    assert order == ["company", "suspect", "next"]


def test_what_comes_while_a_suspect_is_alone_waits_for_its_end(room: Room) -> None:
    order: list[str] = []
    entering = threading.Event()

    def company() -> None:
        entering.set()
        with room.place(delivery()):
            order.append("company")

    thread = threading.Thread(target=company)
    with room.place(delivery(3)):
        thread.start()
        entering.wait(5)
        thread.join(0.05)  # where it did not wait, it would be through by now
        order.append("suspect")
    thread.join(5)
    assert order == ["suspect", "company"]
