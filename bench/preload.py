"""Fills a queue of Bellhop's as its ingress would: `python -m bench.preload SETTINGS COUNT [members | bookings]`."""

from __future__ import annotations

import sys
import tomllib
from collections import deque
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bellhop.broker.messages import work_message
from bellhop.broker.port import Message
from bellhop.broker.topology import work
from bellhop.schemas.envelope import Envelope, content_hash
from bellhop.schemas.routes import MEMBERS_ROUTE
from bellhop.vendors.registry import connect_broker
from bellhop.vendors.settings import build
from bench.many_calls import SALONS, booking_event
from bench.work import body

WINDOW: Final = 1000
"""Publishes that wait for their confirm at once."""


def booking(number: int) -> Message:
    envelope = booking_event("salon", number)
    return work_message(envelope, envelope.time)


def member(number: int) -> Message:
    event, now = body(number), datetime.now(UTC)
    envelope = Envelope(
        id=f"bench-{number}",
        source="crm",
        type=event["type"],
        subject=event["data"]["member_id"],
        route=MEMBERS_ROUTE,
        account="pv",
        time=now,
        received=now,
        data=event["data"],
        content_hash=content_hash(event["type"], now, event["data"]),
    )
    return work_message(envelope, now)


def main() -> None:
    make, route = (booking, SALONS) if "bookings" in sys.argv[3:] else (member, MEMBERS_ROUTE)
    settings, count = build(tomllib.loads(Path(sys.argv[1]).read_text())), int(sys.argv[2])
    broker = connect_broker(settings)
    broker.declare()
    publisher = broker.publisher()
    waiting: deque[Future[None]] = deque()
    for number in range(count):
        waiting.append(publisher.publish(make(number), work(route)))
        if len(waiting) >= WINDOW:
            waiting.popleft().result()
    for confirm in waiting:
        confirm.result()
    publisher.close()
    broker.close()


if __name__ == "__main__":
    main()
