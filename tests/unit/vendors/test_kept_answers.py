"""What a company says of itself: asked once by all threads, kept, and asked anew beside the bookings."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bellhop.vendors.kept_answers import FRESH_SECONDS, KEPT_SECONDS, REFRESH_SECONDS, KeptAnswers

THREADS = 30
Q = ("getTimeframe",)


class Company:
    """Answers with the number of the question, and holds its answers back until it may give them."""

    def __init__(self, *, gives_none: bool = False) -> None:
        self.asked = 0
        self.now = 0.0
        self.failure: Exception | None = None
        self.gives_none = gives_none
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.beside: list[Callable[[], object]] = []

    def ask(self, _name: str) -> Any:
        self.asked += 1
        number, failure = self.asked, self.failure
        assert self.may_answer.wait(10)
        if failure is not None:
            raise failure
        return None if self.gives_none else number

    def kept(self, patience_seconds: float = 10.0) -> KeptAnswers:
        return KeptAnswers(self.ask, patience_seconds, monotonic=lambda: self.now, beside=self.beside.append)

    def work_beside(self) -> None:
        while self.beside:
            self.beside.pop()()


@pytest.fixture
def company() -> Company:
    return Company()


def together(company: Company, kept: KeptAnswers) -> list[Any]:
    """What each of many threads gets that ask at once: an answer, or the exception."""
    waiting = threading.Semaphore(0)

    def get() -> Any:
        waiting.release()
        try:
            return kept.get(Q)
        except Exception as error:  # noqa: BLE001
            return error

    company.may_answer.clear()
    with ThreadPoolExecutor(THREADS) as pool:
        asked = [pool.submit(get) for _ in range(THREADS)]
        for _ in range(THREADS):
            waiting.acquire()
        company.may_answer.set()
        return [one.result() for one in asked]


def test_threads_that_want_the_same_at_once_ask_once(company: Company) -> None:
    assert together(company, company.kept()) == [1] * THREADS
    assert company.asked == 1


def test_a_failure_is_told_to_those_who_wait_and_not_kept(company: Company) -> None:
    kept, company.failure = company.kept(), ConnectionError("away")
    got = together(company, kept)
    assert all(isinstance(one, ConnectionError) for one in got)
    company.failure = None
    assert kept.get(Q) == company.asked


def test_nobody_waits_longer_for_another_than_for_its_own_call(company: Company) -> None:
    kept = company.kept(patience_seconds=0.01)
    company.may_answer.clear()
    first = threading.Thread(target=kept.get, args=(Q,))
    first.start()
    while not company.asked:
        threading.Event().wait(0.001)
    with pytest.raises(TimeoutError):
        kept.get(Q)
    company.may_answer.set()
    first.join()
    assert kept.get(Q) == 1


def test_an_answer_is_asked_anew_beside_the_booking_that_uses_it_and_once(company: Company) -> None:
    kept = company.kept()
    kept.get(Q)
    company.now = REFRESH_SECONDS
    assert [kept.get(Q), kept.get(Q)] == [1, 1]
    assert len(company.beside) == 1
    company.work_beside()
    assert (kept.get(Q), company.asked) == (2, 2)


def test_a_refresh_that_fails_leaves_the_answer_and_is_made_again_minutes_later(company: Company) -> None:
    kept = company.kept()
    kept.get(Q)
    company.now, company.failure = REFRESH_SECONDS, ConnectionError("away")
    assert kept.get(Q) == 1
    with pytest.raises(ConnectionError):
        company.work_beside()
    assert (kept.get(Q), company.beside) == (1, [])
    company.now += FRESH_SECONDS
    assert (kept.get(Q), len(company.beside)) == (1, 1)


def test_an_answer_that_is_to_refuse_a_booking_is_minutes_old_at_most(company: Company) -> None:
    kept = company.kept()
    kept.get(Q)
    company.now = FRESH_SECONDS - 1
    assert kept.get(Q, FRESH_SECONDS) == 1
    company.now = FRESH_SECONDS
    assert kept.get(Q) == 1
    assert kept.get(Q, FRESH_SECONDS) == 2


def test_an_answer_of_yesterday_is_not_used(company: Company) -> None:
    kept = company.kept()
    kept.get(Q)
    company.now = KEPT_SECONDS
    assert kept.get(Q) == 2


def test_a_question_without_an_answer_is_asked_again_minutes_later() -> None:
    company = Company(gives_none=True)
    kept = company.kept()
    assert [kept.get(Q), kept.get(Q)] == [None, None]
    assert (company.asked, company.beside) == (1, [])
    company.now = FRESH_SECONDS
    kept.get(Q)
    assert len(company.beside) == 1
