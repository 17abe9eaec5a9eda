"""SimplyBook.me's public service: JSON-RPC 2.0 with a token, shared by all workers through the ledger.

Source: `simplybook-public-service-methods`. Its remaining methods join here as methods of the client.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load

from schemas.settings import SimplybookAccount
from workers.vendors.codes import classify
from workers.vendors.failure import Kind, VendorFailure
from workers.vendors.http import Answer, HttpClient, Where, refused

VENDOR: Final = "simplybook"


class Tokens(Protocol):
    """Where a token is shared between processes: a new one may end the earlier ones at the vendor."""

    def token(self, account: str) -> str | None: ...

    def replace_token(self, account: str, stale: str | None, login: Callable[[], str]) -> str:
        """A token other than `stale`: another process's, else by `login`."""
        ...


@dataclass(frozen=True, slots=True)
class BookedRow:
    """One booking of `book`'s answer. `hash` signs later calls about it and is a secret."""

    id: str
    hash: str
    code: str
    start: str
    end: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class BookAnswer:
    """`batch_*` are "" where the answer has no batch."""

    require_confirm: bool
    bookings: tuple[BookedRow, ...]
    batch_type: str
    batch_id: str
    batch_hash: str


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A service provider. `qty`: how many bookings it can hold at one time; None where the answer does not say."""

    id: str
    qty: int | None


class _Text(fields.Field[str]):
    """PHP's texts: numbers arrive as either, null and false as "nothing"."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, dict | list):
            raise ValidationError("must be a text")
        return "" if value is None or value is False else str(value)


