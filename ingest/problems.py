"""What a webhook is answered when it is not taken, beside what `schemas.problems` says of all such answers."""

from __future__ import annotations

from flask import Response

from bellhop.ingest.proofs import NotVerified
from bellhop.schemas.problems import CONTENT_TYPE, Problem


def respond(problem: Problem, path: str) -> Response:
    """path: what was asked for. Of a webhook's, what follows the source is not told: it may be its secret."""
    parts = path.split("/")[:3]
    instance = "/".join(parts) if "webhooks" in parts else path
    return Response(problem.body(instance), problem.status, problem.headers, content_type=CONTENT_TYPE)


def internal_error() -> Problem:
    """For what nobody foresaw. Says nothing of the inside."""
    return Problem(500, "internal", "Bellhop failed while it answered. Nothing was accepted; send it again later.")


def unauthorized_problem(error: NotVerified) -> Problem:
    """RFC 9110 asks every 401 to name a scheme."""
    return Problem(401, "not-verified", f"{error.reason}.", headers={"WWW-Authenticate": 'Bearer realm="bellhop"'})


def not_known_problem() -> Problem:
    """A rotated secret may be in a ledger that is away: 401 would have its sender give up."""
    detail = "The signature cannot be checked yet: the secrets that were rotated are not known. Send it again."
    return Problem(503, "secrets-not-known", detail, headers={"Retry-After": "5"})
