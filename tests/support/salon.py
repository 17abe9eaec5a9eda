"""SimplyBook.me's sandbox, called as a client with a token would, at a time that a test sets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask.testing import FlaskClient

from bellhop.sandbox.simplybook.batches import signature

GUEST = {"name": "Ann Example", "email": "ann@example.com", "phone": "+38099999999"}
DAY = "2026-03-10"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Caller:
    """Calls the sandbox as a client with a token would."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token = self.rpc("getToken", "sandbox", "sandbox-api-key", path="/login")["result"]

    def rpc(self, method: str, *params: object, path: str = "/", id_: object = 1, **headers: str) -> Any:
        named = {"X-Company-Login": "sandbox", "X-Token": getattr(self, "token", "")}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        body = {"jsonrpc": "2.0", "method": method, "params": list(params), "id": id_}
        answer = self.client.post(path, json=body, headers=named)
        assert answer.mimetype == "application/json"
        return answer.json

    def result(self, method: str, *params: object) -> Any:
        answer = self.rpc(method, *params)
        assert "error" not in answer, answer
        return answer["result"]

    def code(self, method: str, *params: object) -> int:
        answer = self.rpc(method, *params)
        assert "result" not in answer, answer
        return int(answer["error"]["code"])

    def book(self, event: str = "1", unit: str = "3", time: str = "13:00:00", *rest: object, day: str = DAY) -> Any:
        return self.result("book", event, unit, day, time, GUEST, {}, *rest)

    def refused(self, event: str = "1", unit: str = "3", time: str = "13:00:00", *rest: object, day: str = DAY) -> int:
        return self.code("book", event, unit, day, time, GUEST, {}, *rest)

    def switch(self, **values: object) -> None:
        assert self.client.post("/_sandbox/switches", json=values).status_code == 200


def sign(booking: dict[str, str]) -> str:
    return signature(booking["id"], booking["hash"], "sandbox-secret-key")
