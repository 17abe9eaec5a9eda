"""The gate before an account's calls: when it asks the ledger, what it enters, and what it never swallows."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from bellhop.ledger.accounts import MOMENT_SECONDS
from bellhop.ledger.records.accounts import AccountView, Denied, Ended, Permit
from bellhop.schemas.clock import Clock as ClockBundle
from bellhop.schemas.errors import LedgerUnavailable
from bellhop.schemas.settings import Limits
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.held import CallHeld
from bellhop.vendors.simplybook.settings import SimplybookAccount
from bellhop.workers import ports
from bellhop.workers.gate import PATIENCE_SECONDS, AccountGate
from bellhop.workers.questions import NO_QUESTIONS, Questions
from tests.support.ingress import Told

LIMITED = SimplybookAccount("sb", "http://x", "c", "k", "s", True, 1.0, 2.0)
FREE = SimplybookAccount("free", "http://x", "c", "k", "s", True, 1.0, 2.0, limits=Limits())
PERMIT = Permit("sb", "p-1", 0.0, False)


def view(account: str, *, ill: bool) -> AccountView:
    return AccountView(account, "closed", 1, None, "", "2026-11-21", 0, 0, ill)


@dataclass
class Ledger:
    """Answers in turn, the last for ever; records what it is told."""

    answers: list[Permit | Denied] = field(default_factory=lambda: [PERMIT])
    ill: set[str] = field(default_factory=set)
    asked: list[tuple[str, bool]] = field(default_factory=list)
    released: list[tuple[Permit, Ended]] = field(default_factory=list)
    spent: list[Permit] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)
    looks: int = 0
    away: bool = False
    open_seconds: float = 0.0

    def acquire(
        self, account: str, limits: Limits, *, last: bool, lease_seconds: float, patience_seconds: float
    ) -> Permit | Denied:
        assert lease_seconds > 0
        assert 0 <= patience_seconds <= PATIENCE_SECONDS
        self.asked.append((account, last))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def release(self, permit: Permit, ended: Ended, *, error: str = "", retry_after: float | None = None) -> float:
        if self.away:
            raise LedgerUnavailable("away")
        self.released.append((permit, ended))
        return self.open_seconds

    def count(self, account: str) -> None:
        self.counted.append(account)

    def spend(self, permit: Permit) -> None:
        self.spent.append(permit)

    def views(self) -> list[AccountView]:
        self.looks += 1
        return [view(account, ill=True) for account in sorted(self.ill)]


class Clock:
    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def gate(
    ledger: Ledger,
    clock: Clock | None = None,
    *,
    last: bool = False,
    told: Told | None = None,
    questions: Questions = NO_QUESTIONS,
) -> AccountGate:
    clock = clock or Clock()
    return AccountGate(
        ledger,
        {"sb": LIMITED, "free": FREE},
        last=last,
        questions=questions,
        observe=told or Told(),
        clock=ClockBundle(monotonic=clock, sleep=clock.sleep, chance=lambda: 0.5),
    )


def failure(kind: Kind, status: int | None = None, code: str = "") -> VendorFailure:
    return VendorFailure(kind, vendor="v", method="m", message="words", status=status, code=code)


def test_a_healthy_account_without_limits_costs_one_look_a_second_and_no_write() -> None:
    ledger, clock = Ledger(), Clock()
    guarded = gate(ledger, clock)
    for _ in range(50):
        with guarded.turn("free"):
            clock.time += 0.01
    assert (ledger.looks, ledger.asked, ledger.released) == (1, [], [])
    clock.time += 1
    with guarded.turn("free"):
        pass
    assert ledger.looks == 2


def test_an_account_whose_vendor_is_ill_asks_before_each_call_and_enters_its_end() -> None:
    ledger = Ledger([Permit("free", "", 0.0, True)], ill={"free"})
    guarded = gate(ledger)
    with guarded.turn("free"):
        pass
    assert ledger.asked == [("free", False)]
    assert ledger.released == [(Permit("free", "", 0.0, True), Ended.ANSWERED)]


def test_a_limited_account_asks_waits_its_turn_and_gives_leave_back() -> None:
    ledger, clock = Ledger([Permit("sb", "p-1", 0.4, False)]), Clock()
    with gate(ledger, clock, last=True).turn("sb"):
        assert clock.slept == [0.4]
        assert ledger.released == []
    assert ledger.asked == [("sb", True)]
    assert ledger.released == [(Permit("sb", "p-1", 0.4, False), Ended.ANSWERED)]


def test_a_crowded_account_is_asked_again_until_patience_is_over() -> None:
    ledger, clock = Ledger([Denied("2 calls are on their way", 1.0, crowded=True)]), Clock()
    with pytest.raises(CallHeld) as caught, gate(ledger, clock).turn("sb"):
        raise AssertionError("it must not be called")
    assert caught.value.account == "sb"
    assert PATIENCE_SECONDS <= clock.time < PATIENCE_SECONDS + 1
    assert len(ledger.asked) > 10


def test_a_place_that_becomes_free_in_time_is_taken() -> None:
    ledger = Ledger([Denied("crowded", 1.0, crowded=True), Denied("crowded", 1.0, crowded=True), PERMIT])
    with gate(ledger).turn("sb"):
        pass
    assert len(ledger.asked) == 3


def test_what_is_denied_for_long_is_held_at_once_with_the_time_to_wait() -> None:
    told, ledger = Told(), Ledger([Denied("all 5000 calls of the day are used", 7200.0)])
    with pytest.raises(CallHeld, match="all 5000 calls") as caught, gate(ledger, told=told).turn("sb"):
        raise AssertionError("it must not be called")
    assert caught.value.after == 7200.0
    assert len(ledger.asked) == 1
    assert told.names == ["account.held"]


@pytest.mark.parametrize(
    ("raised", "ended"),
    [
        (failure(Kind.TRANSIENT), Ended.AWAY),
        (failure(Kind.UNKNOWN), Ended.ILL),
        (failure(Kind.UNKNOWN, 502), Ended.ILL),
        (failure(Kind.UNKNOWN, 200), Ended.ANSWERED),
        (failure(Kind.UNKNOWN, 500, "-32603"), Ended.ANSWERED),
        (failure(Kind.THROTTLED, 429), Ended.THROTTLED),
        (failure(Kind.REJECTED, 200), Ended.ANSWERED),
        (failure(Kind.AUTH, 200), Ended.REFUSED),
        (ValueError("ours"), Ended.ANSWERED),
    ],
    ids=lambda value: str(getattr(value, "kind", value)),
)
def test_how_a_call_ended_is_entered_and_its_failure_goes_on(raised: Exception, ended: Ended) -> None:
    ledger = Ledger()
    with pytest.raises(type(raised)), gate(ledger).turn("sb"):
        raise raised
    assert ledger.released == [(PERMIT, ended)]


def test_an_account_without_limits_whose_vendor_is_away_is_entered_and_asks_from_then_on() -> None:
    ledger = Ledger()
    guarded = gate(ledger)
    with pytest.raises(VendorFailure), guarded.turn("free"):
        raise failure(Kind.TRANSIENT)
    assert [ended for _, ended in ledger.released] == [Ended.AWAY]
    ledger.ill = {"free"}
    with guarded.turn("free"):
        pass
    assert ledger.asked == [("free", False)]


def test_what_held_an_account_that_has_left_the_settings_holds_its_events_no_more() -> None:
    """They would wait in its lane until the breaker of a vendor opens that nobody calls."""
    ledger = Ledger([Denied("its breaker is open", 30.0)], ill={"gone", "sb"})
    guarded = gate(ledger)
    with pytest.raises(CallHeld), guarded.turn("sb"):
        pass
    with pytest.raises(CallHeld), guarded.turn("gone"):
        pass
    assert guarded.leave("sb").held > 0
    assert guarded.leave("gone") == ports.FREE


def test_leave_got_ahead_is_used_by_the_next_request_and_only_by_that() -> None:
    ledger = Ledger()
    guarded = gate(ledger)
    guarded.ahead("sb")
    guarded.ahead("sb")
    with guarded.turn("sb"):
        assert len(ledger.asked) == 1
    with guarded.turn("sb"):
        assert len(ledger.asked) == 2
    guarded.give_back("sb")
    # What its event's settlement gives back costs no commit of its own.
    assert ledger.spent == [PERMIT]
    assert [ended for _, ended in ledger.released] == [Ended.ANSWERED]


def test_leave_granted_with_the_mark_is_used_by_the_next_request_and_spent() -> None:
    ledger = Ledger()
    guarded = gate(ledger)
    leave = guarded.ask("sb")
    assert leave is not None
    guarded.take(leave, 0.0)
    assert guarded.ask("sb") is None
    with guarded.turn("sb"):
        assert ledger.asked == []
    assert (ledger.spent, ledger.released) == ([leave.permit], [])


def test_leave_is_asked_for_with_the_mark_once_the_rate_may_have_room() -> None:
    clock = Clock()
    guarded = gate(Ledger(), clock)
    for _ in range(3):
        leave = guarded.ask("sb")
        assert leave is not None
        clock.time += 0.01  # of the commit; by the ledger's clock its moment is a little later than by this one's
        guarded.take(leave, 0.005)
        with guarded.turn("sb"):
            pass
    interval = 1 / LIMITED.limits.per_second
    early = interval - 0.01 - MOMENT_SECONDS / 2
    assert clock.slept == pytest.approx([0.005, early, 0.005, early, 0.005])


@pytest.mark.parametrize("kind", [Kind.TRANSIENT, Kind.UNKNOWN, Kind.THROTTLED, Kind.AUTH])
def test_the_end_of_a_call_that_failed_is_entered_at_once(kind: Kind) -> None:
    ledger = Ledger()
    guarded = gate(ledger)
    guarded.ahead("sb")
    with pytest.raises(VendorFailure), guarded.turn("sb"):
        raise failure(kind)
    assert (len(ledger.released), ledger.spent) == (1, [])


def test_an_account_that_is_ill_or_free_is_asked_nothing_with_the_mark() -> None:
    assert gate(Ledger(ill={"sb"})).ask("sb") is None
    assert gate(Ledger()).ask("free") is None


def test_leave_that_was_not_used_is_given_back() -> None:
    ledger = Ledger()
    guarded = gate(ledger)
    guarded.ahead("sb")
    guarded.give_back("sb")
    guarded.give_back("sb")
    assert ledger.released == [(PERMIT, Ended.UNUSED)]


def test_a_ledger_that_is_away_does_not_turn_a_bookings_success_into_a_failure() -> None:
    told, ledger = Told(), Ledger(away=True)
    with gate(ledger, told=told).turn("sb"):
        pass
    assert told.names == ["account.unrecorded"]


def test_an_event_refused_for_its_credentials_waits_once_that_holds_the_account() -> None:
    told, ledger = Told(), Ledger(open_seconds=10.0)
    held = pytest.raises(CallHeld, match="its credentials are refused; last: v m: words")
    with held as caught, gate(ledger, told=told).turn("sb"):
        raise failure(Kind.AUTH, 200)
    assert caught.value.after == 10.0
    assert ledger.released == [(PERMIT, Ended.REFUSED)]
    ledger.open_seconds = 0.0
    with pytest.raises(VendorFailure), gate(ledger).turn("sb"):
        raise failure(Kind.AUTH, 200)


def test_a_vendor_that_is_away_and_a_login_that_went_well_hold_no_event_and_prove_nothing() -> None:
    ledger = Ledger(open_seconds=10.0)
    with pytest.raises(VendorFailure), gate(ledger).turn("sb"):
        raise failure(Kind.TRANSIENT)
    with gate(ledger).turn("sb", is_login=True):
        pass
    assert [ended for _, ended in ledger.released] == [Ended.AWAY, Ended.LOGGED_IN]


@pytest.mark.parametrize("account", ["sb", "free"])
def test_a_thread_keeps_nothing_of_an_account_once_its_event_is_over(account: str) -> None:
    guarded = gate(Ledger())
    guarded.ahead(account)
    with guarded.turn(account):
        pass
    guarded.give_back(account)
    if (leave := guarded.ask(account)) is not None:
        guarded.take(leave, 0.0)
    guarded.give_back(account)
    assert guarded._held == {}


# --- the question before a try ----------------------------------------------------------------------------------


class Question:
    def __init__(self, raised: Exception | None = None) -> None:
        self.asked, self.raised = 0, raised

    def __call__(self) -> None:
        self.asked += 1
        if self.raised is not None:
            raise self.raised


TRY = Permit("free", "", 0.0, True)


def test_the_call_that_tries_an_ill_vendor_comes_after_a_question_that_it_answered() -> None:
    ledger, question = Ledger([TRY], ill={"free"}), Question()
    guarded = gate(ledger, questions={"free": question})
    guarded.ahead("free")
    assert (question.asked, ledger.released, ledger.counted) == (1, [], ["free"])
    with guarded.turn("free"):
        pass
    assert (question.asked, ledger.released) == (1, [(TRY, Ended.ANSWERED)])


@pytest.mark.parametrize(
    ("kind", "status", "ended"),
    [
        (Kind.TRANSIENT, 503, Ended.AWAY),
        (Kind.UNKNOWN, 500, Ended.AWAY),
        (Kind.UNKNOWN, None, Ended.AWAY),
        (Kind.AUTH, None, Ended.REFUSED),
        (Kind.THROTTLED, 429, Ended.THROTTLED),
    ],
)
def test_a_vendor_that_does_not_answer_the_question_is_called_for_no_event(
    kind: Kind, status: int | None, ended: Ended
) -> None:
    ledger, question = Ledger([TRY], ill={"free"}), Question(failure(kind, status))
    guarded = gate(ledger, questions={"free": question})
    with pytest.raises(CallHeld) as caught:
        guarded.ahead("free")
    assert (caught.value.account, caught.value.refused) == ("free", ended is Ended.REFUSED)
    assert (ledger.released, ledger.counted) == ([(TRY, ended)], [])  # what was not called is counted by its leave


def test_a_question_that_the_vendor_refuses_shows_that_it_is_there() -> None:
    ledger, question = Ledger([TRY], ill={"free"}), Question(failure(Kind.REJECTED, 200, "-32601"))
    gate(ledger, questions={"free": question}).ahead("free")
    assert ledger.released == []


def test_a_question_that_could_not_be_asked_gives_the_try_back() -> None:
    ledger, question = Ledger([TRY], ill={"free"}), Question(LedgerUnavailable("away"))
    with pytest.raises(LedgerUnavailable):
        gate(ledger, questions={"free": question}).ahead("free")
    assert ledger.released == [(TRY, Ended.UNUSED)]


def test_a_vendor_that_is_well_is_asked_nothing_beforehand() -> None:
    ledger, question = Ledger([Permit("free", "", 0.0, False)], ill={"free"}), Question()
    gate(ledger, questions={"free": question}).ahead("free")
    assert question.asked == 0
