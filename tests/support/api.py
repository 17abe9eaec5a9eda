"""The API over a real ledger and a real (embedded) broker, with a token of each role."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from bellhop.console.api.app import create_api_app, mount
from bellhop.console.api.tokens import hash_token, new_token
from bellhop.ingest.again import RefusedTaker
from bellhop.ledger.records import ApiToken, LetterFilter, LetterState, Role
from bellhop.ledger.store import Ledger
from bellhop.schemas.reasons import Reason
from bellhop.vendors.registry import connect_broker
from bellhop.vendors.settings import read_config
from tests.support.ledger import Clock, die, event, letter, sqlite_ledger
from tests.support.wsgi import served

SETTINGS = """
[ledger]
url = "{ledger}"
[broker]
url = ["sqlite:///{folder}/broker.db"]
[console]
second_approver = {second}
[accounts.sb]
kind = "simplybook"
base_url = "http://127.0.0.1:9"
company = "sandbox"
api_key = "sandbox-api-key"
secret_key = "sandbox-secret-key"
[venues.salon]
account = "sb"
timezone = "Europe/London"
[sources.crm]
verifier = "standard-webhooks"
secrets = ["whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
"""

ALL = LetterFilter(states=tuple(LetterState))


class Api:
    """clock: the ledger's and the API's. told: what the API told of itself. tokens: by role."""

    def __init__(self, folder: Path, *, ledger_url: str = "", second_approver: bool = False) -> None:
        self.folder = folder
        url = ledger_url or sqlite_ledger(folder)
        self.file = folder / "bellhop.toml"
        self.file.write_text(SETTINGS.format(folder=folder, ledger=url, second=str(second_approver).lower()))
        self.settings = read_config(self.file, {}).settings
        self.clock = Clock()
        self.ledger = Ledger.open(
            self.settings.ledger.url,
            keep_seconds=90 * 86400,
            second_approver=self.settings.console.second_approver,
            now=self.clock,
        )
        self.broker = connect_broker(self.settings)
        self.broker.declare()
        self.told: list[tuple[str, dict[str, object]]] = []
        taker = RefusedTaker(lambda: self.settings, self.broker.publisher, self.ledger.event)
        self.app = create_api_app(
            self.settings, self.ledger, self.broker, self._observe, now=self.clock, take_refused=taker.take
        )
        self.client = self.app.test_client()
        self.tokens = {role: self.add_token(role)[0] for role in Role}

    def close(self) -> None:
        self.broker.close()
        self.ledger.close()

    def _observe(self, event: str, /, **fields: object) -> None:
        if event != "console.answered":  # of every request
            self.told.append((event, fields))

    def add_token(self, role: Role, who: str = "ann") -> tuple[str, ApiToken]:
        token = new_token()
        return token, self.ledger.people.add_token(f"{role.value}s", role, hash_token(token), who)

    def ask(self, method: str, path: str, role: Role = Role.ADMIN, **more: Any) -> TestResponse:
        return self.client.open(path, method=method, headers={"Authorization": f"Bearer {self.tokens[role]}"}, **more)

    def get(self, path: str, role: Role = Role.VIEWER, **query: Any) -> dict[str, Any]:
        """What a GET that goes well answers."""
        answer = self.ask("GET", path, role, query_string=query)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json
        return told

    def post(self, path: str, body: Mapping[str, Any], role: Role = Role.OPERATOR) -> dict[str, Any]:
        """What a POST that goes well answers."""
        answer = self.ask("POST", path, role, json=dict(body))
        assert answer.status_code in (200, 201), answer.text
        told: dict[str, Any] = answer.json
        return told

    def dead(self, count: int, reason: Reason = Reason.REJECTED) -> list[int]:
        """So many dead bookings of a guest called Ada; their letters' numbers."""
        start = {"service_id": "1", "provider_id": "2", "start": "2026-12-24T10:00:00+00:00", "count": 1}
        data = {"venue": "salon", "client": {"name": "Ada Lee", "email": "ada@example.com"}, "services": [start]}
        had = self.ledger.letters.ids(ALL)
        for number in range(len(had) + 1, len(had) + count + 1):
            gone = event(f"e-{number}", subject=f"R-{number}", data=data)
            die(self.ledger, gone, reason)
            self.ledger.letters.archive([letter(gone, reason)])
        return [number for number in self.ledger.letters.ids(ALL) if number not in had]

    @contextmanager
    def served(self) -> Iterator[str]:
        """The API as the console has it, on a port of its own: its address."""
        outer = Flask("outer")
        mount(outer, self.app)
        with served(outer) as address:
            yield address


def problem(answer: TestResponse) -> dict[str, Any]:
    """The problem document of an answer, which must be one."""
    assert answer.content_type == "application/problem+json", (answer.status, answer.content_type, answer.text[:200])
    told: dict[str, Any] = json.loads(answer.data)
    assert {"type", "title", "status", "detail", "instance"} <= set(told)
    assert told["status"] == answer.status_code
    assert told["type"].startswith("urn:bellhop:problem:")
    return told
