"""A thousand calls at once in one worker: `make bench-calls`.

One worker of one route, with accounts enough that none has many: a vendor that answers after a second, first more
events than calls at once, drained; then as many again, and the worker is told to stop while a thousand calls are under
way. Printed are the most calls at once that the vendor counted, the worker's peak memory, threads and open files, its
processor's time an event, and how long it took to stop. Fails where the ledger does not hold as done exactly what the
vendor was asked.

    make bench-calls ARGS="--only embedded --part peoplevine --calls 500"
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bellhop.broker.messages import work_message
from bellhop.broker.port import Publisher
from bellhop.broker.topology import work
from bellhop.cli.common import open_ledger
from bellhop.schemas.envelope import Envelope, content_hash
from bellhop.schemas.routes import MEMBERS_ROUTE, bookings_route
from bellhop.vendors.registry import connect_broker
from bellhop.vendors.settings import load
from bench.company import SERVICES
from bench.lanes import PEOPLEVINE_ACCOUNT, WORKER_SETTINGS
from bench.lanes import event as member_event
from bench.processes import BenchFailed, Running, end_on_sigterm, free_port, peak_mb, running, until
from tests.support.rabbitmq import RabbitNode

ACCOUNTS: Final = 100
SALONS: Final = bookings_route("simplybook")

_SIMPLYBOOK: Final = """\
[accounts.{name}]
kind = "simplybook"
base_url = "http://127.0.0.1:{vendor}"
company = "{name}"
api_key = "bench-api-key"
secret_key = "bench-secret-key"
limit_per_second = 0
limit_at_once = 0
limit_per_day = 0
[venues.{name}]
account = "{name}"
timezone = "Europe/London"
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A vendor: who answers in its place, where the calls are counted, what an account's settings are."""

    route: str
    module: str
    told: str
    account: str
    event: Callable[[str, int], Envelope]
    calls: Callable[[Any], int]


def booking_event(account: str, number: int) -> Envelope:
    now = datetime.now(UTC)
    start = (now + timedelta(days=30 + number % 300)).replace(hour=10, minute=0, second=0, microsecond=0, tzinfo=None)
    guest = {"name": f"{account} {number}", "email": "guest@example.test", "phone": "+442071234567"}
    service = {"service_id": str(1 + number % SERVICES), "provider_id": "1", "start": start.isoformat(), "count": 1}
    reference = f"R-{account}-{number}"
    data = {"booking_id": reference, "venue": account, "client": guest, "services": [service]}
    return Envelope(
        id=f"bench-{reference}",
        source="crm",
        type="booking.requested",
        subject=reference,
        route=SALONS,
        account=account,
        time=now,
        received=now,
        data=data,
        content_hash=content_hash("booking.requested", now, data),
        not_after=now + timedelta(days=30),
    )


PARTS: Final = {
    "peoplevine": Part(
        MEMBERS_ROUTE, "bench.vendor", "/count", PEOPLEVINE_ACCOUNT, member_event, lambda t: int(t["calls"])
    ),
    "simplybook": Part(
        SALONS, "bench.company", "/told", _SIMPLYBOOK, booking_event, lambda t: int(t["calls"].get("book", 0))
    ),
}


def ask(port: int, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
    except (OSError, ValueError):
        return None
    finally:
        connection.close()


def put(publisher: Publisher, part: Part, numbers: range) -> None:
    waiting = []
    for number in numbers:
        envelope = part.event(f"a{number % ACCOUNTS}", number)
        waiting.append(publisher.publish(work_message(envelope, envelope.time), work(part.route)))
    for confirmed in waiting:
        confirmed.result()


def measure(part: Part, broker: str, calls: int, delay_ms: int) -> dict[str, Any]:
    """Raises BenchFailed."""
    vendor, port, events = free_port(), free_port(), 5 * calls
    with tempfile.TemporaryDirectory(prefix="bellhop-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        url = broker or f"sqlite:///{folder}/broker.db"
        text = WORKER_SETTINGS.format(broker=url, folder=folder, port=port, threads=calls // 2)
        text += "".join(part.account.format(name=f"a{number}", vendor=vendor) for number in range(ACCOUNTS))
        path = folder / "bellhop.toml"
        path.write_text(text, encoding="utf-8")
        settings = load(path, {})
        open_ledger(settings).close()  # made by no worker but the very first
        made = connect_broker(settings)
        made.declare()
        publisher = made.publisher()
        stack.callback(publisher.close)
        place = ["--port", str(vendor), "--delay-ms", str(delay_ms)]
        stack.enter_context(running([sys.executable, "-m", part.module, *place], folder / "vendor.log", {}))
        until(lambda: ask(vendor, part.told) is not None, "the vendor answers", 20, lambda: None)
        put(publisher, part, range(events))
        log = folder / "work.log"
        command = [sys.executable, "-m", "bellhop.cli.main", "--config", str(path), "work", part.route]
        worker = stack.enter_context(running(command, log, {}))

        def called() -> int:
            worker.alive()
            return part.calls(ask(vendor, part.told))

        until(lambda: called() > 0, "it calls", 120, worker.alive)
        began, first = time.monotonic(), called()
        until(lambda: called() >= events, "all were called", 300, worker.alive)
        took = time.monotonic() - began
        found = watched(worker)
        put(publisher, part, range(events, events + 4 * calls))
        until(lambda: called() >= events + calls, "it calls on", 120, worker.alive, every=0.02)
        stopped = time.monotonic()
        worker.stop()
        seconds = time.monotonic() - stopped
        told = ask(vendor, part.told)
        ended = done(folder / "ledger.db")
        if ended != part.calls(told):
            raise BenchFailed(f"{part.calls(told)} calls, and {ended} events are done\n{log.read_text()[-2000:]}")
        return {
            "at once": told["at_once"],
            "an event's second": f"{(events - first) / took:.0f}",
            "CPU an event": f"{1000 * worker.cpu_seconds / ended:.2f} ms",
            **found,
            "stopped in": f"{seconds:.1f} s",
            "done": ended,
        }


def watched(worker: Running) -> dict[str, Any]:
    return {
        "peak": f"{peak_mb(worker.pid):.0f} MB",
        "threads": len(os.listdir(f"/proc/{worker.pid}/task")),
        "open files": len(os.listdir(f"/proc/{worker.pid}/fd")),
    }


def done(ledger: Path) -> int:
    with closing(sqlite3.connect(ledger)) as connection:
        found: int = connection.execute("SELECT count(*) FROM events WHERE state = 'done'").fetchone()[0]
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description="A thousand calls at once in one worker.")
    parser.add_argument("--only", choices=("embedded", "rabbitmq"))
    parser.add_argument("--part", choices=tuple(PARTS))
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--delay-ms", type=int, default=1000)
    given = parser.parse_args()
    end_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="bellhop-rabbitmq-") as folder, ExitStack() as stack:
        node = None if given.only == "embedded" else stack.enter_context(RabbitNode.start(Path(folder)))
        for broker in ("embedded", "rabbitmq"):
            for name, part in PARTS.items():
                if given.only in (None, broker) and given.part in (None, name):
                    vhost = node.vhost() if node is not None and broker == "rabbitmq" else ""
                    found = measure(part, vhost, given.calls, given.delay_ms)
                    print(
                        f"{broker}, {name}: " + ", ".join(f"{key} {value}" for key, value in found.items()), flush=True
                    )


if __name__ == "__main__":
    main()
