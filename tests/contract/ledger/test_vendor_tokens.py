"""Session tokens, shared by all processes."""

from __future__ import annotations

import threading

import pytest

from bellhop.ledger.breaker import FAILURES
from bellhop.ledger.records.accounts import Denied, Ended, Permit
from bellhop.ledger.store import Ledger
from bellhop.schemas.settings import Limits
from tests.support.ledger import Clock, OpenLedger


class NoAnswer(Exception):
    """A login that failed."""


def never() -> str:
    pytest.fail("nobody should log in")


def test_the_first_to_need_a_token_logs_in_and_the_others_use_it(ledger: Ledger) -> None:
    assert ledger.token("sb") is None
    assert ledger.replace_token("sb", None, lambda: "t-1") == "t-1"
    assert ledger.token("sb") == "t-1"
    assert ledger.replace_token("sb", None, never) == "t-1"


def test_a_stale_token_is_replaced_once(ledger: Ledger) -> None:
    ledger.replace_token("sb", None, lambda: "t-1")
    assert ledger.replace_token("sb", "t-1", lambda: "t-2") == "t-2"
    assert ledger.replace_token("sb", "t-1", never) == "t-2"


def test_when_a_token_was_got_is_known_to_every_process(ledger: Ledger, open_ledger: OpenLedger, clock: Clock) -> None:
    assert ledger.token_times() == {}
    ledger.replace_token("sb", None, lambda: "t-1")
    got = clock()
    clock.advance(minutes=5)
    assert open_ledger().token_times() == {"sb": got}
    ledger.replace_token("sb", "t-1", lambda: "t-2")
    assert ledger.token_times() == {"sb": clock()}


def test_a_token_is_renewed_before_its_hour_is_over_by_one_process(ledger: Ledger, clock: Clock) -> None:
    ledger.replace_token("sb", None, lambda: "t-1")
    clock.advance(minutes=54)
    assert ledger.token("sb") == "t-1"
    clock.advance(minutes=2)
    assert ledger.token("sb") is None
    assert ledger.replace_token("sb", None, lambda: "t-2") == "t-2"
    assert ledger.replace_token("sb", None, never) == ledger.token("sb") == "t-2"


def test_a_person_has_a_token_renewed_whatever_it_is_worth(ledger: Ledger, open_ledger: OpenLedger) -> None:
    assert ledger.renew_token("sb", lambda: "t-1") == "t-1"
    assert ledger.renew_token("sb", lambda: "t-2") == "t-2"
    assert open_ledger().token("sb") == "t-2"


def test_a_login_that_was_renewed_in_vain_leaves_the_token_as_it_was(ledger: Ledger) -> None:
    def fail() -> str:
        raise NoAnswer

    ledger.renew_token("sb", lambda: "t-1")
    with pytest.raises(NoAnswer):
        ledger.renew_token("sb", fail)
    assert ledger.token("sb") == "t-1"


def test_a_new_login_has_an_account_tried_at_once_that_was_held_for_its_credentials(ledger: Ledger) -> None:
    free = Limits()

    def permit() -> object:
        return ledger.accounts.acquire("sb", free, last=False, lease_seconds=30.0, patience_seconds=0.0)

    for _ in range(FAILURES):
        ledger.accounts.release(Permit("sb", "", 0.0, False), Ended.REFUSED, error="Wrong API key")
    assert isinstance(permit(), Denied)
    ledger.renew_token("sb", lambda: "t-1")
    assert isinstance(permit(), Permit)


def test_accounts_have_tokens_of_their_own(ledger: Ledger) -> None:
    ledger.replace_token("sb", None, lambda: "t-1")
    assert ledger.token("pv") is None


def test_a_login_that_fails_raises_and_lets_the_next_one_try(ledger: Ledger) -> None:
    def fail() -> str:
        raise NoAnswer

    with pytest.raises(NoAnswer):
        ledger.replace_token("sb", None, fail)
    assert ledger.replace_token("sb", None, lambda: "t-1") == "t-1"


def test_a_login_cut_off_by_a_death_is_taken_over_when_its_time_is_up(ledger: Ledger, clock: Clock) -> None:
    """Another process asks while the first is inside its login, which never ends as far as that one can see."""

    def slow() -> str:
        clock.advance(seconds=31)
        assert ledger.replace_token("sb", None, lambda: "t-2") == "t-2"
        return "t-1"

    assert ledger.replace_token("sb", None, slow) == "t-1"
    assert ledger.replace_token("sb", "t-1", lambda: "t-3") == "t-3"


def test_of_many_threads_and_two_ledgers_one_logs_in(open_ledger: OpenLedger) -> None:
    ledgers = [open_ledger(), open_ledger()]
    start, logins, got = threading.Barrier(8), [], []

    def login() -> str:
        logins.append("login")
        return f"t-{len(logins)}"

    def need(ledger: Ledger) -> None:
        start.wait()
        got.append(ledger.replace_token("sb", None, login))

    threads = [threading.Thread(target=need, args=(ledgers[number % 2],)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert logins == ["login"]
    assert got == ["t-1"] * 8
