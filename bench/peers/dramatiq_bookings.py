"""Dramatiq as it comes: acks after the work, confirmed publishes, retries with a growing delay."""

from __future__ import annotations

import dramatiq

from bench.peers import salon
from bench.peers.dramatiq_worker import QuorumBroker
from bench.work import broker_url

QUEUE = "bench.dramatiq.bookings"
RETRIES = 8

dramatiq.set_broker(QuorumBroker(url=broker_url(), confirm_delivery=True))


@dramatiq.actor(queue_name=QUEUE, max_retries=RETRIES, min_backoff=1000, max_backoff=8000)
def book(reference: str, unit: str, start: str) -> None:
    salon.book(reference, unit, start)


def send(reference: str, unit: str, start: str) -> None:
    book.send(reference, unit, start)
