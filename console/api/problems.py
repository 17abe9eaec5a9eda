"""What a request is answered when it fails: RFC 9457 problem details."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from bellhop.ledger.pages import CursorInvalid
from bellhop.schemas.errors import BellhopError, BrokerError, FieldProblem, LedgerError, LedgerUnavailable
from bellhop.schemas.observe import Observe, where

CONTENT_TYPE: Final = "application/problem+json"
MAX_ERRORS: Final = 100

RETRY_AFTER: Final[Mapping[str, str]] = {"Retry-After": "5"}

_MAX_FIELD: Final = 200
_NAMES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("bad-request", "The request is not understood."),
    404: ("not-found", "There is nothing at this address."),
    405: ("method-not-allowed", "This address does not take that method."),
    413: ("too-large", "The body is larger than 1 MiB."),
}


class Problem(BellhopError):
    """Raised to answer a request with `status`. name: what kind of problem it is, a word for its `type`. detail: what
    happened and what to do; neither secrets nor values that were sent."""

    def __init__(
        self,
        status: int,
        name: str,
        detail: str,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.name = name
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}

    def response(self, instance: str) -> Response:
        told: dict[str, Any] = {
            "type": f"urn:bellhop:problem:{self.name}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
        }
        if self.errors:
            told["errors"] = [{"field": e.field[:_MAX_FIELD], "rule": e.rule} for e in self.errors[:MAX_ERRORS]]
        if len(self.errors) > MAX_ERRORS:
            told["detail"] += f" Only {MAX_ERRORS} of {len(self.errors)} errors are listed."
        return Response(json.dumps(told), self.status, self.headers, content_type=CONTENT_TYPE)


def missing(what: str) -> Problem:
    return Problem(404, "not-found", f"There is no {what}.")


def invalid(*errors: FieldProblem) -> Problem:
    return Problem(422, "invalid", "The request breaks its contract; `errors` names every field.", errors)


def handle_errors(app: Flask, observe: Observe) -> None:
    """Whatever goes wrong in `app` is answered with a problem. Tells `api.crashed` of what nobody foresaw."""

    def answered(error: Exception) -> Response:
        problem = _problem(error)
        if problem is None:
            observe("api.crashed", error=type(error).__name__, where=where(error))
            problem = Problem(500, "internal", "Bellhop failed while it answered. Look at what was done; try again.")
        return problem.response(request.script_root + request.path)

    app.register_error_handler(Exception, answered)


def _problem(error: Exception) -> Problem | None:
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, LedgerUnavailable | BrokerError):
        part = "ledger" if isinstance(error, LedgerUnavailable) else "broker"
        return Problem(503, f"{part}-away", f"The {part} is away. Try again soon.", headers=RETRY_AFTER)
    if isinstance(error, CursorInvalid):
        return invalid(FieldProblem("cursor", "must be the `next` of a page of this very list"))
    if isinstance(error, LedgerError):
        return Problem(409, "refused", f"{str(error)[:1].upper()}{str(error)[1:]}.")
    return None


def _of_http(error: HTTPException) -> Problem | None:
    """What the router and the parsers refuse; None for a failure."""
    code = error.code or 500
    if code >= 500:
        return None
    messages = getattr(error, "data", {}).get("messages", {})
    if messages:
        return invalid(*_told(messages))
    name, detail = _NAMES.get(code, _NAMES[400])
    allowed = {name: value for name, value in error.get_headers() if name == "Allow"}
    return Problem(code, name, detail, headers=allowed)


def _told(messages: Mapping[str, Any]) -> list[FieldProblem]:
    """webargs' messages, by where they stand (`json`, `query`), as fields and rules."""
    return [problem for inner in messages.values() for problem in _walked(inner, "")]


def _walked(messages: Any, path: str) -> Iterator[FieldProblem]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _walked(inner, path if key == "_schema" else f"{path}.{key}".lstrip("."))
        return
    for rule in messages if isinstance(messages, list) else [messages]:
        text = re.sub(r"\.$", "", str(rule))
        yield FieldProblem(path or "body", text[:1].lower() + text[1:])
