"""The handler of results over a real socket: what each answer becomes."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from bellhop.ledger.records import VendorCall
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from bellhop.schemas.redact import Redactor
from bellhop.schemas.results import result
from bellhop.schemas.settings import SourceSettings
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.held import CallHeld
from bellhop.vendors.http import HttpClient
from bellhop.vendors.outcome import Dead, Done, Recorded
from bellhop.vendors.outward import ENOUGH_BYTES, outward
from bellhop.vendors.settings import build
from bellhop.workers.ports import AccountLeave
from bellhop.workers.receivers import AGAIN_SECONDS, ILL_AFTER, Places
from bellhop.workers.result_posts import ResultPosts
from tests.support.service import free_port
from tests.support.sink import Sink, serving

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with serving(Sink()) as made:
        yield made


def due() -> Envelope:
    of = Envelope("e-1", "crm", "member.updated", "7", "members", "pv", NOW, NOW, {"member_id": "7"}, "hash")
    made = result(of, detail="gebucht für 7", now=NOW)
    assert made is not None
    return made


def source(url: str) -> SourceSettings:
    told = {"verifier": "bearer", "secrets": ["s" * 20], "result_url": url, "result_secret": SECRET}
    return build({"sources": {"crm": told}}).sources["crm"]


def posts(url: str) -> ResultPosts:
    http = HttpClient(pool_size=1, redactor=Redactor([SECRET]), connections=outward(1), enough_bytes=ENOUGH_BYTES)
    return ResultPosts({"crm": source(url)}, http, Places(4, 2), lambda: datetime.now(UTC))


def told(url: str) -> object:
    handler, event = posts(url), due()
    call = handler.translate(event, None)
    assert isinstance(call, VendorCall)
    assert call.repeatable
    assert SECRET not in json.dumps(dict(call.arguments))
    return handler.perform(call, event, None)


def test_the_body_is_posted_as_it_was_signed(sink: Sink) -> None:
    assert isinstance(told(sink.url), Done)
    (post,) = sink.posts
    assert Webhook(SECRET).verify(post.body, post.headers) == due().data
    assert post.headers["content-type"] == "application/json"
    assert post.path == "/hooks?from=bellhop"


def test_gone_is_recorded(sink: Sink) -> None:
    sink.statuses = [410]
    assert isinstance(told(sink.url), Recorded)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, Kind.REJECTED) for status in (301, 302, 307, 400, 404, 405, 422)),
        *((status, Kind.AUTH) for status in (401, 403)),
        *((status, Kind.UNKNOWN) for status in (408, 500, 502, 503)),
        (429, Kind.THROTTLED),
    ],
)
def test_every_other_answer_is_classified(sink: Sink, status: int, kind: Kind) -> None:
    sink.statuses = [status]
    with pytest.raises(VendorFailure) as caught:
        told(sink.url)
    assert caught.value.kind is kind
    assert "from=bellhop" not in str(caught.value)
    assert len(sink.posts) == 1


def test_a_redirect_is_not_followed() -> None:
    with serving(Sink()) as elsewhere, serving(Sink(0, 307, location=elsewhere.url)) as sink:
        with pytest.raises(VendorFailure, match="not followed"):
            told(sink.url)
        assert elsewhere.posts == []


def test_a_receiver_that_is_away_was_certainly_not_told() -> None:
    with pytest.raises(VendorFailure) as caught:
        told(f"http://127.0.0.1:{free_port()}/hooks")
    assert caught.value.kind is Kind.TRANSIENT


def test_a_source_that_lost_its_url_stands_in_front_of_a_person() -> None:
    handler = ResultPosts({}, HttpClient(pool_size=1, redactor=Redactor()), Places(1, 1), lambda: NOW)
    outcome = handler.translate(due(), None)
    assert isinstance(outcome, Dead)
    assert outcome.reason is Reason.MISCONFIGURED


@pytest.mark.parametrize("promised", [None, 600_000])
def test_told_is_told_however_long_the_answer_is_and_though_it_breaks_off(sink: Sink, promised: int | None) -> None:
    sink.body, sink.promised = b"x" * 300_000, promised
    assert isinstance(told(sink.url), Done)
    assert len(sink.posts) == 1


def test_of_a_long_refusal_only_the_beginning_is_kept(sink: Sink) -> None:
    sink.statuses, sink.body = [422], json.dumps({"why": "x" * 300_000}).encode()
    with pytest.raises(VendorFailure) as caught:
        told(sink.url)
    assert len(json.dumps(caught.value.answer)) < 3000


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1"])
def test_nothing_is_sent_where_a_receivers_name_leads_to_this_host(
    sink: Sink, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    here = (family, socket.SOCK_STREAM, 6, "", (address, sink.server_address[1]))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: [here])
    with pytest.raises(VendorFailure, match="NameLeadsInside") as caught:
        told(f"http://hooks.partner.example:{sink.server_address[1]}/")
    assert caught.value.kind is Kind.TRANSIENT
    assert sink.posts == []


def test_a_receiver_on_this_host_is_told_where_the_settings_say_so(sink: Sink) -> None:
    assert isinstance(told(f"http://localhost:{sink.server_address[1]}/"), Done)


def test_while_a_receiver_has_all_it_may_have_others_are_told() -> None:
    """And the one that waits counts no attempt: nothing was sent."""
    places = Places(4, 2)
    with places.one("slow"), places.one("slow"):
        with pytest.raises(CallHeld, match="slow"), places.one("slow"):
            pass
        with places.one("quick"):
            pass
    with places.one("slow"):
        pass


def test_a_receiver_that_is_away_gets_one_post_at_a_time_until_it_answers() -> None:
    places = Places(4, 1)
    for _ in range(ILL_AFTER):
        with pytest.raises(VendorFailure), places.one("crm"):
            raise VendorFailure(Kind.TRANSIENT, vendor="", method="POST result", message="away")
    with places.one("crm"), pytest.raises(CallHeld, match="away") as held, places.one("crm"):
        pass
    assert held.value.after == 60
    with places.one("crm"), places.one("crm"):
        pass


def test_the_results_for_a_receiver_that_is_away_wait_in_its_lane_and_one_now_and_then_tries() -> None:
    seconds = [0.0]
    places = Places(4, 2, monotonic=lambda: seconds[0])
    for _ in range(ILL_AFTER):
        assert places.leave("crm") == AccountLeave(at_once=2)
        with pytest.raises(VendorFailure), places.one("crm"):
            raise VendorFailure(Kind.UNKNOWN, vendor="", method="POST result", message="no answer in time")
    assert places.leave("crm") == AccountLeave(held=AGAIN_SECONDS, at_once=1, is_ill=True)
    assert places.leave("other") == AccountLeave(at_once=2)
    seconds[0] += AGAIN_SECONDS
    assert places.leave("crm") == AccountLeave(at_once=1, is_ill=True)
    with places.one("crm"):
        pass
    assert places.leave("crm") == AccountLeave(at_once=2)


def test_a_refusal_is_an_answer_and_the_only_receiver_may_have_all_threads() -> None:
    places = Places(2, 1)
    for _ in range(ILL_AFTER):
        with pytest.raises(VendorFailure), places.one("crm"):
            raise VendorFailure(Kind.REJECTED, vendor="", method="POST result", message="no")
    with places.one("crm"), places.one("crm"):
        pass
