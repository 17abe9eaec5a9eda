"""As much of HTTP/1.1 as the benchmark's vendors need: keep-alive, no chunked bodies, no pipelining."""

from __future__ import annotations

import argparse
import asyncio
from abc import abstractmethod
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from selectors import SelectSelector
from typing import Final

_HEAD: Final = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"


@dataclass
class AtOnce:
    """Requests that this process has read and not answered, and the most there ever were."""

    now: int = 0
    most: int = 0

    def enter(self) -> None:
        self.now += 1
        self.most = max(self.most, self.now)


AT_ONCE: Final = AtOnce()


class Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        length = next((int(h[15:]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:")), 0)
        if not end or len(rest) < length:
            return
        self._buffer = rest[length:]
        AT_ONCE.enter()
        self.asked(head.split(b" ", 2)[1].decode(), rest[:length])

    @abstractmethod
    def asked(self, target: str, body: bytes) -> None:
        """A whole request: to be answered, now or later."""

    def answer(self, content: bytes, status: bytes = b"200 OK") -> None:
        AT_ONCE.now -= 1
        self._transport.write(_HEAD % (status, len(content), content))


async def serve(port: int, make: Callable[[], Connection]) -> None:
    """Serves on 127.0.0.1 until cancelled."""
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", port, backlog=4096)
    async with server:
        await server.serve_forever()


def run(serving: Coroutine[None, None, None]) -> None:
    """Where a moment matters: epoll counts in whole milliseconds, so that each answer would be half of one late. For
    some hundred connections."""
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(SelectSelector())) as runner:
        runner.run(serving)


def read_place(what: str) -> tuple[int, float]:
    """The command line's port, and the delay of an answer in seconds."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    given = parser.parse_args()
    return given.port, given.delay_ms / 1000
