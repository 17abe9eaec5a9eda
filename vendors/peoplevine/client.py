"""Peoplevine Bookings: `https://connect.peoplevine.com/res/…`, credentials in the query string.

Source: `peoplevine-bookings`, all nine of its methods; SevenRooms, Book4Time and Tripleseat stand behind them alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.held import Gate, OpenGate
from bellhop.vendors.http import HttpAnswer, HttpClient, Where, page_failure
from bellhop.vendors.ids import plain_id
from bellhop.vendors.peoplevine.reasons import refusal_kind, refusal_words
from bellhop.vendors.peoplevine.settings import PeoplevineAccount

VENDOR: Final = "peoplevine"

_MEMBERS: Final = {
    name.lower(): name
    for name in ("success", "reason", "message", "success_count", "error_count", "products", "metaData", "offers")
}
_NAMES: Final = frozenset(_MEMBERS.values())
_SAID: Final[Mapping[object, bool]] = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of the document: its title there, its HTTP verb, and its path under /res/.

    changes: it alters something. repeatable: calling it twice does no more than once.
    """

    name: str
    title: str
    verb: str
    path: str
    changes: bool = False
    repeatable: bool = True


METHODS: Final[Mapping[str, Endpoint]] = {
    method.name: method
    for method in (
        Endpoint("sync_member", "Sync Member", "GET", "sync_member", changes=True),
        Endpoint("sync_profiles", "Sync Profiles", "GET", "sync_profiles", changes=True),
        Endpoint("sync_reservations", "Sync Reservation", "GET", "sync_reservations", changes=True),
        Endpoint("sync_services", "Sync Service Types", "GET", "sync_services", changes=True),
        Endpoint("products", "Get Products", "GET", "products"),
        Endpoint("locations", "Get Locations", "GET", "metadata"),
        Endpoint("guest_types", "Get Guest Types", "GET", "metadata"),
        Endpoint("get_service_availability", "Check Availability", "POST", "get_service_availability"),
        Endpoint(
            "create_service_reservation",
            "Create Reservation",
            "POST",
            "create_service_reservation",
            changes=True,
            repeatable=False,
        ),
    )
}


