"""Celery with acks_late, confirmed publishes and retries with a growing delay: what its own documentation advises."""

from __future__ import annotations

import sys

from celery import Celery

from bench.peers import salon
from bench.work import broker_url

QUEUE = "bench.celery.bookings"
RETRIES = 8

celery = Celery("bookings", broker=broker_url())
celery.conf.update(
    task_default_queue=QUEUE,
    task_default_queue_type="quorum",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    broker_transport_options={"confirm_publish": True},
    broker_connection_retry_on_startup=True,
)


@celery.task(name="book", autoretry_for=(Exception,), retry_backoff=1, retry_backoff_max=8, max_retries=RETRIES)
def book(reference: str, unit: str, start: str) -> None:
    salon.book(reference, unit, start)


def preload(count: int) -> None:
    for number in range(count):
        send(f"bench-{number}", "1", "2030-01-01T10:00:00")


def send(reference: str, unit: str, start: str) -> None:
    book.apply_async((reference, unit, start), task_id=reference)


if __name__ == "__main__":
    preload(int(sys.argv[1]))
