"""What the API answers when it does not do what it was asked: which problem, and every error as one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from bellhop.ledger.pages import CursorInvalid
from bellhop.schemas.errors import BrokerError, FieldProblem, LedgerError, LedgerUnavailable
from bellhop.schemas.observe import Observe, where
from bellhop.schemas.problems import CONTENT_TYPE, NOTHING_HERE, Problem

RETRY_AFTER: Final[Mapping[str, str]] = {"Retry-After": "5"}

_NAMES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("bad-request", "The request is not understood."),
    404: ("not-found", NOTHING_HERE),
    405: ("method-not-allowed", "This address does not take that method."),
    413: ("too-large", "The body is larger than 1 MiB."),
}


def not_found(what: str) -> Problem:
    return Problem(404, "not-found", f"There is no {what}.")


def invalid(*errors: FieldProblem) -> Problem:
    return Problem(422, "invalid", "The request breaks its contract; `errors` names every field.", errors)


def too_late(field: str) -> Problem:
    """What was right a while ago: no contract can say it."""
    told = FieldProblem(field, "must be in the future")
    return Problem(409, "refused", f"The time in {field} has passed.", (told,))


def handle_errors(app: Flask, observe: Observe) -> None:
    """Whatever goes wrong in `app` is answered with a problem. Tells `api.crashed` of what nobody foresaw."""

    def respond(error: Exception) -> Response:
        problem = _problem(error)
        if problem is None:
            observe("api.crashed", error=type(error).__name__, where=where(error))
            problem = Problem(500, "internal", "Bellhop failed while it answered. Look at what was done; try again.")
        path = request.script_root + request.path
        return Response(problem.body(path), problem.status, problem.headers, content_type=CONTENT_TYPE)

    app.register_error_handler(Exception, respond)


def _problem(error: Exception) -> Problem | None:
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, LedgerUnavailable | BrokerError):
        part = "ledger" if isinstance(error, LedgerUnavailable) else "broker"
        return Problem(503, f"{part}-away", f"The {part} is away. Try again soon.", headers=RETRY_AFTER)
    if isinstance(error, CursorInvalid):
        told = FieldProblem("cursor", "must be the `next` of a page of this very list")
        return Problem(409, "refused", "The cursor is of another list, or of another filter.", (told,))
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
        return invalid(*_field_problems(messages))
    name, detail = _NAMES.get(code, _NAMES[400])
    allowed = {name: value for name, value in error.get_headers() if name == "Allow"}
    return Problem(code, name, detail, headers=allowed)


def _field_problems(messages: Mapping[str, Any]) -> list[FieldProblem]:
    """webargs' messages, by where they stand (`json`, `query`), as fields and rules."""
    return [problem for inner in messages.values() for problem in _walk(inner, "")]


def _walk(messages: Any, path: str) -> Iterator[FieldProblem]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _walk(inner, path if key == "_schema" else f"{path}.{key}".lstrip("."))
        return
    for rule in messages if isinstance(messages, list) else [messages]:
        text = re.sub(r"\.$", "", str(rule))
        yield FieldProblem(path or "body", text[:1].lower() + text[1:])
