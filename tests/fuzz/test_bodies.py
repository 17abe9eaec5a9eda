"""Bodies of every source format, whatever is put wrong in them, at the ingress: nobody makes it fail, nothing is taken
that its contract refuses, what is answered 2xx is in the queue whole, and no log line holds a guest or a secret."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import io
import json
from base64 import b64encode
from typing import Any, Final

from hypothesis import strategies as st
from werkzeug.test import TestResponse

from bellhop.broker.messages import work_message
from bellhop.broker.topology import work
from bellhop.ingest.app import create_app
from bellhop.schemas import events
from bellhop.schemas.clock import Clock
from bellhop.schemas.envelope import Envelope, decode_recordable
from bellhop.schemas.redact import Redactor
from bellhop.telemetry.logs import Telemetry
from bellhop.vendors.settings import build
from tests.support.facts import cancel, salon_booking, spa_booking
from tests.support.fuzzing import TRIED, guest_of, put_wrong, samples_of, target
from tests.support.ingress import DOCUMENT, NOW, TOKEN, MemoryEvents, MemoryPublisher, bearing
from tests.unit.ingest.formats.test_adapters import SOURCES

SETTINGS: Final = build(
    DOCUMENT
    | {
        "sources": {
            name: {"verifier": "bearer", "secrets": [TOKEN], "member_account": "club"} | more
            for name, more in {**SOURCES, "lenient": {"unknown": "warn"}, "form": {"verifier": "acuity"}}.items()
        }
    }
)
ANSWERS: Final = (200, 202, 400, 413, 415, 422)
GUEST: Final = {"name": "Zoe Quillon", "email": "zoe.quillon@example.test", "phone": "+16045550177"}


class Door:
    """The ingress with all sources, its queue and its log in memory."""

    def __init__(self) -> None:
        self.publisher, self.log = MemoryPublisher(), io.StringIO()
        telemetry = Telemetry("ingest", Redactor(SETTINGS.secrets, SETTINGS.names), level="debug", stream=self.log)
        app = create_app(SETTINGS, self.publisher, MemoryEvents(), observe=telemetry, clock=Clock(now=lambda: NOW))
        self._client = app.test_client()

    def post(self, source: str, content: bytes, headers: dict[str, str]) -> TestResponse:
        self.publisher.published.clear()
        self.log.seek(0)
        self.log.truncate()
        # As a stream: of `data` the client would make a body of its own for a form.
        given = headers | {"content-length": str(len(content))}
        return self._client.post(f"/webhooks/{source}", input_stream=io.BytesIO(content), headers=given)


DOOR: Final = Door()


def hold(source: str, content: bytes, headers: dict[str, str], guest: tuple[str, ...] = ()) -> None:
    answer = DOOR.post(source, content, headers)
    told = DOOR.log.getvalue()
    assert answer.status_code in ANSWERS, (answer.status_code, answer.text)
    assert "crashed" not in told, told
    assert [text for text in (*guest, TOKEN) if text in told] == []
    queued = [_whole(message, to) for message, to in DOOR.publisher.published]
    if answer.status_code in (200, 202) or "events" in answer.get_json(force=True):
        rows = answer.get_json(force=True).get("events", [answer.get_json(force=True)])
        assert [row["id"] for row in rows if "status_url" in row] == [envelope.id for envelope in queued]
        assert answer.status_code == 422 or not any("errors" in row for row in rows)
    else:
        assert queued == []
    TRIED["answered 2xx" if answer.status_code < 300 else "answered 4xx"] += 1


def _whole(message: Any, to: Any) -> Envelope:
    """What stands in the queue, which is the event as it was taken, and keeps its contract."""
    envelope = decode_recordable(message.body)
    assert to == work(envelope.route)
    assert message.id == envelope.message_id
    assert work_message(envelope, envelope.received).body == message.body
    if envelope.type in events.TYPES:
        again = {"type": envelope.type, "timestamp": envelope.time.isoformat(), "data": dict(envelope.data)}
        parsed = events.parse(again, SETTINGS.venues.get)
        assert parsed.subject == envelope.subject
    return envelope


def as_json(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=True).encode()


OURS: Final = [
    {"type": type_, "timestamp": "2026-11-20T11:59:58Z", "data": data}
    for type_ in events.BOOKING_TYPES
    for data in (
        salon_booking("R-1", 1) | {"client": GUEST, "notes": "allergic to Quillon"},
        spa_booking("R-2", 2) | {"status": "BOOKED", "client": GUEST},
        cancel(salon_booking("R-1", 1)),
    )
] + [
    {"type": type_, "timestamp": "2026-11-20T11:59:58Z", "data": {"member_id": 77, "profile": GUEST}}
    for type_ in events.MEMBER_TYPES
]
FORMATS: Final = {
    "sevenrooms": samples_of("sevenrooms"),
    "sevenrooms-pulled": samples_of("sevenrooms"),
    "tripleseat": samples_of("tripleseat"),
    "tripleseat-pulled": samples_of("tripleseat"),
    "callbacks": samples_of("simplybook"),
    "calendar": samples_of("mapped"),
    "members": [{"customer_no": 312, "email": GUEST["email"]}],
    "plain": OURS,
}


@target(source=st.sampled_from(["native", "lenient"]), body=put_wrong(*OURS))
def test_a_body_in_our_own_words(source: str, body: Any) -> None:
    hold(source, as_json(body), bearing(), tuple(GUEST.values()))


def _target_of(source: str) -> Any:
    guest = tuple({text for sample in FORMATS[source] for text in guest_of(sample)})

    def law(body: Any) -> None:
        hold(source, as_json(body), bearing(), guest)

    law.__name__ = f"test_a_body_of_source_{source}".replace("-", "_")
    return target(body=put_wrong(*FORMATS[source]))(law)


test_a_body_of_sevenrooms = _target_of("sevenrooms")
test_a_body_of_sevenrooms_that_is_pulled = _target_of("sevenrooms-pulled")
test_a_body_of_tripleseat = _target_of("tripleseat")
test_a_body_of_tripleseat_that_is_pulled = _target_of("tripleseat-pulled")
test_a_callback_of_simplybook = _target_of("callbacks")
test_a_mapped_body = _target_of("calendar")
test_a_mapped_member = _target_of("members")
test_a_body_of_ours_that_is_pulled = _target_of("plain")

TYPES: Final = [
    *("application/json", "application/json; charset=utf-8", "application/json; charset=latin-1", "text/plain", ""),
    *("application/vnd.x+json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "\xff", ";;="),
]
CODINGS: Final = ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"]


@st.composite
def raw(draw: st.DrawFn) -> bytes:
    content = json.dumps(draw(put_wrong(*OURS)), ensure_ascii=draw(st.booleans())).encode("utf-8", "replace")
    content = content.decode().encode(draw(st.sampled_from(CODINGS)), "replace")
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        content = content[:at] + draw(st.binary(max_size=4)) + content[at + draw(st.integers(0, 3)) :]
    return gzip.compress(content, mtime=0) if draw(st.booleans()) else content


@target(
    source=st.sampled_from(["native", "calendar", "form"]),
    content=raw() | st.binary(max_size=300),
    media=st.sampled_from(TYPES),
    coding=st.sampled_from(["", "", "gzip", "x-gzip", "identity", "br", "gzip, gzip", "\xff"]),
)
def test_any_bytes_of_any_type_and_encoding(source: str, content: bytes, media: str, coding: str) -> None:
    made = b64encode(hmac.new(TOKEN.encode(), content, hashlib.sha256).digest()).decode()
    headers = bearing() | {"x-acuity-signature": made, "content-type": media, "content-encoding": coding}
    hold(source, content, headers, tuple(GUEST.values()))
