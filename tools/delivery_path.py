"""Which files one delivery passes, from take to ack, and how often the way changes from one file into another.

    python tools/delivery_path.py            a booking that is made at once
    python tools/delivery_path.py --failure  one whose call fails and that goes to the retry ladder

The method: one event is worked by a real worker, on the embedded broker, SQLite and the sandbox, with a profiler on the
worker's threads. Each function of ours is read once, when it first runs; where the next one stands in another file the
way changes. Libraries, the sandbox and the broker, which runs beside it, are left out.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import tomllib
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any, Final

from bellhop.broker.messages import work_message
from bellhop.broker.topology import work, work_queue
from bellhop.cli.demo.folder import template
from bellhop.cli.demo.samples import Slots, booking
from bellhop.ledger.store import Ledger
from bellhop.sandbox.server import Sandbox
from bellhop.schemas.clock import utc_now
from bellhop.schemas.envelope import Envelope, content_hash
from bellhop.schemas.routes import bookings_route
from bellhop.vendors.registry import connect_broker
from bellhop.vendors.settings import build
from bellhop.workers.executor import Executor
from bellhop.workers.pool import capacity_of
from bellhop.workers.run import posts
from bellhop.workers.worker import Worker

ROOT: Final = Path(__file__).resolve().parent.parent
ROUTE: Final = bookings_route("simplybook")


class Way:
    """What one delivery ran through, from `receive` to `ack`."""

    def __init__(self) -> None:
        self.is_on = False
        self.functions: dict[object, str] = {}
        """The file of each function that ran, in the order in which they ran first."""

    def profile(self, frame: FrameType, event: str, _: object) -> None:
        if frame.f_code.co_name == "ack":
            self.is_on = False
        if event != "call" or (file := _ours(frame)) is None:
            return
        if frame.f_code.co_name == "receive":
            self.is_on = True
        if self.is_on:
            self.functions.setdefault(frame.f_code, file)


def _ours(frame: FrameType) -> str | None:
    """The file of a function of ours, None for a library's, the sandbox' and what the compiler made."""
    name = frame.f_code.co_filename
    if name == __file__ or not name.startswith(str(ROOT)) or ".venv" in name or "sandbox" in name or "/broker/" in name:
        return None
    return str(Path(name).resolve().relative_to(ROOT))


def record(*, fails: bool) -> Way:
    """Works one booking to its ack."""
    way = Way()
    document: dict[str, Any] = tomllib.loads(template())
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        document["broker"]["url"] = [f"sqlite:///{folder}/broker.db"]
        document["ledger"]["url"] = f"sqlite:///{folder}/ledger.db"
        for account in document["accounts"].values():
            account["base_url"] = sandbox.url
        if fails:
            sandbox.fault(method="book", kind="http", times=None)
        settings = build(document)
        broker, ledger = (
            connect_broker(settings),
            Ledger.open(settings.ledger.url, keep_seconds=86400),
        )
        broker.declare()
        publisher = broker.publisher()
        event = _event(settings.venues["salon"])
        publisher.publish(work_message(event, event.received), work(ROUTE)).result(10)
        post, stop = posts(settings, ledger)[ROUTE], threading.Event()
        executor = Executor(
            post.handler, ledger, worker="path", claim_seconds=60, ladder=settings.broker.ladder, turns=post.gate
        )
        consumer = broker.consumer(work_queue(ROUTE), capacity_of(1))
        worker = Worker(ROUTE, executor, consumer, publisher, ledger, threads=1, drain_seconds=10)
        threading.setprofile(way.profile)
        thread = threading.Thread(target=worker.run, args=(stop,))
        thread.start()
        while not (worker.taken and not worker.in_flight):
            stop.wait(0.05)
        threading.setprofile(None)
        stop.set()
        thread.join()
        broker.close()
        ledger.close()
    return way


def _event(venue: Any) -> Envelope:
    now = utc_now()
    data = booking("R-1", venue, Slots())
    return Envelope(
        id="e-1",
        source="demo",
        type="booking.requested",
        subject="R-1",
        route=ROUTE,
        account=venue.account,
        time=now,
        received=now,
        data={**data, "services": [{"count": 1, **one} for one in data["services"]]},
        content_hash=content_hash("booking.requested", now, data),
        not_after=now + timedelta(days=2),
    )


if __name__ == "__main__":
    files = list(record(fails="--failure" in sys.argv).functions.values())
    changes = sum(one != other for one, other in pairwise(files))
    sys.stdout.write("".join(f"{file}\n" for file in dict.fromkeys(files)))
    sys.stdout.write(f"{len(set(files))} files, {len(files)} functions, {changes} changes of file\n")
