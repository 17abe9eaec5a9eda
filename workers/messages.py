"""The message that goes on from a delivery: to the retry ladder or to the dead queue."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from bellhop.broker import headers, topology
from bellhop.broker.messages import work_message
from bellhop.broker.port import Address, Message
from bellhop.schemas.envelope import Envelope
from bellhop.vendors.outcome import Dead, Done, InDoubt, Retry
from bellhop.workers.job import Job

ERROR_CHARACTERS: Final = 2000
EVIDENCE_BYTES: Final = 16_384


def onward(job: Job, route: str, delay: float | None, now: datetime) -> tuple[Message, Address] | None:
    """What to publish before the ack, and where; None where the delivery ends here.

    The body stays byte for byte as it came, so that even what nobody can read can be shown and replayed.
    """
    counted = isinstance(job.outcome, Retry | InDoubt | Dead) and job.claimed is not None
    carried: dict[str, str | int | float] = {
        **job.message.headers,
        **job.trace,
        headers.ROUTE: route,
        headers.ATTEMPT: job.attempts_so_far + counted,
    }
    if isinstance(job.outcome, Dead):
        carried[headers.REASON] = job.outcome.reason.value
        carried[headers.ERROR] = job.outcome.error[:ERROR_CHARACTERS]
        carried[headers.EVIDENCE] = _evidence(job, job.outcome)
        carried[headers.DIED] = now.timestamp()
        return Message(job.message.id, job.message.body, carried), topology.DEAD
    if delay is None:
        return None
    carried[headers.ENQUEUED] = now.timestamp() + delay
    return Message(job.message.id, job.message.body, carried), topology.retry(route, delay)


def following(job: Job, now: datetime) -> list[tuple[Message, Address]]:
    """The events that follow from the job's: to their work queues, as new."""
    outcome = job.outcome
    if not isinstance(outcome, Done):
        return []
    trace = job.trace or (job.envelope.trace if job.envelope else {})
    events = [replace(envelope, trace=envelope.trace or trace) for envelope in outcome.forward]
    return [(work_message(envelope, now), topology.work(envelope.route)) for envelope in events]


def telling(results: Iterable[Envelope | None], now: datetime) -> list[tuple[Message, Address]]:
    """The results that tell of ends: to their work queue."""
    return [
        (work_message(envelope, now), topology.work(envelope.route)) for envelope in results if envelope is not None
    ]


def _evidence(job: Job, outcome: Dead) -> str:
    """JSON of the attempts and the vendor's last answer; the earliest attempts give way when it grows too large."""
    attempts = [{**asdict(attempt), "started": attempt.started.isoformat()} for attempt in job.attempts]
    evidence: dict[str, Any] = {"attempts": attempts, "answer": outcome.answer}
    text = _json(evidence)
    while len(text.encode()) > EVIDENCE_BYTES and attempts:
        attempts.pop(0)
        text = _json(evidence)
    return text if len(text.encode()) <= EVIDENCE_BYTES else _json({"attempts": [], "answer": "too large to keep"})


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
