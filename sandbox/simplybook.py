"""SimplyBook.me's public service API, pretended (document: `simplybook-public-service-methods`): JSON-RPC 2.0.

`getToken` is called at `/login`, everything else at `/`. Numbers arrive as strings and an empty map as `[]`, as PHP
sends them.
"""

from __future__ import annotations

import inspect
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sandbox.answers import Answer
from sandbox.seed import Service, SimplybookSeed, Unit
from sandbox.simplybook_bookings import WORDS, Bookings, RpcError, whole
from sandbox.switches import Switches
from schemas.redact import MASK

_SIGNATURE: Final = re.compile(r"[0-9a-f]{32}")
_MATRIX_DAYS: Final = 366


@dataclass(frozen=True, slots=True)
class _Method:
    call: Callable[..., Answer]
    fewest: int
    most: int


class SimplyBook:
    """One company's state. Not safe between threads: its owner holds a lock."""

    def __init__(
        self,
        seed: SimplybookSeed,
        switches: Callable[[], Switches],
        now: Callable[[], datetime],
        hex_of: Callable[[int], str] = secrets.token_hex,
    ) -> None:
        self.bookings = Bookings(seed, switches, now, hex_of)
        self._seed = seed
        self._switches = switches
        self._now = now
        self._hex = hex_of
        self._tokens: dict[str, datetime] = {}
        self._login = _table({"getToken": self._get_token})
        self._public = _table(
            {
                "book": self.bookings.book,
                "confirmBooking": self.bookings.confirm,
                "cancelBooking": self.bookings.cancel,
                "getBookingDetails": self.bookings.details,
                "createBatch": self.bookings.create_batch,
                "getStartTimeMatrix": self._get_start_time_matrix,
                "getUnitList": self._get_unit_list,
                "getEventList": self._get_event_list,
                "getTimeframe": self._get_timeframe,
                "getCompanyInfo": self._get_company_info,
                "getCompanyTimezoneOffset": self._get_company_timezone_offset,
                "isPluginActivated": self._is_plugin_activated,
            }
        )

    def call(self, service: str, company: str, token: str, request: Any) -> Answer:
        """service: "login" or "public". company and token: the two headers, "" where absent. request: the decoded
        JSON; None where it is none."""
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return self.failure(None, -32600, "Invalid Request")
        id_ = request.get("id")
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
        body = {"jsonrpc": "2.0", "id": id_, "result": answer.body}
        if switches.simplybook_null_members:
            body["error"] = None
        return Answer(body, effect=answer.effect, id=answer.id)

    def failure(self, id_: Any, code: int, message: str = "") -> Answer:
        """message: the document's for the code unless given."""
        message = message or WORDS.get(code, "Internal error")
        switches = self._switches()
        body = {"jsonrpc": "2.0", "id": id_, "error": {"code": code, "message": message}}
        if switches.simplybook_null_members:
            body["result"] = None
        return Answer(body, switches.simplybook_error_status, refusal=f"{code} {message}")

    def _check_access(self, company: str, token: str) -> None:
        if company != self._seed.company:
            raise RpcError(-32600, "Company does not exists")
        given = self._tokens.get(token)
        lives = timedelta(seconds=self._switches().simplybook_token_seconds)
        if given is None or self._now() >= given + lives:
            raise RpcError(-32600, "Access denied")

    def _perform(self, service: str, name: str, params: Any) -> Answer:
        method = (self._login if service == "login" else self._public).get(name)
        if method is None:
            raise RpcError(-32601)
        if not isinstance(params, list) or not method.fewest <= len(params) <= method.most:
            raise RpcError(-32602)
        return method.call(*params)

    def _get_token(self, company: Any, key: Any) -> Answer:
        if company != self._seed.company:
            raise RpcError(-33001)
        if key != self._seed.api_key:
            raise RpcError(-33002)
        if self._switches().simplybook_new_token_ends_earlier:
            self._tokens.clear()
        token = self._hex(32)
        self._tokens[token] = self._now()
        return Answer(token)

    def _get_start_time_matrix(
        self, start: Any, end: Any, event_id: Any, unit_id: Any = None, count: Any = 1
    ) -> Answer:
        """A start is listed where at least one of the units is free; it is not held for anyone."""
        service, units = self.bookings.service(event_id), self._units(unit_id)
        seats = 1 if count is None else whole(count)
        try:
            day, last = (datetime.fromisoformat(moment) for moment in (start, end))
        except (TypeError, ValueError):
            raise RpcError(-32602) from None
        if day.tzinfo or last.tzinfo or day.time() != datetime.min.time():
            raise RpcError(-32602)
        if seats < 1 or not 0 <= (last - day).days <= _MATRIX_DAYS:
            raise RpcError(-32602)
        matrix: dict[str, list[str]] = {}
        while day <= last:
            starts = self.bookings.starts(service, units, day, seats)
            matrix[f"{day:%Y-%m-%d}"] = [f"{moment:%H:%M:%S}" for moment in starts]
            day += timedelta(days=1)
        return Answer(matrix)

    def _units(self, unit_id: Any) -> list[Unit]:
        if unit_id is None:
            return list(self._seed.units)
        return [self.bookings.unit(one) for one in (unit_id if isinstance(unit_id, list) else [unit_id])]

    def _get_unit_list(self, visible_only: Any = False, as_array: Any = False) -> Answer:
        return _listed([_unit_row(unit, place) for place, unit in enumerate(self._seed.units)], as_array)

    def _get_event_list(self, visible_only: Any = False, as_array: Any = False) -> Answer:
        return _listed([_event_row(service, place) for place, service in enumerate(self._seed.services)], as_array)

    def _get_timeframe(self) -> Answer:
        return Answer(str(self._seed.timeframe))

    def _get_company_timezone_offset(self) -> Answer:
        """The document gives no example; the offset in minutes, as it gives offsets elsewhere."""
        offset = self._now().astimezone(self._seed.zone).utcoffset()
        minutes = int(offset.total_seconds() // 60) if offset is not None else 0
        return Answer({"offset": str(minutes), "timezone": self._seed.zone.key})

    def _is_plugin_activated(self, name: Any) -> Answer:
        if not isinstance(name, str):
            raise RpcError(-32602)
        waits = self._switches().simplybook_require_confirm
        return Answer(name in self._seed.plugins or (name == "approve_booking" and waits))

    def _get_company_info(self) -> Answer:
        about = "Write a description about your company or about you as a service provider."
        return Answer(
            {
                "login": self._seed.company,
                "name": "Sandbox",
                "description": about,
                "address1": "",
                "address2": "Storey's Gate, ",
                "city": "London",
                "country_id": "GB",
                "lat": "51.500435",
                "lng": "-0.129811",
                "email": "sandbox@example.com",
                "phone": "",
                "web": None,
                "skip_address": None,
                "logo": None,
                "address": "GB, London, Storey's Gate, ",
                "description_text": about,
                "timezone": self._seed.zone.key,
                "show_in_client_timezone": False,
                "timeframe": str(self._seed.timeframe),
                "timeline_type": "modern_week",
                "allow_event_day_break": "0",
                "allow_event_breaktime_break": "0",
            }
        )


def masked(service: str, params: Any) -> Any:
    """A request's params without its credentials: at login all but the company, elsewhere signatures."""
    if not isinstance(params, list):
        return MASK if service == "login" else params
    if service == "login":
        return [*params[:1], *(MASK for _ in params[1:])]
    return [MASK if isinstance(value, str) and _SIGNATURE.fullmatch(value) else value for value in params]


def _table(methods: Mapping[str, Callable[..., Answer]]) -> dict[str, _Method]:
    table = {}
    for name, call in methods.items():
        parameters = inspect.signature(call).parameters.values()
        needed = sum(1 for parameter in parameters if parameter.default is parameter.empty)
        table[name] = _Method(call, needed, len(parameters))
    return table


def _listed(rows: list[dict[str, Any]], as_array: Any) -> Answer:
    if as_array:
        return Answer(rows)
    return Answer({row["id"]: row for row in rows} or [])  # PHP's empty map


def _unit_row(unit: Unit, place: int) -> dict[str, Any]:
    """The document gives no example of a unit."""
    return {
        "id": unit.id,
        "name": unit.name,
        "email": None,
        "phone": None,
        "description": None,
        "picture": None,
        "picture_path": None,
        "is_active": "1",
        "is_visible": "1",
        "qty": str(unit.qty),
        "position": str(place),
    }


def _event_row(service: Service, place: int) -> dict[str, Any]:
    """As in the document's example."""
    return {
        "id": service.id,
        "name": service.name,
        "duration": str(service.minutes),
        "hide_duration": "0",
        "description": None,
        "picture": None,
        "is_public": "1",
        "is_active": "1",
        "position": str(place),
        "is_recurring": "1" if service.repeats > 1 else "0",
        "picture_path": None,
        "price": service.price,
        "currency": "GBP",
        "categories": [],
    }
