from __future__ import annotations

import platform
import re
import time

import pytest

from bellhop.schemas.version import VERSION
from bellhop.telemetry.metrics import OTHER, Metrics
from bellhop.telemetry.processes import PROC
from bellhop.telemetry.series import SERIES, step_of
from bellhop.vendors.settings import build

PROCESS = (
    "cpu_seconds_total",
    "resident_memory_bytes",
    "virtual_memory_bytes",
    "open_fds",
    "max_fds",
    "start_time_seconds",
)

_SETTINGS = build(
    {
        "sources": {"crm": {"verifier": "bearer", "secrets": "x" * 20}},
        "accounts": {"sb": {"kind": "simplybook", "company": "c", "api_key": "k", "secret_key": "s"}},
    }
)


def _value(metrics: Metrics, series: str) -> float | None:
    found = re.search(rf"^{re.escape(series)} (\S+)$", metrics.exposition().decode(), re.MULTILINE)
    return float(found[1]) if found else None


def test_an_accepted_webhook_is_counted_and_timed() -> None:
    metrics = Metrics(_SETTINGS)
    metrics("webhook.accepted", {"source": "crm", "status": 202, "seconds": 0.2, "type": "member.updated"})
    assert _value(metrics, 'bellhop_webhooks_total{source="crm",status="202"}') == 1
    assert _value(metrics, 'bellhop_webhook_seconds_count{source="crm"}') == 1
    assert _value(metrics, 'bellhop_webhook_seconds_sum{source="crm"}') == 0.2


def test_a_settled_event_tells_route_account_outcome_time_and_lag() -> None:
    metrics = Metrics(_SETTINGS)
    fields = {"route": "members", "account": "sb", "outcome": "dead", "reason": "rejected", "seconds": 1.5}
    metrics("event.settled", {**fields, "lag_seconds": None})
    metrics("event.settled", {**fields, "lag_seconds": 30})
    assert _value(metrics, 'bellhop_events_settled_total{account="sb",outcome="dead",route="members"}') == 2
    assert _value(metrics, 'bellhop_event_seconds_sum{route="members"}') == 3
    assert _value(metrics, 'bellhop_event_lag_seconds_count{route="members"}') == 1


def test_a_vendor_call_is_timed_by_account_method_and_outcome() -> None:
    metrics = Metrics(_SETTINGS)
    metrics("vendor.called", {"account": "sb", "method": "book", "outcome": "ok", "seconds": 0.3})
    assert _value(metrics, 'bellhop_vendor_call_seconds_count{account="sb",method="book",outcome="ok"}') == 1


def test_a_dead_letter_is_counted_where_it_is_archived() -> None:
    metrics = Metrics(_SETTINGS)
    metrics("event.settled", {"outcome": "dead", "reason": "auth", "route": "members"})
    assert "bellhop_dead_letters_total{" not in metrics.exposition().decode()
    metrics("letter.archived", {"route": "members", "account": "sb", "reason": "delivery_limit"})
    assert _value(metrics, 'bellhop_dead_letters_total{account="sb",reason="delivery_limit",route="members"}') == 1


def test_what_strangers_choose_makes_no_series() -> None:
    metrics = Metrics(_SETTINGS)
    for number in range(1000):
        metrics("webhook.refused", {"source": f"guess-{number}", "status": 404, "seconds": 0.1})
        metrics("letter.archived", {"route": f"r{number}", "account": f"a{number}", "reason": f"x{number}"})
        metrics("vendor.called", {"account": "sb", "method": f"m{number}", "outcome": "ok", "seconds": 0.1})
    assert _value(metrics, f'bellhop_webhooks_total{{source="{OTHER}",status="404"}}') == 1000
    others = f'bellhop_dead_letters_total{{account="{OTHER}",reason="{OTHER}",route="{OTHER}"}}'
    assert _value(metrics, others) == 1000
    assert metrics.exposition().decode().count("bellhop_vendor_call_seconds_count{") == 65


