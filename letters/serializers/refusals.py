"""What the ingress did not take."""

from __future__ import annotations

from bellhop.ledger.records import RefusedPost
from bellhop.letters.serializers import JsonObject
from bellhop.schemas.clock import iso


def refused_row(post: RefusedPost) -> JsonObject:
    """digest: of the body, by which one is told from another. body: masked."""
    return {
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
    }
