"""How long a job takes, about."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bellhop.letters.forecast import Forecaster, PlannedCalls, forecast_row


def forecaster(usual: float | None, **limits: float) -> Forecaster:
    held = SimpleNamespace(**{"per_second": 0.0, "at_once": 0, **limits})
    settings: Any = SimpleNamespace(accounts={"sb": SimpleNamespace(limits=held)}, work=SimpleNamespace(threads=4))
    ledger: Any = SimpleNamespace(usual_call_seconds=lambda: usual)
    return Forecaster(settings, ledger)


def of(count: int, account: str = "sb", method: str = "book") -> PlannedCalls:
    return PlannedCalls(account, method, "", list(range(1, count + 1)))


@pytest.mark.parametrize(
    ("limits", "rate", "seconds"),
    [
        ({}, None, 100 / (4 / 0.5)),  # four threads, each two calls a second
        ({"per_second": 2.0}, None, 50),
        ({"at_once": 1}, None, 50),
        ({}, 1.0, 100),  # the rate that a person asks for is slower than all of it
    ],
)
def test_a_job_takes_what_its_slowest_limit_lets_it(
    limits: dict[str, float], rate: float | None, seconds: float
) -> None:
    waves = 4  # 1, 5, 25, 69
    told = forecaster(0.5, **limits).seconds([of(100)], 100, rate)
    assert told == pytest.approx(seconds + waves * 1.5)


def test_what_was_looked_at_stands_for_the_rest_and_what_makes_no_call_costs_none() -> None:
    of_all = forecaster(1.0, per_second=1.0).seconds([of(1000)], 3000)
    assert of_all > 3000
    assert forecaster(1.0, per_second=1.0).seconds([of(5, method="")], 5) < 10
    assert forecaster(None).seconds([of(1)], 1) == pytest.approx(0.25 + 2)  # a second, where no call was made yet
    assert forecaster(1.0).seconds([], 0) == 0


def test_a_forecast_names_a_few_letters_and_their_number() -> None:
    (call,) = forecast_row([of(26)], 12.34)["calls"]
    assert (call["count"], call["letters"], call["example"]) == (26, [1, 2, 3], None)
