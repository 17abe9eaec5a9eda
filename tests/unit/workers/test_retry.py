from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bellhop.broker.headers import ATTEMPT
from bellhop.broker.port import Delivery, Message
from bellhop.ledger.records import VendorCall
from bellhop.schemas.clock import Clock
from bellhop.schemas.reasons import Reason
from bellhop.vendors.outcome import InDoubt
from bellhop.workers.delivery import EndedDelivery
from bellhop.workers.retry import next_delay, plan_retry

LADDER = (5.0, 30.0, 120.0, 600.0, 3600.0, 21600.0)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NO_JITTER = 0.99


def plan(attempts: int, *, chance: float = NO_JITTER, left: float | None = None, at_least: float = 0.0) -> object:
    not_after = None if left is None else NOW + timedelta(seconds=left)
    return next_delay(LADDER, attempts, now=NOW, not_after=not_after, chance=chance, at_least=at_least)


def test_each_attempt_takes_the_next_step_of_the_ladder() -> None:
    assert [plan(n) for n in range(1, 7)] == list(LADDER)


def test_after_the_last_step_it_is_exhausted() -> None:
    assert plan(7) is Reason.EXHAUSTED


def test_jitter_takes_one_step_up_but_never_past_the_ladder() -> None:
    assert plan(1, chance=0.0) == 30.0
    assert plan(6, chance=0.0) == 21600.0


def test_the_vendors_retry_after_is_waited_out() -> None:
    assert plan(1, at_least=31.0) == 120.0


def test_a_retry_after_beyond_the_ladder_takes_its_last_step() -> None:
    assert plan(1, at_least=90_000.0) == 21600.0


def test_a_step_that_would_pass_the_start_gives_way_to_a_shorter_one() -> None:
    assert plan(5, left=3000.0) == 600.0


def test_no_retry_is_planned_where_none_leaves_a_person_time() -> None:
    assert plan(1, left=9.0) is Reason.TOO_LATE


def test_a_start_in_the_past_is_too_late() -> None:
    assert plan(1, left=-1.0) is Reason.TOO_LATE


def test_a_retry_after_that_does_not_fit_before_the_start_is_too_late() -> None:
    assert plan(1, left=400.0, at_least=500.0) is Reason.TOO_LATE


@given(
    attempts=st.integers(1, 10),
    chance=st.floats(0, 1),
    left=st.floats(-1e6, 1e6),
    at_least=st.floats(0, 1e5),
)
def test_whatever_is_planned_is_a_step_before_the_start(
    attempts: int, chance: float, left: float, at_least: float
) -> None:
    delay = plan(attempts, chance=chance, left=left, at_least=at_least)
    if isinstance(delay, Reason):
        assert delay in (Reason.EXHAUSTED, Reason.TOO_LATE)
    else:
        assert delay in LADDER
        assert delay < left
        assert delay >= min(at_least, LADDER[-1])


def test_a_doubt_that_was_asked_about_too_early_waits_for_its_time_however_often_it_was_tried_before() -> None:
    doubt = InDoubt(VendorCall("pv", "create_service_reservation", {}, repeatable=False), "asked too early", 115.0)
    ended = EndedDelivery(Delivery(Message("crm/e-1", b"{}", {ATTEMPT: 2}), 0), 0.0, doubt)
    clock = Clock(now=lambda: NOW, chance=lambda: 0.0)
    assert plan_retry(ended, doubt, LADDER, clock).retry_seconds == 120.0
