"""What a request is answered when it is not done: RFC 9457 problem details, the same for webhooks and for the API.

Knows nothing of HTTP servers: whoever answers makes its response of `status`, `headers`, `CONTENT_TYPE` and `body`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from bellhop.schemas.errors import BellhopError, FieldProblem

CONTENT_TYPE: Final = "application/problem+json"
MAX_ERRORS: Final = 100
NOTHING_HERE: Final = "There is nothing at this address."
"""A 404 for an address that is none, and not for what is not there at it."""
_MAX_FIELD: Final = 200
WEBHOOK_PROBLEMS: Final = (
    *("not-verified", "malformed-json", "malformed-form", "media-type", "content-encoding", "invalid-event", "bad-id"),
    *("body-broken", "body-too-large", "body-too-slow", "unknown-source", "not-found", "not-accepted", "internal"),
    *("too-many-events", "secrets-not-known"),
)
"""The names of those that a webhook may be answered."""


class Problem(BellhopError):
    """Raised to answer a request with `status`. name: what kind of problem it is, a word for its `type` and for
    metrics. detail: what happened and what to do; neither secrets nor values that were sent. more: further members of
    the document."""

    def __init__(
        self,
        status: int,
        name: str,
        detail: str,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.name = name
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}
        self.more = more or {}

    def body(self, instance: str) -> str:
        """The document; `instance` is the path that was asked for. `errors` lists every field and rule, up to a
        hundred, so that a body full of faults does not make an answer as long as itself."""
        document: dict[str, Any] = {
            "type": f"urn:bellhop:problem:{self.name}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
        }
        if self.errors:
            document["errors"] = [problem_row(error) for error in self.errors[:MAX_ERRORS]]
        if len(self.errors) > MAX_ERRORS:
            document["detail"] += f" Only {MAX_ERRORS} of {len(self.errors)} errors are listed."
        return json.dumps({**document, **self.more})


def problem_row(problem: FieldProblem) -> dict[str, str]:
    return {"field": problem.field[:_MAX_FIELD], "rule": problem.rule}
