"""Who is suspected, and what a suspect may be worked beside."""

from __future__ import annotations

import threading

import pytest

from bellhop.broker.headers import DEATHS
from bellhop.broker.port import Delivery, Message
from bellhop.workers.suspects import QUIET_SECONDS, Suspects, deaths_of


def delivery(deliveries: int = 0, carried: str | int | float | None = None) -> Delivery:
    headers = {} if carried is None else {DEATHS: carried}
    return Delivery(Message("m", b"", headers), None, deliveries)


@pytest.mark.parametrize(
    ("of", "deaths"), [((0, None), 0), ((2, None), 2), ((1, 2), 3), ((1, -5), 1), ((1, "many"), 1), ((0, 2.0), 2)]
)
def test_deaths_are_those_the_broker_counted_and_those_carried_along(
    of: tuple[int, str | int | float | None], deaths: int
) -> None:
    assert deaths_of(delivery(*of)) == deaths


def test_a_low_delivery_limit_suspects_and_ends_sooner() -> None:
    assert [(s.deaths, s.limit) for s in map(Suspects, (2, 3, 4, 20, 1000))] == [(1, 2), (2, 3), (3, 4), (3, 6), (3, 6)]


def test_it_is_one_routes_turn_at_a_time() -> None:
    suspects = Suspects(20)
    assert [suspects.enter(), suspects.enter()] == [True, False]
    suspects.leave()
    assert suspects.enter()


def test_a_suspect_begins_only_when_the_others_are_sent_on_and_no_more_are_coming() -> None:
    now = [100.0]
    suspects = Suspects(20, monotonic=lambda: now[0])
    suspects.received(delivery(3))
    suspects.received(delivery(3))
    now[0] += 60
    assert not suspects.may_begin()  # the other is still in hand
    suspects.settled()
    assert not suspects.may_begin()  # its ack is on its way
    now[0] += QUIET_SECONDS
    assert suspects.may_begin()


def test_a_suspect_that_comes_by_the_ladder_announces_no_others() -> None:
    now = [100.0]
    suspects = Suspects(20, monotonic=lambda: now[0])
    now[0] += QUIET_SECONDS
    suspects.received(delivery(0, 3))
    assert suspects.may_begin()


def test_a_suspect_is_worked_when_nothing_else_is_and_what_comes_meanwhile_waits() -> None:
    suspects = Suspects(20)
    order: list[str] = []
    company = suspects.place(0)
    company.__enter__()
    begun, entered = threading.Event(), threading.Event()

    def alone() -> None:
        begun.set()
        with suspects.place(3):
            order.append("suspect")
            entered.set()

    thread = threading.Thread(target=alone)
    thread.start()
    begun.wait(5)
    assert not entered.is_set()
    order.append("company")
    company.__exit__(None, None, None)
    thread.join(5)
    with suspects.place(0):
        order.append("next")
    assert order == ["company", "suspect", "next"]
