"""What a request is answered when it is not taken: RFC 9457 problem details."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from flask import Response

from bellhop.schemas.errors import BellhopError, FieldProblem

MAX_ERRORS: Final = 100
_MAX_FIELD: Final = 200


class Problem(BellhopError):
    """Raised to answer a request with `status`. name: what kind of problem it is, a word for its `type` and for
    metrics. detail: what happened and what to do, for the sender; neither secrets nor values it sent."""

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
        """`application/problem+json`; `instance` is the path that was asked for. `errors` lists every field and rule,
        up to a hundred, so that a body full of faults does not make an answer as long as itself."""
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
        return Response(json.dumps(told), self.status, self.headers, content_type="application/problem+json")


def instance(path: str) -> str:
    """The path as a problem may tell it: for a webhook's, without what follows the source, which may be its secret."""
    parts = path.split("/")[:3]
    return "/".join(parts) if "webhooks" in parts else path


def crashed() -> Problem:
    """For what nobody foresaw. Says nothing of the inside."""
    return Problem(500, "internal", "Bellhop failed while it answered. Nothing was accepted; send it again later.")
