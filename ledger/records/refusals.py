"""What the ingress did not take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RefusedPost:
    """A post of a verified source that was answered 4xx. digest: of its body, SHA-256 in hex; sent again it is the same
    post. reason: the problem's name. problems: field and rule. body: masked, and cut where it is long. first, last:
    when it came, UTC. times: how often."""

    source: str
    digest: str
    status: int
    reason: str
    detail: str
    problems: Sequence[tuple[str, str]]
    media: str
    size: int
    body: str
    first: datetime
    last: datetime
    times: int = 1


@dataclass(frozen=True, slots=True)
class RefusedCount:
    """posts: how many of a source; attempts: counted as often as each came. reasons: posts by reason."""

    source: str
    posts: int
    attempts: int
    reasons: Mapping[str, int]
    first: datetime
    last: datetime
