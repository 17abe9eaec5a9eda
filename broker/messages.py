"""What is put on a work queue: an event as a message, made here and nowhere else."""

from __future__ import annotations

from datetime import datetime

from bellhop.broker import headers
from bellhop.broker.port import Message
from bellhop.schemas.envelope import Envelope, encode


def work_message(envelope: Envelope, now: datetime) -> Message:
    """A new event as a message for its work queue."""
    carried: dict[str, str | int | float] = {
        headers.ROUTE: envelope.route,
        headers.ENQUEUED: now.timestamp(),
        headers.ATTEMPT: 0,
        **envelope.trace,
    }
    return Message(envelope.message_id, encode(envelope), carried)
