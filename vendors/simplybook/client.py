"""SimplyBook.me's public service: JSON-RPC 2.0 with a token, shared by all workers through the ledger.

Source: `simplybook-public-service-methods`. `call` makes any of its methods, by the document's name; the methods of
the client are those that a booking needs, with our types.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from bellhop.schemas.redact import learn_secret
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.held import CallHeld, Gate, OpenGate
from bellhop.vendors.http import HttpClient, Where
from bellhop.vendors.phrases import is_alike, is_bare
from bellhop.vendors.simplybook.admin import Administration, Tokens
from bellhop.vendors.simplybook.book_answer import BookAnswer, BookedRow
from bellhop.vendors.simplybook.methods import LOGIN_METHODS, TOKEN_METHODS, Method
from bellhop.vendors.simplybook.reply import RpcResult
from bellhop.vendors.simplybook.rpc import VENDOR, ask
from bellhop.vendors.simplybook.settings import SimplybookAccount

_HARMLESS: Final = "getTimeframe"
_HOSTS: Final = (".simplybook.me", ".simplybook.it", ".simplybook.asia", ".simplybook.net")


def signature_of(id_: str, hash_: str, secret_key: str) -> str:
    """`md5($bookingId . $bookingHash . $secretKey)`; of batches `md5($batchId . $batchHash . $secret)`."""
    return hashlib.md5(f"{id_}{hash_}{secret_key}".encode(), usedforsecurity=False).hexdigest()


class SimplybookClient:
    """Safe from any thread. Every method raises VendorFailure, where the vendor answered with one of its codes the
    code's own exception of `vendors.simplybook.codes`; and Held, where it is not the account's turn."""

    def __init__(self, account: SimplybookAccount, http: HttpClient, tokens: Tokens, gate: Gate | None = None) -> None:
        self._account = account
        self._http = http
        self._tokens = tokens
        self._gate = gate or OpenGate()
        self._login_url = account.base_url.rstrip("/") + "/login"
        self._url = "" if account.discover else account.base_url.rstrip("/") + "/"
        self.admin = Administration(account, http, tokens, self._gate, self._base) if account.has_list else None

    # --- what a booking needs -----------------------------------------------------------------------------------

    def book(
        self,
        event_id: int,
        unit_id: int,
        date: str,
        time: str,
        client: Mapping[str, Any],
        additional: Mapping[str, Any],
        count: int | None,
        batch_id: int | None,
        recurring: Mapping[str, Any] | None,
    ) -> BookAnswer:
        """Books a slot: `date` Y-m-d and `time` H:i:s, the company's own. NOT repeatable.

        `count` above 1 or `batch_id` make a batch: "only one parameter can be specified".
        """
        if count is not None and count > 1 and batch_id is not None:
            raise _refused_here("book", "count above 1 and batchId exclude each other")
        answer: BookAnswer = self.call(
            "book", event_id, unit_id, date, time, dict(client), dict(additional), count, batch_id, recurring
        )
        return answer

    def create_batch(self) -> str:
        """A new, empty batch: its id."""
        return str(self.call("createBatch"))

    def confirm_booking(self, id_: str, hash_: str) -> None:
        """Confirms; harmless to repeat."""
        self._call_signed("confirmBooking", [id_], id_, hash_)

    def confirm_booking_batch(self, id_: str, type_: str, hash_: str) -> None:
        """Confirms every booking of a batch; harmless to repeat."""
        self._call_signed("confirmBookingBatch", [id_, type_], id_, hash_)

    def cancel_booking(self, id_: str, hash_: str) -> None:
        """Cancels; repeated, it answers -32080 (Appointment couldn't be found)."""
        self._call_signed("cancelBooking", [id_], id_, hash_)

    def reschedule_book(self, id_: str, hash_: str, date: str, time: str, offset: int | None) -> BookedRow:
        """Moves a booking to another time; made twice, it comes to the same. offset: as in `client_time_offset`."""
        params = (id_, self.sign(id_, hash_), date, time, None, None, None, offset, None)
        answer: BookAnswer = self.call("rescheduleBook", *params)
        return answer.bookings[0]

    def offers(self, name: str) -> bool:
        """Whether the company's service map has a method. Raises VendorFailure, Held."""
        url, where = self._base(), Where(VENDOR, "service map")
        with self._gate.turn(self._account.name):
            answer = self._http.request(
                where,
                "GET",
                url,
                connect_seconds=self._account.connect_seconds,
                read_seconds=self._account.read_seconds,
                is_read=True,
            )
        told = answer.json.get("services") if isinstance(answer.json, Mapping) else None
        return isinstance(told, Mapping) and name in told

    def get_booking_details(self, id_: str, hash_: str) -> dict[str, Any]:
        """A booking's details, ids as texts."""
        found: dict[str, Any] = self.call("getBookingDetails", id_, self.sign(id_, hash_))
        return found

    def get_start_time_matrix(
        self, from_: str, to: str, event_id: int, unit_id: int, count: int
    ) -> dict[str, list[str]]:
        """The free starts (H:i:s) by day (Y-m-d). None of them is held for anyone."""
        found: dict[str, list[str]] = self.call("getStartTimeMatrix", from_, to, event_id, unit_id, count)
        return found

    def get_unit_list(self) -> list[dict[str, Any]]:
        """The service providers; `qty`, where it is told, is how many bookings one holds at a time."""
        found: list[dict[str, Any]] = self.call("getUnitList", False, True)
        return found

    # --- any method ---------------------------------------------------------------------------------------------

    def call(self, name: str, /, *arguments: Any) -> Any:
        """One of the document's methods by its name: its result as `vendors.simplybook.methods` types it.

        Wrong arguments raise REJECTED before anything is sent. Refused for its token it logs in again, once.
        """
        method = TOKEN_METHODS.get(name)
        if method is None:
            raise _refused_here(name, "is not a method of the public service")
        params = _check_arguments(method, arguments)
        reply = self._with_token(method, params)
        try:
            return method.parse_result(reply.result)
        except ValueError as error:
            raise reply.unreadable(str(error)) from None

    def login(self) -> str:
        """A new session token, past the one that is shared: for checking the credentials."""
        account = self._account
        token = str(self._log_in("getToken", account.company, account.api_key))
        learn_secret(token)
        return token

    def renew_token(self) -> None:
        """Logs in, and shares the new token with all workers in place of the one that the vendor may have ended so."""
        self._tokens.renew_token(self._account.name, self.login)

    def service_url(self) -> str:
        """Where the company's API is, as getServiceUrl tells it. Raises AUTH where that cannot be trusted with the
        account's token: not HTTPS, or not a host of the vendor's."""
        told = str(self._log_in("getServiceUrl", self._account.company))
        url = told if "://" in told else f"https://{told}"
        ours, theirs = urlsplit(self._account.base_url), urlsplit(url)
        same = (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc)
        if not same and not (theirs.scheme == "https" and (theirs.hostname or "").endswith(_HOSTS)):
            message = "names a host that is not SimplyBook.me's: set discover = false and base_url"
            raise VendorFailure(Kind.AUTH, vendor=VENDOR, method="getServiceUrl", message=message)
        return url.rstrip("/") + "/"

    def sign(self, id_: str, hash_: str) -> str:
        """With this account's secret key."""
        return signature_of(id_, hash_, self._account.secret_key)

    def _call_signed(self, name: str, arguments: Sequence[Any], id_: str, hash_: str) -> None:
        if not self.call(name, *arguments, self.sign(id_, hash_)):
            raise VendorFailure(
                Kind.REJECTED, vendor=VENDOR, method=name, message="answered false", answer={"result": False}
            )

    def _with_token(self, method: Method, params: Sequence[Any]) -> RpcResult:
        """The reply. A refusal with a token that is shared is worth one new login, whatever its words: an expired token
        and a missing permission say the same, and nobody knows in how many ways. Where everything is refused with the
        new one too, it is the account's credentials."""
        account = self._account.name
        token = self._tokens.token(account)
        if token is None:
            token = self._tokens.replace_token(account, None, self.login)
        try:
            return self._rpc(method.name, params, token)
        except VendorFailure as failure:
            if not self._is_for_token(failure, token):
                raise
        token = self._tokens.replace_token(account, token, self.login)
        try:
            return self._rpc(method.name, params, token, is_new=True)
        except VendorFailure as failure:
            if failure.said_no and self._is_for_token(failure, token, is_new=True):
                failure.kind, failure.said_no = Kind.AUTH, False
            raise

    def _is_for_token(self, failure: VendorFailure, token: str, *, is_new: bool = False) -> bool:
        """Whether a call was refused for its token, and so certainly not done. Where the words do not tell, a question
        that every token may ask is: refused in the same words, it was the token."""
        if failure.kind is Kind.AUTH:
            return True
        if not failure.said_no or is_bare(failure.message):
            return False
        try:
            self._rpc(_HARMLESS, (), token, alike=failure.message, is_new=is_new)
        except VendorFailure as other:
            return other.kind is Kind.AUTH
        except CallHeld as held:
            if not held.refused:  # it was not asked
                raise failure from None
            raise
        return False

    def _log_in(self, name: str, *arguments: Any) -> Any:
        """What is refused here is the login, in whatever words. Whatever became of it, its call was not made."""
        method = LOGIN_METHODS[name]
        params = _check_arguments(method, arguments)
        with self._gate.turn(self._account.name, is_login=True):
            try:
                return method.parse_result(self._request(name, params, self._login_url, None).result)
            except ValueError:
                message = "answered nothing that can be used"
                raise VendorFailure(Kind.AUTH, vendor=VENDOR, method=name, message=message) from None
            except VendorFailure as failure:
                if failure.kind is Kind.UNKNOWN and not failure.said_no:
                    failure.kind = Kind.TRANSIENT
                elif failure.kind not in (Kind.TRANSIENT, Kind.THROTTLED):
                    failure.kind = Kind.AUTH
                raise

    def _base(self) -> str:
        """Asked for once; a race asks twice and comes to the same."""
        if not self._url:
            self._url = self.service_url()
        return self._url

    def _rpc(self, name: str, params: Sequence[Any], token: str, *, alike: str = "", is_new: bool = False) -> RpcResult:
        """alike: words in which another call was refused. Refused in the same, it is neither call's fault. is_new: the
        token is, so that its refusal is one of the credentials; else it may be the token's alone."""
        url = self._base()
        with self._gate.turn(self._account.name):
            try:
                return self._request(name, params, url, token)
            except VendorFailure as failure:
                if failure.said_no and is_alike(alike, failure.message):
                    failure.kind, failure.said_no = Kind.AUTH, False
                is_asked_about = failure.said_no and not is_bare(failure.message)
                failure.tells_nothing = is_asked_about or (failure.kind is Kind.AUTH and not is_new)
                raise

    def _request(self, name: str, params: Sequence[Any], url: str, token: str | None) -> RpcResult:
        method = TOKEN_METHODS.get(name) or LOGIN_METHODS[name]
        return ask(self._http, self._account, url, method, params, None if token is None else {"X-Token": token})


def _check_arguments(method: Method, arguments: Sequence[Any]) -> list[Any]:
    try:
        return method.arguments(arguments)
    except ValueError as error:
        raise _refused_here(method.name, str(error)) from None


def _refused_here(name: str, rule: str) -> VendorFailure:
    return VendorFailure(Kind.REJECTED, vendor=VENDOR, method=name, message=f"was not sent: {rule}")
