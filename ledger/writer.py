"""Group commit: what many threads and fibres want committed at one moment is committed together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, Generic, TypeVar

from bellhop.schemas.fibres import give_way

GATHER_SECONDS: Final = 0.002
"""A commit takes about as long, and a vendor's call a hundred times."""

T = TypeVar("T")
R = TypeVar("R")


class GroupWriter(Generic[T, R]):
    """Needs no thread of its own: of the threads that wait, the first to get its turn commits for all of them. Fibres
    first let the others of their thread come so far, too.

    `commit` gets the items in the order they came and answers for each, an exception for one that failed alone; when
    it raises, all have failed.
    """

    def __init__(self, commit: Callable[[Sequence[T]], Sequence[R | Exception]]) -> None:
        self._commit = commit
        self._turn = threading.Lock()
        self._guard = threading.Lock()
        self._waiting: list[tuple[T, Future[R]]] = []

    def submit(self, item: T) -> R:
        """Returns when `item` is committed. Raises what `commit` raised, or answered, for it."""
        future: Future[R] = Future()
        with self._guard:
            self._waiting.append((item, future))
        give_way(GATHER_SECONDS)
        if not future.done():
            with self._turn:
                if not future.done():  # else the thread before us took it along
                    with self._guard:
                        group, self._waiting = self._waiting, []
                    self._lead(group)
        return future.result()

    def _lead(self, group: Sequence[tuple[T, Future[R]]]) -> None:
        try:
            answers = self._commit([item for item, _ in group])
        except BaseException as error:
            for _, future in group:
                future.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        for (_, future), answer in zip(group, answers, strict=True):
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
