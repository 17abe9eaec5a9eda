"""The envelope: an event on the wire, as JSON with CloudEvents' names (specversion 1.0).

It is written by the ingress and by replay, read by workers, the archive and the console. A worker of
another version must be able to read it or refuse it clearly, so it carries its own version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import isinf
from typing import Any, Final, NoReturn

from bellhop.schemas.errors import EnvelopeError
from bellhop.schemas.nesting import is_nested_too_deep

VERSION: Final = 1

MAX_TEXT_BYTES: Final = 512
"""Of an id, a reference and the like: a longer one fits into no index, and would fail only when it is recorded."""
_RECORDED: Final = ("id", "source", "type", "subject", "route", "account", "content_hash")
MAX_GENERATION: Final = 2**31 - 1
_GUEST_DIGITS: Final = 12

Data = Mapping[str, Any]

_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_WIRE: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event on its way.

    id: the delivery id, unique in its source (`webhook-id`, else the body's id, else a hash of the body).
    type: `member.created` … `booking.cancelled`, see `schemas.events`.
    subject: what events are ordered by: the upstream's booking reference, or the member's id.
    time: the upstream's own timestamp, UTC. received: when the ingress took it, UTC.
    content_hash: SHA-256 (hex) of type, time and data in canonical JSON: the same id with another hash is a conflict.
    not_after: the booking's start, UTC; nothing is tried past it. None where there is none.
    trace: `traceparent`, `sentry-trace`, `baggage`, as far as known.
    generation: 0 as posted; each deliberate replay adds one.
    warnings: what the ingress found odd and told the sender, for the event's history. No part of the content.
    coarse: its source's stamps are cut short: of one stamp the order of arrival counts.
    """

    id: str
    source: str
    type: str
    subject: str
    route: str
    account: str
    time: datetime
    received: datetime
    data: Data
    content_hash: str
    not_after: datetime | None = None
    trace: Mapping[str, str] = field(default_factory=dict)
    generation: int = 0
    warnings: tuple[str, ...] = ()
    coarse: bool = False

    @property
    def message_id(self) -> str:
        """The id on the broker: at most 255 bytes, as AMQP's short strings demand."""
        return f"{self.source}/{self.id}"

    @property
    def business_key(self) -> str:
        """Source, reference, kind and timestamp: two events that share it are the same fact, sent twice. Of a request
        and of a cancel its guest too: a group's may bear one reference and one stamp."""
        fact = f"{self.source}/{self.subject}/{self.type}/{_iso(self.time)}"
        guest = self.guest
        return f"{fact}/{guest}" if guest else fact

    @property
    def guest(self) -> str:
        """Of a request or a cancel, a digest of who it is for, by which nobody is found; "" of any other event."""
        return guest_digest(self.data) if self.type in ("booking.requested", "booking.cancelled") else ""

    def next_generation(self) -> Envelope:
        """The same event, one generation on."""
        return replace(self, generation=self.generation + 1)


def guest_digest(data: Data) -> str:
    """Of who an event's data is about, "" where it names nobody."""
    guest = guest_of(data)
    return hashlib.sha256(guest.encode("utf-8", "surrogatepass")).hexdigest()[:_GUEST_DIGITS] if guest else ""


def guest_of(data: Data) -> str:
    """By what an event's guest is told from others, "" where it names none."""
    client = data.get("client")
    named = client if isinstance(client, Mapping) else {}
    known = data.get("member_id") or named.get("email") or named.get("name") or ""
    return " ".join(str(known).casefold().split())


def content_hash(type_: str, time: datetime, data: Data) -> str:
    """SHA-256 (hex) of an event's content; the order of keys and white space do not count."""
    text = _CANONICAL.encode([type_, _iso(time), data])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def encode(envelope: Envelope) -> bytes:
    """The envelope as UTF-8 JSON. Raises ValueError for data JSON cannot say; `schemas.events` lets none pass."""
    wire: dict[str, Any] = {
        "specversion": "1.0",
        "bellhopversion": VERSION,
        "id": envelope.id,
        "source": envelope.source,
        "type": envelope.type,
        "subject": envelope.subject,
        "time": _iso(envelope.time),
        "datacontenttype": "application/json",
        "route": envelope.route,
        "account": envelope.account,
        "received": _iso(envelope.received),
        "contenthash": envelope.content_hash,
        "generation": envelope.generation,
        "data": envelope.data,
    }
    if envelope.not_after is not None:
        wire["notafter"] = _iso(envelope.not_after)
    if envelope.trace:
        wire["trace"] = dict(envelope.trace)
    if envelope.warnings:
        wire["warnings"] = list(envelope.warnings)
    if envelope.coarse:
        wire["coarse"] = True
    return _WIRE.encode(wire).encode("utf-8")


