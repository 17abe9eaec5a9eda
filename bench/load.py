"""The load generator: signed requests built before the clock starts, replayed over keep-alive connections.

    python -m bench.load --port 8080 --seconds 8

prints one JSON object: requests, seconds, per_second, p50_ms and p99_ms. Any answer but a 2xx ends the run with an
error, as does a connection that closes under a request: a benchmark of refusals would look fast.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import time
from dataclasses import dataclass, field

from bench.work import signed_requests


class NotAccepted(Exception):
    """Raised when a request was not answered 2xx."""


@dataclass
class Run:
    """The requests still to send and what came back. `done` resolves when every connection has stopped."""

    requests: list[bytes]
    warm_up: int
    seconds: float
    done: asyncio.Future[None]
    connections: int
    sent: int = 0
    began: float = 0.0
    ended: float = 0.0
    latencies: list[float] = field(default_factory=list)
    idle: int = 0

    def next(self) -> bytes | None:
        """The next request; None when the time or the requests are used up."""
        now = time.perf_counter()
        if self.sent == self.warm_up:
            self.began = now
        if self.sent >= len(self.requests) or (self.sent > self.warm_up and now - self.began > self.seconds):
            return None
        self.sent += 1
        return self.requests[self.sent - 1]

    def answered(self, number: int, asked: float) -> None:
        self.ended = time.perf_counter()
        if number > self.warm_up:
            self.latencies.append(self.ended - asked)

    def stop(self, error: Exception | None = None) -> None:
        self.idle += 1
        if self.done.done():
            return
        if error is not None:
            self.done.set_exception(error)
        elif self.idle == self.connections:
            self.done.set_result(None)


class Connection(asyncio.Protocol):
    """One keep-alive connection: a request, its answer, the next request."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._buffer = b""
        self._number = 0  # of the request under way, from 1; 0 when none is
        self._asked = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        request = self._run.next()
        if request is None:
            self._number = 0
            self._run.stop()
            return
        self._number, self._asked = self._run.sent, time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        lines = head.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), None)
        if not lines[0].startswith(b"http/1.1 2") or length is None:
            self._fail(NotAccepted(self._buffer.decode(errors="replace")))
        elif len(rest) >= length:
            self._buffer = b""
            self._run.answered(self._number, self._asked)
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._number:
            self._fail(NotAccepted(f"the connection closed under request {self._number}: {exc}"))

    def _fail(self, error: Exception) -> None:
        self._number = 0
        self._transport.abort()
        self._run.stop(error)


async def replay(
    port: int, requests: list[bytes], *, warm_up: int, seconds: float, connections: int
) -> dict[str, float]:
    """Sends `requests` to 127.0.0.1:port until they or the seconds are used up; the first `warm_up` are not counted."""
    loop = asyncio.get_running_loop()
    run = Run(requests, warm_up, seconds, loop.create_future(), connections)
    made = [await loop.create_connection(lambda: Connection(run), "127.0.0.1", port) for _ in range(connections)]
    try:
        await run.done
    finally:
        for transport, _ in made:
            transport.close()
        await asyncio.sleep(0)  # the loop closes their sockets on its next turn
    times = sorted(run.latencies)
    if not times:
        raise NotAccepted("no request was left after the warm-up")
    spent = run.ended - run.began
    return {
        "requests": len(times),
        "seconds": round(spent, 3),
        "per_second": round(len(times) / spent, 1),
        "p50_ms": _percentile(times, 0.50),
        "p99_ms": _percentile(times, 0.99),
    }


def _percentile(rising: list[float], share: float) -> float:
    """In milliseconds."""
    return round(1000 * rising[max(0, math.ceil(share * len(rising)) - 1)], 2)


def main() -> None:
    parser = argparse.ArgumentParser(description="Replays signed webhooks and prints what came back as JSON.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--requests", type=int, default=60_000, help="at most so many, warm-up included")
    parser.add_argument("--warm-up", type=int, default=1000, help="requests sent before the clock starts")
    parser.add_argument("--connections", type=int, default=32)
    given = parser.parse_args()
    requests = signed_requests(given.requests, f"127.0.0.1:{given.port}")
    run = replay(given.port, requests, warm_up=given.warm_up, seconds=given.seconds, connections=given.connections)
    try:
        print(json.dumps(asyncio.run(run)))
    except (NotAccepted, OSError) as error:
        sys.exit(f"not accepted: {error}")


if __name__ == "__main__":
    main()
