"""Which of an account's events begins first, whatever their routes: of one process, whose workers share it.

A booking that starts soon goes before any other, bookings go before member syncs, pulls and callbacks, as long as both
wait for the account's limits. None waits for ever: of PASSED_AT_MOST that begin one is of what waits behind.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from bellhop.workers.ports import AccountLeave

PASSED_AT_MOST: Final = 50
"""So many of what goes before, and one of what waits behind is next."""
AHEAD_SECONDS: Final = 0.25
"""So long before its turn an event gets a thread, that its call is not late: the gate waits for the moment itself."""
LOOK_SECONDS: Final = 0.1
"""How soon to ask again where another route's worker has the account's turn."""
GIVES_WAY_SECONDS: Final = 5 * LOOK_SECONDS


class Rank(IntEnum):
    """What begins first, the lowest first."""

    SOON = 0
    BOOKING = 1
    OTHER = 2


@dataclass(slots=True)
class _Account:
    next_at: float = 0.0
    """Monotonic seconds: when the next event may begin by the rate, as far as this process' own go."""
    at_work: int = 0
    waiting: list[int] = field(default_factory=lambda: [0] * len(Rank))
    passed: list[int] = field(default_factory=lambda: [0] * len(Rank))
    """How many that go before have begun since one of this rank did."""
    gives_way_until: float | None = None
    """Monotonic seconds: so long what goes before lets one begin that was passed too often."""


class Precedence:
    """Of one process. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: dict[str, _Account] = {}
        self._elsewhere: frozenset[str] = frozenset()

    def note_elsewhere(self, names: frozenset[str]) -> None:
        """The accounts whose bookings wait with workers of other processes, as of now."""
        self._elsewhere = names

    def next_at(self, name: str) -> float:
        account = self._accounts.get(name)
        return 0.0 if account is None else account.next_at

    def put(self, name: str, rank: Rank) -> None:
        """One more of it waits for its turn."""
        with self._lock:
            self._accounts.setdefault(name, _Account()).waiting[rank] += 1

    def begin(self, name: str, rank: Rank, leave: AccountLeave, now: float, *, in_any_case: bool = False) -> float:
        """0.0 where one that was `put` begins now, and `finish` must follow; else when to ask again, in monotonic
        seconds. in_any_case: whatever goes before it."""
        with self._lock:
            account = self._accounts.setdefault(name, _Account())
            is_later = leave.at_once is not None and account.at_work >= leave.at_once
            is_behind = not in_any_case and self._is_behind(name, account, rank, leave)
            if is_later or is_behind:
                return now + LOOK_SECONDS
            begins = max(account.next_at, leave.next_at) - AHEAD_SECONDS
            if begins > now:
                return begins
            if self._gives_way(account, rank, leave, now):
                return now + LOOK_SECONDS
            account.next_at = max(account.next_at, now) + leave.interval
            account.at_work += 1
            account.waiting[rank] -= 1
            account.passed[rank], account.gives_way_until = 0, None
            for behind in range(rank + 1, len(Rank)):
                account.passed[behind] += 1
            return 0.0

    def finish(self, name: str) -> None:
        with self._lock:
            self._accounts[name].at_work -= 1

    def most(self, name: str, rank: Rank, leave: AccountLeave) -> int | None:
        """How many of this rank may wait for their turn: None for any number, as long as nothing goes before them."""
        account = self._accounts.get(name)
        if account is not None and self._has_before(account, rank, leave):
            return 1 if account.passed[rank] >= PASSED_AT_MOST else 0
        # Nobody here counts what begins elsewhere: so one waits here, and begins once that is long enough.
        return 1 if self._is_behind_elsewhere(name, rank, leave) else None

    def _is_behind(self, name: str, account: _Account, rank: Rank, leave: AccountLeave) -> bool:
        if self._has_before(account, rank, leave):
            return account.passed[rank] < PASSED_AT_MOST
        return self._is_behind_elsewhere(name, rank, leave)

    def _is_behind_elsewhere(self, name: str, rank: Rank, leave: AccountLeave) -> bool:
        return rank is Rank.OTHER and name in self._elsewhere and not _is_apart(rank, leave)

    def _gives_way(self, account: _Account, rank: Rank, leave: AccountLeave, now: float) -> bool:
        """Whether one behind this rank was passed so often that it is next. Not for long: its route may have no thread
        that is free."""
        behind = [other for other in Rank if other > rank and account.waiting[other] and not _is_apart(other, leave)]
        due = [other for other in behind if account.passed[other] >= PASSED_AT_MOST]
        if not due:
            return False
        if account.gives_way_until is None:
            account.gives_way_until = now + GIVES_WAY_SECONDS
        if now < account.gives_way_until:
            return True
        for other in due:
            account.passed[other] = 0
        return False

    def _has_before(self, account: _Account, rank: Rank, leave: AccountLeave) -> bool:
        """Whether something waits that goes before."""
        return not _is_apart(rank, leave) and any(account.waiting[:rank])


def _is_apart(rank: Rank, leave: AccountLeave) -> bool:
    """Without limits no route takes anything from another."""
    return rank is Rank.OTHER and not leave.interval and leave.at_once is None
