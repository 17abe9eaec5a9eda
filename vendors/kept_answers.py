"""What a vendor says of a company, asked once: kept, shared by all threads, and asked anew before it is missed.

An old answer may let a booking pass, for the vendor holds it against its rules itself; it must not refuse one.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from bellhop.schemas.fibres import wait_for

FRESH_SECONDS: Final = 300.0
"""What refuses a booking is no older, and a question that could not be answered is asked again after it."""

REFRESH_SECONDS: Final = 4 * 3600.0
"""An answer older than this is asked for anew, by the way, when it is used."""

KEPT_SECONDS: Final = 24 * 3600.0
"""An older one is not used: it is waited for."""

Question = tuple[Any, ...]


@dataclass(slots=True)
class _Kept:
    answer: Any
    at: float
    refresh_at: float


def on_a_thread(work: Callable[[], object]) -> Future[None]:
    """Beside everything else. What it raises is told nobody: whoever needs the answer asks for it again."""
    ended: Future[None] = Future()

    def run() -> None:
        try:
            with suppress(Exception):
                work()
        finally:
            ended.set_result(None)

    threading.Thread(target=run, name="ask ahead", daemon=True).start()
    return ended


def side_by_side(works: Iterable[Callable[[], object]]) -> None:
    """All of them, each on a thread of its own, to their ends."""
    for ended in [on_a_thread(work) for work in works]:
        wait_for(ended, math.inf)


Share = Callable[[Question, Callable[[], Any]], tuple[Any, float]]
"""A question and how it is asked → its answer, another process's perhaps, and how many seconds ago it was given."""


def ask_alone(_question: Question, ask: Callable[[], Any]) -> tuple[Any, float]:
    return ask(), 0.0


class KeptAnswers:
    """`ask` answers a question, None where there is no answer to it. Safe from any thread.

    patience_seconds: how long a thread waits for another that asks the same: as long as its own call would take.
    share: with other processes, answers that are no older than FRESH_SECONDS.
    """

    def __init__(
        self,
        ask: Callable[..., Any],
        patience_seconds: float,
        *,
        share: Share = ask_alone,
        monotonic: Callable[[], float] = time.monotonic,
        beside: Callable[[Callable[[], object]], object] = on_a_thread,
    ) -> None:
        self._ask = ask
        self._patience_seconds = patience_seconds
        self._share = share
        self._monotonic = monotonic
        self._beside = beside
        self._lock = threading.Lock()
        self._kept: dict[Question, _Kept] = {}
        self._asked: dict[Question, Future[Any]] = {}

    def has(self, question: Question, most_seconds: float = KEPT_SECONDS) -> bool:
        """Whether `get` will answer without asking."""
        with self._lock:
            kept = self._kept.get(question)
            return kept is not None and self._monotonic() - kept.at < most_seconds

    def get(self, question: Question, most_seconds: float = KEPT_SECONDS, ask: Callable[[], Any] | None = None) -> Any:
        """An answer at most so old. ask: how this one is asked; then it is shared by threads alone. Raises what that
        does, for all that wait for it, and keeps nothing of it; and TimeoutError."""
        with self._lock:
            kept, now = self._kept.get(question), self._monotonic()
            is_known = kept is not None and now - kept.at < most_seconds
            if kept is not None and is_known:
                is_due, kept.refresh_at = now >= kept.refresh_at, max(kept.refresh_at, now + FRESH_SECONDS)
        if kept is not None and is_known and not is_due:
            return kept.answer
        told = partial(ask_alone if ask else self._share, question, ask or partial(self._ask, *question))
        if kept is None or not is_known:
            return self._get_new(question, told)
        self._beside(partial(self._get_new, question, told))
        return kept.answer

    def _get_new(self, question: Question, told: Callable[[], tuple[Any, float]]) -> Any:
        """Asked by the first that wants it; the others wait for that one."""
        with self._lock:
            asked = self._asked.get(question)
            is_mine = asked is None
            if asked is None:
                asked = self._asked[question] = Future()
        if not is_mine:
            return wait_for(asked, self._patience_seconds)
        try:
            answer, age = told()
        except BaseException as error:
            with self._lock:
                del self._asked[question]
            asked.set_exception(error)
            raise
        given = self._monotonic() - age
        later = FRESH_SECONDS if answer is None else REFRESH_SECONDS
        with self._lock:
            self._kept[question] = _Kept(answer, given, given + later)
            del self._asked[question]
        asked.set_result(answer)
        return answer
