"""One round of one contender: accepting, or finishing. Each starts its processes anew and leaves no queue behind."""

from __future__ import annotations

import http.client
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kombu.connection import Connection
from kombu.exceptions import OperationalError

from bench.contenders import Contender, Place
from bench.letters import postgres
from bench.processes import BenchFailed, Running, free_port, run, running, tail, until, used_by
from bench.work import signed_requests

Figures = dict[str, float]


@dataclass(frozen=True)
class Servers:
    """What a run has started: RabbitMQ's URL, and PostgreSQL's, "" where nobody needs it."""

    broker: str
    postgres: str


def accepting(contender: Contender, servers: Servers, seconds: float) -> Figures:
    """per_second, p50_ms, p99_ms, peak_mb and cpu_ms a webhook, answered 2xx by two processes, from 32 connections.

    Raises BenchFailed.
    """
    assert contender.accept is not None
    with _place(contender, servers, vendor="http://127.0.0.1:9") as place:
        with running(contender.accept(place), place.folder / "accept.log", _told(place), contender.root) as server:
            until(lambda: _accepts(place.port), f"{contender.name} accepts a webhook", 30, server.alive)
            figures: Figures = json.loads(
                run(_python("load", "--port", str(place.port), "--seconds", str(seconds)), _told(place))
            )
            server.alive()
        figures["cpu_ms"] = round(1000 * server.cpu_seconds / (figures["per_second"] * seconds), 3)
        figures["peak_mb"] = server.peak_mb
        return figures


def finishing(contender: Contender, servers: Servers, events: int, delay_ms: float) -> Figures:
    """per_second of calls at the vendor from the first to the last; cpu_ms of the worker for each event, its start
    included; worker_ms, broker_ms and vendor_ms, of all their processes, from the first call on; peak_mb; `twice`:
    calls beyond one an event.

    Raises BenchFailed, also when a message is left in a queue after the worker has stopped.
    """
    port = free_port()
    vendor = _python(contender.vendor, "--port", str(port), "--delay-ms", str(delay_ms))
    with _place(contender, servers, vendor=f"http://127.0.0.1:{port}") as place:
        told = _told(place)
        with running(vendor, place.folder / "vendor.log", told) as server:
            until(lambda: _count(port) is not None, "the vendor answers", 10, server.alive)
            run(contender.preload(place, events), told, contender.root)
            with running(contender.work(place), place.folder / "work.log", told, contender.root) as worker:
                used = _drain(port, events, worker, server, place)
            count = _count(port) or {}
        left = _left(place.broker, contender.queues)
        if left:
            raise BenchFailed(f"{left} messages left in {contender.queues}\n{tail(place.folder / 'work.log')}")
        return {
            "per_second": round(events / count["seconds"], 1),
            "cpu_ms": round(1000 * worker.cpu_seconds / events, 3),
            "peak_mb": worker.peak_mb,
            **used,
            "twice": count["calls"] - events,
        }


def _drain(port: int, events: int, worker: Running, vendor: Running, place: Place) -> Figures:
    """What an event costs, from the first call on, by who pays for it."""
    begun: list[tuple[int, list[float]]] = []

    def used() -> list[float]:
        own, (all_, by_worker, by_vendor) = time.process_time(), used_by(os.getpid(), worker.pid, vendor.pid)
        # RabbitMQ is what else runs below this process.
        return [by_worker, all_ - own - by_worker - by_vendor, by_vendor]

    def finished() -> bool:
        done: int = (_count(port) or {}).get("members", 0)
        if done and not begun:
            begun.append((done, used()))
        return done == events

    try:
        until(finished, f"{events} calls at the vendor", 300, worker.alive)
    except BenchFailed as error:
        raise BenchFailed(f"{error}; so far {_count(port)}\n{tail(place.folder / 'work.log')}") from None
    time.sleep(1)  # a call made twice, and the last acks, come now
    (first, before), after = begun[0], used()
    names = ("worker_ms", "broker_ms", "vendor_ms")
    each = [1000 * (new - old) / max(1, events - first) for new, old in zip(after, before, strict=True)]
    return dict(zip(names, (round(one, 3) for one in each), strict=True))


@contextmanager
def _place(contender: Contender, servers: Servers, vendor: str) -> Iterator[Place]:
    _delete(servers.broker, contender.queues)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bellhop-bench-")))
        ledger = stack.enter_context(postgres(servers.postgres)) if contender.needs_postgres else ""
        yield Place(folder, free_port(), servers.broker, vendor, ledger)
    _delete(servers.broker, contender.queues)


def _told(place: Place) -> dict[str, str]:
    return {"BENCH_BROKER": place.broker, "BENCH_VENDOR": place.vendor}


def _python(module: str, *words: str) -> list[str]:
    return [sys.executable, "-m", f"bench.{module}", *words]


def _accepts(port: int) -> bool:
    """Whether a signed webhook is answered 2xx."""
    head, _, content = signed_requests(1, f"127.0.0.1:{port}")[0].partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with suppress(OSError, http.client.HTTPException):
        connection.request("POST", first.split()[1], content, dict(line.split(": ", 1) for line in rest))
        answer = connection.getresponse()
        if 200 <= answer.status < 300:
            return True
        if answer.status != 503:
            raise BenchFailed(f"the first webhook was answered {answer.status}: {answer.read().decode()}")
    connection.close()
    return False


def _count(port: int) -> dict[str, Any] | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with suppress(OSError):
        connection.request("GET", "/count")
        told: dict[str, Any] = json.loads(connection.getresponse().read())
        return told
    return None


def _delete(broker: str, queues: Sequence[str]) -> None:
    with Connection(broker) as connection:
        for queue in queues:
            connection.default_channel.queue_delete(queue)


def _left(broker: str, queues: Sequence[str]) -> int:
    """Messages in the queues, after everything that was unacked has come back."""
    found = 0
    with Connection(broker) as connection:
        for queue in queues:
            with suppress(OperationalError, *connection.channel_errors):
                found += connection.channel().queue_declare(queue, passive=True).message_count
    return found
