"""Events worked without a process or a socket: the real intake, handlers and clients, and the sandbox beneath them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bellhop.ingest.formats.parts import Receipt
from bellhop.ingest.intake import Intake
from bellhop.ledger.records import Booking, VendorCall
from bellhop.sandbox.app import create_sandbox
from bellhop.sandbox.seed import Seed
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.observe import silent
from bellhop.schemas.redact import Redactor
from bellhop.vendors.handlers import handlers
from bellhop.vendors.held import OpenGate
from bellhop.vendors.http import HttpAnswer
from bellhop.vendors.outcome import Outcome
from bellhop.vendors.settings import build
from bellhop.vendors.standing import warnings_of

NOW = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
ACCOUNTS: dict[str, dict[str, Any]] = {
    "salon": {
        "kind": "simplybook",
        "company": "sandbox",
        "api_key": "sandbox-api-key",
        "secret_key": "sandbox-secret-key",
    },
    "club": {
        "kind": "peoplevine",
        "auth_id": "sandbox",
        "company": "4711",
        "user": "bellhop",
        "password": "sandbox-password",
    },
}
VENUES = {
    "salon": {"account": "salon", "timezone": "Europe/London"},
    "spa": {"account": "club", "timezone": "Europe/London"},
}


class SandboxHttp:
    """Stands where the HTTP client does. sent: the calls, by method with their body or their query."""

    def __init__(self, seed: Seed | None = None, now: Callable[[], datetime] = lambda: NOW) -> None:
        self.client = create_sandbox(seed, now).test_client()
        self.sent: list[tuple[str, Any]] = []

    def request(
        self,
        where: Any,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        **_limits: object,
    ) -> HttpAnswer:
        asked = {**dict(parse_qsl(urlsplit(url).query)), **(query or {})}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        self.sent.append((where.method, json.loads(data) if data else asked))
        answer = self.client.open(
            urlsplit(url).path,
            method=method,
            query_string=asked,
            data=data,
            headers=dict(headers or {}),
            content_type="application/json",
        )
        return HttpAnswer(answer.status_code, answer.get_json(silent=True), answer.data, None, Redactor([]))

    def switch(self, **values: object) -> None:
        assert self.client.post("/_sandbox/switches", json=values).status_code == 200

    def plugins(self, **values: bool) -> None:
        assert self.client.post("/_sandbox/plugins", json=values).status_code == 200

    def reset(self) -> None:
        assert self.client.post("/_sandbox/reset").status_code in (200, 204)
        self.sent.clear()

    def state(self) -> Any:
        return self.client.get("/_sandbox/state").json

    def of(self, method: str) -> list[Any]:
        """The calls of one method."""
        return [sent for name, sent in self.sent if name == method]


class MemoryLedger:
    """What handlers ask of the ledger beside their booking."""

    def __init__(self) -> None:
        self._token: str | None = None  # one that the vendor does not know is replaced as one that has run out
        self.pulls = None
        self.vendor_answers = self
        self.others: list[Booking] = []

    def get(self, _company: str, _question: str, _most_seconds: float, ask: Callable[[], Any]) -> tuple[Any, float]:
        """Of `vendor_answers`: nobody shares any."""
        return ask(), 0.0

    def bookings_of_guest(self, source: str, data: Mapping[str, Any], *, but: str) -> list[Booking]:
        return self.others

    def token(self, account: str) -> str | None:
        return self._token

    def replace_token(self, account: str, stale: str | None, login: Callable[[], str]) -> str:
        self._token = login()
        return self._token


@dataclass
class Worked:
    """What came of an event. warnings: as the history and the result have them."""

    event: Envelope
    outcome: Outcome
    booking: Booking
    warnings: tuple[str, ...]
    calls: list[VendorCall] = field(default_factory=list)


class House:
    """Takes bodies in and works them as a worker does, with one sandbox beneath."""

    def __init__(
        self,
        http: SandboxHttp | None = None,
        now: Callable[[], datetime] = lambda: NOW,
        *,
        many_places: bool = False,
        **more: Any,
    ) -> None:
        """many_places: its source posts the events of others' places, too. more: further keys of an account, by its
        name."""
        self.http = http or SandboxHttp(now=now)
        self._now = now
        url = {"base_url": "http://127.0.0.1:1"}
        accounts = {name: {**one, **url, **more.get(name, {})} for name, one in ACCOUNTS.items()}
        source = {"verifier": "bearer", "secrets": ["a-token-of-thirty-two-characters"], "member_account": "club"}
        source |= {"unknown_venues": "ignore"} if many_places else {}
        self.settings = build({"sources": {"crm": source}, "accounts": accounts, "venues": VENUES})
        self.ledger = MemoryLedger()
        self._intake = Intake(self.settings, self.settings.sources["crm"])
        self.handlers = handlers(
            self.settings,
            http=self.http,  # type: ignore[arg-type]
            gates=lambda _route: OpenGate(),
            ledger=self.ledger,  # type: ignore[arg-type]
            observe=silent,
            now=now,
        )

    def take(self, type_: str, data: Mapping[str, Any], id_: str = "e-1") -> Envelope:
        """Raises EventInvalid."""
        at = self._now()
        body = {"type": type_, "timestamp": at.isoformat(), "data": json.loads(json.dumps(data))}
        (made,) = self._intake.read(body, Receipt(at, "u1", "d" * 64, id_))
        assert isinstance(made, Envelope)
        return made

    def work(self, event: Envelope, booking: Booking | None = None) -> Worked:
        """Raises VendorFailure."""
        booking = booking or Booking(event.source, event.subject, event.account)
        handler, calls = self.handlers[event.route], []
        for _ in range(50):
            step = handler.translate(event, booking)
            ready = handler.prepare(step, event, booking) if isinstance(step, VendorCall) else step
            if not isinstance(ready, VendorCall):
                return Worked(event, ready, booking, warnings_of(event, booking), calls)
            calls.append(ready)
            result = handler.perform(ready, event, booking)
            if not isinstance(result, Booking):
                return Worked(event, result, booking, warnings_of(event, booking), calls)
            booking = result
        raise AssertionError("it comes to no end")

    def post(self, type_: str, data: Mapping[str, Any], booking: Booking | None = None, id_: str = "e-1") -> Worked:
        """Taken in and worked. Raises EventInvalid, VendorFailure."""
        return self.work(self.take(type_, data, id_), booking)


def salon_data(**more: Any) -> dict[str, Any]:
    """A booking of the salon; service 7 lasts a quarter of an hour. more: of its data; `service`: of its service."""
    service = {"service_id": "7", "provider_id": "3", "start": "2026-03-10T09:15:00", **more.pop("service", {})}
    client = {"name": "Ada Lee", "email": "ada@example.test", "phone": "+442071234567"}
    return {"booking_id": "R-1", "venue": "salon", "client": client, "services": [service], **more}
