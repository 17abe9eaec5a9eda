"""HTTP to the vendors: one thread-safe pool of connections, and every failure classified.

What counts is whether the request may have been carried out: before it was sent it certainly was not; afterwards
only an answer tells. Peoplevine's credentials stand in its query strings, so no error here quotes a URL.
"""

from __future__ import annotations

import json
import math
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final, NoReturn
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3 import exceptions as errors

from bellhop.ledger.records import Json
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.nesting import is_nested_too_deep
from bellhop.schemas.redact import Redactor
from bellhop.schemas.trace import UNTRACED, Tracer
from bellhop.vendors import connections
from bellhop.vendors.failure import Kind, VendorFailure

MAX_ANSWER_BYTES: Final = 5 * 1024 * 1024
ANSWER_KEPT_CHARACTERS: Final = 2000
WORDS_KEPT_CHARACTERS: Final = 300
LONGEST_PAUSE_SECONDS: Final = 3600.0
"""A Retry-After beyond it is a slip (a time instead of a span, say): it would hold the account for years."""

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")

_NOT_SENT: Final = (errors.NewConnectionError, errors.ConnectTimeoutError, errors.LocationParseError)


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
    """`json` is None where the body is not JSON."""

    status: int
    json: Any
    raw: bytes
    retry_after: float | None
    redactor: Redactor

    @property
    def text(self) -> str:
        """The body's beginning without secrets, for people. Made only when asked for: successes need it not."""
        beginning = self.raw[: 4 * ANSWER_KEPT_CHARACTERS].decode("utf-8", "replace")
        return self.redactor.text(beginning)[:ANSWER_KEPT_CHARACTERS]

    @property
    def kept(self) -> Json:
        """What is kept of it as evidence."""
        body = self.text if self.json is None else self.redactor.value(self.json)
        return {"status": self.status, "body": body}

    def words(self, text: str) -> str:
        """Words of the vendor's, for a failure: without secrets, which it may echo, and not without end."""
        return self.redactor.text(text)[:WORDS_KEPT_CHARACTERS]


