"""A source is told the end of its events, signed, at least once, and always under the same webhook-id."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from bellhop.schemas.clock import utc_now
from tests.support.facts import cancel, salon_booking, spa_booking
from tests.support.service import SOURCE, Service, free_port, wait_for
from tests.support.sink import Post, Sink, serving

RESULT_SECRET = "whsec_cmVzdWx0cyBhcmUgc2lnbmVkIHdpdGggdGhpcyBvbmU="


def tell(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("BELLHOP_SOURCES__CRM__RESULT_URL", url)
    monkeypatch.setenv("BELLHOP_SOURCES__CRM__RESULT_SECRET", RESULT_SECRET)


@pytest.fixture(scope="module", autouse=True)
def receiver() -> Iterator[Sink]:
    """Where the source of the shared Bellhop is told."""
    with serving(Sink()) as made, pytest.MonkeyPatch.context() as monkeypatch:
        tell(monkeypatch, made.url)
        yield made


@pytest.fixture
def sink() -> Iterator[Sink]:
    with serving(Sink()) as made:
        yield made


@pytest.fixture
def service(shared: Service, receiver: Sink) -> Iterator[Service]:
    """In the end, also what its source was told is held against what stands at the vendors."""
    receiver.posts.clear()
    yield shared
    shared.assert_told_is_true(receiver.posts)


def told_of(sink: Sink, id_: str) -> list[Post]:
    return [post for post in sink.posts if post.json["data"]["event_id"] == id_]


def told_once(sink: Sink, id_: str) -> dict[str, Any]:
    """The result's body, once it has come; its signature is good."""
    wait_for(lambda: bool(told_of(sink, id_)), f"the source is told of {id_}")
    (post,) = told_of(sink, id_)
    body = Webhook(RESULT_SECRET).verify(post.body, post.headers)
    assert post.headers["webhook-id"] == f"{SOURCE}/{id_}/0/result"
    assert post.path == "/hooks?from=bellhop"
    assert isinstance(body, dict)
    return body


def test_a_booking_is_told_as_confirmed_and_then_as_cancelled_with_the_vendors_ids(
    service: Service, receiver: Sink
) -> None:
    booking = salon_booking("R-1", 1)
    assert service.post("book-1", "booking.requested", booking) == 202
    ids = service.wait_for_state("book-1", "done")["vendor_ids"]
    confirmed = told_once(receiver, "book-1")
    assert confirmed["type"] == "booking.confirmed"
    assert ids
    made = {"id": ids[0], "state": "confirmed", "service": 0, "made_by": "book-1", "cancelled_by": None}
    assert {**confirmed["data"], "detail": ""} == {
        **{"event_id": "book-1", "booking_id": "R-1", "venue": "salon", "detail": ""},
        **{"vendor_ids": ids, "cancelled_ids": [], "vendor_bookings": [made]},
    }
    assert service.post("cancel-1", "booking.cancelled", cancel(booking)) == 202
    cancelled = told_once(receiver, "cancel-1")
    assert cancelled["type"] == "booking.cancelled"
    assert (cancelled["data"]["vendor_ids"], cancelled["data"]["cancelled_ids"]) == ([], ids)
    assert cancelled["data"]["vendor_bookings"] == [made | {"state": "cancelled", "cancelled_by": "cancel-1"}]
    assert "reason" not in cancelled["data"]


def test_a_refused_booking_is_told_as_failed_with_the_reason_and_without_secrets(
    service: Service, receiver: Sink
) -> None:
    words = "Member not found; we were asked with pass=sandbox-password"
    service.sandbox("POST", "faults", method="create_service_reservation", kind="error", message=words)
    assert service.post("refused-1", "booking.requested", spa_booking("PV-1", 1)) == 202
    failed = told_once(receiver, "refused-1")
    assert (failed["type"], failed["data"]["reason"]) == ("booking.failed", "rejected")
    assert "Member not found" in failed["data"]["detail"]
    assert "sandbox-password" not in failed["data"]["detail"]
    assert service.post("m-1", "member.updated", {"member_id": 3125141}) == 202
    member = told_once(receiver, "m-1")
    assert (member["type"], member["data"]["member_id"]) == ("member.synchronised", "3125141")


