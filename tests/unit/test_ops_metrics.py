from __future__ import annotations

import re

from ops.metrics import OTHER, Metrics
from schemas.settings import build

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
    metrics("letter.archived", {"route": "members", "reason": "delivery_limit"})
    assert _value(metrics, 'bellhop_dead_letters_total{reason="delivery_limit",route="members"}') == 1


def test_what_strangers_choose_makes_no_series() -> None:
    metrics = Metrics(_SETTINGS)
    for number in range(1000):
        metrics("webhook.refused", {"source": f"guess-{number}", "status": 404, "seconds": 0.1})
        metrics("letter.archived", {"route": f"r{number}", "reason": f"x{number}"})
        metrics("vendor.called", {"account": "sb", "method": f"m{number}", "outcome": "ok", "seconds": 0.1})
    assert _value(metrics, f'bellhop_webhooks_total{{source="{OTHER}",status="404"}}') == 1000
    assert _value(metrics, f'bellhop_dead_letters_total{{reason="{OTHER}",route="{OTHER}"}}') == 1000
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
    before = metrics.exposition()
    metrics("worker.started", {"route": "members"})
    assert metrics.exposition() == before


def test_two_objects_do_not_share_their_numbers() -> None:
    one, other = Metrics(_SETTINGS), Metrics(_SETTINGS)
    one("publish.failed", {})
    assert _value(one, "bellhop_publish_failures_total") == 1
    assert _value(other, "bellhop_publish_failures_total") == 0