class _Flag(fields.Field[bool]):
    """true, 1, "1" and their opposites."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        return str(value).lower() in ("1", "true")


class _Lenient(Schema):
    class Meta:
        unknown = EXCLUDE


class _Booked(_Lenient):
    id = _Text(required=True, validate=bool)
    hash = _Text(load_default="")
    code = _Text(load_default="", allow_none=True)
    start = _Text(data_key="start_date_time", load_default="")
    end = _Text(data_key="end_date_time", load_default="")
    confirmed = _Flag(data_key="is_confirmed", load_default=False)

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> BookedRow:
        return BookedRow(**{**data, "code": data["code"] or ""})


class _Book(_Lenient):
    require_confirm = _Flag(load_default=False)
    bookings = fields.List(fields.Nested(_Booked), required=True, validate=bool)
    batch_type = _Text(load_default="", allow_none=True)
    batch_id = _Text(load_default="", allow_none=True)
    recurrent_batch_id = _Text(load_default="", allow_none=True)
    batch_hash = _Text(load_default="", allow_none=True)

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> BookAnswer:
        return BookAnswer(
            data["require_confirm"],
            tuple(data["bookings"]),
            data["batch_type"] or "",
            data["batch_id"] or data["recurrent_batch_id"] or "",
            data["batch_hash"] or "",
        )


_BOOK: Final = _Book()


def sign(id_: str, hash_: str, secret_key: str) -> str:
    """`md5($bookingId . $bookingHash . $secretKey)`, as confirmBooking and cancelBooking demand."""
    return hashlib.md5(f"{id_}{hash_}{secret_key}".encode(), usedforsecurity=False).hexdigest()


class SimplybookClient:
    """Safe from any thread. Every method raises VendorFailure."""

    def __init__(self, account: SimplybookAccount, http: HttpClient, tokens: Tokens) -> None:
        self._account = account
        self._http = http
        self._tokens = tokens
        self._base = account.base_url.rstrip("/")
        self._ids = itertools.count(1)

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

        `count` above 1 or `batch_id` make a batch; the document allows only one of them.
        """
        params: list[Any] = [event_id, unit_id, date, time, dict(client), dict(additional), count, batch_id, recurring]
        while params[-1] is None:
            params.pop()
        result = self.call("book", params)
        try:
            answer: BookAnswer = _BOOK.load(result)
        except ValidationError:
            raise _unknown("book", "an answer of an unknown form") from None
        return answer

    def confirm_booking(self, id_: str, hash_: str) -> None:
        """Confirms; harmless to repeat."""
        self._signed("confirmBooking", id_, hash_)

    def cancel_booking(self, id_: str, hash_: str) -> None:
        """Cancels; repeated, it answers -32080 (Appointment couldn't be found)."""
        self._signed("cancelBooking", id_, hash_)

    def get_start_time_matrix(
        self, from_: str, to: str, event_id: int, unit_id: int, count: int
    ) -> dict[str, tuple[str, ...]]:
        """The free starts (H:i:s) by day (Y-m-d). None of them is held for anyone."""
        result = self.call("getStartTimeMatrix", [from_, to, event_id, unit_id, count])
        if result == []:  # PHP's empty map
            return {}
        if not isinstance(result, dict) or not all(isinstance(times, list) for times in result.values()):
            raise _unknown("getStartTimeMatrix", "an answer of an unknown form")
        return {day: tuple(str(time) for time in times) for day, times in result.items()}

    def get_unit_list(self) -> tuple[UnitRow, ...]:
        """The service providers."""
        result = self.call("getUnitList", [False, True])
        rows = list(result.values()) if isinstance(result, dict) else result
        if not isinstance(rows, list) or not all(isinstance(row, dict) and "id" in row for row in rows):
            raise _unknown("getUnitList", "an answer of an unknown form")
        return tuple(UnitRow(str(row["id"]), _whole(row.get("qty"))) for row in rows)

    def call(self, method: str, params: Sequence[Any]) -> Any:
        """One RPC call: its result. Refused for its token it logs in again, once; refused again it is permanent."""
        token = self._tokens.token(self._account.name)
        if token is None:
            token = self._tokens.replace_token(self._account.name, None, self._login)
        try:
            return self._rpc(method, params, token)
        except VendorFailure as failure:
            # An expired token and a missing permission say the same.
            if failure.kind is not Kind.AUTH or "access denied" not in failure.message.lower():
                raise
        token = self._tokens.replace_token(self._account.name, token, self._login)
        return self._rpc(method, params, token)

    def _signed(self, method: str, id_: str, hash_: str) -> None:
        number: int | str = int(id_) if id_.isdigit() else id_
        result = self.call(method, [number, sign(id_, hash_, self._account.secret_key)])
        if not result:
            raise VendorFailure(
                Kind.REJECTED, vendor=VENDOR, method=method, message="answered false", answer={"result": result}
            )

    def _login(self) -> str:
        token = self._rpc("getToken", [self._account.company, self._account.api_key], None)
        if not isinstance(token, str) or not token:
            raise VendorFailure(Kind.AUTH, vendor=VENDOR, method="getToken", message="answered no token")
        return token

    def _rpc(self, method: str, params: Sequence[Any], token: str | None) -> Any:
        number = str(next(self._ids))
        where = Where(VENDOR, method)
        headers = {} if token is None else {"X-Company-Login": self._account.company, "X-Token": token}
        answer = self._http.request(
            where,
            "POST",
            f"{self._base}/login" if token is None else f"{self._base}/",
            body={"jsonrpc": "2.0", "method": method, "params": params, "id": number},
            headers=headers,
            connect_seconds=self._account.connect_seconds,
            read_seconds=self._account.read_seconds,
        )
        reply = answer.json
        if isinstance(reply, dict) and reply.get("error"):
            raise _failure(method, reply["error"], answer)
        if 300 <= answer.status < 500:
            raise refused(where, answer)
        # The document's example echoes the id 1 as "1": compare as texts.
        if (
            not isinstance(reply, dict)
            or "result" not in reply
            or str(reply.get("id")) != number
            or answer.status >= 500
        ):
            raise _unknown(method, f"HTTP {answer.status} with an answer that is none to this call")
        return reply["result"]


def _failure(method: str, error: object, answer: Answer) -> VendorFailure:
    """The RPC error as our failure, by the table in `workers.vendors.codes`."""
    said = error if isinstance(error, dict) else {"message": str(error)}
    message, code = str(said.get("message", "")), _whole(said.get("code"))
    row = classify(code, message)
    return VendorFailure(
        row.kind,
        vendor=VENDOR,
        method=method,
        message=answer.words(message or row.words),
        code="" if code is None else str(code),
        retry_after=answer.retry_after,
        status=answer.status,
        answer={**answer.kept, "advice": row.advice},
    )


def _unknown(method: str, message: str) -> VendorFailure:
    return VendorFailure(Kind.UNKNOWN, vendor=VENDOR, method=method, message=message)


def _whole(value: object) -> int | None:
    """A whole number, also written as text."""
    try:
        return int(str(value))
    except ValueError:
        return None
