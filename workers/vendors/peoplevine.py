"""Peoplevine Bookings: `https://connect.peoplevine.com/res/…`, credentials in the query string.

Source: `peoplevine-bookings`. Its remaining methods join here as methods of the client.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from schemas.settings import PeoplevineAccount
from workers.vendors.failure import Kind, VendorFailure
from workers.vendors.http import Answer, HttpClient, Where, refused

VENDOR: Final = "peoplevine"

REASONS: Final[tuple[tuple[str, Kind], ...]] = (
    ("credential", Kind.AUTH),
    ("unauthorized", Kind.AUTH),
    ("not authorized", Kind.AUTH),
    ("access denied", Kind.AUTH),
    ("too many requests", Kind.THROTTLED),
    ("member not found", Kind.REJECTED),
    ("invalid member id", Kind.REJECTED),
)
"""Words of a `reason`, in lower case, and their kind. Only the two about members are documented; a reason in no row
is a refusal like any other: the vendor says that it failed."""


class PeoplevineClient:
    """Safe from any thread. Every method raises VendorFailure."""

    def __init__(self, account: PeoplevineAccount, http: HttpClient) -> None:
        self._account = account
        self._http = http
        self._base = account.base_url.rstrip("/") + "/res/"
        self._query = {
            "auth_id": account.auth_id,
            "company": account.company,
            "user": account.user,
            "pass": account.password,
            **({"host": account.region} if account.region else {}),
        }

    def sync_member(self, member_id: str) -> None:
        """Brings a Peoplevine member to Bookings. Harmless to repeat."""
        self._checked("sync_member", "GET", query={"member_id": member_id})

    def create_service_reservation(self, member_id: str, notes: str, offers: Sequence[Mapping[str, Any]]) -> str:
        """Books; the new reservation's id. NOT repeatable.

        offers: `{start, end, price, technician_id, service_id, facility_id}`, times venue-local without an offset.
        """
        body = {"member_id": int(member_id), "notes": notes, "offers": list(offers)}
        answer = self._checked("create_service_reservation", "POST", body=body)
        # "Success response with Bookings reservation ID": as a text in `message`, with a success_count of 0.
        made = answer.json.get("message")
        if isinstance(made, bool) or not isinstance(made, str | int) or not str(made).strip():
            raise _failure("create_service_reservation", Kind.UNKNOWN, "success without a reservation's id", answer)
        return str(made)

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
        answer = self._checked("get_service_availability", "POST", body=body)
        offers = answer.json.get("offers") or []
        keys = ("start", "technician_id", "facility_id")
        if not isinstance(offers, list) or not all(isinstance(o, dict) and all(k in o for k in keys) for o in offers):
            raise _failure("get_service_availability", Kind.UNKNOWN, "offers of an unknown form", answer)
        return offers

    def _checked(
        self, method: str, verb: str, *, query: Mapping[str, str] | None = None, body: object = None
    ) -> Answer:
        """The answer, where it says success."""
        where = Where(VENDOR, method)
        answer = self._http.request(
            where,
            verb,
            self._base + method,
            query={**self._query, **(query or {})},
            body=body,
            connect_seconds=self._account.connect_seconds,
            read_seconds=self._account.read_seconds,
        )
        success = answer.json.get("success") if isinstance(answer.json, dict) else None
        if success is True and answer.status < 300:
            return answer
        if success is False:
            reason = str(answer.json.get("reason") or answer.json.get("message") or "no reason given")
            raise _failure(method, _kind(reason), reason, answer)
        if 300 <= answer.status < 500:
            raise refused(where, answer)
        raise _failure(method, Kind.UNKNOWN, f"HTTP {answer.status} with an answer of an unknown form", answer)


def _kind(reason: str) -> Kind:
    said = reason.lower()
    return next((kind for words, kind in REASONS if words in said), Kind.REJECTED)


def _failure(method: str, kind: Kind, message: str, answer: Answer) -> VendorFailure:
    return VendorFailure(
        kind,
        vendor=VENDOR,
        method=method,
        message=answer.words(message),
        retry_after=answer.retry_after,
        status=answer.status,
        answer=answer.kept,
    )
