"""What all workers must know of an account together: its rate, its calls at once, its day, its breaker."""

from __future__ import annotations

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bellhop.ledger import accounts
from bellhop.ledger.breaker import FAILURES, FIRST_OPEN_SECONDS, LONGEST_OPEN_SECONDS, LONGEST_REFUSED_SECONDS
from bellhop.ledger.records.accounts import Denied, Ended, Permit
from bellhop.ledger.store import Ledger
from bellhop.schemas.settings import Limits
from tests.support.ledger import Clock, OpenLedger

FREE = Limits()


def ask(
    ledger: Ledger, limits: Limits = FREE, *, last: bool = False, patience: float = 5.0, account: str = "sb"
) -> Permit | Denied:
    return ledger.accounts.acquire(account, limits, last=last, lease_seconds=30.0, patience_seconds=patience)


def get(ledger: Ledger, limits: Limits = FREE, **more: bool | float | str) -> Permit:
    got = ask(ledger, limits, **more)  # type: ignore[arg-type]
    assert isinstance(got, Permit), got
    return got


def refusal(ledger: Ledger, limits: Limits = FREE, **more: bool | float | str) -> Denied:
    got = ask(ledger, limits, **more)  # type: ignore[arg-type]
    assert isinstance(got, Denied), got
    return got


def call(ledger: Ledger, ended: Ended, limits: Limits = FREE, **more: str | float | None) -> None:
    ledger.accounts.release(get(ledger, limits), ended, **more)  # type: ignore[arg-type]


def fail_until_open(ledger: Ledger) -> None:
    for _ in range(FAILURES):
        call(ledger, Ended.AWAY, error="no answer in time")


def test_calls_of_all_processes_together_are_spaced_to_the_rate(open_ledger: OpenLedger, clock: Clock) -> None:
    one, other = open_ledger(), open_ledger()
    limits = Limits(per_second=5)
    waits = [get(ledger, limits).wait for ledger in (one, other, one, other, one, other)]
    assert [round(wait, 6) for wait in waits] == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    clock.advance(seconds=10)
    assert get(one, limits).wait == 0.0


def test_a_wait_beyond_patience_is_denied_and_takes_nothing(ledger: Ledger, clock: Clock) -> None:
    limits = Limits(per_second=1)
    get(ledger, limits)
    get(ledger, limits)
    assert refusal(ledger, limits, patience=1.5).after == 2.0
    assert get(ledger, limits, patience=2.0).wait == 2.0


