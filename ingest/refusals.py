"""Keeps the refused posts of verified sources in the ledger, in a thread of its own.

Nothing waits for it: a post is answered whether it can be kept or not, and while the ledger is away the last few
hundred wait here.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol

from bellhop.ingest.body import Body
from bellhop.ingest.formats.parts import Receipt
from bellhop.ingest.outline import outline
from bellhop.ledger.records import RefusedPost
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.errors import LedgerError
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.problems import Problem

_MOST_WAITING: Final = 300
_AT_ONCE: Final = 50
_AGAIN_SECONDS: Final = 5.0
_MOST_PROBLEMS: Final = 20
_MOST_CHARACTERS: Final = 200


class KeepRefused(Protocol):
    def __call__(self, posts: Sequence[RefusedPost], /) -> None:
        """Raises LedgerError."""
        ...


class RefusedPosts:
    """Safe from any thread."""

    def __init__(self, keep: KeepRefused, observe: Observe = silent, clock: Clock = SYSTEM_CLOCK) -> None:
        self._keep = keep
        self._observe = observe
        self._clock = clock
        self._waiting: deque[RefusedPost] = deque(maxlen=_MOST_WAITING)  # the oldest goes where it is full
        self._some = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="refused", daemon=True).start()

    def note(self, source: str, body: Body, receipt: Receipt, media: str, problem: Problem) -> None:
        """A post of a source that has proved who it is, and what it was answered."""
        now = receipt.received
        problems = [(error.field, error.rule) for error in problem.errors[:_MOST_PROBLEMS]]
        post = RefusedPost(
            source=source,
            digest=hashlib.sha256(body.sent).hexdigest(),
            status=problem.status,
            reason=problem.name,
            detail=problem.detail,
            problems=tuple((field[:_MOST_CHARACTERS], rule[:_MOST_CHARACTERS]) for field, rule in problems),
            media=media[:100],
            size=len(body.sent),
            body=outline(body),
            first=now,
            last=now,
            content=body.content,
            is_form=body.is_form,
            signed_id=receipt.signed_id,
            salt=receipt.unique,
        )
        self._waiting.append(post)
        self._some.set()

    def keep_waiting(self) -> bool:
        """Has what waits kept; whether that went well."""
        while self._waiting:
            posts = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
            try:
                self._keep(_merge(posts))
            except LedgerError:
                self._waiting.extendleft(reversed(posts))
                return False
        return True

    def _run(self) -> None:
        while True:
            self._some.wait()
            self._some.clear()
            try:
                is_kept = self.keep_waiting()
            except Exception as error:  # noqa: BLE001  # what cannot be kept must not end the thread
                self._observe("thread.crashed", thread="refused", error=type(error).__name__)
                continue
            if not is_kept:
                self._clock.sleep(_AGAIN_SECONDS)
                self._some.set()


def _merge(posts: Sequence[RefusedPost]) -> list[RefusedPost]:
    """A post that came several times, as one."""
    made: dict[tuple[str, str], RefusedPost] = {}
    for post in posts:
        before = made.get((post.source, post.digest))
        made[post.source, post.digest] = (
            replace(
                post,
                times=before.times + post.times,
                first=before.first,
                signed_id=before.signed_id,
                salt=before.salt,
            )
            if before
            else post
        )
    return list(made.values())