class HttpClient:
    """`pool_size`: connections kept for each host; more are opened when needed, and closed after use.

    pools: other connections than the usual. enough_bytes: where the status is the answer, no more of a body is read,
    and a body that breaks off is what came of it; None: a body counts, and counts whole.
    """

    def __init__(
        self,
        *,
        pool_size: int,
        redactor: Redactor,
        tracer: Tracer = UNTRACED,
        pools: urllib3.PoolManager | None = None,
        enough_bytes: int | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._pool = pools or connections.pools(pool_size)
        self._enough = enough_bytes
        self._targets: dict[str, tuple[urllib3.HTTPConnectionPool, str]] = {}
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
    ) -> HttpAnswer:
        """Sends one request and reads the whole answer, whatever its status below 500 but 429. body: made JSON of, or
        JSON already, as bytes.

        Raises VendorFailure: TRANSIENT before it was sent, UNKNOWN after, THROTTLED for 429, UNKNOWN for 5xx whose body
        is not JSON (one that is may hold the vendor's own error, which the caller classifies).
        """
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body, ensure_ascii=False).encode()
        fields = {"accept": "application/json", **(headers or {})}
        if sent is not None:
            fields["content-type"] = "application/json"
        timeout = urllib3.Timeout(connect=connect_seconds, read=read_seconds)
        with self._tracer.call(method, where.name, urlsplit(url).hostname or "") as span:
            response, raw = self._send(where, method, url, query, sent, fields, timeout)
            span.set("http.response.status_code", response.status)
            if response.status >= 400:
                span.status("internal_error" if response.status >= 500 else "invalid_argument")
        return self._answer(where, response, raw)

    def _send(
        self,
        where: Where,
        method: str,
        url: str,
        query: Mapping[str, str] | None,
        sent: bytes | None,
        fields: Mapping[str, str],
        timeout: urllib3.Timeout,
    ) -> tuple[urllib3.BaseHTTPResponse, bytes]:
        try:
            pool, path = self._target(url)
            target = f"{path}{'&' if '?' in path else '?'}{urlencode(query)}" if query else path
            response = pool.urlopen(
                method, target, sent, fields, retries=False, redirect=False, timeout=timeout, preload_content=False
            )
        except errors.HTTPError as error:
            _fail(where, error)
        deadline = self._clock.monotonic() + float(timeout.read_timeout or 0)
        if self._enough is not None:
            return response, self._beginning(response, self._enough, deadline)
        try:
            raw = self._read(response, deadline)
        except (errors.HTTPError, OSError, TimeoutError) as error:
            response.close()
            _unknown(where, f"its answer broke off ({type(error).__name__})", response.status)
        response.release_conn()
        return response, raw

    def _read(self, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        """The whole body. urllib3's read time-out is for one read: without a deadline an answer in drops never ends."""
        parts, size = [], 0
        for part in response.stream(65_536):
            size += len(part)
            if size > MAX_ANSWER_BYTES:
                raise errors.HTTPError("answer too large")
            if self._clock.monotonic() > deadline:
                raise TimeoutError
            parts.append(part)
        return b"".join(parts)

    def _beginning(self, response: urllib3.BaseHTTPResponse, enough: int, deadline: float) -> bytes:
        """What comes of the body: at most so many bytes, until the deadline, or until it breaks off."""
        raw, is_whole = b"", False
        try:
            while len(raw) < enough and self._clock.monotonic() < deadline:
                part = response.read1(enough - len(raw))
                if is_whole := not part:
                    break
                raw += part
        except (errors.HTTPError, OSError):
            pass
        if is_whole:
            response.release_conn()
        else:
            response.close()
        return raw

    def _target(self, url: str) -> tuple[urllib3.HTTPConnectionPool, str]:
        """The connections of a URL's host, and its path and query. Kept: parsing it costs as much as a tenth of a
        call."""
        found = self._targets.get(url)
        if found is None:
            parts = urlsplit(url)
            path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
            found = self._targets[url] = (self._pool.connection_from_url(url), path)
        return found

    def _answer(self, where: Where, response: urllib3.BaseHTTPResponse, raw: bytes) -> HttpAnswer:
        decoded = _decode(raw)
        retry_after = self._retry_after(response.headers.get("retry-after"))
        answer = HttpAnswer(response.status, decoded, raw, retry_after, self._redactor)
        if answer.status == 429 or (answer.status == 403 and "too many requests" in answer.text.lower()):
            raise where.failure(Kind.THROTTLED, f"HTTP {answer.status}: too many requests", answer)
        if answer.status >= 500 and not isinstance(decoded, dict):
            # Also 503: a gateway may give up on a request that the vendor behind it still carries out.
            raise where.failure(Kind.UNKNOWN, f"HTTP {answer.status}", answer)
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
        found = json.loads(raw.decode("utf-8", "replace"), parse_constant=lambda _: None, parse_float=_finite)
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


def _fail(where: Where, error: errors.HTTPError) -> NoReturn:
    inner = error.reason if isinstance(error, errors.MaxRetryError) else error
    if isinstance(inner, _NOT_SENT) or _is_before_sending(inner):
        raise where.failure(Kind.TRANSIENT, f"could not be reached ({type(inner).__name__})") from None
    if isinstance(inner, errors.ReadTimeoutError):
        _unknown(where, "no answer in time", None)
    _unknown(where, f"the connection broke before an answer ({type(inner).__name__})", None)


def _is_before_sending(error: Exception | None) -> bool:
    """Whether TLS failed before the request could be sent. urllib3 raises SSLError for what breaks later, too: taken
    for "not sent", a booking whose answer was cut off would be made again."""
    cause = error.args[0] if isinstance(error, errors.SSLError) and error.args else None
    return isinstance(cause, ssl.SSLCertVerificationError) or getattr(cause, "reason", "") == "WRONG_VERSION_NUMBER"


def _unknown(where: Where, message: str, status: int | None) -> NoReturn:
    raise VendorFailure(
        Kind.UNKNOWN, vendor=where.vendor, method=where.method, message=message, status=status
    ) from None


def refusal(where: Where, answer: HttpAnswer) -> VendorFailure:
    """The failure for an answer that is a refusal by its HTTP status alone: 3xx or 4xx without the vendor's words."""
    kind = Kind.AUTH if answer.status in (401, 403) else Kind.REJECTED
    hint = ": base_url is redirected elsewhere" if 300 <= answer.status < 400 else ""
    if answer.status == 408:
        kind = Kind.UNKNOWN
    return VendorFailure(
        kind,
        vendor=where.vendor,
        method=where.method,
        message=f"HTTP {answer.status}{hint}",
        status=answer.status,
        answer=answer.kept,
    )
