"""What a webhook is answered when it is not taken, beside what `schemas.problems` says of all such answers."""

from __future__ import annotations

from flask import Response

from bellhop.schemas.problems import CONTENT_TYPE, Problem


def respond(problem: Problem, path: str) -> Response:
    """path: what was asked for. Of a webhook's, what follows the source is not told: it may be its secret."""
    parts = path.split("/")[:3]
    instance = "/".join(parts) if "webhooks" in parts else path
    return Response(problem.body(instance), problem.status, problem.headers, content_type=CONTENT_TYPE)


def internal_error() -> Problem:
    """For what nobody foresaw. Says nothing of the inside."""
    return Problem(500, "internal", "Bellhop failed while it answered. Nothing was accepted; send it again later.")
