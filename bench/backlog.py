"""What a long backlog costs: `make bench-backlog`.

One worker with 16 threads, vendor at 0 ms, one account without limits, on the embedded broker and on RabbitMQ: how many
events end a second while few wait and while a million do, what the worker and a look at all queues take of it.

    make bench-backlog ARGS="--only embedded --backlog 100000"
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from bench.lanes import at_work, event
from bench.processes import end_on_sigterm, peak_mb, until, used_by
from tests.support.rabbitmq import RabbitNode

SHORT: Final = 60_000
"""More than ends while it is measured, so that neither runs empty."""


def measure(broker: str, backlog: int, seconds: float, report: Callable[..., None]) -> float:
    """Events that ended a second, from a second after the first on."""
    began = time.monotonic()
    with at_work(broker, {"a": 0}, (event("a", number) for number in range(backlog))) as place:
        published = time.monotonic() - began
        until(lambda: place.counts().total() > 0, "the first was called", 120, place.worker.alive, every=0.2)
        time.sleep(1)
        before, cpu, since = place.counts().total(), used_by(place.worker.pid)[0], time.monotonic()
        time.sleep(seconds)
        ended, took = place.counts().total() - before, time.monotonic() - since
        cpu = used_by(place.worker.pid)[0] - cpu
        looks = []
        for _ in range(5):
            look = time.monotonic()
            stats = place.broker.stats()
            looks.append(time.monotonic() - look)
        waits = stats["members"].ready
        report(
            f"{backlog:,} waiting, published in {published:.0f} s",
            f"{ended / took:.0f}/s",
            f"{cpu / ended * 1000:.2f} ms",
            f"{peak_mb(place.worker.pid):.0f} MB",
            f"{statistics.median(looks) * 1000:.0f} ms for {waits:,}",
        )
        return ended / took


def main() -> None:
    parser = argparse.ArgumentParser(description="What a long backlog costs.")
    parser.add_argument("--only", choices=("embedded", "rabbitmq"))
    parser.add_argument("--backlog", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    end_on_sigterm()
    print(
        "| broker | what | ended | CPU an event | peak | a look at all queues |", "|---|---|---|---|---|---|", sep="\n"
    )
    with tempfile.TemporaryDirectory(prefix="bellhop-rabbitmq-") as folder, ExitStack() as stack:
        node = None if given.only == "embedded" else stack.enter_context(RabbitNode.start(Path(folder)))
        for name in ("embedded", "rabbitmq"):
            if given.only and name != given.only:
                continue
            ratios = []
            for _ in range(given.rounds):
                rates = []
                for backlog in (SHORT, given.backlog):
                    broker = node.vhost() if node is not None and name == "rabbitmq" else ""
                    rates.append(
                        measure(
                            broker,
                            backlog,
                            given.seconds,
                            lambda *cells, n=name: print(f"| {n} | {' | '.join(cells)} |", flush=True),
                        )
                    )
                ratios.append(rates[1] / rates[0])
            print(f"| {name} | long to short | {statistics.median(ratios):.2f} x | | | |", flush=True)


if __name__ == "__main__":
    main()
