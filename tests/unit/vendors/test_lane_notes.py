"""What `config check` tells of lanes: limits that nothing reaches, lanes that are shared, and too many of them."""

from __future__ import annotations

from typing import Any

import pytest

from bellhop.schemas.settings import Settings
from bellhop.vendors.lane_notes import lane_notes
from bellhop.vendors.settings import build

FILES = 4096
RABBITMQ = {"url": "amqp://bellhop:password@rabbit-1/"}


def settings(count: int = 1, broker: dict[str, Any] | None = None, **limits: float) -> Settings:
    one = {"kind": "simplybook", "company": "c", "api_key": "key", "secret_key": "secret"}
    one |= {"connect_timeout": "5s", "read_timeout": "15s"}
    accounts = {f"a{n}": {**one, **limits, "company": f"company-{n}"} for n in range(count)}
    return build({"accounts": accounts, "broker": broker or {}})


@pytest.mark.parametrize("count", [1, 64, 1000])
def test_nothing_is_told_of_the_embedded_broker_which_has_a_lane_for_each_account(count: int) -> None:
    assert list(lane_notes(settings(count), FILES)) == []


def test_accounts_that_share_lanes_are_told() -> None:
    assert list(lane_notes(settings(64, RABBITMQ), FILES)) == []
    told = list(lane_notes(settings(65, RABBITMQ), FILES))
    assert len(told) == 2
    assert all(": 65 share the 64 lanes that it has on RabbitMQ" in text for text in told)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (
            {"limit_at_once": 17},
            "17 is never reached by one worker: work.threads lets an account have 16 at work",
        ),
        (
            {"limit_per_second": 0.5, "limit_at_once": 11},
            "at_once: 11 is never reached: at 0.5 a second, each call over after 20 s, there are 10 at most",
        ),
        (
            {"limit_per_second": 0.1, "limit_per_day": 8641},
            "per_day: 8641 is never reached: 0.1 a second are 8640 a day",
        ),
    ],
)
def test_a_limit_that_nothing_reaches_is_told(limits: dict[str, float], words: str) -> None:
    (told,) = lane_notes(settings(**limits), FILES)
    assert told.startswith("accounts.a0.limit_")
    assert words in told


@pytest.mark.parametrize(
    "limits",
    [
        {"limit_at_once": 16},
        {"limit_per_second": 0.5, "limit_at_once": 10},
        {"limit_per_second": 0.1, "limit_per_day": 8640},
        {"limit_per_second": 5, "limit_at_once": 0, "limit_per_day": 0},
    ],
)
def test_a_limit_that_may_be_reached_is_not(limits: dict[str, float]) -> None:
    assert list(lane_notes(settings(**limits), FILES)) == []


def test_more_calls_at_once_than_a_process_may_have_files_open_are_told() -> None:
    one = build({"work": {"threads": 500}})
    assert list(lane_notes(one, 1200)) == []
    (told,) = lane_notes(one, 1024)
    assert told.startswith("work.threads: 500 lets a worker have 1000 calls at once on a route")
    assert "`ulimit -Hn` (LimitNOFILE= of a systemd unit) to 1200" in told
