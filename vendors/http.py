"""HTTP to the vendors: every failure classified.

What counts is whether the request may have been carried out: before it was sent it certainly was not; afterwards
only an answer tells. Peoplevine's credentials stand in its query strings, so no error here quotes a URL.
"""

from __future__ import annotations

import json
import math
import re
import socket
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlencode

from bellhop.ledger.records import Json
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.nesting import is_nested_too_deep
from bellhop.schemas.redact import Redactor
from bellhop.schemas.trace import UNTRACED, Tracer
from bellhop.vendors.connections import Connections
from bellhop.vendors.exchange import BrokenOff, NotSent, RawAnswer, Request, Unanswered
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.ids import ids_in
from bellhop.vendors.pages import page_kind
from bellhop.vendors.phrases import THROTTLED, normal
from bellhop.vendors.sockets import Host, read_url

ANSWER_KEPT_CHARACTERS: Final = 2000
WORDS_KEPT_CHARACTERS: Final = 300
EVIDENCE_BYTES: Final = 8192
LONGEST_PAUSE_SECONDS: Final = 3600.0
"""A Retry-After beyond it is a slip (a time instead of a span, say): it would hold the account for years."""

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")

_UNREACHABLE: Final = (
    (socket.gaierror, "its name is not known"),
    (TimeoutError, "no connection in time"),
    (ConnectionRefusedError, "it refuses connections"),
    (ssl.SSLCertVerificationError, "its certificate cannot be trusted"),
    (ssl.SSLError, "no TLS with it"),
)
"""Why nothing was sent, for people."""


@dataclass(frozen=True, slots=True)
class Where:
    """What a call is, for its failures: vendor and method."""

    vendor: str
    method: str

    @property
    def name(self) -> str:
        return f"{self.vendor} {self.method}".strip()

    def failure(self, kind: Kind, message: str, answer: HttpAnswer | None = None) -> VendorFailure:
        """That it failed; answer: what came of it, where something did."""
        if answer is None:
            return VendorFailure(kind, vendor=self.vendor, method=self.method, message=message)
        return VendorFailure(
            kind,
            vendor=self.vendor,
            method=self.method,
            message=message,
            retry_after=answer.retry_after,
            status=answer.status,
            answer=answer.kept,
        )


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """`json` is None where the body is not JSON. own_id: what we named the request by, which is no booking's."""

    status: int
    json: Any
    raw: bytes
    retry_after: float | None
    redactor: Redactor
    secrets: Collection[str] = ()
    own_id: str = ""

    @property
    def text(self) -> str:
        """The body's beginning without secrets, for people. Made only when asked for: successes need it not."""
        beginning = self.raw[: 4 * ANSWER_KEPT_CHARACTERS].decode("utf-8", "replace")
        return self._masking.cut_text(beginning)[:ANSWER_KEPT_CHARACTERS]

    @property
    def kept(self) -> Json:
        """What is kept of it as evidence; of a large one its beginning."""
        is_text = self.json is None or len(self.raw) > EVIDENCE_BYTES
        return {"status": self.status, "body": self.text if is_text else self._masking.value(self.json)}

    @property
    def whole(self) -> object:
        """The body, decoded where it is JSON."""
        return self.text if self.json is None else self.json

    def evidence(self, told: object) -> Json:
        """What is kept of it, with the ids of bookings that may stand in what it told: a person looks for them."""
        found = [id_ for id_ in ids_in(told) if id_ != self.own_id]
        return {**self.kept, "look_for": found} if found else self.kept

    def words(self, text: str) -> str:
        """Words of the vendor's, for a failure: without secrets, which it may echo, and not without end."""
        return self._masking.text(text)[:WORDS_KEPT_CHARACTERS]

    @property
    def _masking(self) -> Redactor:
        return self.redactor.also(self.secrets) if self.secrets else self.redactor


