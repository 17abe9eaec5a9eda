"""Errors and traces reach Sentry where a DSN is set, with tags and without secrets or guests."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bellhop.telemetry.sentry import release
from tests.support.facts import salon_booking, spa_booking
from tests.support.service import Service, free_port, wait_for
from tests.support.sink import SentrySink, Sink, serving

PRIVATE = ("sandbox-password", "sandbox-api-key", "sandbox-secret-key", "Ada Lee", "example.test", "whsec_", "+4420712")
STRANGER = "c" * 32


@pytest.fixture
def sentry(monkeypatch: pytest.MonkeyPatch) -> Iterator[SentrySink]:
    with serving(SentrySink()) as server:
        monkeypatch.setenv("BELLHOP_SENTRY__DSN", server.dsn)
        yield server


def errors(sentry: SentrySink, reason: str) -> list[dict[str, Any]]:
    return [event for event in sentry.events if event.get("tags", {}).get("reason") == reason]


def transactions(sentry: SentrySink, op: str, id_: str) -> list[dict[str, Any]]:
    """Those of an event, by the operation of their root."""
    ours = [t for t in sentry.transactions if t.get("tags", {}).get("event") == id_]
    return [t for t in ours if t["contexts"]["trace"]["op"] == op]


def only(spans: list[dict[str, Any]], op: str) -> dict[str, Any]:
    (found,) = [span for span in spans if span["op"] == op]
    return found


def test_an_error_reaches_sentry_with_its_tags_and_without_secrets(tmp_path: Path, sentry: SentrySink) -> None:
    with Service(tmp_path) as service:
        service.start_all()
        service.sandbox("POST", "faults", method="create_service_reservation", kind="timeout_after", seconds=3)
        assert service.post("doubt-1", "booking.requested", spa_booking("PV-1", 1)) == 202
        service.wait_for_state("doubt-1", "dead")
        wait_for(lambda: bool(errors(sentry, "in_doubt")), "Sentry was told")
    (event,) = errors(sentry, "in_doubt")
    assert event["tags"]["account"] == "pv"
    assert event["tags"]["source"] == "crm"
    assert event["tags"]["route"] == "bookings.peoplevine"
    assert event["tags"]["event"] == "doubt-1"
    assert event.get("release") == release()
    told = json.dumps(sentry.events)
    assert [private for private in PRIVATE if private in told] == []


def test_errors_are_grouped_by_their_cause_and_not_by_their_words(tmp_path: Path, sentry: SentrySink) -> None:
    with Service(tmp_path) as service:
        service.start_all()
        for number, words in enumerate(("closed on the 1st", "closed on the 2nd")):
            service.sandbox("POST", "faults", method="create_service_reservation", kind="error", message=words)
            booking = spa_booking(f"PV-{number}", number)
            assert service.post(f"no-{number}", "booking.requested", booking) == 202
            service.wait_for_state(f"no-{number}", "dead")
        service.sandbox("POST", "faults", method="book", kind="error", code=-32080, message="gone")
        assert service.post("no-2", "booking.requested", salon_booking("R-2", 2)) == 202
        service.sandbox("POST", "faults", method="create_service_reservation", kind="error", message="no such member")
        assert service.post("no-3", "booking.requested", spa_booking("PV-3", 3)) == 202
        for id_ in ("no-2", "no-3"):
            service.wait_for_state(id_, "dead")
        wait_for(lambda: len(errors(sentry, "rejected")) == 4, "Sentry was told of all")
    by_event = {event["tags"]["event"]: event["fingerprint"] for event in errors(sentry, "rejected")}
    assert by_event["no-0"] == by_event["no-1"]
    assert len({tuple(by_event[id_]) for id_ in ("no-0", "no-2", "no-3")}) == 3
    assert "-32080" in by_event["no-2"]


def test_one_trace_leads_from_the_webhook_through_the_queue_to_the_vendors_call(
    tmp_path: Path, sentry: SentrySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLHOP_SENTRY__TRACES_SAMPLE_RATE", "1.0")
    with Service(tmp_path) as service:
        service.start_all()
        assert service.post("traced-1", "booking.requested", spa_booking("PV-1", 1)) == 202
        service.wait_for_state("traced-1", "done")
        wait_for(lambda: bool(transactions(sentry, "http.server", "traced-1")), "the ingress' transaction came")
        wait_for(lambda: bool(transactions(sentry, "queue.task", "traced-1")), "the worker's transaction came")
        calls = service.calls("create_service_reservation")
        service.sandbox("POST", "faults", method="create_service_reservation", kind="error", message="closed")
        assert service.post("traced-2", "booking.requested", spa_booking("PV-2", 2)) == 202
        wait_for(lambda: bool(errors(sentry, "rejected")), "Sentry was told of the refusal")
        wait_for(lambda: bool(transactions(sentry, "queue.task", "traced-2")), "the second transaction came")
    (ingress,), (worker,) = (transactions(sentry, op, "traced-1") for op in ("http.server", "queue.task"))
    publish, process = only(ingress["spans"], "queue.publish"), only(worker["spans"], "queue.process")
    vendor = only(worker["spans"], "http.client")

    traces = {ingress["contexts"]["trace"]["trace_id"], worker["contexts"]["trace"]["trace_id"], vendor["trace_id"]}
    assert len(traces) == 1
    assert publish["parent_span_id"] == ingress["contexts"]["trace"]["span_id"]
    assert worker["contexts"]["trace"]["parent_span_id"] == publish["span_id"]
    assert process["parent_span_id"] == worker["contexts"]["trace"]["span_id"]
    assert vendor["parent_span_id"] == process["span_id"]

    assert ingress["transaction"] == "POST /webhooks/<source>"
    for span in (publish, process):
        assert span["data"]["messaging.message.id"] == "crm/traced-1"
        # The account's user is called bellhop here, and so masked.
        assert span["data"]["messaging.destination.name"] == "bellhop.work.bookings.peoplevine"
        assert span["data"]["messaging.message.body.size"] > 100
    assert process["data"]["messaging.message.retry.count"] == 0
    assert process["data"]["messaging.message.receive.latency"] >= 0
    assert vendor["description"] == "POST peoplevine create_service_reservation"
    assert vendor["data"]["http.response.status_code"] == 200
    assert {t["tags"]["route"] for t in (ingress, worker)} == {"bookings.peoplevine"}

    (refused,), (failed,) = errors(sentry, "rejected"), transactions(sentry, "queue.task", "traced-2")
    assert refused["contexts"]["trace"]["trace_id"] == failed["contexts"]["trace"]["trace_id"]
    assert failed["contexts"]["trace"]["status"] == "internal_error"

    told = json.dumps([sentry.events, sentry.transactions])
    assert [private for private in (*PRIVATE, "member_id", "auth_id", "?") if private in told] == []
    assert [private for private in PRIVATE if private.encode() in sentry.raw] == []
    assert calls  # and the vendor is told nothing of the trace
    assert "sentry-trace" not in json.dumps(calls)


def test_what_a_worker_sends_on_is_in_the_trace_too_retries_dead_letters_and_results(
    tmp_path: Path, sentry: SentrySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLHOP_SENTRY__TRACES_SAMPLE_RATE", "1.0")
    with serving(Sink()) as receiver, Service(tmp_path) as service:
        monkeypatch.setenv("BELLHOP_SOURCES__CRM__RESULT_URL", receiver.url)
        monkeypatch.setenv("BELLHOP_SOURCES__CRM__RESULT_SECRET", "whsec_cmVzdWx0cyBhcmUgc2lnbmVkIHdpdGggdGhpcyBvbmU=")
        service.start_all()
        service.sandbox("POST", "faults", method="sync_member", kind="http", status=503, times=1)
        words = "Ada Lee of ada@example.test is not welcome"
        service.sandbox("POST", "faults", method="sync_member", kind="error", message=words)
        assert service.post("m-1", "member.updated", {"member_id": 3125141}) == 202
        service.wait_for_state("m-1", "dead")
        wait_for(lambda: len(transactions(sentry, "queue.publish", "m-1")) == 2, "both publishes came")
        wait_for(lambda: len(transactions(sentry, "queue.task", "m-1")) == 2, "both tries came")
        wait_for(lambda: bool(transactions(sentry, "queue.publish", "m-1/0/result")), "the result's publish came")
        wait_for(lambda: bool(transactions(sentry, "queue.task", "m-1/0/result")), "the result's transaction came")
        wait_for(lambda: bool(errors(sentry, "rejected")), "Sentry was told of the refusal")
    first, second = sorted(transactions(sentry, "queue.task", "m-1"), key=lambda one: one["start_timestamp"])
    retry, dead = sorted(transactions(sentry, "queue.publish", "m-1"), key=lambda one: one["start_timestamp"])
    (publish,), (told,) = (transactions(sentry, op, "m-1/0/result") for op in ("queue.publish", "queue.task"))

    def parent(transaction: dict[str, Any]) -> str:
        return str(transaction["contexts"]["trace"]["parent_span_id"])

    assert parent(retry) == only(first["spans"], "queue.process")["span_id"]
    assert parent(second) == retry["contexts"]["trace"]["span_id"]
    assert parent(dead) == parent(publish) == only(second["spans"], "queue.process")["span_id"]
    assert parent(told) == publish["contexts"]["trace"]["span_id"]
    assert len({one["contexts"]["trace"]["trace_id"] for one in (first, second, retry, dead, publish, told)}) == 1
    assert [one["transaction"].partition(".")[2] for one in (dead, publish)] == ["dead", "work.results"]
    assert retry["transaction"].startswith("bellhop.retry.")
    assert retry["contexts"]["trace"]["data"]["messaging.message.id"] == "crm/m-1"
    assert retry["contexts"]["trace"]["data"]["messaging.message.body.size"] > 100
    assert only(second["spans"], "queue.process")["data"]["messaging.message.retry.count"] == 1
    assert [private for private in (*PRIVATE, "welcome", "ada@") if private.encode() in sentry.raw] == []


def test_a_senders_trace_goes_on_but_whether_it_is_sampled_is_ours_to_say(
    tmp_path: Path, sentry: SentrySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLHOP_SENTRY__TRACES_SAMPLE_RATE", "1.0")
    headers = {"sentry_trace": f"{STRANGER}-{'d' * 16}-0", "baggage": "sentry-sample_rand=0.999999"}
    with Service(tmp_path, more=_BEARER) as service:
        service.start_all()
        body = json.dumps({"id": "m-1", "type": "member.updated", "timestamp": _AT, "data": {"member_id": 3125141}})
        status, _ = service.post_to("other", body, authorization=f"Bearer {_TOKEN}", **headers)
        assert status == 202
        wait_for(lambda: bool(transactions(sentry, "queue.task", "m-1")), "the worker's transaction came")
    (worker,) = transactions(sentry, "queue.task", "m-1")
    assert worker["contexts"]["trace"]["trace_id"] == STRANGER


def test_the_trace_goes_on_with_the_result_and_names_nothing_of_its_address(
    tmp_path: Path, sentry: SentrySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLHOP_SENTRY__TRACES_SAMPLE_RATE", "1.0")
    with serving(Sink()) as receiver, Service(tmp_path) as service:
        monkeypatch.setenv("BELLHOP_SOURCES__CRM__RESULT_URL", f"{receiver.url}&key=a-token-in-the-address")
        monkeypatch.setenv("BELLHOP_SOURCES__CRM__RESULT_SECRET", "whsec_cmVzdWx0cyBhcmUgc2lnbmVkIHdpdGggdGhpcyBvbmU=")
        service.start_all()
        assert service.post("m-1", "member.updated", {"member_id": 3125141}) == 202
        wait_for(lambda: bool(transactions(sentry, "queue.task", "m-1/0/result")), "the result's transaction came")
        wait_for(lambda: bool(transactions(sentry, "http.server", "m-1")), "the ingress' transaction came")
    (ingress,) = transactions(sentry, "http.server", "m-1")
    (told,) = transactions(sentry, "queue.task", "m-1/0/result")
    assert told["contexts"]["trace"]["trace_id"] == ingress["contexts"]["trace"]["trace_id"]
    assert only(told["spans"], "http.client")["description"] == "POST result"
    assert "/hooks" not in json.dumps(sentry.transactions)
    assert receiver.posts
    assert "sentry-trace" not in receiver.posts[0].headers


def test_a_sentry_that_is_away_keeps_nothing_from_being_worked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLHOP_SENTRY__DSN", f"http://publickey@127.0.0.1:{free_port()}/1")
    monkeypatch.setenv("BELLHOP_SENTRY__TRACES_SAMPLE_RATE", "1.0")
    with Service(tmp_path) as service:
        service.start_all()
        service.sandbox("POST", "faults", method="create_service_reservation", kind="error", message="closed", times=1)
        assert service.post("refused", "booking.requested", spa_booking("PV-1", 1)) == 202
        service.wait_for_state("refused", "dead")
        for number in range(20):
            assert service.post(f"m-{number}", "member.updated", {"member_id": 3125141}) == 202
        for number in range(20):
            service.wait_for_state(f"m-{number}", "done")
        assert service.kill("work-1", signal.SIGTERM) == 0
        assert service.kill("ingest", signal.SIGTERM) == 0


_TOKEN = "a-token-of-thirty-two-characters"
_AT = "2026-11-20T11:59:58Z"
_BEARER = f"""
[sources.other]
verifier = "bearer"
secrets = ["{_TOKEN}"]
member_account = "pv"
"""
