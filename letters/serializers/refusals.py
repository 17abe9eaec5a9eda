"""What the ingress did not take."""

from __future__ import annotations

from bellhop.ledger.records import RefusalCause, RefusedPost, TakenPost
from bellhop.letters.serializers import JsonObject
from bellhop.schemas.clock import iso


def refused_row(post: RefusedPost) -> JsonObject:
    """digest: of the body, by which one is told from another. body: masked."""
    return {
        "number": post.number,
        "cause": post.cause,
        "source": post.source,
        "digest": post.digest,
        "status": post.status,
        "reason": post.reason,
        "detail": post.detail,
        "problems": [{"field": field, "rule": rule} for field, rule in post.problems],
        "media": post.media,
        "size": post.size,
        "body": post.body,
        "first": iso(post.first),
        "last": iso(post.last),
        "times": post.times,
        "taken": iso(post.taken) if post.taken else None,
        "became": post.became,
    }


def refusal_cause_row(cause: RefusalCause) -> JsonObject:
    return {
        "cause": cause.cause,
        "source": cause.sample.source,
        "status": cause.sample.status,
        "reason": cause.sample.reason,
        "detail": cause.sample.detail,
        "problems": [{"field": field, "rule": rule} for field, rule in cause.sample.problems],
        "posts": cause.posts,
        "attempts": cause.attempts,
        "first": iso(cause.first),
        "last": iso(cause.last),
    }


def taken_row(taken: TakenPost) -> JsonObject:
    """event_ids: those that it became, or would."""
    return {
        "number": taken.post.number,
        "source": taken.post.source,
        "verdict": taken.verdict.value,
        "event_ids": list(taken.event_ids),
        "detail": taken.detail,
        "problems": [{"field": field, "rule": rule} for field, rule in taken.problems],
    }
