"""A SimplyBook.me company for the benchmark of bookings: answers each call after a delay, and counts them by method.

    python -m bench.company --port 9000 --delay-ms 300

`GET /told` tells the calls, and of each booking when it was answered, in seconds of the machine's monotonic clock;
`GET /count` the bookings as `bench.vendor` tells its calls.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from bench import protocol

SERVICES: Final = 3

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
        self.first = 0.0

    def answer(self, method: str, params: list[Any]) -> Any:
        self.calls[method] += 1
        if method != "book":
            return _ANSWERS.get(method)
        number = len(self.booked) + 1
        self.first = self.first or time.monotonic()
        self.booked[params[4]["name"]] = time.monotonic()
        booking = {"id": str(number), "code": f"c{number}", "hash": f"h{number}", "is_confirmed": True}
        return {"require_confirm": False, "bookings": [booking]}

    def count(self) -> dict[str, Any]:
        """The bookings that were asked for, how many of them are others' names, and from the first to the last."""
        last = next(reversed(self.booked.values()), 0.0)
        return {"calls": self.calls["book"], "members": len(self.booked), "seconds": last - self.first}


class Connection(protocol.Connection):
    def __init__(self, told: Told, delay: float) -> None:
        super().__init__()
        self._told, self._delay = told, delay

    def asked(self, target: str, body: bytes) -> None:
        if target == "/told":
            self._write({"calls": self._told.calls, "booked": self._told.booked, "at_once": protocol.AT_ONCE.most})
            return
        if target == "/count":
            self._write(self._told.count())
            return
        answer = self._answer_to(json.loads(body))
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, answer)
        else:
            answer()

    def _answer_to(self, call: dict[str, Any]) -> Callable[[], None]:
        def act() -> None:
            result = self._told.answer(call["method"], call["params"])
            self._write({"jsonrpc": "2.0", "result": result, "id": call["id"]})

        return act

    def _write(self, value: object) -> None:
        self.answer(json.dumps(value).encode())


def main() -> None:
    port, delay = protocol.read_place("Answers as a SimplyBook.me company and counts the calls.")
    told = Told()
    protocol.run(protocol.serve(port, lambda: Connection(told, delay)))


if __name__ == "__main__":
    main()