def decode(body: bytes) -> Envelope:
    """The envelope in `body`. Raises EnvelopeError, naming what is missing or wrong, never a value."""
    if is_nested_too_deep(body):
        raise EnvelopeError("not JSON: nested too deep")
    try:
        # Decoded here, as json.loads would let halves of surrogate pairs pass, which nothing can write again.
        text = body.decode("utf-8")
        wire = _READ.decode(text)
        if "\\u" in text:
            json.dumps(wire, ensure_ascii=False).encode("utf-8")
    except ValueError as error:
        raise EnvelopeError(f"not JSON: {type(error).__name__}") from None
    if not isinstance(wire, dict):
        raise EnvelopeError("not a JSON object")
    if wire.get("bellhopversion") != VERSION:
        raise EnvelopeError(f"bellhopversion is not {VERSION}: written by another version of Bellhop")
    data, trace, generation = wire.get("data"), wire.get("trace", {}), wire.get("generation", 0)
    warnings = wire.get("warnings", [])
    if not isinstance(data, dict):
        raise EnvelopeError("data is not an object")
    if not isinstance(trace, dict) or not all(isinstance(v, str) for v in trace.values()):
        raise EnvelopeError("trace is not an object of strings")
    if not isinstance(generation, int) or isinstance(generation, bool) or generation < 0:
        raise EnvelopeError("generation is not a whole number")
    if not isinstance(warnings, list) or not all(isinstance(warning, str) for warning in warnings):
        raise EnvelopeError("warnings is not a list of texts")
    not_after = _time(wire, "notafter") if "notafter" in wire else None
    return Envelope(
        id=_text(wire, "id"),
        source=_text(wire, "source"),
        type=_text(wire, "type"),
        subject=_text(wire, "subject"),
        route=_text(wire, "route"),
        account=_text(wire, "account"),
        time=_time(wire, "time"),
        received=_time(wire, "received"),
        data=data,
        content_hash=_text(wire, "contenthash"),
        not_after=not_after,
        trace=trace,
        generation=generation,
        warnings=tuple(warnings),
        coarse=wire.get("coarse") is True,
    )


def decode_recordable(body: bytes) -> Envelope:
    """The envelope in `body`, where it can be recorded too: whoever may publish may write one that no database takes,
    and those beside it would fail with it. Raises EnvelopeError."""
    envelope = decode(body)
    for name in _RECORDED:
        value = getattr(envelope, name)
        if "\x00" in value:
            raise EnvelopeError(f"{name} holds NUL")
        if len(value) > MAX_TEXT_BYTES or len(value.encode()) > MAX_TEXT_BYTES:
            raise EnvelopeError(f"{name} is longer than {MAX_TEXT_BYTES} bytes")
    if envelope.generation > MAX_GENERATION:
        raise EnvelopeError("generation is beyond all bounds")
    return envelope


def _iso(moment: datetime) -> str:
    moment = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return moment.isoformat().replace("+00:00", "Z")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if isinf(value):
        raise ValueError("a number beyond all bounds")
    return value


_READ: Final = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


def _text(wire: Mapping[str, Any], key: str) -> str:
    value = wire.get(key)
    if not isinstance(value, str) or not (value or key == "account"):  # a cancel need not say where
        raise EnvelopeError(f"{key} is not a text")
    return value


def _time(wire: Mapping[str, Any], key: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(wire, key))
        if moment.tzinfo is None:
            raise EnvelopeError(f"{key} has no time zone")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise EnvelopeError(f"{key} is not an ISO 8601 time") from None
