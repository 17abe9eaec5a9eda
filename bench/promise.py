"""What Celery and Dramatiq make of a drill's faults: `make bench-promise`. Each books the same slots at a pretended
SimplyBook.me, half of them where the vendor would take a second one; what stands there in the end is counted.

    make bench-promise ARGS="--bookings 60 --only celery"
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bellhop.drill.nodes.rabbitmq import RabbitNode, node_folder
from bellhop.sandbox.server import Sandbox
from bench.processes import ROOT, environment

_BIN: Final = Path(sys.executable).parent
_GAP_SECONDS: Final = 0.15
_QUIET_SECONDS: Final = 20.0
"""Nobody has called for so long: longer than the longest delay of a retry."""
_MOST_SECONDS: Final = 120.0
_HITS: Final = 4
_UNITS: Final = ("65", "3")
"""65 serves five at a time: a second booking of one guest is taken there."""
WORKERS: Final = {
    "celery": (
        *("celery", "--app", "bench.peers.celery_bookings:celery", "worker", "--pool", "threads"),
        *("--concurrency", "8", "--loglevel", "ERROR", "--without-gossip", "--without-mingle"),
    ),
    "dramatiq": ("dramatiq", "--processes", "1", "--threads", "8", "bench.peers.dramatiq_bookings"),
}


@dataclass
class Place:
    """A peer at work. node: its RabbitMQ."""

    peer: str
    node: RabbitNode
    sandbox: Sandbox
    folder: Path
    more: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program, *words = WORKERS[self.peer]
        with (self.folder / "worker.log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(_BIN / program), *words],
                cwd=ROOT,
                env=environment(ROOT, self.more),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """kill -9, its children with it."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def kill_often(self) -> None:
        for _ in range(3):
            time.sleep(1.5)
            self.kill()
            self.start()

    def kill_amid_calls(self) -> None:
        """Three times, each with a call under way, which the vendor carries out."""
        self.sandbox.fault(method="book", kind="slow", seconds=0.8, times=4 * _HITS)
        for _ in range(3):
            self._await_call(self.sandbox.state.received)
            self.kill()
            self.start()

    def _await_call(self, after: int) -> None:
        deadline = time.monotonic() + _MOST_SECONDS
        while not any(call["method"] == "book" for call in self.sandbox.state.calls_after(after)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.peer} makes no call: see {self.folder}")
            time.sleep(0.02)

    def kill_broker(self) -> None:
        time.sleep(1)
        self.node.kill()
        self.node.start_again()


def _meets(**fault: Any) -> Callable[[Place], None]:
    return lambda place: print(end="") if place.sandbox.fault(method="book", times=_HITS, **fault) else None


FAULTS: Final[dict[str, Callable[[Place], None]]] = {
    "none": lambda _place: None,
    "worker_killed_often": Place.kill_often,
    "worker_killed_amid_calls": Place.kill_amid_calls,
    "broker_killed": Place.kill_broker,
    "bookings_unanswered": _meets(kind="timeout_after", seconds=1.6),
    "bookings_500": _meets(kind="http", status=500, when="after"),
    "bookings_reset": _meets(kind="reset", when="after"),
}


@dataclass(frozen=True)
class Outcome:
    """Of the bookings that were handed over: stood once; stood more than once; stood nowhere, and nobody was told."""

    once: int
    doubled: int
    lost: int


def measure(peer: str, fault: str, count: int) -> Outcome:
    with _place(peer) as place:
        place.start()
        sent = _send(place, fault, count)
        _await_quiet(place)
        stands: Counter[str] = Counter()
        for booking in place.sandbox.state.snapshot()["bookings"]:
            stands[booking["client"]["email"].removesuffix("@example.test")] += not booking["cancelled"]
        found = [stands[reference] for reference in sent]
        return Outcome(found.count(1), sum(one > 1 for one in found), found.count(0))


@contextmanager
def _place(peer: str) -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as folder, RabbitNode.start(node_folder()) as node, Sandbox() as sandbox:
        more = {"BENCH_BROKER": node.vhost(), "BENCH_VENDOR": sandbox.url}
        os.environ.update(more)
        place = Place(peer, node, sandbox, Path(folder), more)
        try:
            yield place
        finally:
            place.kill()


def _send(place: Place, fault: str, count: int) -> list[str]:
    """The references that the broker confirmed. The fault comes in the midst of them, while more are sent."""
    sender = importlib.reload(importlib.import_module(f"bench.peers.{place.peer}_bookings"))
    day = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=30)  # noqa: DTZ005
    sent = []
    trouble = threading.Thread(target=FAULTS[fault], args=(place,))
    for number in range(count):
        if number == count // 3:
            trouble.start()
        reference, start = f"{fault}-{number}", (day + timedelta(minutes=15 * number)).isoformat()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                sender.send(reference, _UNITS[number % len(_UNITS)], start)
                sent.append(reference)
                break
            except Exception:  # noqa: BLE001  # not accepted: it is sent again, as an upstream does
                time.sleep(0.5)
        time.sleep(_GAP_SECONDS)
    trouble.join()
    return sent


def _await_quiet(place: Place) -> None:
    deadline = time.monotonic() + _MOST_SECONDS
    seen, since = -1, time.monotonic()
    while time.monotonic() < deadline and time.monotonic() - since < _QUIET_SECONDS:
        if (now := place.sandbox.state.received) != seen:
            seen, since = now, time.monotonic()
        time.sleep(0.5)


def main(words: Sequence[str] | None = None) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what it started must not outlive it
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bookings", type=int, default=60, help="how many for each fault")
    parser.add_argument("--only", choices=tuple(WORKERS), help="one of them")
    parser.add_argument("--fault", action="append", choices=tuple(FAULTS), help="one of them; repeatable")
    asked = parser.parse_args(words)
    print("| peer | fault | handed over | once | doubled | lost |\n|---|---|---:|---:|---:|---:|")
    for peer in (asked.only,) if asked.only else WORKERS:
        for fault in asked.fault or FAULTS:
            one = measure(peer, fault, asked.bookings)
            total = one.once + one.doubled + one.lost
            print(f"| {peer} | {fault} | {total} | {one.once} | {one.doubled} | {one.lost} |", flush=True)


if __name__ == "__main__":
    main()
