"""`POST /webhooks/<source>` from the sender's side, with the publisher in memory."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, TestResponse

from bellhop.broker.port import Address, Message
from bellhop.broker.topology import work
from bellhop.ingest.app import create_app
from bellhop.ingest.later import AWAITED, Awaited
from bellhop.schemas.clock import Clock
from bellhop.schemas.envelope import content_hash, decode
from bellhop.schemas.errors import (
    BrokerError,
    BrokerUnavailable,
    PublishRefused,
    PublishUnconfirmed,
    SettingsError,
    Unroutable,
)
from tests.support.facts import cancel, salon_booking, spa_booking
from tests.support.ingress import (
    DOCUMENT,
    NOW,
    OLD_SECRET,
    SECRET,
    TOKEN,
    MemoryEvents,
    MemoryPublisher,
    Told,
    bearing,
    body,
    settings,
    signed,
)


class Ingress:
    def __init__(self, **ingest: Any) -> None:
        self.publisher, self.told = MemoryPublisher(), Told()
        self.app: Flask = create_app(
            settings(**ingest), self.publisher, MemoryEvents(), observe=self.told, clock=Clock(now=lambda: NOW)
        )
        self.client: FlaskClient = self.app.test_client()

    def post(self, content: bytes, headers: Mapping[str, str] | None = None, source: str = "crm") -> TestResponse:
        given = headers if headers is not None else signed(content)
        return self.client.post(f"/webhooks/{source}", data=content, headers=dict(given))


@pytest.fixture
def ingress() -> Ingress:
    return Ingress()


def refused(answer: TestResponse, status: int, name: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    told: dict[str, Any] = answer.get_json(force=True)
    assert told["status"] == status
    assert told["type"] == f"urn:bellhop:problem:{name}"
    assert told["title"]
    assert told["detail"].endswith((".", "listed."))
    assert told["instance"].startswith("/")
    return told


# --- accepted ---------------------------------------------------------------------------------------------------


def test_a_confirmed_webhook_is_answered_202_with_its_id_and_where_to_ask_for_it(ingress: Ingress) -> None:
    answer = ingress.post(body())
    assert answer.status_code == 202
    assert answer.get_json() == {"id": "msg-1", "status_url": "/events/crm/msg-1"}


def test_a_source_that_must_be_answered_200_is(ingress: Ingress) -> None:
    content = body("booking.requested", salon_booking("SB-1", 1))
    assert ingress.post(content, bearing(), "static").status_code == 200


def test_the_status_address_is_absolute_where_the_public_address_is_known() -> None:
    ingress = Ingress(public_url="https://hooks.example.test/bellhop/")
    answer = ingress.post(body(), signed(body(), "a/b c"[:3]))
    assert answer.get_json()["status_url"] == "https://hooks.example.test/bellhop/events/crm/a%2Fb"


def test_a_member_event_goes_to_members_with_the_sources_account(ingress: Ingress) -> None:
    ingress.post(body())
    ((message, to),) = ingress.publisher.published
    envelope = decode(message.body)
    assert to == work("members")
    assert (envelope.route, envelope.account, envelope.subject) == ("members", "club", "3125141")
    assert message.id == envelope.message_id == "crm/msg-1"


@pytest.mark.parametrize(
    ("data", "route", "account"),
    [
        (salon_booking("SB-1", 1), "bookings.simplybook", "salon"),
        (spa_booking("PV-1", 1), "bookings.peoplevine", "club"),
        (cancel(spa_booking("PV-1", 1)), "bookings.peoplevine", "club"),
    ],
)
def test_a_booking_event_goes_where_its_venue_says(
    ingress: Ingress, data: dict[str, Any], route: str, account: str
) -> None:
    type_ = "booking.requested" if "services" in data else "booking.cancelled"
    assert ingress.post(body(type_, data)).status_code == 202
    ((message, to),) = ingress.publisher.published
    envelope = decode(message.body)
    assert (to, envelope.route, envelope.account) == (work(route), route, account)
    assert envelope.subject == data["booking_id"]


def test_the_envelope_says_when_it_was_taken_and_what_it_holds(ingress: Ingress) -> None:
    content = body("booking.requested", salon_booking("SB-1", 1))
    ingress.post(content)
    ((message, _),) = ingress.publisher.published
    envelope = decode(message.body)
    assert envelope.received == NOW
    assert envelope.time.isoformat() == "2026-11-20T11:59:58+00:00"
    assert envelope.not_after is not None
    assert envelope.not_after.isoformat() == "2027-03-01T00:15:00+00:00"
    assert envelope.content_hash == content_hash(envelope.type, envelope.time, envelope.data)
    assert envelope.generation == 0
    assert message.headers == {
        "bellhop-route": "bookings.simplybook",
        "bellhop-enqueued": NOW.timestamp(),
        "bellhop-attempt": 0,
        "bellhop-lane": "salon",
    }


def test_a_senders_trace_is_passed_on_and_what_only_looks_like_one_is_not(ingress: Ingress) -> None:
    trace = {
        "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
        "sentry-trace": f"{'a' * 32}-{'b' * 16}-1",
        "baggage": "sentry-release=1.0",
    }
    bad = {"traceparent": "00-xyz", "sentry-trace": "1" * 400, "baggage": "x" * 2049}
    for headers in (trace, bad):
        ingress.post(body(), signed(body()) | headers)
    (first, _), (second, _) = ingress.publisher.published
    assert decode(first.body).trace == trace
    assert {name: first.headers[name] for name in trace} == trace
    assert decode(second.body).trace == {}
    assert not set(trace) & set(second.headers)


def test_a_webhook_sent_twice_is_answered_alike_and_published_alike(ingress: Ingress) -> None:
    answers = [ingress.post(body()) for _ in range(2)]
    assert [(a.status_code, a.data) for a in answers] == [(202, answers[0].data)] * 2
    (first, _), (second, _) = ingress.publisher.published
    assert first == second


def test_both_secrets_are_good_while_one_is_rotated(ingress: Ingress) -> None:
    assert [ingress.post(body(), signed(body(), secret=s)).status_code for s in (SECRET, OLD_SECRET)] == [202, 202]


# --- the delivery id --------------------------------------------------------------------------------------------


def test_the_signed_id_comes_before_the_bodys(ingress: Ingress) -> None:
    assert ingress.post(body(id="of-the-body")).get_json()["id"] == "msg-1"


def test_where_the_scheme_signs_no_id_the_header_is_not_believed(ingress: Ingress) -> None:
    content = body("booking.requested", salon_booking("SB-1", 1), id="of-the-body")
    answer = ingress.post(content, bearing() | {"webhook-id": "of-anyone"}, "static")
    assert answer.get_json()["id"] == "of-the-body"


def test_where_there_is_no_id_it_is_the_bodys_hash(ingress: Ingress) -> None:
    content = body("booking.requested", salon_booking("SB-1", 1))
    expected = f"sha256-{hashlib.sha256(content).hexdigest()}"
    assert ingress.post(content, bearing(), "static").get_json()["id"] == expected


@pytest.mark.parametrize("id_", ["x" * 201, "with space", "ä"])
def test_a_signed_id_that_cannot_be_kept_is_refused(ingress: Ingress, id_: str) -> None:
    headers = signed(body(), id_)
    if not id_.isascii():  # it arrives as its bytes, each a character, and the signature is for something else
        refused(ingress.post(body(), headers | {"webhook-id": id_.encode().decode("latin-1")}), 401, "not-verified")
    else:
        refused(ingress.post(body(), headers), 400, "bad-id")
    assert ingress.publisher.published == []


@pytest.mark.parametrize("id_", ["", " ", "x" * 201, "ä" * 101, "line\nbreak", 2**64, True, 1.5, ["a"]])
def test_a_bodys_id_that_cannot_be_kept_is_refused(ingress: Ingress, id_: object) -> None:
    content = body("booking.requested", salon_booking("SB-1", 1), id=id_)
    told = refused(ingress.post(content, bearing(), "static"), 422, "invalid-event")
    assert [error["field"] for error in told["errors"]] == ["id"]
    assert ingress.publisher.published == []


# --- refused ----------------------------------------------------------------------------------------------------

JSON = {"content-type": "application/json"}
DEEP = b'{"type":"member.updated","timestamp":"2026-11-20T11:59:58Z","data":{"member_id":1,"profile":%s1%s}}'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b"   ", "it is empty"),
        (b"not json", "line 1, column 1"),
        (b'{"type": "member.updated"', "line 1, column 26"),
        (b"\xef\xbb\xbf\xef\xbb\xbf{}", "line 1, column 1"),
        (b"\xef\xbb\xbf", "it is empty"),
        (b"{} {}", "line 1, column 4"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": -Infinity}', "-Infinity is not a JSON number"),
        (b'{"a": 1, "a": 2}', "a name stands twice in one object"),
        (b'{"a": ' + b"9" * 5000 + b"}", "a number has too many digits"),
        (b"[" * 5000 + b"]" * 5000, "it is nested too deep"),
        (b"[" * 101 + b"]" * 101, "it is nested too deep"),
    ],
)
def test_what_is_not_json_is_refused_saying_where(ingress: Ingress, content: bytes, why: str) -> None:
    told = refused(ingress.post(content), 400, "malformed-json")
    assert why in told["detail"]
    assert ingress.publisher.published == []


@pytest.mark.parametrize("content", [b'{"a": "\xff"}', "{}".encode("utf-16"), b'{"a": "\xed\xa0\x80"}'])
def test_what_is_not_utf8_is_refused(ingress: Ingress, content: bytes) -> None:
    assert "not UTF-8" in refused(ingress.post(content, bearing(), "static"), 400, "malformed-json")["detail"]
    refused(ingress.post(content), 401, "not-verified")
    assert ingress.publisher.published == []


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (b"[]", ["body"]),
        (b"null", ["body"]),
        (b'"text"', ["body"]),
        (b"{}", ["type", "timestamp", "data"]),
        (body("booking.vanished"), ["type"]),
        (body(surprise=1), ["surprise"]),
        (body(data={"member_id": 1, "surprise": 2}), ["data.surprise"]),
        (body(data={"member_id": 2**64}), ["data.member_id"]),
        (body(data={"member_id": None}), ["data.member_id"]),
        (body(data={"profile": {}}), ["data.member_id"]),
        (body(data={"member_id": 1, "profile": {"a": 10**30}}), ["data.profile.a"]),
        (body(data={"member_id": 1, "profile": {"a": "\ud800"}}), ["data.profile.a"]),
        (body(data={"member_id": 1, "profile": {"a": ["\x00"]}}), ["data.profile.a.0"]),
        (body(data={"member_id": 1, "profile": {"\x00": 1}}), ["data.profile"]),
        (body().replace(b"3125141", b'1, "profile": {"a": 1e999}'), ["data.profile.a"]),
        (DEEP % (b"[" * 30, b"]" * 30), ["data.profile" + ".0" * 9]),
        (body("booking.requested", salon_booking("SB", 1) | {"venue": "elsewhere"}), ["data.venue"]),
        (body("booking.requested", {"booking_id": "", "venue": "x"}), ["data.booking_id", "data.venue"]),
        (body(timestamp="yesterday"), ["timestamp"]),
        (body(timestamp="2026-11-20T11:59:58"), ["timestamp"]),
        (body(timestamp=1700000000), ["timestamp"]),
        (body(timestamp="0001-01-01T00:00:00+14:00"), ["timestamp"]),
        (body("member.nothing", {"x": 1}, timestamp="no", id=[]), ["id", "timestamp", "type"]),
    ],
)
def test_what_breaks_its_contract_is_refused_naming_every_field(
    ingress: Ingress, content: bytes, fields: list[str]
) -> None:
    told = refused(ingress.post(content), 422, "invalid-event")
    assert sorted(error["field"] for error in told["errors"]) == sorted(fields)
    assert all(error["rule"] for error in told["errors"])
    assert ingress.publisher.published == []


def test_the_envelope_and_the_data_are_told_of_together(ingress: Ingress) -> None:
    content = body("booking.requested", {"venue": "nowhere", "price": 1}, timestamp="soon", extra=1)
    told = refused(ingress.post(content), 422, "invalid-event")
    expected = ["data.booking_id", "data.price", "data.venue", "extra", "timestamp"]
    assert sorted(error["field"] for error in told["errors"]) == expected


def test_a_body_full_of_faults_is_not_echoed_whole(ingress: Ingress) -> None:
    faults = dict.fromkeys((f"k{n}" + "x" * 195 for n in range(150)), 1)
    told = refused(ingress.post(body(data={"member_id": 1} | faults)), 422, "invalid-event")
    assert len(told["errors"]) == 100
    assert max(len(error["field"]) for error in told["errors"]) == 200
    assert "100 of 150" in told["detail"]


def test_a_member_event_from_a_source_without_a_members_account_is_refused(ingress: Ingress) -> None:
    told = refused(ingress.post(body(), bearing(), "static"), 422, "invalid-event")
    assert told["errors"] == [
        {"field": "type", "rule": "needs a Peoplevine account: this source has no member_account"}
    ]
    assert ingress.publisher.published == []


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        (JSON, "webhook-id is missing"),
        (signed(body(), at=NOW.timestamp() - 3600), "too old"),
        (signed(body(), at=NOW.timestamp() + 3600), "too far in the future"),
        (signed(body() + b" "), "no signature in webhook-signature matches"),
        (signed(body(), secret="whsec_" + "QUJD" * 10), "no signature in webhook-signature matches"),
        (signed(body()) | {"webhook-signature": "v1,%%%"}, "no signature in webhook-signature matches"),
        (JSON | {"authorization": f"Bearer {SECRET}"}, "webhook-id is missing"),
    ],
)
def test_who_does_not_prove_itself_is_refused(ingress: Ingress, headers: dict[str, str], detail: str) -> None:
    answer = ingress.post(body(), headers)
    assert detail in refused(answer, 401, "not-verified")["detail"]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert SECRET not in answer.text
    assert ingress.publisher.published == []


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]))
            for name in ("webhook-id", "webhook-timestamp", "webhook-signature", "authorization", "traceparent")
        },
    )
)
def test_no_header_whatever_makes_it_crash(headers: dict[str, str]) -> None:
    ingress = Ingress()
    for source, good in (("crm", signed(body())), ("static", bearing())):
        assert ingress.post(body(), good | headers, source).status_code in (202, 400, 401, 422)
    assert "webhook.crashed" not in ingress.told.names


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.data())
def test_no_body_whatever_makes_it_crash(data: st.DataObject) -> None:
    ingress = Ingress()
    document = json.loads(body("booking.requested", salon_booking("SB-1", 1)))
    place: dict[str, Any] = document
    for _ in range(data.draw(st.integers(0, 2))):
        inner = [
            v if isinstance(v, dict) else v[0]
            for v in place.values()
            if isinstance(v, dict) or (v and isinstance(v, list) and isinstance(v[0], dict))
        ]
        if inner:
            place = data.draw(st.sampled_from(inner))
    place[data.draw(st.sampled_from([*sorted(place), "more"]))] = data.draw(JSON_VALUES)
    answer = ingress.post(json.dumps(document).encode())
    assert answer.status_code in (202, 422)
    for message, _ in ingress.publisher.published:
        decode(message.body)


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "text/html",
        "application/xml",
        "application/x-www-form-urlencoded; charset=latin-1",
        "application/+json",
        "application/json; charset=latin-1",
        "application/jsonx",
    ],
)
def test_another_media_type_is_refused(ingress: Ingress, media_type: str) -> None:
    refused(ingress.post(body(), signed(body()) | {"content-type": media_type}), 415, "media-type")
    assert ingress.publisher.published == []


@pytest.mark.parametrize(
    "media_type",
    [
        *(
            "application/json",
            "Application/JSON; charset=UTF-8",
            'application/json; charset="utf-8"',
            "application/json;x=y",
        ),
        *("application/cloudevents+json", "application/vnd.api+json; charset=utf-8", "text/x-thing+json"),
        *("", "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=UTF-8"),
    ],
)
def test_json_in_utf8_is_taken_however_it_is_written(ingress: Ingress, media_type: str) -> None:
    assert ingress.post(body(), signed(body()) | {"content-type": media_type}).status_code == 202


def test_a_body_without_a_type_is_json(ingress: Ingress) -> None:
    headers = {name: value for name, value in signed(body()).items() if name != "content-type"}
    assert ingress.post(body(), headers).status_code == 202


def test_a_form_is_no_json_whatever_it_is_called(ingress: Ingress) -> None:
    content = b"type=booking.requested"
    answer = ingress.post(content, signed(content) | {"content-type": "application/x-www-form-urlencoded"})
    refused(answer, 415, "media-type")


@pytest.mark.parametrize("is_signed_packed", [True, False])
@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP"])
def test_a_packed_body_is_taken_signed_as_it_is_sent_or_as_it_was_before(
    ingress: Ingress, encoding: str, is_signed_packed: bool
) -> None:
    packed = gzip.compress(body())
    headers = signed(packed if is_signed_packed else body()) | {"content-encoding": encoding}
    assert ingress.post(packed, headers).get_json()["id"] == "msg-1"
    ((message, _),) = ingress.publisher.published
    assert decode(message.body).subject == "3125141"


def test_a_body_that_is_packed_again_has_the_same_id(ingress: Ingress) -> None:
    content = body("booking.requested", salon_booking("SB-1", 1))
    packed = [gzip.compress(content, level, mtime=level) for level in (1, 9)]
    answers = [ingress.post(each, bearing() | {"content-encoding": "gzip"}, "static").get_json() for each in packed]
    plain = ingress.post(content, bearing() | {"content-encoding": "identity"}, "static").get_json()
    assert answers == [plain, plain]


def packed_body(content: bytes) -> bytes:
    """Without the time, which would make the tests' names differ."""
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize(
    ("sent", "encoding", "status", "name"),
    [
        (packed_body(b"0" * 65_536), "gzip", 400, "malformed-json"),
        (packed_body(b"0" * 65_537), "gzip", 413, "body-too-large"),
        (packed_body(b"0" * 20_000_000), "gzip", 413, "body-too-large"),
        (packed_body(b"0" * 40_000) * 2, "gzip", 413, "body-too-large"),
        (packed_body(body())[:-9], "gzip", 400, "body-broken"),
        (packed_body(b"") * 101 + packed_body(body()), "gzip", 400, "body-broken"),
        (body(), "gzip", 400, "body-broken"),
        (b"", "gzip", 400, "malformed-json"),
        (body(), "br", 415, "content-encoding"),
        (body(), "gzip, gzip", 415, "content-encoding"),
    ],
)
def test_what_cannot_be_unpacked_within_the_limit_is_refused(
    ingress: Ingress, sent: bytes, encoding: str, status: int, name: str
) -> None:
    answer = ingress.post(sent, bearing() | {"content-encoding": encoding}, "static")
    refused(answer, status, name)
    refused(ingress.post(sent, JSON | {"content-encoding": encoding}, "static"), 401, "not-verified")
    assert ingress.publisher.published == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_address_may_end_in_a_slash(ingress: Ingress, method: str) -> None:
    answer = ingress.client.open("/webhooks/crm/", method=method, data=body(), headers=signed(body()))
    assert answer.status_code == (200 if method == "GET" else 202)


