"""What is put on a work queue: an event as a message, made here and nowhere else."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final

from bellhop.broker import headers
from bellhop.broker.port import Message
from bellhop.broker.topology import soon_lane
from bellhop.schemas.envelope import Envelope, encode
from bellhop.schemas.results import RESULTS_ROUTE

ENOUGH_BYTES: Final = 8 * 2**20
"""Of what nobody can read: far more than the ingress takes."""
SOON: Final = timedelta(hours=1)


def waits_for(envelope: Envelope) -> str:
    """What an event waits for: its account; a result for the source that it tells."""
    return envelope.source if envelope.route == RESULTS_ROUTE else envelope.account


def own_lane(envelope: Envelope, now: datetime) -> str:
    """The lane of what it waits for: what starts within the hour has one of its own, which goes first."""
    name = waits_for(envelope)
    return soon_lane(name) if _starts_soon(envelope, now) else name


def lane_headers(envelope: Envelope, now: datetime) -> dict[str, str | int | float]:
    """Where an event waits as it comes: in that lane. What starts soon waits in none: it is looked at at once, and goes
    to a person in time where its account is held."""
    return {} if _starts_soon(envelope, now) else {headers.LANE: waits_for(envelope)}


def _starts_soon(envelope: Envelope, now: datetime) -> bool:
    return envelope.not_after is not None and envelope.not_after - now < SOON


def work_message(envelope: Envelope, now: datetime) -> Message:
    """A new event as a message for its work queue."""
    carried: dict[str, str | int | float] = {
        headers.ROUTE: envelope.route,
        headers.ENQUEUED: now.timestamp(),
        headers.ATTEMPT: 0,
        **lane_headers(envelope, now),
        **envelope.trace,
    }
    return Message(envelope.message_id, encode(envelope), carried)


def cut_body(body: bytes) -> bytes:
    """A body that nobody can read, for a dead letter. One that is huge would not be confirmed in time, again and again,
    and hold up all that is settled beside it: its beginning is kept, with its length and hash."""
    if len(body) <= ENOUGH_BYTES:
        return body
    told = f"\n… cut: {len(body)} bytes in all, SHA-256 {hashlib.sha256(body).hexdigest()}"
    return body[:ENOUGH_BYTES] + told.encode()