def test_a_gauge_whose_value_is_no_longer_known_goes_away() -> None:
    metrics = Metrics(_SETTINGS)
    metrics("queue.measured", {"queue": "members", "ready": 7, "in_flight": 1, "oldest_seconds": 9.5})
    assert _value(metrics, 'bellhop_queue_ready{queue="members"}') == 7
    assert _value(metrics, 'bellhop_queue_oldest_seconds{queue="members"}') == 9.5
    metrics("queue.measured", {"queue": "members", "ready": None, "in_flight": None, "oldest_seconds": None})
    metrics("queue.measured", {"queue": "dead", "ready": None, "in_flight": None, "oldest_seconds": None})
    assert "bellhop_queue_ready{" not in metrics.exposition().decode()
    assert "bellhop_queue_oldest_seconds{" not in metrics.exposition().decode()


def test_a_process_that_does_not_count_letters_does_not_claim_there_are_none() -> None:
    metrics = Metrics(_SETTINGS)
    assert "bellhop_letters{" not in metrics.exposition().decode()
    metrics("letters.counted", {"state": "open", "count": 3})
    assert _value(metrics, 'bellhop_letters{state="open"}') == 3


def test_an_event_without_a_row_counts_nothing() -> None:
    metrics = Metrics(_SETTINGS)

    def told() -> list[str]:
        return [line for line in metrics.exposition().decode().splitlines() if line.startswith("bellhop_")]

    before = told()
    metrics("worker.started", {"route": "members"})
    assert told() == before


def test_two_objects_do_not_share_their_numbers() -> None:
    one, other = Metrics(_SETTINGS), Metrics(_SETTINGS)
    one("worker.crashed", {})
    assert _value(one, "bellhop_crashes_total") == 1
    assert _value(other, "bellhop_crashes_total") == 0


def test_a_retry_is_counted_by_its_step_of_the_ladder_and_an_end_is_none() -> None:
    metrics = Metrics(_SETTINGS)
    metrics("event.settled", {"route": "members", "outcome": "retry", "retry_seconds": 120.0})
    metrics("event.settled", {"route": "members", "outcome": "in_doubt", "retry_seconds": 21600})
    metrics("event.settled", {"route": "members", "outcome": "retry", "retry_seconds": 7})
    metrics("event.settled", {"route": "members", "outcome": "done", "retry_seconds": None})
    assert _value(metrics, 'bellhop_retries_total{outcome="retry",route="members",step="2m"}') == 1
    assert _value(metrics, 'bellhop_retries_total{outcome="in_doubt",route="members",step="6h"}') == 1
    assert _value(metrics, f'bellhop_retries_total{{outcome="retry",route="members",step="{OTHER}"}}') == 1
    assert metrics.exposition().decode().count("bellhop_retries_total{") == 3


def test_what_had_ended_before_is_not_counted_as_an_end_again() -> None:
    metrics = Metrics(_SETTINGS)
    metrics("event.settled", {"route": "members", "account": "", "outcome": "done", "again": False})
    metrics("event.settled", {"route": "members", "account": "", "outcome": "done", "again": True})
    assert _value(metrics, 'bellhop_events_settled_total{account="",outcome="done",route="members"}') == 1
    assert _value(metrics, 'bellhop_events_settled_total{account="",outcome="known",route="members"}') == 1


def test_a_step_of_the_ladder_is_told_in_words() -> None:
    assert [step_of(s) for s in (0.2, 5, 30.0, 90, 120, 3600, 21600)] == ["200ms", "5s", "30s", "90s", "2m", "1h", "6h"]


def test_a_publish_is_counted_by_its_end_and_timed() -> None:
    metrics = Metrics(_SETTINGS)
    metrics("publish.settled", {"to": "work", "outcome": "confirmed", "seconds": 0.004})
    metrics("publish.settled", {"to": "guess", "outcome": "unconfirmed", "seconds": 5})
    assert _value(metrics, 'bellhop_publishes_total{outcome="confirmed",to="work"}') == 1
    assert _value(metrics, f'bellhop_publishes_total{{outcome="unconfirmed",to="{OTHER}"}}') == 1
    assert _value(metrics, 'bellhop_publish_seconds_sum{to="work"}') == 0.004


