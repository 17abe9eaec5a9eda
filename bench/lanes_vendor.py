"""The vendor of the benchmark of lanes: Peoplevine's sync_member for many accounts, told apart by the path's beginning.

`GET /set?account=a&delay=30&away=1` has an account answer so late, or fail; `GET /told` tells each call: account,
member and when, in seconds of the machine's monotonic clock.
"""

from __future__ import annotations

import asyncio
import json
import time
from urllib.parse import parse_qs, urlsplit

from bench import protocol
from bench.vendor import SUCCESS


class Told:
    def __init__(self) -> None:
        self.calls: list[tuple[str, str, float]] = []
        self.delays: dict[str, float] = {}
        self.away: set[str] = set()


class Connection(protocol.Connection):
    def __init__(self, told: Told) -> None:
        super().__init__()
        self._told = told

    def asked(self, target: str, body: bytes) -> None:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query or body.decode()).items()}
        if parts.path == "/told":
            self.answer(json.dumps(self._told.calls).encode())
        elif parts.path == "/set":
            self._told.delays[query["account"]] = float(query.get("delay", 0))
            (self._told.away.add if query.get("away") else self._told.away.discard)(query["account"])
            self.answer(b"{}")
        else:
            account = parts.path.split("/")[1]
            away = account in self._told.away
            if not away:
                self._told.calls.append((account, query["member_id"], time.monotonic()))
            status = b"503 Service Unavailable" if away else b"200 OK"
            delay = self._told.delays.get(account, 0.0)
            asyncio.get_running_loop().call_later(delay, self.answer, b"{}" if away else SUCCESS, status)


def main() -> None:
    port, _ = protocol.read_place("Answers sync_member for many accounts.")
    told = Told()
    asyncio.run(protocol.serve(port, lambda: Connection(told)))


if __name__ == "__main__":
    main()
