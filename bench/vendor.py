"""The vendor at the end of the finishing benchmark: answers Peoplevine's sync_member, fast or after a delay.

    python -m bench.vendor --port 9000 --delay-ms 50

It counts exactly: `GET /count` tells how many calls came, for how many members, and the seconds from the first call
to the last answer. Calls beyond the number of members are work done twice.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from bench import protocol

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
        return {
            "calls": self.calls,
            "members": len(self.members),
            "seconds": round(self.last - self.first, 4),
            "at_once": protocol.AT_ONCE.most,
        }


class Connection(protocol.Connection):
    def __init__(self, count: Count, delay: float) -> None:
        super().__init__()
        self._count, self._delay = count, delay

    def asked(self, target: str, body: bytes) -> None:
        parts = urlsplit(target)
        if parts.path == "/count":
            self.answer(json.dumps(self._count.told()).encode())
        elif parts.path.endswith("/sync_member"):
            query = parse_qs(parts.query or body.decode())
            self._count.called(query["member_id"][0])
            self._after(self._finish)
        else:
            self.answer(b'{"success": false, "reason": "unknown method"}', b"404 Not Found")

    def _after(self, act: Callable[[], None]) -> None:
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, act)
        else:
            act()

    def _finish(self) -> None:
        self.answer(SUCCESS)
        self._count.answered()


def main() -> None:
    port, delay = protocol.read_place("Answers sync_member and counts the calls.")
    count = Count()
    protocol.run(protocol.serve(port, lambda: Connection(count, delay)))


if __name__ == "__main__":
    main()
