"""SimplyBook.me's public service API, pretended (document: `simplybook-public-service-methods`): JSON-RPC 2.0.

What `signatures.LOGIN` has is called at `/login`, `signatures.ADMIN` at `/admin`, everything else at `/`. Numbers
arrive as strings and an empty map as `[]`, as PHP sends them; `wire` says how requests are read and answers written.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from bellhop.sandbox.answers import Reply, ids
from bellhop.sandbox.limits import CallLimiter
from bellhop.sandbox.simplybook import wire
from bellhop.sandbox.simplybook.admin import BackOffice
from bellhop.sandbox.simplybook.bookings import Bookings
from bellhop.sandbox.simplybook.calendar import Calendar
from bellhop.sandbox.simplybook.callbacks import Callbacks
from bellhop.sandbox.simplybook.catalog import Catalog
from bellhop.sandbox.simplybook.guard import Guard
from bellhop.sandbox.simplybook.hours import Hours
from bellhop.sandbox.simplybook.payments import Payments
from bellhop.sandbox.simplybook.rescheduling import Rescheduling
from bellhop.sandbox.simplybook.rpc import WORDS, RpcError, php_value
from bellhop.sandbox.simplybook.seed import SimplybookSeed
from bellhop.sandbox.simplybook.signatures import ADMIN, LOGIN, NEWER, PUBLIC, RESCHEDULE, Signature, service_map
from bellhop.sandbox.simplybook.switches import SimplybookSwitches
from bellhop.schemas.redact import MASK

_GIVEN: Final = "given"
_SIGNATURE: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class _Method:
    signature: Signature
    call: Callable[..., Reply]


class SimplyBook:
    """One company's state. Not safe between threads: its owner holds a lock."""

    def __init__(
        self,
        seed: SimplybookSeed,
        switches: Callable[[], SimplybookSwitches],
        now: Callable[[], datetime],
        hex_of: Callable[[int], str] = secrets.token_hex,
    ) -> None:
        hours = Hours(seed, now)
        self.callbacks = Callbacks(switches, now, seed.company)
        self.bookings = Bookings(seed, switches, hours, ids(now()), ids(now()), hex_of, self.callbacks.tell)
        self.limits = CallLimiter()
        self.guard = Guard(switches, now, hex_of, self.bookings.methods["book"])
        self._seed = seed
        self._switches = switches
        self._now = now
        self._hex = hex_of
        self._url = ""
        self._tokens: dict[str, datetime] = {}
        self._user_tokens: dict[str, datetime] = {}
        login: Mapping[str, Callable[..., Reply]] = {
            "getToken": self._get_token,
            "getUserToken": self._get_user_token,
            "getServiceUrl": self._get_service_url,
        }
        public = {
            **self.bookings.methods,
            **self.bookings.promotions.methods,
            **Payments(seed, switches, hours, self.bookings, ids(now()), hex_of).methods,
            **Calendar(hours, switches).methods,
            **self.guard.methods,
            **Rescheduling(self.bookings, hours).methods,
            **Catalog(seed, switches, hours, now).methods,
        }
        self._methods = {
            "login": _table(login, LOGIN),
            "public": _table(public, {**PUBLIC, **NEWER, **RESCHEDULE}),
            "admin": _table(BackOffice(self.bookings, switches).methods, ADMIN),
        }

    def snapshot(self) -> dict[str, Any]:
        """See `sandbox.pretended.Held`."""
        self.bookings.cancel_unpaid()
        bookings = [
            {
                "id": booked.id,
                "event_id": booked.service.id,
                "unit_id": booked.unit.id,
                "client": dict(booked.client),
                "start": booked.start.isoformat(),
                "end": booked.end.isoformat(),
                "confirmed": booked.confirmed,
                "cancelled": booked.cancelled,
                "paid": booked.paid,
                "promocode": booked.promotion.code if booked.promotion else None,
                "fields": dict(booked.fields),
                "client_time_offset": booked.client_time_offset,
            }
            for booked in self.bookings.all.values()
        ]
        return {"bookings": bookings}

    def service_map(self, service: str, target: str) -> bytes:
        """What GET answers. service: "login", "public" or "admin"."""
        offered = [one.signature for one in self._methods[service].values() if self._is_offered(one.signature.name)]
        return wire.write_json(service_map(offered, target))

    def _is_offered(self, name: str) -> bool:
        switches = self._switches()
        if name in RESCHEDULE:
            return switches.simplybook_reschedule
        return name not in NEWER or switches.simplybook_newer_methods

    def call(
        self,
        service: str,
        company: str,
        token: str,
        request: wire.RpcRequest | None,
        url: str = "",
        address: str = "",
    ) -> Reply:
        """company and token: the two headers, "" where absent. request: None where it cannot be read. url: where the
        caller found us, and its address."""
        switches = self._switches()
        if request is None:
            return wire.script_error(
                switches.simplybook_broken_request, wire.RpcRequest(), -32700, "Parse error", switches
            )
        self.bookings.cancel_unpaid()
        self._url, self.guard.address = url, address
        try:
            if not request.method:
                raise RpcError(-32600, "Invalid Request", thrown=False)
            if service != "login":
                self._check_access(company, token, self._tokens if service == "public" else self._user_tokens)
            method = self._methods[service].get(request.method)
            if method is None or not self._is_offered(request.method):
                raise RpcError(-32601, thrown=False)
            given = wire.arguments_of(method.signature, request, switches)
            if given is None:
                raise RpcError(-32602)
            answer = method.call(*given)
        except wire.ScriptError:
            return wire.script_error(switches.simplybook_type_error, request, -32602, WORDS[-32602], switches)
        except RpcError as error:
            return self.failure(request, error.code, error.message, thrown=error.thrown, status=error.status)
        except OverflowError:  # a time at the end of the calendar
            return self.failure(request, -32602)
        return self._success(service, request, answer)

    def _success(self, service: str, request: wire.RpcRequest, answer: Reply) -> Reply:
        switches = self._switches()
        unencodable = switches.simplybook_unencodable.split(",")
        if not request.has_id and switches.simplybook_notifications:
            return replace(answer, body=b"", status=204)
        if request.method in unencodable or "*" in unencodable:
            return replace(answer, body=b"")
        value = answer.body if service == "login" else php_value(answer.body, switches)
        return replace(answer, body=wire.result_body(request, value, switches))

    def failure(
        self, request: wire.RpcRequest, code: int, message: str = "", *, thrown: bool = True, status: int = 200
    ) -> Reply:
        """message: the document's for the code unless given. status: HTTP's; with 200 that of every RPC error."""
        switches, message = self._switches(), message or WORDS.get(code, "Internal error")
        told, body = wire.error_body(request, code, message, switches, thrown=thrown)
        status = switches.simplybook_error_status if status == 200 else status
        return Reply(body, status, refusal=f"{told} {message}")

    def _check_access(self, company: str, token: str, tokens: Mapping[str, datetime]) -> None:
        if company != self._seed.company:
            raise RpcError(-32600, "Company does not exists")
        given = tokens.get(token)
        switches = self._switches()
        if given is None or self._now() >= given + timedelta(seconds=switches.simplybook_token_seconds):
            code, words = switches.simplybook_token_code, switches.simplybook_token_words
            raise RpcError(code, words, status=switches.simplybook_token_status)

    def _get_token(self, company: Any, key: Any) -> Reply:
        switches = self._switches()
        if company != self._seed.company:
            raise RpcError(-33001)
        if key != self._seed.api_key:
            raise RpcError(-33002)
        if switches.simplybook_login_error:
            raise RpcError(switches.simplybook_login_error)
        if switches.simplybook_token != _GIVEN:
            return Reply({"empty": ""}.get(switches.simplybook_token))
        if switches.simplybook_new_token_ends_earlier:
            self._tokens.clear()
        token = self._hex(32)
        self._tokens[token] = self._now()
        return Reply(token)

    def _get_user_token(self, company: Any, login: Any, password: Any) -> Reply:
        """For the administration: it ends no other token."""
        if company != self._seed.company:
            raise RpcError(-33001)
        if (login, password) != (self._seed.user, self._seed.password):
            raise RpcError(-33003)
        token = self._hex(32)
        self._user_tokens[token] = self._now()
        return Reply(token)

    def _get_service_url(self, company: Any) -> Reply:
        """The document does not have it: a text, by its name."""
        if company != self._seed.company:
            raise RpcError(-33001)
        return Reply(self._switches().simplybook_service_url or self._url)


def mask_params(service: str, params: Any) -> Any:
    """A request's params without its credentials: at login all but the company, elsewhere signatures."""
    if isinstance(params, dict):
        return {name: MASK if _is_secret(service, name, value) else value for name, value in params.items()}
    if not isinstance(params, list):
        return MASK if service == "login" else params
    return [
        MASK if _is_secret(service, "" if place else "companyLogin", value) else value
        for place, value in enumerate(params)
    ]


def _is_secret(service: str, name: str, value: Any) -> bool:
    if service == "login":
        return name != "companyLogin"
    return isinstance(value, str) and _SIGNATURE.fullmatch(value) is not None


def _table(methods: Mapping[str, Callable[..., Reply]], signatures: Mapping[str, Signature]) -> dict[str, _Method]:
    """In the order of the signatures."""
    return {name: _Method(signature, methods[name]) for name, signature in signatures.items()}
