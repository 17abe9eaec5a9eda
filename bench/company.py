"""A SimplyBook.me company for the benchmark of bookings: answers each call after a delay, and counts them by method.

    python -m bench.company --port 9000 --delay-ms 300

`GET /told` tells the calls, and of each booking when it was answered, in seconds of the machine's monotonic clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

SERVICES: Final = 3
_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"

_ANSWERS: Final[dict[str, Any]] = {
    "getToken": "bench-token",
    "getTimeframe": "5",
    "getCompanyParam": "",
    "getAdditionalFields": [],
    "getEventList": [{"id": str(number + 1), "name": f"Service {number + 1}"} for number in range(SERVICES)],
}


class Told:
    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.booked: dict[str, float] = {}

    def answer(self, method: str, params: list[Any]) -> Any:
        self.calls[method] += 1
        if method != "book":
            return _ANSWERS.get(method)
        number = len(self.booked) + 1
        self.booked[params[4]["name"]] = time.monotonic()
        booking = {"id": str(number), "code": f"c{number}", "hash": f"h{number}", "is_confirmed": True}
        return {"require_confirm": False, "bookings": [booking]}


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, as much of it as Bellhop uses."""

    def __init__(self, told: Told, delay: float) -> None:
        self._told, self._delay = told, delay
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
        if head.startswith(b"GET /told "):
            self._write({"calls": self._told.calls, "booked": self._told.booked})
            return
        call = json.loads(rest[:length])
        asyncio.get_running_loop().call_later(self._delay, self._answer(call))

    def _answer(self, call: dict[str, Any]) -> Callable[[], None]:
        def act() -> None:
            result = self._told.answer(call["method"], call["params"])
            self._write({"jsonrpc": "2.0", "result": result, "id": call["id"]})

        return act

    def _write(self, value: object) -> None:
        content = json.dumps(value).encode()
        self._transport.write(_HEAD % (len(content), content))


async def serve(port: int, delay: float) -> None:
    """Serves on 127.0.0.1 until cancelled; `delay` in seconds."""
    told = Told()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(told, delay), "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description="Answers as a SimplyBook.me company and counts the calls.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    given = parser.parse_args()
    asyncio.run(serve(given.port, given.delay_ms / 1000))


if __name__ == "__main__":
    main()
