"""Group commit: what many threads and fibres want committed at one moment is committed together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from bellhop.schemas.fibres import give_way

GATHER_SECONDS: Final = 0.002
"""A commit takes about as long, and a vendor's call a hundred times."""

T = TypeVar("T")
R = TypeVar("R")


class _Waiting(Generic[T, R]):
    """What is to be committed, and once it is the answer."""

    __slots__ = ("answer", "is_done", "item")
    answer: R | BaseException

    def __init__(self, item: T) -> None:
        self.item = item
        self.is_done = False

    def end(self, answer: R | BaseException) -> None:
        self.answer = answer
        self.is_done = True


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
        self._waiting: list[_Waiting[T, R]] = []

    def submit(self, item: T) -> R:
        """Returns when `item` is committed. Raises what `commit` raised, or answered, for it."""
        own = _Waiting[T, R](item)
        with self._guard:
            self._waiting.append(own)
        give_way(GATHER_SECONDS)
        if not own.is_done:
            with self._turn:
                if not own.is_done:  # else the thread before us took it along
                    with self._guard:
                        group, self._waiting = self._waiting, []
                    self._lead(group)
        if isinstance(own.answer, BaseException):
            raise own.answer
        return own.answer

    def _lead(self, group: Sequence[_Waiting[T, R]]) -> None:
        try:
            answers = self._commit([one.item for one in group])
        except BaseException as error:
            for one in group:
                one.end(error)
            if not isinstance(error, Exception):
                raise
            return
        for one, answer in zip(group, answers, strict=True):
            one.end(answer)
