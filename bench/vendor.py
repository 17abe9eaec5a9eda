"""The vendor at the end of the finishing benchmark: answers Peoplevine's sync_member, fast or after a delay.

    python -m bench.vendor --port 9000 --delay-ms 50

It counts exactly: `GET /count` tells how many calls came, for how many members, and the seconds from the first call
to the last answer. Calls beyond the number of members are work done twice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

SUCCESS: Final = json.dumps(
    {"success": True, "reason": None, "message": None, "success_count": 1, "error_count": 0}
).encode()


class Count:
    def __init__(self) -> None:
        self.calls = 0
        self.members: set[str] = set()
        self.first = self.last = 0.0

    def called(self, member: str) -> None:
        if not self.calls:
            self.first = time.perf_counter()
        self.calls += 1
        self.members.add(member)

    def answered(self) -> None:
        self.last = time.perf_counter()

    def told(self) -> dict[str, Any]:
        return {"calls": self.calls, "members": len(self.members), "seconds": round(self.last - self.first, 4)}


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, as much of it as clients of this benchmark use: no chunked bodies, no pipelining."""

    def __init__(self, count: Count, delay: float) -> None:
        self._count, self._delay = count, delay
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
        target = urlsplit(head.split(b" ", 2)[1].decode())
        if target.path == "/count":
            self._answer(json.dumps(self._count.told()).encode())
        elif target.path.endswith("/sync_member"):
            query = parse_qs(target.query or rest[:length].decode())
            self._count.called(query["member_id"][0])
            self._after(self._finish)
        else:
            self._answer(b'{"success": false, "reason": "unknown method"}', b"404 Not Found")

    def _after(self, act: Callable[[], None]) -> None:
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, act)
        else:
            act()

    def _finish(self) -> None:
        self._answer(SUCCESS)
        self._count.answered()

    def _answer(self, content: bytes, status: bytes = b"200 OK") -> None:
        self._transport.write(
            b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (status, len(content), content)
        )


async def serve(port: int, delay: float) -> None:
    """Serves on 127.0.0.1 until cancelled; `delay` in seconds."""
    count = Count()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(count, delay), "127.0.0.1", port, backlog=1024
    )
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description="Answers sync_member and counts the calls.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    given = parser.parse_args()
    asyncio.run(serve(given.port, given.delay_ms / 1000))


if __name__ == "__main__":
    main()