def test_what_a_part_counts_starts_at_zero_and_what_it_does_not_count_is_not_there() -> None:
    ingest, archive = Metrics(_SETTINGS, "ingest"), Metrics(_SETTINGS, "archive")
    assert _value(ingest, 'bellhop_webhooks_total{source="crm",status="503"}') == 0
    assert _value(ingest, 'bellhop_publishes_total{outcome="unconfirmed",to="work"}') == 0
    assert "bellhop_dead_letters_total{" not in ingest.exposition().decode()
    doubtful = 'bellhop_dead_letters_total{account="sb",reason="in_doubt",route="%s"}'
    assert _value(archive, doubtful % "bookings.simplybook") == 0
    assert _value(archive, doubtful % "bookings.peoplevine") is None  # that account's events never come there
    assert _value(archive, 'bellhop_dead_letters_total{account="",reason="poison",route="members"}') == 0
    assert "bellhop_webhooks_total{" not in archive.exposition().decode()


def test_a_group_of_letters_that_is_gone_leaves_no_number_behind() -> None:
    metrics = Metrics(_SETTINGS)
    group = {"route": "members", "account": "sb", "reason": "auth"}
    numbers = {"count": 2, "oldest_seconds": 60.0, "start_seconds": 600.0}
    refused = {**group, **numbers, "reason": "rejected", "start_seconds": None}
    metrics("letters.waiting", {"groups": [{**group, **numbers}, refused]})
    auth, rejected = (f'{{account="sb",reason="{reason}",route="members"}}' for reason in ("auth", "rejected"))
    assert _value(metrics, f"bellhop_letters_waiting{auth}") == 2
    assert _value(metrics, f"bellhop_letters_start_seconds{auth}") == 600
    assert _value(metrics, f"bellhop_letters_start_seconds{rejected}") is None
    metrics("letters.waiting", {"groups": [{**group, **numbers, "count": 1, "start_seconds": None}]})
    assert _value(metrics, f"bellhop_letters_waiting{auth}") == 1
    assert _value(metrics, f"bellhop_letters_start_seconds{auth}") is None
    metrics("letters.waiting", {"groups": []})
    for gone in ("waiting", "oldest_seconds", "start_seconds"):
        assert f"bellhop_letters_{gone}{{" not in metrics.exposition().decode()


def test_letters_of_accounts_that_left_the_settings_are_told_together() -> None:
    metrics = Metrics(_SETTINGS)
    group = {"route": "members", "reason": "misconfigured"}
    gone = [
        {**group, "account": "old", "count": 2, "oldest_seconds": 60.0, "start_seconds": 600.0},
        {**group, "account": "older", "count": 3, "oldest_seconds": 90.0, "start_seconds": 300.0},
    ]
    metrics("letters.waiting", {"groups": gone})
    others = f'{{account="{OTHER}",reason="misconfigured",route="members"}}'
    told = [_value(metrics, f"bellhop_letters_{name}{others}") for name in ("waiting", "oldest_seconds")]
    assert (*told, _value(metrics, f"bellhop_letters_start_seconds{others}")) == (5, 90, 300)


def test_a_process_tells_its_version_its_python_and_what_it_uses_of_its_host() -> None:
    metrics = Metrics(_SETTINGS)
    labels = f'python="{platform.python_version()}",version="{VERSION}"'
    assert _value(metrics, f"bellhop_build_info{{{labels}}}") == 1
    if not PROC.exists():
        pytest.skip("process metrics need /proc")
    told = {name: _value(metrics, f"process_{name}") or 0 for name in PROCESS}
    assert told["open_fds"] < told["max_fds"]
    assert told["resident_memory_bytes"] > 1e7
    assert told["cpu_seconds_total"] > 0
    assert abs(told["start_time_seconds"] - time.time()) < 86400


def test_a_worker_tells_how_full_and_how_well_it_is() -> None:
    metrics = Metrics(_SETTINGS)
    told = {"in_flight": 3, "capacity": 16, "oldest_seconds": 2.5, "connected": 1, "stalled": 0}
    metrics("worker.measured", {"route": "members", **told})
    for name, value in told.items():
        assert _value(metrics, f'bellhop_worker_{name}{{route="members"}}') == value


def test_every_name_follows_prometheus_conventions() -> None:
    for name, labels in SERIES.items():
        assert re.fullmatch(r"bellhop_[a-z_]+", name), name
        assert not {"id", "member", "email", "path", "le"} & set(labels), name
    exposed = Metrics(_SETTINGS).exposition().decode()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", exposed, re.MULTILINE):
        assert name.endswith("_created") or (kind == "counter") == name.endswith("_total"), name
        assert kind != "histogram" or name.endswith("_seconds"), name
