"""How the parts say where a trace goes: through the ingress, the queue and the vendor's call.

`telemetry.tracing` makes Sentry's spans of it, `telemetry.otel` OpenTelemetry's; the silent one costs next to nothing.
Facts and tags hold neither secrets nor personal data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

NO_HEADERS: Final[Mapping[str, str]] = {}
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32}-[0-9a-f]{16})-[0-9a-f]{2}")
_SENTRY: Final = re.compile(r"([0-9a-f]{32}-[0-9a-f]{16})(?:-[01])?")


@dataclass(frozen=True, slots=True)
class Received:
    """A message taken from a queue. size: of its body, in bytes. latency: seconds since it was put there, None where
    that is not known. retries: the tries before this one. trace: the headers it carries. origin: those with which the
    webhook it began with was accepted."""

    queue: str
    id: str
    size: int
    latency: float | None
    retries: int
    trace: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict)


class Span(Protocol):
    @property
    def carried(self) -> Mapping[str, str]:
        """The headers with which whoever comes next goes on from here; empty where nothing is traced."""
        ...

    def set(self, name: str, value: str | int | float) -> None:
        """A fact about it."""
        ...

    def status(self, word: str) -> None:
        """How it ended, where not well: one of Sentry's words, `internal_error` and so on."""
        ...

    def end(self) -> None:
        """Ends it, where nothing else does."""
        ...


class Tracer(Protocol):
    def publish(self, queue: str, id_: str, tags: Mapping[str, str], trace: Mapping[str, str] | None = None) -> Span:
        """A message on its way to a queue, until the span's `end`. trace: the headers from which it goes on, None where
        it is part of what this thread does anyway."""
        ...

    def process(self, received: Received) -> AbstractContextManager[Span]:
        """A message at work, as part of the trace it carries."""
        ...

    def call(self, verb: str, name: str, host: str) -> AbstractContextManager[Span]:
        """A request to a vendor."""
        ...

    def ingress(self, app: WSGIApplication) -> WSGIApplication:
        """The ingress as it is served: a sender's trace goes on, and whether it is sampled is ours to say."""
        ...


class NoSpan:
    """Tells nobody."""

    carried: Mapping[str, str] = NO_HEADERS

    def set(self, name: str, value: str | int | float) -> None: ...

    def status(self, word: str) -> None: ...

    def end(self) -> None: ...


_NO_SPAN: Final = NoSpan()


class NoTracer:
    """Traces nothing."""

    def publish(self, queue: str, id_: str, tags: Mapping[str, str], trace: Mapping[str, str] | None = None) -> Span:
        return _NO_SPAN

    @contextmanager
    def process(self, received: Received) -> Iterator[Span]:
        yield _NO_SPAN

    @contextmanager
    def call(self, verb: str, name: str, host: str) -> Iterator[Span]:
        yield _NO_SPAN

    def ingress(self, app: WSGIApplication) -> WSGIApplication:
        return app


UNTRACED: Final = NoTracer()


def parent_of(trace: Mapping[str, str]) -> str:
    """The trace's id and the span's from which it goes on, `<32 hex>-<16 hex>`; "" where there is none."""
    for name, form in (("sentry-trace", _SENTRY), ("traceparent", _TRACEPARENT)):
        if found := form.fullmatch(trace.get(name, "")):
            return found[1]
    return ""
