"""What one account's events wait for another's: `make bench-lanes`.

One worker with 16 threads, on the embedded broker and on RabbitMQ. Account A has many waiting, B gets one a second; the
time of an event of B runs from its publish to the vendor's call.

    make bench-lanes ARGS="--only embedded --seconds 20"
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bellhop.broker.messages import work_message
from bellhop.broker.port import Broker, Publisher
from bellhop.broker.topology import work
from bellhop.schemas.envelope import Envelope, content_hash
from bellhop.schemas.routes import MEMBERS_ROUTE
from bellhop.vendors.registry import connect_broker
from bellhop.vendors.settings import load
from bench.processes import Running, end_on_sigterm, free_port, peak_mb, running, until
from bench.work import body
from tests.support.rabbitmq import RabbitNode

RATE: Final = 5.0
WINDOW: Final = 1000

WORKER_SETTINGS: Final = """\
[broker]
url = "{broker}"
[ledger]
url = "sqlite:///{folder}/ledger.db"
[work]
port = {port}
threads = {threads}
[log]
level = "warning"
"""
PEOPLEVINE_ACCOUNT: Final = """\
[accounts.{name}]
kind = "peoplevine"
base_url = "http://127.0.0.1:{vendor}/{name}"
auth_id = "bench"
company = "4711"
user = "bench"
password = "bench-password"
"""
_LIMITED: Final = PEOPLEVINE_ACCOUNT + "limit_per_second = {rate}\n"


@dataclass
class Place:
    """A worker under way, with its vendor. ended: how many calls of each account there were."""

    vendor: int
    port: int
    publisher: Publisher
    broker: Broker
    worker: Running

    def told(self) -> list[tuple[str, str, float]]:
        return [tuple(call) for call in json.loads(ask(self.vendor, "/told"))]

    def counts(self) -> Counter[str]:
        return Counter(account for account, _, _ in self.told())

    def put(self, account: str, count: int, first: int = 0) -> dict[str, float]:
        return publish(self.publisher, account, count, first)

    def set(self, account: str, *, delay: float = 0.0, away: bool = False) -> None:
        ask(self.vendor, f"/set?account={account}&delay={delay}" + ("&away=1" if away else ""))

    def publishes(self) -> float:
        """Publishes of the worker: retries, dead letters, what it sent to a lane."""
        lines = ask(self.port, "/metrics").decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("bellhop_publishes_total{"))


def publish(publisher: Publisher, account: str, count: int, first: int = 0) -> dict[str, float]:
    """Publishes so many of its events; when each was handed over, by member."""
    return publish_all(publisher, (event(account, number) for number in range(first, first + count)))


def publish_all(publisher: Publisher, events: Iterable[Envelope]) -> dict[str, float]:
    """When each was handed over, by member."""
    sent, waiting = {}, []
    for envelope in events:
        sent[envelope.subject] = time.monotonic()
        waiting.append(publisher.publish(work_message(envelope, envelope.time), work(MEMBERS_ROUTE)))
        if len(waiting) >= WINDOW:
            for confirmed in waiting:
                confirmed.result()
            waiting.clear()
    for confirmed in waiting:
        confirmed.result()
    return sent


def event(account: str, number: int) -> Envelope:
    told, now = body(number), datetime.now(UTC)
    member = f"{account}-{number}"  # or account a9 and a94 share ids
    data = {**told["data"], "member_id": member}
    return Envelope(
        id=f"bench-{member}",
        source="crm",
        type=told["type"],
        subject=member,
        route=MEMBERS_ROUTE,
        account=account,
        time=now,
        received=now,
        data=data,
        content_hash=content_hash(told["type"], now, data),
    )


@contextmanager
def at_work(broker: str, accounts: dict[str, float], waiting: Iterable[Envelope] = ()) -> Iterator[Place]:
    """waiting: events that are there before the worker is."""
    vendor, port = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="bellhop-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        url = broker or f"sqlite:///{folder}/broker.db"
        text = WORKER_SETTINGS.format(broker=url, folder=folder, port=port, threads=16)
        text += "".join(_LIMITED.format(name=one, vendor=vendor, rate=rate) for one, rate in accounts.items())
        path = folder / "bellhop.toml"
        path.write_text(text, encoding="utf-8")
        settings = load(path, {})
        made = connect_broker(settings)
        made.declare()
        publisher = made.publisher()
        stack.callback(publisher.close)
        publish_all(publisher, waiting)
        command = [sys.executable, "-m", "bench.lanes_vendor", "--port", str(vendor)]
        stack.enter_context(running(command, folder / "vendor.log", {}))
        worker_command = [sys.executable, "-m", "bellhop.cli.main", "--config", str(path), "work", "members"]
        worker = stack.enter_context(running(worker_command, folder / "work.log", {}))
        until(lambda: bool(ask(vendor, "/told")), "the vendor answers", 20, worker.alive)
        until(lambda: bool(ask(port, "/readyz")), "the worker is ready", 60, worker.alive)
        yield Place(vendor, port, publisher, made, worker)


def ask(port: int, path: str) -> bytes:
    """The answer, empty where there is none."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            content: bytes = answer.read()
            return content
    except OSError:
        return b""


