"""The messages that a delivery leaves behind: its retry or dead letter, the events that follow, its result."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from bellhop.broker import headers, topology
from bellhop.broker.messages import cut_body, lane_headers, own_lane, work_message
from bellhop.broker.port import Address, Headers, Message
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from bellhop.vendors.outcome import Dead, Done, InDoubt, Retry, Wait
from bellhop.workers.delivery import EndedDelivery
from bellhop.workers.suspects import count_deaths

ERROR_CHARACTERS: Final = 2000
EVIDENCE_BYTES: Final = 16_384


def onward_message(ended: EndedDelivery, route: str, now: datetime) -> tuple[Message, Address] | None:
    """What to publish before the ack, and where: a dead letter, a retry, the end of its lane, or None where the
    delivery ends here.

    The body stays byte for byte as it came, so that even what nobody can read can be shown and replayed.
    """
    if isinstance(ended.outcome, Dead):
        letter = _copy(ended, route, _letter_headers(ended, ended.outcome, now))
        if ended.outcome.reason is Reason.POISON:
            letter = replace(letter, body=cut_body(letter.body))
        return letter, topology.DEAD
    if isinstance(ended.outcome, Wait) and ended.outcome.in_lane:
        lane = own_lane(ended.envelope, now) if ended.envelope else ""
        own: Headers = {headers.SWEPT: now.timestamp(), headers.LANE: lane}
        return _copy(ended, route, own), topology.work(route)
    if ended.retry_seconds is not None:
        due: dict[str, str | int | float] = {headers.ENQUEUED: now.timestamp() + ended.retry_seconds}
        if ended.envelope is not None:
            due |= lane_headers(ended.envelope, now)
        return _copy(ended, route, due), topology.retry(route, ended.retry_seconds)
    return None


def _copy(ended: EndedDelivery, route: str, own: Headers) -> Message:
    """The message as it came, with what has become of it since. own: headers of its new place."""
    is_counted = ended.claim is not None and isinstance(ended.outcome, Retry | InDoubt | Dead)
    carried: dict[str, str | int | float] = {
        **{name: value for name, value in ended.message.headers.items() if name not in (headers.LANE, headers.SWEPT)},
        **ended.trace,
        headers.ROUTE: route,
        headers.ATTEMPT: ended.attempts_before + is_counted,
        **own,
    }
    carried.pop(headers.DEATHS, None)
    if ended.claim is None and isinstance(ended.outcome, Wait) and (deaths := count_deaths(ended.delivery)):
        carried[headers.DEATHS] = deaths
    return Message(ended.message.id, ended.message.body, carried)


def _letter_headers(ended: EndedDelivery, outcome: Dead, now: datetime) -> Headers:
    return {
        headers.REASON: outcome.reason.value,
        headers.ERROR: outcome.error[:ERROR_CHARACTERS],
        headers.EVIDENCE: _evidence(ended, outcome),
        headers.DIED: now.timestamp(),
    }


def follow_up_messages(ended: EndedDelivery, now: datetime) -> list[tuple[Message, Address]]:
    """The events that follow from the delivery's: to their work queues, as new."""
    if not isinstance(ended.outcome, Done) or not ended.outcome.forward:
        return []
    trace = ended.trace or (ended.envelope.trace if ended.envelope else {})
    events = [replace(envelope, trace=envelope.trace or trace) for envelope in ended.outcome.forward]
    return [(work_message(envelope, now), topology.work(envelope.route)) for envelope in events]


def result_messages(results: Iterable[Envelope | None], now: datetime) -> list[tuple[Message, Address]]:
    """The results that tell of ends: to their work queue."""
    return [
        (work_message(envelope, now), topology.work(envelope.route)) for envelope in results if envelope is not None
    ]


def _evidence(ended: EndedDelivery, outcome: Dead) -> str:
    """JSON of the attempts and the vendor's last answer; the earliest attempts give way when it grows too large."""
    attempts = [{**asdict(attempt), "started": attempt.started.isoformat()} for attempt in ended.attempts]
    evidence: dict[str, Any] = {"attempts": attempts, "answer": outcome.answer}
    if ended.delivery.strange:
        evidence["message"] = ended.delivery.strange
    text = _json(evidence)
    while len(text.encode()) > EVIDENCE_BYTES and attempts:
        attempts.pop(0)
        text = _json(evidence)
    return text if len(text.encode()) <= EVIDENCE_BYTES else _json({"attempts": [], "answer": "too large to keep"})


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
