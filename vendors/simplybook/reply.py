"""What SimplyBook.me's JSON-RPC server answered: a result, its refusal as the exception of its code, or neither.

A Zend server gives ids back as text, "" for null, and error codes of its own; see `codes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.http import HttpAnswer, Where, page_failure
from bellhop.vendors.simplybook.codes import ERRORS, NOT_KNOWN, classify

_MEMBERS: Final = ("result", "error", "id", "jsonrpc", "code", "message")


@dataclass(frozen=True, slots=True)
class RpcResult:
    """A result, and the answer it came in."""

    result: Any
    where: Where
    answer: HttpAnswer

    def unreadable(self, words: str) -> VendorFailure:
        """That the result is of a form nobody knows: the call was carried out, or may have been."""
        return _unknown(self.where, words, self.answer, {"result": self.result})


def read_reply(where: Where, answer: HttpAnswer, id_: str) -> RpcResult:
    """The result for the request with this id. Raises VendorFailure."""
    reply = _members(answer.json)
    error = _error(reply, answer.status)
    is_ours = _same_id(reply.get("id"), id_)
    if error is not None and reply.get("result"):
        raise _unknown(where, "an answer that says both yes and no", answer, reply["result"])
    if error is not None and (is_ours or reply.get("id") in (None, "")):
        raise _refusal(where, error, answer)
    if "result" in reply and is_ours:
        if answer.status < 300:
            return RpcResult(reply["result"], where, answer)
        raise _unknown(where, f"HTTP {answer.status} with a result", answer, reply["result"])
    if error is not None or "result" in reply:
        raise _unknown(where, f"HTTP {answer.status} with the answer to another call", answer, None)
    raise page_failure(where, answer)


def _members(decoded: Any) -> Mapping[str, Any]:
    """The reply's own members by their names, also where these are written with capitals."""
    if not isinstance(decoded, dict):
        return {}
    lower = {key.lower(): value for key, value in decoded.items() if key.lower() in _MEMBERS}
    return {**lower, **{key: value for key, value in decoded.items() if key in _MEMBERS}}


def _same_id(echoed: Any, id_: str) -> bool:
    """Ids come back as text or as a number, whatever was sent."""
    if isinstance(echoed, float) and echoed.is_integer():
        echoed = int(echoed)
    return not isinstance(echoed, bool) and isinstance(echoed, str | int) and str(echoed) == id_


def _error(reply: Mapping[str, Any], status: int) -> Mapping[str, Any] | None:
    """Its error as an object with `message` and perhaps `code`; None where there is none, or where it is not this
    vendor's: a gateway's JSON has neither an error object of JSON-RPC nor the vendor's words."""
    error = reply.get("error")
    is_rpc = "jsonrpc" in reply or "id" in reply or (isinstance(error, dict) and _is_rpc_code(error.get("code")))
    if not error and "result" not in reply and reply.get("message") and "code" in reply:
        error = {"code": reply["code"], "message": reply["message"]}  # the form of the vendor's newer API
    if not error:
        return None
    said = error if isinstance(error, dict) else {"message": error if isinstance(error, str) else ""}
    if is_rpc or status < 300:
        return said
    row = classify(_code(said.get("code")), str(said.get("message") or ""))
    return said if row.code or row.kind is Kind.THROTTLED else None


def _refusal(where: Where, error: Mapping[str, Any], answer: HttpAnswer) -> VendorFailure:
    """The RPC error as the exception of its row. A 401 is about credentials, whatever it says."""
    message, code = str(error.get("message") or ""), _code(error.get("code"))
    row = classify(code, message)
    said_no = row is NOT_KNOWN and bool(message.strip()) and answer.status < 500
    failure = ERRORS[row](
        vendor=where.vendor,
        method=where.method,
        message=answer.words(message or row.words),
        code=str(row.code or ("" if code is None else code)),
        retry_after=answer.retry_after,
        status=answer.status,
        answer={**answer.evidence(error.get("data")), "advice": row.advice},
        said_no=said_no,
    )
    if answer.status == 401 and said_no:
        failure.kind, failure.said_no = Kind.AUTH, False
    return failure


def _unknown(where: Where, words: str, answer: HttpAnswer, told: Any) -> VendorFailure:
    """told: the part of the answer in which ids of bookings may stand."""
    failure = where.failure(Kind.UNKNOWN, words, answer)
    failure.answer = answer.evidence(told)
    return failure


def _is_rpc_code(value: object) -> bool:
    """Whether it is no HTTP status, as a gateway's JSON has it for a code."""
    code = _code(value)
    return code is not None and not 100 <= code < 600


def _code(value: object) -> int | None:
    """A whole number, also written as text."""
    try:
        return int(str(value))
    except ValueError:
        return None
