"""What the ingress did not take."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RefusedPost:
    """A post of a verified source that was answered 4xx. digest: of its body, SHA-256 in hex; sent again it is the same
    post. reason: the problem's name. problems: field and rule. body: masked, and cut where it is long. first, last:
    when it came, UTC. times: how often.

    number: the ledger's own; 0 before it has it. content: the body itself, unpacked, which names a guest and is shown
    to nobody; None where it was kept before such were, or was not asked for. is_form: how that is to be read.
    signed_id, salt: of its first receipt, with `first`: taken later it becomes the events it would have become then.
    taken: when it was, None while it waits. became: the first of its events, "" for none."""

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
    number: int = 0
    content: bytes | None = field(default=None, repr=False)
    is_form: bool = False
    signed_id: str = ""
    salt: str = ""
    taken: datetime | None = None
    became: str = ""

    @property
    def cause(self) -> str:
        """What posts of one source have in common that one mending may help: reason, fields and rules, wherever in a
        list they stood."""
        said = sorted({(re.sub(r"\b[0-9]+\b", "*", name).removeprefix("*."), rule) for name, rule in self.problems})
        return hashlib.sha256(repr((self.source, self.reason, said)).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class RefusalCause:
    """Posts of one source that one mending may help, and wait. sample: the newest of them. posts: how many; attempts:
    counted as often as each came."""

    cause: str
    sample: RefusedPost
    posts: int
    attempts: int
    first: datetime
    last: datetime


class TakenVerdict(StrEnum):
    TAKEN = "taken"
    KNOWN = "known"
    """An event of its id is there already."""
    NOTHING = "nothing"
    """It is ignored now, or a test."""
    REFUSED = "refused"
    """It is refused still."""


@dataclass(frozen=True, slots=True)
class TakenPost:
    """What became of a refused post that was to be taken. problems: field and rule, where it is refused still."""

    post: RefusedPost
    verdict: TakenVerdict
    event_ids: Sequence[str]
    detail: str = ""
    problems: Sequence[tuple[str, str]] = ()


class TakeRefused(Protocol):
    """Takes refused posts by the settings as they are now; without `publish` it only says what would become of them.
    Raises SettingsError, LedgerUnavailable, BrokerError."""

    def __call__(self, posts: Sequence[RefusedPost], /, *, publish: bool) -> Sequence[TakenPost]: ...


@dataclass(frozen=True, slots=True)
class RefusedCount:
    """posts: how many of a source; attempts: counted as often as each came. reasons: posts by reason."""

    source: str
    posts: int
    attempts: int
    reasons: Mapping[str, int]
    first: datetime
    last: datetime