class HttpClient:
    """`pool_size`: connections kept for each host; more are opened when needed, and closed after use.

    connections: other connections than the usual. enough_bytes: see `exchange.Request`.
    """

    def __init__(
        self,
        *,
        pool_size: int,
        redactor: Redactor,
        tracer: Tracer = UNTRACED,
        connections: Connections | None = None,
        enough_bytes: int | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._connections = connections or Connections(pool_size)
        self._enough = enough_bytes
        self._redactor = redactor
        self._clock = clock
        self._tracer = tracer

    def request(
        self,
        where: Where,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        connect_seconds: float,
        read_seconds: float,
        is_read: bool = False,
        secrets: Collection[str] = (),
        own_id: str = "",
    ) -> HttpAnswer:
        """Sends one request and reads the whole answer, whatever its status below 500 but 429, within both times
        together. body: made JSON of, or JSON already, as bytes. is_read: nothing changes by it.
        secrets: what is sent with it and must not be told, should the vendor echo it. own_id: see `HttpAnswer`.
        Raises VendorFailure: TRANSIENT before it was sent, UNKNOWN after, THROTTLED for 429, UNKNOWN for 5xx whose body
        is not JSON (one that is may hold the vendor's own error, which the caller classifies).
        """
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body, ensure_ascii=False).encode()
        fields = {"accept": "application/json", "user-agent": "bellhop", **(headers or {})}
        if sent is not None:
            fields["content-type"] = "application/json"
        host, target = _target(where, url, query)
        request = Request(method, target, sent, fields, self._enough)
        with self._tracer.call(method, where.name, host.name) as span:
            try:
                raw = self._connections.exchange(
                    host, request, connect_seconds=connect_seconds, read_seconds=read_seconds, is_read=is_read
                )
            except (NotSent, Unanswered) as problem:
                raise _no_answer(where, problem) from None
            except BrokenOff as problem:
                raise self._cut_short(where, problem.answer, secrets, own_id) from None
            span.set("http.response.status_code", raw.status)
            if raw.status >= 400:
                span.status("internal_error" if raw.status >= 500 else "invalid_argument")
        return self._check(where, self._read_answer(raw, secrets, own_id))

    def _read_answer(self, raw: RawAnswer, secrets: Collection[str], own_id: str) -> HttpAnswer:
        retry_after = self._retry_after(raw.headers.get("retry-after"))
        return HttpAnswer(raw.status, _decode(raw.body), raw.body, retry_after, self._redactor, secrets, own_id)

    def _cut_short(self, where: Where, raw: RawAnswer, secrets: Collection[str], own_id: str) -> VendorFailure:
        """An answer of which the end is missing is none: without a status, and with what came of it."""
        message, answer = f"HTTP {raw.status}, but its answer broke off", self._read_answer(raw, secrets, own_id)
        kept = answer.evidence(answer.whole)
        return VendorFailure(Kind.UNKNOWN, vendor=where.vendor, method=where.method, message=message, answer=kept)

    def _check(self, where: Where, answer: HttpAnswer) -> HttpAnswer:
        if answer.status == 429 or (answer.status == 403 and THROTTLED.is_in(normal(answer.text))):
            raise where.failure(Kind.THROTTLED, f"HTTP {answer.status}: too many requests", answer)
        if answer.status >= 500 and not isinstance(answer.json, dict):
            raise page_failure(where, answer)
        return answer

    def _retry_after(self, value: str | None) -> float | None:
        """Seconds, from seconds or an HTTP date; None where it is neither."""
        if value is None:
            return None
        text = value.strip()
        if text.isascii() and text.isdigit():
            return min(float(text), LONGEST_PAUSE_SECONDS)
        try:
            at = parsedate_to_datetime(value)
        except (ValueError, TypeError):
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return min(max(0.0, (at - self._clock.now()).total_seconds()), LONGEST_PAUSE_SECONDS)


def _decode(raw: bytes) -> Any:
    """The JSON of an answer, None where it is none. What nothing behind can store or send on (NaN, infinity, NUL, half
    of a surrogate pair) is taken out here: an answer must not end the worker that keeps it."""
    if is_nested_too_deep(raw):
        return None
    try:
        text = raw.decode(json.detect_encoding(raw), "replace").lstrip("\ufeff \t\r\n")  # .NET puts one before its JSON
        found = json.loads(text, parse_constant=lambda _: None, parse_float=_finite)
        return _storable(found) if b"\\u" in raw or b"\x00" in raw else found
    except ValueError:
        return None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, dict):
        return {_storable(key): _storable(inner) for key, inner in value.items()}
    return [_storable(inner) for inner in value] if isinstance(value, list) else value


def _target(where: Where, url: str, query: Mapping[str, str] | None) -> tuple[Host, str]:
    try:
        host, path = read_url(url)
    except ValueError:
        raise where.failure(Kind.TRANSIENT, "could not be reached (its URL is none)") from None
    return host, f"{path}{'&' if '?' in path else '?'}{urlencode(query)}" if query else path


def _no_answer(where: Where, problem: NotSent | Unanswered) -> VendorFailure:
    """The failure of a call that was not answered. Whether it was sent decides whether it may have been carried out."""
    cause = problem.__cause__
    name = type(cause).__name__
    if isinstance(problem, NotSent):
        words = next((words for kind, words in _UNREACHABLE if isinstance(cause, kind)), name)
        return where.failure(Kind.TRANSIENT, f"could not be reached ({words})")
    if isinstance(cause, TimeoutError):
        return where.failure(Kind.UNKNOWN, "no answer in time")
    return where.failure(Kind.UNKNOWN, f"the connection broke before an answer ({name})")


def page_failure(where: Where, answer: HttpAnswer) -> VendorFailure:
    """The failure for an answer without the vendor's own words: a page, or the JSON of something before it."""
    hint = ": base_url is redirected elsewhere" if 300 <= answer.status < 400 else ""
    body = "not in the vendor's form" if answer.raw.strip() else "with an empty body"
    failure = where.failure(page_kind(answer.status), f"HTTP {answer.status}{hint}, {body}", answer)
    if failure.kind is Kind.UNKNOWN:
        failure.answer = answer.evidence(answer.whole)
    # A Zend server's own answer is empty where its result cannot be written: it is there.
    failure.from_page = failure.kind is not Kind.AUTH and not (answer.status == 200 and not answer.raw.strip())
    return failure
