"""The console over a real ledger and a real (embedded) broker, and people at it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bellhop.console.access.sessions import OneTimeLink, Sessions
from bellhop.console.app import create_console
from bellhop.console.context import KEY, ConsoleParts
from bellhop.ledger.records import LetterFilter, LetterState, Role
from bellhop.ledger.store import Ledger
from bellhop.schemas.reasons import Reason
from bellhop.vendors.registry import connect_broker
from bellhop.vendors.settings import read_config
from tests.support.ledger import Clock, die, event, letter, sqlite_ledger
from tests.support.service import wait_for

SETTINGS = """
[ledger]
url = "{ledger}"
[broker]
url = ["sqlite:///{folder}/broker.db"]
[accounts.sb]
kind = "simplybook"
base_url = "http://127.0.0.1:9"
company = "sandbox"
api_key = "sandbox-api-key"
secret_key = "sandbox-secret-key"
[venues.salon]
account = "sb"
timezone = "Europe/London"
[console]
{more}
"""

ALL = LetterFilter(states=tuple(LetterState))
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Page(HTMLParser):
    """What of a page accessibility stands on: its tags in order, each with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def of(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.tags if tag in tags]


class Person:
    """Somebody with a browser. path's answers are followed to where they lead."""

    def __init__(self, console: Console, name: str, role: Role) -> None:
        self.name, self.role = name, role
        self.client: FlaskClient = console.app.test_client()
        if name:
            key = Sessions(console.ledger.people, 3600, console.clock).open(name, role)
            self.client.set_cookie("bellhop", key)

    def get(self, path: str, status: int = 200, **headers: str) -> str:
        answer = self.client.get(path, headers=headers)
        assert answer.status_code == status, (answer.status, answer.text[-3000:])
        return answer.text

    @property
    def csrf(self) -> str:
        found = _CSRF.search(self.get("/jobs"))
        assert found
        return found[1]

    def send(self, path: str, form: Mapping[str, Any] | None = None, **headers: str) -> TestResponse:
        """A form of ours, sent: the answer itself."""
        return self.client.post(path, data={"csrf": self.csrf, **(form or {})}, headers=headers)

    def post(self, path: str, form: Mapping[str, Any] | None = None) -> str:
        """The page that it leads to."""
        answer = self.client.post(path, data={"csrf": self.csrf, **(form or {})}, follow_redirects=True)
        assert answer.status_code == 200, (answer.status, answer.text[-3000:])
        return answer.text


class Console:
    def __init__(self, folder: Path, more: str = "", link: OneTimeLink | None = None) -> None:
        file = folder / "bellhop.toml"
        file.write_text(SETTINGS.format(folder=folder, ledger=sqlite_ledger(folder), more=more))
        self.settings = read_config(file, {}).settings
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
        self.app = create_console(self.settings, self.ledger, self.broker, self._observe, link=link, now=self.clock)
        self.parts: ConsoleParts = self.app.extensions[KEY]
        self.viewer, self.ann, self.bob = (
            Person(self, name, role)
            for name, role in (("vic", Role.VIEWER), ("ann", Role.OPERATOR), ("bob", Role.OPERATOR))
        )

    def close(self) -> None:
        self.broker.close()
        self.ledger.close()

    def _observe(self, event: str, /, **fields: object) -> None:
        if event != "console.answered":  # of every request
            self.told.append((event, fields))

    def nobody(self) -> Person:
        return Person(self, "", Role.VIEWER)

    def dead(self, count: int, reason: Reason = Reason.REJECTED, **more: Any) -> list[int]:
        """So many dead bookings of a guest called Ada; their letters' numbers."""
        start = {"service_id": "1", "provider_id": "2", "start": "2026-12-24T10:00:00+00:00", "count": 1}
        data = {"venue": "salon", "client": {"name": "Ada Lee", "email": "ada@example.com"}, "services": [start]}
        had = self.ledger.letters.ids(ALL)
        for number in range(len(had) + 1, len(had) + count + 1):
            gone = event(f"e-{number}", subject=f"R-{number}", data=data)
            die(self.ledger, gone, reason)
            self.ledger.letters.archive([letter(gone, reason, **more)])
        return [number for number in self.ledger.letters.ids(ALL) if number not in had]

    def acts(self) -> list[tuple[str, str, int | None, str]]:
        """Who did what to which letter, and why; the oldest first."""
        return [(row.who, row.act, row.letter, row.why) for row in reversed(self.ledger.audit(1000))]

    def settle(self, key: str, who: str) -> None:
        """Waits until what a draft does behind the browser's back is over."""

        def over() -> bool:
            draft = self.parts.drafts.get(key, who)
            return draft is None or not draft.running

        wait_for(over, "the draft is done with", 20)