def beside(place: Place, seconds: int) -> list[float]:
    """One event of B a second; for how long each waited."""
    sent: dict[str, float] = {}
    began, first = time.monotonic(), int(time.monotonic() * 1000)
    for number in range(seconds):
        time.sleep(max(0.0, began + number - time.monotonic()))
        sent |= place.put("b", 1, first + number)

    def called() -> dict[str, float]:
        return {member: at for _, member, at in place.told() if member in sent}

    until(lambda: len(called()) == seconds, "all of B were called", 120, place.worker.alive)
    return sorted(at - sent[member] for member, at in called().items())


def p99(waits: list[float]) -> float:
    return waits[min(len(waits) - 1, int(0.99 * len(waits)))] * 1000


def fairness(broker: str, seconds: int, backlog: int, report: Callable[..., None]) -> None:
    with at_work(broker, {"a": RATE, "b": RATE}) as place:
        alone = p99(beside(place, seconds))
        place.put("a", backlog)
        before = place.counts()["a"]
        began = time.monotonic()
        crowded = p99(beside(place, seconds))
        rate = (place.counts()["a"] - before) / (time.monotonic() - began)
        report("B's p99, A behind its limit", f"{crowded:.0f} ms", f"{crowded / alone:.2f} x of {alone:.0f} ms alone")
        report("A meanwhile", f"{rate:.2f}/s", f"{rate / RATE:.3f} of its limit")
        report("publishes by the worker", f"{place.publishes():.0f}", "")


def hanging(broker: str, seconds: int, backlog: int, report: Callable[..., None]) -> None:
    with at_work(broker, {"a": 0, "b": 0}) as place:
        alone = p99(beside(place, seconds))
        place.set("a", delay=30)
        place.put("a", backlog)
        time.sleep(2)
        crowded = p99(beside(place, seconds))
        report("B's p99, A's vendor hanging", f"{crowded:.0f} ms", f"{crowded / alone:.2f} x of {alone:.0f} ms alone")


def outage(broker: str, away: int, report: Callable[..., None]) -> None:
    events = 600
    with at_work(broker, {"a": RATE, "b": RATE}) as place:
        place.set("a", away=True)
        place.put("a", events)
        time.sleep(away)
        place.set("a")
        back = time.monotonic()
        until(lambda: place.counts()["a"] >= events, "all of A were called", 900, place.worker.alive, every=0.5)
        times = sorted(at for account, _, at in place.told() if account == "a")
        first, took = times[0] - back, times[-1] - times[0]
        report(f"first call after {away} s away", f"{first:.1f} s", "")
        report(
            f"{events} events behind {RATE:g}/s", f"{took:.0f} s", f"{took / (events / RATE):.3f} x the limit's time"
        )
        report("publishes an event", f"{place.publishes() / events:.3f}", "")


def many(broker: str, events: int, report: Callable[..., None]) -> None:
    took = {}
    for accounts in (1, 1000):
        names = [f"a{n}" for n in range(accounts)]
        whole = events // accounts * accounts
        waiting = (event(names[number % accounts], number) for number in range(whole))
        with at_work(broker, dict.fromkeys(names, 0), waiting) as place:
            until(lambda: place.counts().total() >= whole, "all were called", 600, place.worker.alive, every=1)  # noqa: B023
            times = sorted(at for _, _, at in place.told())
            took[accounts] = times[-1] - times[0]
            rate = f"{whole / took[accounts]:.0f}/s"
            report(f"{events} events of {accounts} accounts", rate, f"peak {peak_mb(place.worker.pid):.0f} MB")
    report("1,000 accounts to one", f"{took[1000] / took[1]:.2f} x", "")


def main() -> None:
    parser = argparse.ArgumentParser(description="What one account's events wait for another's.")
    parser.add_argument("--only", choices=("embedded", "rabbitmq"))
    parser.add_argument("--part", choices=("fairness", "hanging", "outage", "many"))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--backlog", type=int, default=10_000)
    parser.add_argument("--away", type=int, default=600)
    parser.add_argument("--events", type=int, default=20_000)
    given = parser.parse_args()
    end_on_sigterm()
    parts: dict[str, Callable[[str, Callable[..., None]], Any]] = {
        "fairness": lambda broker, report: fairness(broker, given.seconds, given.backlog, report),
        "hanging": lambda broker, report: hanging(broker, given.seconds, given.backlog, report),
        "outage": lambda broker, report: outage(broker, given.away, report),
        "many": lambda broker, report: many(broker, given.events, report),
    }
    print("| broker | what | | |", "|---|---|---|---|", sep="\n")
    with tempfile.TemporaryDirectory(prefix="bellhop-rabbitmq-") as folder, ExitStack() as stack:
        node = None if given.only == "embedded" else stack.enter_context(RabbitNode.start(Path(folder)))
        for name in ("embedded", "rabbitmq"):
            if given.only and name != given.only:
                continue
            for part, measure in parts.items():
                if given.part in (None, part):
                    broker = node.vhost() if node is not None and name == "rabbitmq" else ""
                    measure(broker, lambda *cells, n=name: print(f"| {n} | {' | '.join(cells)} |", flush=True))


if __name__ == "__main__":
    main()
