"""What bookings at SimplyBook.me cost: calls a booking, and the time from webhook to booked beside that of `book`.

    make bench ARGS="--only calls"
    make bench ARGS="--only calls --before ../old"    beside the Bellhop of another checkout

One ingress, one worker, the embedded broker, all started anew; each answer of the vendor takes 300 ms. The bookings
come evenly from the moment that both say they are ready, at a pace that the worker's threads can keep; the last thirty
come at once, and are told apart: they wait for the processor, not for the vendor. All calls count, logins too.
"""

from __future__ import annotations

import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from standardwebhooks import Webhook

from bench.company import SERVICES
from bench.processes import ROOT, free_port, running, until
from bench.work import PATH, SECRET

DELAY_MS: Final = 300
BURST: Final = 30
PER_SECOND: Final = 20.0
ALONE: Final = 40
"""Calls of `book` by themselves, to compare with."""

_SETTINGS: Final = """\
[broker]
url = "sqlite:///{folder}/broker.db"
[ledger]
url = "sqlite:///{folder}/ledger.db"
[ingest]
port = {ingest}
processes = 1
threads = 32
[work]
port = {work}
threads = 64
[log]
level = "warning"
[sources.crm]
verifier = "standard-webhooks"
secrets = ["{secret}"]
[accounts.sb]
kind = "simplybook"
base_url = "http://127.0.0.1:{vendor}"
company = "bench"
api_key = "bench-api-key"
secret_key = "bench-secret-key"
limit_per_second = 0
limit_at_once = 0
limit_per_day = 0
[venues.salon]
account = "sb"
timezone = "Europe/London"
"""


def measure(root: Path, bookings: int) -> dict[str, Any]:
    """calls: a booking, and by method. alone_ms: of `book` by itself, the median. p50_ms, p99_ms, max_ms: from webhook
    to booked; ratio: of p99_ms to alone_ms. first_ms: of the first. burst_ms: the slowest of the last thirty. Raises
    BenchFailed."""
    vendor, ingest, work = free_port(), free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="bellhop-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        settings = folder / "bellhop.toml"
        settings.write_text(
            _SETTINGS.format(folder=folder, ingest=ingest, work=work, vendor=vendor, secret=SECRET), encoding="utf-8"
        )
        company = [sys.executable, "-m", "bench.company", "--port", str(vendor), "--delay-ms", str(DELAY_MS)]
        stack.enter_context(running(company, folder / "company.log", {}))
        until(lambda: _ask(vendor, "/told") is not None, "the vendor answers", 10, _alive)
        alone = statistics.median(_alone(vendor))
        bellhop = [sys.executable, "-m", "bellhop.cli.main", "--config", str(settings)]
        stack.enter_context(running([*bellhop, "work", "bookings.simplybook"], folder / "work.log", {}, root))
        stack.enter_context(running([*bellhop, "ingest"], folder / "ingest.log", {}, root))
        for port in (work, ingest):
            until(lambda port=port: _ask(port, "/readyz") is not None, "it is ready", 30, _alive)  # type: ignore[misc]
        before = _told(vendor)["calls"].get("book", 0)
        posted = _post(ingest, bookings)
        until(lambda: len(_told(vendor)["booked"]) >= ALONE + bookings, f"{bookings} are booked", 120, _alive)
        told = _told(vendor)
    times = [(told["booked"][guest] - at) * 1000 for guest, at in posted.items()]
    times, burst = times[:-BURST], times[-BURST:]
    calls = {**told["calls"], "book": told["calls"]["book"] - before}
    p99 = _percentile(times, 0.99)
    return {
        "calls": round(sum(calls.values()) / bookings, 3),
        "by_method": calls,
        "alone_ms": round(alone, 1),
        "p50_ms": round(_percentile(times, 0.5), 1),
        "p99_ms": round(p99, 1),
        "max_ms": round(max(times), 1),
        "first_ms": round(times[0], 1),
        "burst_ms": round(max(burst), 1),
        "ratio": round(p99 / alone, 3),
    }


def report(bookings: int, former: Path | None) -> int:
    """Prints the figures, of another checkout too; the process's exit code."""
    rows = [("before", former.resolve())] if former else []
    columns = ("calls", "alone_ms", "p50_ms", "p99_ms", "ratio", "first_ms", "burst_ms")
    print(f"{bookings} bookings, each answer of the vendor after {DELAY_MS} ms", end="\n\n")
    print(f"| Bellhop | {' | '.join(columns)} |", "|---" * (1 + len(columns)) + "|", sep="\n")
    for name, root in [*rows, ("now", ROOT)]:
        found = measure(root, bookings)
        print(f"| {name} | {' | '.join(str(found[column]) for column in columns)} |", flush=True)
        print(f"  {name}: {json.dumps(found)}", file=sys.stderr, flush=True)
    return 0


def _post(port: int, bookings: int) -> dict[str, float]:
    """Posts them all; when each was due to be posted, by its guest."""
    began = time.monotonic() + 0.1
    due = {f"Guest {n}": began + min(n, bookings - BURST) / PER_SECOND for n in range(bookings)}
    left, lock = list(reversed(due.items())), threading.Lock()
    problems: list[str] = []

    def post() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while not problems:
            with lock:
                if not left:
                    break
                guest, at = left.pop()
            request = _request(guest)
            time.sleep(max(0.0, at - time.monotonic()))
            connection.request("POST", PATH, *request)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != 202:
                problems.append(f"{answer.status}: {content.decode()}")
        connection.close()

    threads = [threading.Thread(target=post) for _ in range(BURST)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise SystemExit(f"a webhook was answered {problems[0]}")
    return due


def _request(guest: str) -> tuple[bytes, dict[str, str]]:
    number, now = int(guest.rpartition(" ")[2]), datetime.now(UTC)
    start = (now + timedelta(days=30 + number)).replace(hour=10, minute=0, second=0, microsecond=0)
    service = {"service_id": str(1 + number % SERVICES), "provider_id": "1", "start": start.isoformat()}
    data = {
        "booking_id": f"R-{number}",
        "venue": "salon",
        "client": {"name": guest, "email": "guest@example.test", "phone": "+442071234567"},
        "services": [service],
    }
    content = json.dumps({"type": "booking.requested", "timestamp": now.isoformat(), "data": data})
    id_ = f"bench-{number}"
    return content.encode(), {
        "content-type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(id_, now, content),
    }


def _alone(port: int) -> list[float]:
    """Milliseconds that `book` takes by itself, over a kept connection."""
    connection, took = http.client.HTTPConnection("127.0.0.1", port), []
    for number in range(ALONE):
        params = ["1", "1", "2030-01-01", "10:00:00", {"name": f"alone {number}"}, {}]
        content = json.dumps({"jsonrpc": "2.0", "method": "book", "params": params, "id": number})
        began = time.monotonic()
        connection.request("POST", "/", content)
        connection.getresponse().read()
        took.append((time.monotonic() - began) * 1000)
    connection.close()
    return took


def _told(port: int) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(_ask(port, "/told") or b"")
    return told


def _ask(port: int, path: str) -> bytes | None:
    """The answer, None while it is none of 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with suppress(OSError):
        connection.request("GET", path)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return content if answer.status == 200 else None
    return None


def _percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


_alive: Final[Callable[[], None]] = lambda: None  # noqa: E731  # what does not answer in time is told so