def test_a_replay_that_succeeds_is_told_under_an_id_of_its_own(
    alone: Service, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(monkeypatch, sink.url)
    alone.start_all()
    alone.sandbox("POST", "faults", method="create_service_reservation", kind="error", message="closed that day")
    assert alone.post("again-1", "booking.requested", spa_booking("PV-1", 1)) == 202
    assert told_once(sink, "again-1")["type"] == "booking.failed"
    wait_for(lambda: "again-1" in alone.ask("dead", "list").stdout, "its letter is archived")
    assert alone.run("dead", "replay", "1", "--why", "they opened", "--yes").returncode == 0
    wait_for(lambda: len(told_of(sink, "again-1")) == 2, "the source is told again")
    second = told_of(sink, "again-1")[1]
    assert second.json["type"] == "booking.confirmed"
    assert re.fullmatch(f"{SOURCE}/again-1/1/[0-9a-f]{{12}}/result", second.headers["webhook-id"])

    # What is to be paid is told with the time at which the vendor cancels it, and stands in front of a person before.
    alone.sandbox("POST", "plugins", paid_events=True)
    assert alone.post("pay-1", "booking.requested", salon_booking("R-9", 9) | {"notes": "no nuts"}) == 202
    unpaid = told_once(sink, "pay-1")
    assert (unpaid["type"], unpaid["data"]["reason"]) == ("booking.unpaid", "unpaid")
    assert [one["state"] for one in unpaid["data"]["vendor_bookings"]] == ["unpaid"]
    assert datetime.fromisoformat(unpaid["data"]["unpaid_until"]) > utc_now()
    assert [warning for warning in unpaid["data"]["warnings"] if warning.startswith("data.notes: not sent")]
    wait_for(lambda: "1 unpaid" in alone.ask("attention").stdout, "a person sees it")
    assert alone.event("pay-1")["unpaid_until"] == unpaid["data"]["unpaid_until"]
    alone.assert_told_is_true(sink.posts)


def test_a_receiver_that_is_away_is_told_when_it_is_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    tell(monkeypatch, f"http://127.0.0.1:{port}/hooks?from=bellhop")
    with Service(tmp_path) as service:
        service.start_all()
        assert service.post("m-1", "member.updated", {"member_id": 3125141}) == 202
        service.wait_for_state("m-1", "done")
        wait_for(lambda: service.state_of(SOURCE, "m-1/0/result") == "retrying", "its result is tried again")
        with serving(Sink(port, 500, 429, 200)) as sink:
            wait_for(lambda: service.state_of(SOURCE, "m-1/0/result") == "done", "it is told at last")
    assert {post.headers["webhook-id"] for post in sink.posts} == {f"{SOURCE}/m-1/0/result"}
    assert len(sink.posts) == 3


def test_a_worker_killed_while_it_tells_tells_again_under_the_same_id(service: Service, receiver: Sink) -> None:
    receiver.open.clear()
    assert service.post("book-2", "booking.requested", salon_booking("R-2", 2)) == 202
    wait_for(lambda: len(receiver.posts) == 1, "the first post has come, and is not answered")
    service.kill("work-1")
    receiver.open.set()
    service.start("work-1")
    wait_for(lambda: service.state_of(SOURCE, "book-2/0/result") == "done", "the result is told", 60)
    first, *again = told_of(receiver, "book-2")
    assert again
    assert {post.headers["webhook-id"] for post in again} == {first.headers["webhook-id"]}
    assert {post.body for post in again} == {first.body}
    assert len(service.calls("book")) == 1


@pytest.mark.parametrize(("status", "state"), [(410, "recorded"), (404, "dead"), (302, "dead")])
def test_a_receiver_that_refuses_is_asked_once_and_no_result_is_told_of_a_result(
    status: int, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Sink()) as elsewhere, serving(Sink(0, status, location=elsewhere.url)) as sink:
        tell(monkeypatch, sink.url)
        with Service(tmp_path) as service:
            service.start_all()
            assert service.post("m-1", "member.updated", {"member_id": 3125141}) == 202
            wait_for(lambda: service.state_of(SOURCE, "m-1/0/result") == state, f"the result is {state}")
            assert service.post("m-2", "member.updated", {"member_id": 3125142}) == 202
            wait_for(lambda: service.state_of(SOURCE, "m-2/0/result") == state, f"the next result is {state}")
            assert service.state_of(SOURCE, "m-1/0/result/0/result") == ""
        assert [post.json["data"]["event_id"] for post in sink.posts] == ["m-1", "m-2"]
        assert elsewhere.posts == []


_OTHER = """
[sources.other]
verifier = "bearer"
secrets = ["a-token-of-thirty-two-characters"]
member_account = "pv"
result_url = "{url}"
result_secret = "{secret}"
"""


def test_a_receiver_that_does_not_answer_does_not_hold_up_the_results_of_others(
    sink: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(monkeypatch, sink.url)
    sink.open.clear()
    with (
        serving(Sink()) as quick,
        Service(tmp_path, more=_OTHER.format(url=quick.url, secret=RESULT_SECRET)) as service,
    ):
        service.start_all()
        for number in range(24):
            assert service.post(f"m-{number}", "member.updated", {"member_id": 3125141}) == 202
        wait_for(lambda: len(sink.posts) >= 4, "half of the threads wait for an answer")
        at = "2026-11-20T11:59:58Z"
        body = json.dumps({"id": "o-1", "type": "member.updated", "timestamp": at, "data": {"member_id": 3125141}})
        status, _ = service.post_to("other", body, authorization="Bearer a-token-of-thirty-two-characters")
        assert status == 202
        wait_for(lambda: bool(told_of(quick, "o-1")), "the other source is told")
        sink.open.set()
        wait_for(lambda: len({post.headers["webhook-id"] for post in sink.posts}) == 24, "and then all of the first")


def test_a_result_that_died_is_listed_and_replayed_under_the_same_webhook_id(service: Service, receiver: Sink) -> None:
    receiver.statuses = [404, 200]
    assert service.post("m-died", "member.updated", {"member_id": 3125141}) == 202
    wait_for(
        lambda: "m-died/0/result" in service.ask("dead", "list", "--route", "results").stdout, "its letter is listed"
    )
    (number,) = [one["id"] for one in service.told("dead", "list", "--route", "results")]
    shown = service.run("dead", "show", str(number)).stdout
    assert "404" in shown
    assert RESULT_SECRET not in shown
    replayed = service.run("dead", "replay", "--route", "results", "--why", "the address is mended", "--yes")
    assert replayed.returncode == 0, replayed.stderr
    wait_for(lambda: service.state_of(SOURCE, "m-died/0/result") == "done", "it is told")
    assert [post.headers["webhook-id"] for post in receiver.posts] == [f"{SOURCE}/m-died/0/result"] * 2
    assert receiver.posts[0].body == receiver.posts[1].body