def test_a_byte_order_mark_counts_for_nothing(ingress: Ingress) -> None:
    content = b"\xef\xbb\xbf" + body()
    assert ingress.post(content).status_code == 202


def test_a_body_of_ten_megabytes_is_refused_whatever_else_is_wrong_with_it(ingress: Ingress) -> None:
    told = refused(ingress.post(b"x" * 10_000_000, {"content-type": "text/plain"}), 413, "body-too-large")
    assert "65536 bytes" in told["detail"]
    assert ingress.publisher.published == []


@pytest.mark.parametrize(("size", "status"), [(65536, 401), (65537, 413)])
def test_a_chunked_body_has_the_same_limit(ingress: Ingress, size: int, status: int) -> None:
    answer = ingress.client.post(
        "/webhooks/crm",
        input_stream=io.BytesIO(b"x" * size),
        headers=JSON | {"transfer-encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == status


class Broken:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def read(self, size: int) -> bytes:
        raise self.error

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("stream", "status", "name"),
    [
        (io.BytesIO(b'{"type"'), 400, "body-broken"),
        (Broken(TimeoutError()), 408, "body-too-slow"),
        (Broken(ConnectionResetError()), 400, "body-broken"),
        (Broken(ValueError("a chunk")), 400, "body-broken"),
    ],
)
def test_a_body_that_does_not_come_whole_is_refused(ingress: Ingress, stream: Any, status: int, name: str) -> None:
    answer = ingress.client.post(
        "/webhooks/crm",
        headers=signed(body()),
        environ_overrides={"wsgi.input": stream, "CONTENT_LENGTH": str(len(body()))},
    )
    refused(answer, status, name)
    assert ingress.publisher.published == []


def test_an_unknown_source_is_refused_before_all_else(ingress: Ingress) -> None:
    refused(ingress.post(b"x" * 10_000_000, {}, "nobody"), 404, "unknown-source")


def test_it_is_verified_before_it_is_parsed(ingress: Ingress) -> None:
    refused(ingress.post(b"not json", signed(b"something else")), 401, "not-verified")


# --- not confirmed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("error", [BrokerUnavailable, PublishUnconfirmed, PublishRefused, Unroutable])
def test_what_the_broker_does_not_confirm_is_not_accepted(
    ingress: Ingress, error: type[BrokerError], at_once: bool
) -> None:
    ingress.publisher.fail, ingress.publisher.fail_at_once = error("amqp://user:password@host"), at_once
    answer = ingress.post(body())
    assert "was not accepted" in refused(answer, 503, "not-accepted")["detail"]
    assert 5 <= int(answer.headers["Retry-After"]) <= 10
    assert "password" not in answer.text
    ingress.publisher.fail = None
    assert ingress.post(body()).status_code == 202


def test_a_publisher_that_breaks_its_word_does_not_hold_the_sender_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellhop.ingest.webhooks._GRACE_SECONDS", -5.0)  # with the confirm time of 5 s: at once
    ingress = Ingress()
    ingress.publisher.silent = True
    refused(ingress.post(body()), 503, "not-accepted")


# --- answered later ---------------------------------------------------------------------------------------------


class LaterPublisher(MemoryPublisher):
    def publish(self, message: Message, to: Address) -> Future[None]:
        self.handed.append(Future())
        return self.handed[-1]

    handed: list[Future[None]]


class Begun:
    """A post to a server that waits for confirms by itself, as far as the application is called."""

    def __init__(self, content: bytes, path: str = "/webhooks/crm") -> None:
        self.ingress = Ingress()
        self.publisher = LaterPublisher()
        self.publisher.handed = []
        self.app = create_app(
            settings(), self.publisher, MemoryEvents(), observe=self.ingress.told, clock=Clock(now=lambda: NOW)
        )
        environ = EnvironBuilder(
            path=path, method="POST", data=content, headers=[*signed(content).items()]
        ).get_environ()
        self.awaited = environ[AWAITED] = Awaited()
        self.statuses: list[str] = []
        self.pieces = self.app(environ, lambda status, *_: self.statuses.append(status))  # type: ignore[arg-type]

    def answer(self) -> bytes:
        return b"".join(self.pieces)


@pytest.mark.parametrize("path", ["/webhooks/crm", "/webhooks/crm/"])
def test_an_answer_waits_for_its_confirm_where_the_server_can(path: str) -> None:
    begun = Begun(body(), path)
    assert (begun.awaited.confirms, begun.statuses, begun.ingress.told.calls) == (begun.publisher.handed, [], [])
    begun.publisher.handed[0].set_result(None)
    assert json.loads(begun.answer())["id"] == "msg-1"
    assert (begun.statuses, begun.ingress.told.names) == (["202 ACCEPTED"], ["webhook.accepted"])


@pytest.mark.parametrize("error", [BrokerUnavailable("away"), PublishUnconfirmed("late"), Unroutable("nowhere")])
def test_what_is_not_confirmed_later_is_answered_503(error: BrokerError) -> None:
    begun = Begun(body())
    begun.publisher.handed[0].set_exception(error)
    assert json.loads(begun.answer())["type"] == "urn:bellhop:problem:not-accepted"
    assert (begun.statuses, begun.ingress.told.names) == (["503 SERVICE UNAVAILABLE"], ["webhook.refused"])


def test_what_is_asked_for_before_its_confirm_once_the_time_is_over_is_answered_503(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bellhop.ingest.webhooks._GRACE_SECONDS", -5.0)
    begun = Begun(body())
    begun.answer()
    assert begun.statuses == ["503 SERVICE UNAVAILABLE"]


def test_what_is_refused_waits_for_nothing() -> None:
    begun = Begun(b"{}")
    assert (begun.awaited.confirms, begun.statuses) == ((), ["422 UNPROCESSABLE ENTITY"])


def test_what_nobody_foresaw_is_answered_500_without_its_words(ingress: Ingress) -> None:
    ingress.publisher.fail = RuntimeError("Ada Lee, and a password")  # type: ignore[assignment]
    answer = ingress.post(body())
    refused(answer, 500, "internal")
    assert "Ada" not in answer.text
    crashed, ended = ingress.told.calls
    assert crashed[0] == "webhook.crashed"
    assert (crashed[1]["error"], crashed[1]["source"], crashed[1]["id"]) == ("RuntimeError", "crm", "msg-1")
    assert (ended[0], ended[1]["status"], ended[1]["reason"]) == ("webhook.refused", 500, "internal")


# --- told -------------------------------------------------------------------------------------------------------


def test_each_post_is_told_of_once_with_plain_fields(ingress: Ingress) -> None:
    ingress.post(body())
    ((name, fields),) = ingress.told.calls
    seconds = fields.pop("seconds")
    assert isinstance(seconds, float)
    assert name == "webhook.accepted"
    assert fields == {"source": "crm", "type": "member.updated", "route": "members", "status": 202, "id": "msg-1"}


@pytest.mark.parametrize(
    ("post", "source", "id_", "reason"),
    [
        (lambda i: i.post(body(), {}, "made-up"), "", "", "unknown-source"),
        (lambda i: i.post(body(), JSON), "crm", "", "not-verified"),
        (lambda i: i.post(b"{"), "crm", "msg-1", "malformed-json"),
        (lambda i: i.post(b"{}"), "crm", "msg-1", "invalid-event"),
    ],
)
def test_a_refusal_is_told_of_with_what_is_known_by_then(
    ingress: Ingress, post: Callable[[Ingress], TestResponse], source: str, id_: str, reason: str
) -> None:
    answer = post(ingress)
    ((name, fields),) = ingress.told.calls
    assert name == "webhook.refused"
    assert (fields["source"], fields["id"], fields["reason"]) == (source, id_, reason)
    assert fields["status"] == answer.status_code


def test_neither_secrets_nor_guests_are_told_of(ingress: Ingress) -> None:
    data = salon_booking("SB-1", 1)
    ingress.post(body("booking.requested", data))
    ingress.post(body("booking.requested", data | {"client": {"name": "", "email": "Ada Lee"}}))
    ingress.post(body("booking.requested", data), bearing("wrong-" + TOKEN), "static")
    told = repr(ingress.told.calls)
    for secret in ("Ada", "example.test", SECRET, TOKEN):
        assert secret not in told


# --- probes and other methods -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_upstream_may_ask_whether_there_is_someone(ingress: Ingress, method: str) -> None:
    assert ingress.client.open("/webhooks/crm", method=method).status_code == 200
    assert ingress.client.open("/webhooks/nobody", method=method).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_method_is_refused_naming_those_that_are_taken(ingress: Ingress, method: str) -> None:
    answer = ingress.client.open("/webhooks/crm", method=method, data=body(), headers=signed(body()))
    refused(answer, 405, "method-not-allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}
    assert ingress.publisher.published == []


@pytest.mark.parametrize(
    "path", ["/", "/webhooks", "/webhooks/", "/webhooks/crm/more", "//webhooks//crm", "/events/crm"]
)
def test_an_address_where_nothing_is_gives_a_problem_and_no_redirect(ingress: Ingress, path: str) -> None:
    refused(ingress.client.post(path, data=body(), headers=signed(body())), 404, "not-found")


def test_a_wrong_secret_stops_the_start() -> None:
    from bellhop.vendors.settings import build

    document = DOCUMENT | {"sources": {"crm": {"verifier": "bearer", "secrets": ["short"]}}}
    with pytest.raises(SettingsError, match=r"sources\.crm\.secrets"):
        create_app(build(document), MemoryPublisher(), MemoryEvents())


def test_no_post_is_refused_for_its_signature_while_rotated_secrets_are_not_known() -> None:
    known = False
    app = create_app(
        settings(), MemoryPublisher(), MemoryEvents(), clock=Clock(now=lambda: NOW), secrets_known=lambda: known
    )
    forged = {**signed(body()), "webhook-signature": "v1,AAAA"}

    answer = app.test_client().post("/webhooks/crm", data=body(), headers=forged)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]

    known = True
    assert app.test_client().post("/webhooks/crm", data=body(), headers=forged).status_code == 401
