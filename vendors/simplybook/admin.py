"""SimplyBook.me's administration, as far as it is asked: the company's list of bookings.

Source: `getUserToken`, `/admin` and `X-User-Token` are the vendor's own words. What `getBookings` takes and gives back
is known of others' clients: the filter's keys of Activepieces' connector (date_from, date_to, event_id, unit_group_id,
client_id, is_confirmed, booking_type: all, cancelled, non_cancelled …); the rows, a map by id, of an answer of the live
API that a client keeps as a test (see `types.ListedRow`). That `getBookingDetails` needs no signature here several
clients agree on; that it tells the hash is not documented, and nothing needs it.

A user's token is another than the company's, and shared beside it: a login here ends no token of the public service.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.held import Gate
from bellhop.vendors.http import HttpClient
from bellhop.vendors.simplybook.methods import ADMIN_METHODS
from bellhop.vendors.simplybook.rpc import ask
from bellhop.vendors.simplybook.settings import SimplybookAccount

_SHARED: Final = "{}/admin"
"""The name under which the token is shared; no account's has a slash."""


class Tokens(Protocol):
    """Where a token is shared between processes: a new one may end the earlier ones at the vendor."""

    def token(self, account: str) -> str | None: ...

    def replace_token(self, account: str, stale: str | None, login: Callable[[], str]) -> str:
        """A token other than `stale`: another process's, else by `login`."""
        ...

    def renew_token(self, account: str, login: Callable[[], str]) -> str:
        """A new token by `login`."""
        ...


class Administration:
    """Safe from any thread. Every method raises VendorFailure, which tells nothing of the account where it refuses the
    user; and Held. base: the URL of the company's API."""

    def __init__(
        self, account: SimplybookAccount, http: HttpClient, tokens: Tokens, gate: Gate, base: Callable[[], str]
    ) -> None:
        self._account = account
        self._http = http
        self._tokens = tokens
        self._gate = gate
        self._base = base
        self._shared = _SHARED.format(account.name)

    def bookings(self, day: str, event_id: str) -> list[dict[str, Any]]:
        """What stands of a service on a day (Y-m-d), as far as the vendor filters; named as in getBookingDetails."""
        filter_ = {"date_from": day, "date_to": day, "event_id": event_id, "booking_type": "non_cancelled"}
        rows: list[dict[str, Any]] = self._call("getBookings", filter_)
        return [_as_details(row) for row in rows]

    def bookings_after_login(self, day: str, event_id: str) -> list[dict[str, Any]]:
        """As `bookings`, with a new token in the place of the shared one: for checking the user's credentials."""
        self._tokens.renew_token(self._shared, self._log_in)
        return self.bookings(day, event_id)

    def details(self, id_: str) -> dict[str, Any]:
        found: dict[str, Any] = self._call("getBookingDetails", id_)
        return found

    def _call(self, name: str, *arguments: Any) -> Any:
        method = ADMIN_METHODS[name]
        params = method.arguments(arguments)
        token = self._tokens.token(self._shared) or self._tokens.replace_token(self._shared, None, self._log_in)
        try:
            reply = self._ask(name, params, token)
        except VendorFailure as failure:
            if not (failure.said_no or failure.kind is Kind.AUTH):
                raise
            # Whatever the words: refused with a shared token it is worth one new login.
            reply = self._ask(name, params, self._tokens.replace_token(self._shared, token, self._log_in))
        try:
            return method.parse_result(reply.result)
        except ValueError as error:
            raise reply.unreadable(str(error)) from None

    def _ask(self, name: str, params: Sequence[Any], token: str) -> Any:
        url = self._base().rstrip("/") + "/admin"
        with self._gate.turn(self._account.name):
            try:
                return ask(self._http, self._account, url, ADMIN_METHODS[name], params, {"X-User-Token": token})
            except VendorFailure as failure:
                failure.tells_nothing = failure.said_no or failure.kind is Kind.AUTH
                raise

    def _log_in(self) -> str:
        one, method = self._account, ADMIN_METHODS["getUserToken"]
        params = method.arguments((one.company, one.admin_user, one.admin_password))
        with self._gate.turn(one.name, is_login=True):
            try:
                reply = ask(self._http, one, one.base_url.rstrip("/") + "/login", method, params)
                return str(method.parse_result(reply.result))
            except ValueError:
                raise reply.unreadable("answered nothing that can be used") from None
            except VendorFailure as failure:
                # A user who may not log in says nothing of the company's own key, with which everything is booked.
                failure.tells_nothing = failure.said_no or failure.kind in (Kind.AUTH, Kind.REJECTED)
                raise


def _as_details(row: dict[str, Any]) -> dict[str, Any]:
    named = {"start_date_time": row["start_date"], "end_date_time": row["end_date"]}
    if "is_confirm" in row:
        named["is_confirmed"] = row["is_confirm"]
    return {**named, **row}
