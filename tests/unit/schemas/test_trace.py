"""Which trace a message goes on with, and what strangers may say about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bellhop.schemas.clock import Clock
from bellhop.schemas.envelope import decode
from bellhop.schemas.settings import SentrySettings
from bellhop.schemas.trace import UNTRACED, NoSpan, NoTracer, parent_of
from bellhop.telemetry.tracing import own_sampling, tracer
from bellhop.vendors.settings import build
from tests.support.ingress import DOCUMENT, NOW, MemoryEvents, MemoryPublisher, body, signed

TRACE, SPAN = "a" * 32, "b" * 16


@pytest.mark.parametrize(
    ("carried", "parent"),
    [
        ({}, ""),
        ({"sentry-trace": f"{TRACE}-{SPAN}"}, f"{TRACE}-{SPAN}"),
        ({"sentry-trace": f"{TRACE}-{SPAN}-1"}, f"{TRACE}-{SPAN}"),
        ({"traceparent": f"00-{TRACE}-{SPAN}-01"}, f"{TRACE}-{SPAN}"),
        ({"sentry-trace": f"{TRACE}-{SPAN}-0", "traceparent": f"00-{'c' * 32}-{SPAN}-01"}, f"{TRACE}-{SPAN}"),
        ({"sentry-trace": "a guest's name", "traceparent": f"00-{TRACE}-{SPAN}-01"}, f"{TRACE}-{SPAN}"),
        ({"traceparent": "00-zz-01"}, ""),
    ],
)
def test_the_parent_is_the_first_that_is_well_formed(carried: dict[str, str], parent: str) -> None:
    assert parent_of(carried) == parent


@pytest.mark.parametrize("sample", ["-0", "-1", ""])
def test_a_strangers_word_on_sampling_is_dropped_and_its_trace_kept(sample: str) -> None:
    seen: dict[str, Any] = {}

    def app(environ: dict[str, Any], start_response: object) -> list[bytes]:
        seen.update(environ)
        return []

    environ = {"HTTP_SENTRY_TRACE": f"{TRACE}-{SPAN}{sample}", "HTTP_BAGGAGE": "sentry-sample_rand=0", "PATH_INFO": "/"}
    own_sampling(app)(environ, lambda *_: lambda _: None)  # type: ignore[arg-type,return-value]
    assert seen == {"HTTP_SENTRY_TRACE": f"{TRACE}-{SPAN}", "PATH_INFO": "/"}


def test_without_a_dsn_or_a_rate_nothing_is_traced() -> None:
    assert tracer(SentrySettings("", "production", 1.0)) is UNTRACED
    assert tracer(SentrySettings("https://key@sentry.example/1", "production", 0.0)) is UNTRACED

    def app(environ: object, start_response: object) -> list[bytes]:
        return []

    assert UNTRACED.ingress(app) is app


class Spans(NoSpan):
    """A span that is traced: what it was told, and whether it ended."""

    def __init__(self) -> None:
        self.facts: dict[str, object] = {}
        self.statuses: list[str] = []
        self.ended = False
        self.carried = {"sentry-trace": f"{TRACE}-{SPAN}-1"}

    def set(self, name: str, value: str | int | float) -> None:
        self.facts[name] = value

    def status(self, word: str) -> None:
        self.statuses.append(word)

    def end(self) -> None:
        self.ended = True


class OneTrace(NoTracer):
    def __init__(self) -> None:
        self.span = Spans()
        self.published: list[tuple[str, str, Mapping[str, str]]] = []

    def publish(self, queue: str, id_: str, tags: Mapping[str, str], trace: Mapping[str, str] | None = None) -> Spans:
        self.published.append((queue, id_, tags))
        return self.span


def test_an_event_carries_the_span_of_its_publish_and_the_span_lasts_until_the_confirm() -> None:
    from bellhop.ingest.app import create_app

    publisher, traced = MemoryPublisher(), OneTrace()
    app = create_app(build(DOCUMENT), publisher, MemoryEvents(), tracer=traced, clock=Clock(now=lambda: NOW))
    content = body()
    sent = {**signed(content), "sentry-trace": f"{'c' * 32}-{'d' * 16}-1"}
    assert app.test_client().post("/webhooks/crm", data=content, headers=sent).status_code == 202
    ((message, _),) = publisher.published
    assert decode(message.body).trace == {"sentry-trace": f"{TRACE}-{SPAN}-1"}
    assert message.headers["sentry-trace"] == f"{TRACE}-{SPAN}-1"
    tags = {"route": "members", "account": "club", "source": "crm", "id": "msg-1"}
    assert traced.published == [("bellhop.work.members", "crm/msg-1", tags)]
    assert traced.span.facts == {"messaging.message.body.size": len(message.body)}
    assert traced.span.statuses[-1] == "ok"
    assert traced.span.ended


def test_a_publish_that_is_not_confirmed_ends_its_span_as_such() -> None:
    from bellhop.ingest.app import create_app
    from bellhop.schemas.errors import PublishUnconfirmed

    traced = OneTrace()
    publisher = MemoryPublisher(fail=PublishUnconfirmed("no confirm"))
    app = create_app(build(DOCUMENT), publisher, MemoryEvents(), tracer=traced, clock=Clock(now=lambda: NOW))
    content = body()
    assert app.test_client().post("/webhooks/crm", data=content, headers=signed(content)).status_code == 503
    assert (traced.span.statuses[-1], traced.span.ended) == ("unavailable", True)