def test_a_call_of_a_process_that_has_ended_here_is_on_its_way_no_more(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    limits = Limits(at_once=1)
    monkeypatch.setattr(accounts, "own_name", lambda: f"{socket.gethostname()}:{ended.pid}:a")
    get(ledger, limits)
    monkeypatch.undo()
    kept = get(ledger, limits)
    refusal(ledger, limits)
    ledger.accounts.release(kept, Ended.ANSWERED)
    get(ledger, limits)


def test_no_more_calls_than_allowed_are_on_their_way_at_once(ledger: Ledger) -> None:
    limits = Limits(at_once=2)
    first, _ = get(ledger, limits), get(ledger, limits)
    assert refusal(ledger, limits).crowded
    ledger.accounts.release(first, Ended.ANSWERED)
    get(ledger, limits)
    assert refusal(ledger, limits).crowded


def test_a_call_whose_process_died_frees_its_place_when_its_lease_is_over(ledger: Ledger, clock: Clock) -> None:
    limits = Limits(at_once=1)
    get(ledger, limits)
    clock.advance(seconds=29)
    assert refusal(ledger, limits).crowded
    clock.advance(seconds=2)
    get(ledger, limits)


def test_many_threads_at_one_moment_never_hold_more_than_the_limit(open_ledger: OpenLedger) -> None:
    ledgers = [open_ledger(), open_ledger()]
    limits = Limits(at_once=3)
    with ThreadPoolExecutor(12) as pool:
        got = list(pool.map(lambda turn: ask(ledgers[turn % 2], limits), range(24)))
    assert sum(isinstance(one, Permit) for one in got) == 3


def test_the_days_last_fifth_is_kept_for_bookings(ledger: Ledger, clock: Clock) -> None:
    limits = Limits(per_day=10)
    for _ in range(8):
        call(ledger, Ended.ANSWERED, limits)
    denied = refusal(ledger, limits, last=True)
    assert "kept for bookings" in denied.why
    assert denied.after == 12 * 3600  # noon, until midnight UTC
    get(ledger, limits)
    get(ledger, limits)
    assert "all 10 calls of the day are used" in refusal(ledger, limits).why
    (view,) = ledger.accounts.views()
    assert (view.used, view.day) == (10, "2026-11-21")


def test_a_question_beside_a_call_that_tries_counts_among_the_days_calls(ledger: Ledger) -> None:
    limits = Limits(per_day=3)
    get(ledger, limits)
    ledger.accounts.count("sb")
    assert ledger.accounts.views()[0].used == 2
    get(ledger, limits)
    assert "all 3 calls of the day are used" in refusal(ledger, limits).why


def test_a_new_day_begins_with_nothing_used(ledger: Ledger, clock: Clock) -> None:
    limits = Limits(per_day=1)
    get(ledger, limits)
    assert refusal(ledger, limits)
    clock.advance(hours=12)
    get(ledger, limits, last=True, patience=0.0)
    assert ledger.accounts.views()[0].used == 1


def test_limits_of_one_account_do_not_hold_another(ledger: Ledger) -> None:
    limits = Limits(at_once=1, per_second=1)
    get(ledger, limits)
    assert get(ledger, limits, account="other").wait == 0.0


def test_the_breaker_opens_after_failures_in_a_row_and_says_why(ledger: Ledger, clock: Clock) -> None:
    for _ in range(FAILURES - 1):
        call(ledger, Ended.AWAY, error="no answer in time")
    call(ledger, Ended.ANSWERED)
    fail_until_open(ledger)
    denied = refusal(ledger)
    assert denied.after == FIRST_OPEN_SECONDS
    assert "no answer in time" in denied.why
    (view,) = ledger.accounts.views()
    assert (view.breaker, view.failures, view.ill) == ("open", FAILURES, True)
    assert view.error == "no answer in time"


def test_every_process_sees_the_open_breaker(open_ledger: OpenLedger) -> None:
    fail_until_open(open_ledger())
    assert refusal(open_ledger())


def test_one_call_alone_tries_whether_the_vendor_is_back_and_closes_the_breaker(ledger: Ledger, clock: Clock) -> None:
    fail_until_open(ledger)
    clock.advance(seconds=FIRST_OPEN_SECONDS)
    probe = get(ledger)
    assert probe.probe
    assert ledger.accounts.views()[0].breaker == "probing"
    assert "one call is trying" in refusal(ledger).why
    ledger.accounts.release(probe, Ended.ANSWERED)
    assert not get(ledger).probe
    (view,) = ledger.accounts.views()
    assert (view.breaker, view.failures, view.error, view.ill) == ("closed", 0, "", False)


def test_a_probe_that_finds_the_vendor_away_uses_none_of_the_days_calls(ledger: Ledger, clock: Clock) -> None:
    limits = Limits(per_day=FAILURES + 2)
    for _ in range(FAILURES):
        ledger.accounts.release(get(ledger, limits), Ended.AWAY, error="no answer in time")
    for _ in range(10):
        clock.advance(seconds=FIRST_OPEN_SECONDS)
        ledger.accounts.release(get(ledger, limits), Ended.AWAY, error="no answer in time")
        assert ledger.accounts.views()[0].used == FAILURES
    clock.advance(seconds=FIRST_OPEN_SECONDS)
    ledger.accounts.release(get(ledger, limits), Ended.ANSWERED)
    assert ledger.accounts.views()[0].used == FAILURES + 1


@pytest.mark.parametrize(
    ("ended", "lengths"),
    [
        (Ended.AWAY, [FIRST_OPEN_SECONDS] * 9),
        (Ended.ILL, [FIRST_OPEN_SECONDS, 10.0, 20.0, *[LONGEST_OPEN_SECONDS] * 6]),
        (Ended.REFUSED, [FIRST_OPEN_SECONDS, 10.0, 20.0, 40.0, *[LONGEST_REFUSED_SECONDS] * 5]),
    ],
)
def test_a_probe_that_fails_opens_it_again(ledger: Ledger, clock: Clock, ended: Ended, lengths: list[float]) -> None:
    fail_until_open(ledger)
    found = []
    for _ in range(9):
        denied = refusal(ledger)
        found.append(denied.after)
        clock.advance(seconds=denied.after)
        ledger.accounts.release(get(ledger), ended, error="still away")
    assert found == lengths


def test_people_and_workers_see_until_when_no_call_has_leave(ledger: Ledger, clock: Clock) -> None:
    assert ledger.accounts.views() == []
    ledger.accounts.release(get(ledger), Ended.THROTTLED, retry_after=70.0)
    (view,) = ledger.accounts.views()
    assert view.held_until == clock() + timedelta(seconds=70)
    clock.advance(seconds=70)
    fail_until_open(ledger)
    (view,) = ledger.accounts.views()
    assert view.held_until == clock() + timedelta(seconds=FIRST_OPEN_SECONDS)
    clock.advance(seconds=FIRST_OPEN_SECONDS)
    assert ledger.accounts.views()[0].held_until is None
    get(ledger)  # the one that tries
    assert ledger.accounts.views()[0].held_until is not None


def test_a_probe_whose_process_died_does_not_keep_the_breaker_open_for_ever(ledger: Ledger, clock: Clock) -> None:
    fail_until_open(ledger)
    clock.advance(seconds=FIRST_OPEN_SECONDS)
    get(ledger)
    clock.advance(seconds=31)
    assert get(ledger).probe


def test_a_probe_that_was_not_sent_leaves_the_next_one_its_turn(ledger: Ledger, clock: Clock) -> None:
    fail_until_open(ledger)
    clock.advance(seconds=FIRST_OPEN_SECONDS)
    ledger.accounts.release(get(ledger), Ended.UNUSED)
    assert get(ledger).probe


def test_a_call_from_before_the_breaker_opened_neither_closes_nor_prolongs_it(ledger: Ledger) -> None:
    slow, slower = get(ledger), get(ledger)
    fail_until_open(ledger)
    before = ledger.accounts.views()
    ledger.accounts.release(slow, Ended.ANSWERED)
    ledger.accounts.release(slower, Ended.AWAY, error="another")
    assert ledger.accounts.views() == before


def test_a_vendor_that_asks_for_a_pause_gets_it_from_all(open_ledger: OpenLedger, clock: Clock) -> None:
    call(open_ledger(), Ended.THROTTLED, retry_after=7.0)
    denied = refusal(open_ledger())
    assert denied.after == 7.0
    clock.advance(seconds=7)
    get(open_ledger())


def test_credentials_refused_in_a_row_hold_the_account_as_a_vendor_that_is_away_does(
    open_ledger: OpenLedger, clock: Clock
) -> None:
    ledger = open_ledger()
    held = [ledger.accounts.release(get(ledger), Ended.REFUSED, error="Wrong API key") for _ in range(FAILURES)]
    assert held == [0.0] * (FAILURES - 1) + [FIRST_OPEN_SECONDS]
    (view,) = open_ledger().accounts.views()  # another process, or the next
    assert (view.breaker, view.refused, view.error) == ("open", True, "Wrong API key")
    assert "refusing its credentials; last: Wrong API key" in refusal(ledger).why
    clock.advance(seconds=FIRST_OPEN_SECONDS)
    assert ledger.accounts.release(get(ledger), Ended.REFUSED, error="Wrong API key") == 2 * FIRST_OPEN_SECONDS


def test_a_login_that_works_lets_the_next_call_try_and_only_that_closes_the_breaker(
    ledger: Ledger, clock: Clock
) -> None:
    for _ in range(FAILURES):
        call(ledger, Ended.REFUSED, error="Wrong API key")
    clock.advance(seconds=FIRST_OPEN_SECONDS)
    call(ledger, Ended.LOGGED_IN)
    assert ledger.accounts.views()[0].breaker == "probing"
    call(ledger, Ended.ANSWERED)
    (view,) = ledger.accounts.views()
    assert (view.breaker, view.refused, view.ill) == ("closed", False, False)


def test_logins_that_work_do_not_hide_calls_that_are_refused(ledger: Ledger) -> None:
    for _ in range(FAILURES):
        call(ledger, Ended.LOGGED_IN)
        call(ledger, Ended.REFUSED, error="Access denied")
    assert refusal(ledger)


def test_a_person_who_logged_in_has_the_next_call_try_at_once(ledger: Ledger, clock: Clock) -> None:
    for _ in range(FAILURES):
        call(ledger, Ended.REFUSED, error="Wrong API key")
    assert refusal(ledger)
    ledger.accounts.try_now("sb")
    assert get(ledger).probe
    assert refusal(ledger)  # one alone


def test_only_refused_credentials_are_tried_at_once(ledger: Ledger) -> None:
    fail_until_open(ledger)
    ledger.accounts.try_now("sb")
    assert refusal(ledger)
    ledger.accounts.try_now("nobody")


def test_what_a_clock_ahead_has_written_holds_an_account_no_longer_than_it_would_today(
    ledger: Ledger, clock: Clock
) -> None:
    limits = Limits(per_second=1.0)
    clock.advance(hours=1)
    for _ in range(3):
        ledger.accounts.acquire("sb", limits, last=False, lease_seconds=60, patience_seconds=60)
    clock.advance(hours=-1)
    leave = ledger.accounts.acquire("sb", limits, last=False, lease_seconds=60, patience_seconds=60)
    assert isinstance(leave, Permit)
    assert leave.wait <= 3
