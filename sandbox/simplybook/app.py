"""SimplyBook.me's public service API, pretended (document: `simplybook-public-service-methods`): JSON-RPC 2.0.

`getToken` and `getServiceUrl` are called at `/login`, everything else at `/`. Numbers arrive as strings and an empty
map as `[]`, as PHP sends them.
"""

from __future__ import annotations

import inspect
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bellhop.sandbox.answers import Reply, ids
from bellhop.sandbox.limits import CallLimiter
from bellhop.sandbox.simplybook.bookings import Bookings
from bellhop.sandbox.simplybook.calendar import Calendar
from bellhop.sandbox.simplybook.catalog import Catalog
from bellhop.sandbox.simplybook.hours import Hours
from bellhop.sandbox.simplybook.payments import Payments
from bellhop.sandbox.simplybook.rpc import WORDS, RpcError, php_value
from bellhop.sandbox.simplybook.seed import SimplybookSeed
from bellhop.sandbox.simplybook.switches import SimplybookSwitches
from bellhop.schemas.redact import MASK

_GIVEN: Final = "given"
_SIGNATURE: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class _Method:
    call: Callable[..., Reply]
    fewest: int
    most: int


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
        self.bookings = Bookings(seed, switches, hours, ids(now()), ids(now()), hex_of)
        self.limits = CallLimiter()
        self._seed = seed
        self._switches = switches
        self._now = now
        self._hex = hex_of
        self._url = ""
        self._tokens: dict[str, datetime] = {}
        self._login = _table({"getToken": self._get_token, "getServiceUrl": self._get_service_url})
        self._public = _table(
            {
                **self.bookings.methods,
                **self.bookings.promotions.methods,
                **Payments(seed, switches, hours, self.bookings, ids(now()), hex_of).methods,
                **Calendar(hours, switches).methods,
                **Catalog(seed, switches, hours, now).methods,
            }
        )

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

    @property
    def method_names(self) -> frozenset[str]:
        """Of the public service."""
        return frozenset(self._public)

    def call(self, service: str, company: str, token: str, request: Any, url: str = "") -> Reply:
        """service: "login" or "public". company and token: the two headers, "" where absent. request: the decoded
        JSON; None where it is none. url: where the caller found us."""
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return self.failure(None, -32600, "Invalid Request")
        self.bookings.cancel_unpaid()
        id_ = request.get("id")
        self._url = url
        try:
            if service == "public":
                self._check_access(company, token)
            answer = self._perform(service, request["method"], request.get("params", []))
        except RpcError as error:
            return self.failure(id_, error.code, error.message)
        except OverflowError:  # a time at the end of the calendar
            return self.failure(id_, -32602)
        switches = self._switches()
        if switches.simplybook_numbers_echoed_as_text and type(id_) is int:
            id_ = str(id_)
        result = php_value(answer.body, switches) if service == "public" else answer.body
        body = {"jsonrpc": "2.0", "id": id_, "result": result}
        if switches.simplybook_null_members:
            body["error"] = None
        return Reply(body, effect=answer.effect, id=answer.id)

    def failure(self, id_: Any, code: int, message: str = "") -> Reply:
        """message: the document's for the code unless given."""
        message = message or WORDS.get(code, "Internal error")
        switches = self._switches()
        body = {"jsonrpc": "2.0", "id": id_, "error": {"code": code, "message": message}}
        if switches.simplybook_null_members:
            body["result"] = None
        return Reply(body, switches.simplybook_error_status, refusal=f"{code} {message}")

    def _check_access(self, company: str, token: str) -> None:
        if company != self._seed.company:
            raise RpcError(-32600, "Company does not exists")
        given = self._tokens.get(token)
        lives = timedelta(seconds=self._switches().simplybook_token_seconds)
        if given is None or self._now() >= given + lives:
            raise RpcError(-32600, "Access denied")

    def _perform(self, service: str, name: str, params: Any) -> Reply:
        method = (self._login if service == "login" else self._public).get(name)
        if method is None:
            raise RpcError(-32601)
        if not isinstance(params, list) or not method.fewest <= len(params) <= method.most:
            raise RpcError(-32602)
        return method.call(*params)

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

    def _get_service_url(self, company: Any) -> Reply:
        """The document does not have it: a text, by its name."""
        if company != self._seed.company:
            raise RpcError(-33001)
        return Reply(self._switches().simplybook_service_url or self._url)


def mask_params(service: str, params: Any) -> Any:
    """A request's params without its credentials: at login all but the company, elsewhere signatures."""
    if not isinstance(params, list):
        return MASK if service == "login" else params
    if service == "login":
        return [*params[:1], *(MASK for _ in params[1:])]
    return [MASK if isinstance(value, str) and _SIGNATURE.fullmatch(value) else value for value in params]


def _table(methods: Mapping[str, Callable[..., Reply]]) -> dict[str, _Method]:
    table = {}
    for name, call in methods.items():
        parameters = inspect.signature(call).parameters.values()
        needed = sum(1 for parameter in parameters if parameter.default is parameter.empty)
        table[name] = _Method(call, needed, len(parameters))
    return table