class PeoplevineClient:
    """Safe from any thread. Every method raises VendorFailure, and Held where it is not the account's turn."""

    def __init__(self, account: PeoplevineAccount, http: HttpClient, gate: Gate | None = None) -> None:
        self._account = account
        self._http = http
        self._gate = gate or OpenGate()
        credentials = {
            "auth_id": account.auth_id,
            "company": account.company,
            "user": account.user,
            "pass": account.password,
            **({"host": account.region} if account.region else {}),
        }
        # Written once: it takes longer than to read the answer.
        self._urls = {
            name: f"{account.base_url.rstrip('/')}/res/{method.path}?{urlencode(credentials)}"
            for name, method in METHODS.items()
        }

    def call(self, method: str, /, *arguments: Any) -> Any:
        """One of the methods below by its name, which is in METHODS."""
        if method not in METHODS:
            raise VendorFailure(Kind.REJECTED, vendor=VENDOR, method=method, message="is not a method of Peoplevine's")
        return getattr(self, method)(*arguments)

    def sync_member(self, member_id: str) -> None:
        """Brings a Peoplevine member to Bookings. Harmless to repeat. Success is `success_count` 1, as in the
        document's example: an answer that counts none has brought nobody."""
        answer = self._whole("sync_member", self._call_checked("sync_member", query={"member_id": member_id}))
        if not _count(answer, "success_count"):
            words = f"success, but success_count counts nobody: {refusal_words(answer.json) or 'and no reason given'}"
            raise _failure("sync_member", Kind.REJECTED, words, answer)

    def sync_profiles(self, since: datetime) -> int:
        """Brings profiles new or updated since then to Peoplevine: how many. Harmless to repeat."""
        return self._sync("sync_profiles", since)

    def sync_reservations(self, since: datetime) -> int:
        """Brings reservations created or updated since then to Peoplevine: how many. Harmless to repeat."""
        return self._sync("sync_reservations", since)

    def sync_services(self) -> int:
        """Brings the service (product) types to Peoplevine: how many. Harmless to repeat."""
        return self._sync("sync_services", None)

    def products(self) -> list[dict[str, Any]]:
        """The services: `id`, `name`, `description`, `type`, `charging`, `rate`.

        The document's own example answers `success: false` with all of them: data present means success.
        """
        answer = self._call_checked("products", enough=lambda reply: bool(reply.get("products")))
        return _rows("products", answer, "products", ("id", "name"))

    def locations(self) -> list[dict[str, Any]]:
        """`id`, `name`, `description` of each."""
        return _rows(
            "locations", self._call_checked("locations", query={"type": "location"}), "metaData", ("id", "name")
        )

    def guest_types(self) -> list[dict[str, Any]]:
        """`id`, `name`, `description` of each."""
        answer = self._call_checked("guest_types", query={"type": "guest_type"})
        return _rows("guest_types", answer, "metaData", ("id", "name"))

    def get_service_availability(
        self,
        date: str,
        start_time: str,
        end_time: str,
        alternate_time: bool,
        next_available_date: bool,
        services: Sequence[str],
    ) -> list[dict[str, Any]]:
        """The offers for `services` on `date` (YYYY-MM-DD) between two times (HH:MM): as they come, with
        `start`, `end` (with an offset), `price`, `technician_id`, `service_id`, `facility_id`."""
        body = {
            "date": date,
            "startTime": start_time,
            "endTime": end_time,
            "alternateTime": alternate_time,
            "nextAvailableDate": next_available_date,
            "services": list(services),
        }
        answer = self._call_checked("get_service_availability", body=body)
        return _rows("get_service_availability", answer, "offers", ("start", "technician_id", "facility_id"))

    def create_service_reservation(self, member_id: str, notes: str, offers: Sequence[Mapping[str, Any]]) -> str:
        """Books; the new reservation's id. NOT repeatable.

        offers: `{start, end, price, technician_id, service_id, facility_id}`, times venue-local without an offset.
        """
        body = {"member_id": int(member_id), "notes": notes, "offers": list(offers)}
        answer = self._call_checked("create_service_reservation", body=body)
        # "Success response with Bookings reservation ID": as a text in `message`, with a success_count of 0.
        made = answer.json.get("message")
        if errors := _count(answer, "error_count"):
            words = f"success with {errors} errors: reservation {made} may hold only a part"
            raise _failure("create_service_reservation", Kind.UNKNOWN, words, answer)
        if (id_ := plain_id(made)) is None:
            raise _failure("create_service_reservation", Kind.UNKNOWN, "success without a reservation's id", answer)
        return id_

    def _sync(self, name: str, since: datetime | None) -> int:
        query = {} if since is None else {"from": since.astimezone(UTC).strftime(self._account.from_format)}
        return _count(self._whole(name, self._call_checked(name, query=query)), "success_count")

    def _whole(self, name: str, answer: HttpAnswer) -> HttpAnswer:
        """The answer, where nothing of it failed: a success may count errors, and then a part is missing."""
        errors, made = _count(answer, "error_count"), _count(answer, "success_count")
        if errors:
            words = f"{made} brought, {errors} failed: {refusal_words(answer.json) or 'no reason given'}"
            raise _failure(name, Kind.REJECTED, words, answer)
        return answer

    def _call_checked(
        self,
        name: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        enough: Callable[[Mapping[str, Any]], bool] = lambda _reply: False,
    ) -> HttpAnswer:
        """The answer, where it says success, or has data that is `enough` to be one."""
        with self._gate.turn(self._account.name):
            answer = self._request(METHODS[name], query, body)
            reply = answer.json if isinstance(answer.json, dict) else {}
            success = _success(reply.get("success"))
            if (success is True or enough(reply)) and answer.status < 300:
                return answer
            if success is False:
                raise _refusal(name, answer)
            if success is None:
                raise page_failure(Where(VENDOR, name), answer)
            raise _failure(name, Kind.UNKNOWN, f"HTTP {answer.status} with a success", answer)

    def _request(self, method: Endpoint, query: Mapping[str, str] | None, body: object) -> HttpAnswer:
        answer = self._http.request(
            Where(VENDOR, method.name),
            method.verb,
            self._urls[method.name],
            query=query,
            body=body,
            connect_seconds=self._account.connect_seconds,
            read_seconds=self._account.read_seconds,
            is_read=not method.changes,
        )
        if not isinstance(answer.json, dict) or answer.json.keys() <= _NAMES:
            return answer
        return replace(answer, json=_members(answer.json))


def _members(reply: Mapping[str, Any]) -> dict[str, Any]:
    """With the document's names for its members, also where they are written with other capitals."""
    named = {_MEMBERS.get(key.lower(), key): value for key, value in reply.items()}
    return {**named, **{key: reply[key] for key in named if key in reply}}


def _success(success: object) -> bool | None:
    """What `success` says; None where it says neither."""
    return success if isinstance(success, bool) else _SAID.get(str(success).lower())


def _rows(name: str, answer: HttpAnswer, key: str, needed: Sequence[str]) -> list[dict[str, Any]]:
    """A list of objects; null stands for none."""
    rows = answer.json.get(key) or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) and all(k in row for k in needed) for row in rows):
        raise _failure(name, Kind.UNKNOWN, f"{key} of an unknown form", answer)
    return rows


def _count(answer: HttpAnswer, key: str) -> int:
    """`success_count` or `error_count`, also as a text; 0 where it is neither."""
    told = answer.json.get(key)
    try:
        return 0 if isinstance(told, bool) else max(0, math.ceil(float(str(told))))
    except (ValueError, OverflowError):
        return 0


def _refusal(name: str, answer: HttpAnswer) -> VendorFailure:
    """The failure for a `success: false`, by all its words. One that names an id says yes and no."""
    words = refusal_words(answer.json)
    kind, is_bare = refusal_kind(words, answer.status)
    if not METHODS[name].repeatable and plain_id(answer.json.get("message")) is not None:
        kind, is_bare = Kind.UNKNOWN, False
    failure = _failure(name, kind, words or "no reason given", answer)
    failure.said_no = is_bare
    return failure


def _failure(method: str, kind: Kind, message: str, answer: HttpAnswer) -> VendorFailure:
    return VendorFailure(
        kind,
        vendor=VENDOR,
        method=method,
        message=answer.words(message),
        retry_after=answer.retry_after,
        status=answer.status,
        answer=answer.evidence(answer.json) if kind is Kind.UNKNOWN else answer.kept,
    )
