"""What one worker has in hand of each account, and whose event begins next.

An account is held: nothing of its lane is taken. It has room: it may have more in hand, which wait here for a thread of
the pool, for its turn by rate and calls at once. Every account has less in hand than there are free places, and less at
work than there are free threads: one alone gets half of both, the next one half of what is left, and there is always a
place for one that has nothing yet. docs/decisions/0025 has the whole.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.workers.delivery import ClaimedDelivery
from bellhop.workers.ports import FREE, AccountLeave, Turns
from bellhop.workers.retry import LOOK_SECONDS

AHEAD_SECONDS: Final = 0.25
"""So long before its turn an event gets a thread, that its call is not late: the gate waits for the moment itself."""
SOON_SECONDS: Final = 2.0
"""What has to wait longer for its turn is not taken yet."""


def capacity_of(threads: int) -> int:
    """How many deliveries a worker has in hand at once: of each account half of them, twice its threads, so that one
    half of that works while the other settles."""
    return 4 * threads


def pool_size(threads: int) -> int:
    """An account alone has half of the pool, which are the threads of the settings."""
    return 2 * threads


@dataclass(slots=True)
class _Account:
    leave: AccountLeave = FREE
    in_hand: int = 0
    at_work: int = 0
    next_at: float = 0.0
    """Monotonic seconds: when the next event may begin by the rate, as far as this worker's own go."""
    waiting: deque[ClaimedDelivery] = field(default_factory=deque)
    looked_at: float | None = None
    """Monotonic seconds: when its lane was last looked at as a whole, or it became held; None while it is not."""


class Lanes:
    """Of one worker. `room`, `most` are the consumer's `broker.port.Leave`. Safe from any thread."""

    def __init__(self, threads: int, turns: Turns, clock: Clock = SYSTEM_CLOCK) -> None:
        self._places = capacity_of(threads)
        self.pool = pool_size(threads)
        self._turns = turns
        self._clock = clock
        self._changed = threading.Condition()
        self._accounts: dict[str, _Account] = {}
        self._in_hand = 0
        self._at_work = 0
        self._wakes_at = math.inf
        """Monotonic seconds: when a thread wakes for the next turn that time brings. The others wait for changes."""
        self._is_closed = False

    # --- taking: the consumer's and the owner's ---------------------------------------------------------------------

    def most(self, lane: str) -> int:
        leave = self._turns.leave(lane) if lane else FREE
        return self._places // 2 if leave.is_ill else min(_share(leave), self._places // 2)

    def room(self, lane: str, beside: int) -> int:
        if not lane:  # they are of any account
            return self._places
        leave, now = self._turns.leave(lane), self._clock.monotonic()
        with self._changed:
            account = self._update(lane, leave, now)
            is_looked_at = account.looked_at is not None and now - account.looked_at >= LOOK_SECONDS
            if leave.held > 0 and not is_looked_at:
                return 0
            if max(account.next_at, leave.next_at) - now > SOON_SECONDS:
                return 0
            free = self._places - self._in_hand - beside
            share = self._places if is_looked_at else _share(leave)
            return max(0, min(share - account.in_hand, (free - account.in_hand) // 2))

    def hold_seconds(self, name: str) -> float:
        """For how many seconds the account has no leave at all."""
        return self._turns.leave(name).held

    def end_look(self, name: str) -> None:
        """What waited for the account, which is held, was looked at; the next look is some minutes off."""
        with self._changed:
            if (account := self._accounts.get(name)) is not None and account.looked_at is not None:
                account.looked_at = self._clock.monotonic()

    def take_in(self, name: str) -> None:
        """One more of the account's is in hand."""
        leave = self._turns.leave(name)
        with self._changed:
            self._in_hand += 1
            account = self._accounts.setdefault(name, _Account())
            account.in_hand += 1
            self._update(name, leave, self._clock.monotonic())

    def let_go(self, name: str) -> None:
        """One less."""
        with self._changed:
            self._in_hand -= 1
            account = self._accounts[name]
            account.in_hand -= 1
            self._keep(name, account)

    # --- working: the pool's -----------------------------------------------------------------------------------------

    def put(self, claimed: ClaimedDelivery) -> None:
        """It waits for a thread and its turn. It must have been entered."""
        with self._changed:
            self._accounts[claimed.envelope.account].waiting.append(claimed)
            self._changed.notify()

    def next(self) -> ClaimedDelivery | None:
        """What is to be worked next, once there is something; None when closed. `finish` must follow."""
        with self._changed:
            while not self._is_closed:
                now = self._clock.monotonic()
                found, until = self._pick(now)
                if found is not None:
                    return found
                self._wait(until)
            return None

    def finish(self, claimed: ClaimedDelivery) -> None:
        """Its thread is free again."""
        with self._changed:
            self._accounts[claimed.envelope.account].at_work -= 1
            self._at_work -= 1
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _pick(self, now: float) -> tuple[ClaimedDelivery | None, float]:
        """The next event; or None, and when time alone brings one."""
        soonest = math.inf
        for name, account in self._accounts.items():
            at_once = account.leave.at_once or self.pool
            if not account.waiting or account.at_work >= min(at_once, self.pool - self._at_work):
                continue
            begins = max(account.next_at, account.leave.next_at) - AHEAD_SECONDS
            if begins > now:
                soonest = min(soonest, begins)
                continue
            # Behind the others: the next free thread is theirs.
            self._accounts[name] = self._accounts.pop(name)
            account.at_work += 1
            self._at_work += 1
            account.next_at = max(account.next_at, now) + account.leave.interval
            return account.waiting.popleft(), 0.0
        return None, soonest

    def _wait(self, until: float) -> None:
        if until >= self._wakes_at or until is math.inf:
            self._changed.wait()
            return
        self._wakes_at = until
        self._changed.wait(until - self._clock.monotonic())
        if self._wakes_at == until:
            self._wakes_at = math.inf
            self._changed.notify()  # another one keeps the time, should this one have found work

    def _update(self, name: str, leave: AccountLeave, now: float) -> _Account:
        """The account with this leave; kept only while there is something of it to be known."""
        account = self._accounts.get(name) or _Account()
        if account.leave.at_once != leave.at_once:
            self._changed.notify_all()
        account.leave = leave
        if not leave.is_ill and leave.held <= 0:
            account.looked_at = None
        elif account.looked_at is None:
            account.looked_at = now
        return self._keep(name, account)

    def _keep(self, name: str, account: _Account) -> _Account:
        if account.in_hand or account.looked_at is not None:
            self._accounts[name] = account
        else:
            self._accounts.pop(name, None)
        return account


def _share(leave: AccountLeave) -> int:
    """How many an account may have in hand at most, by what it may have at work."""
    limits = [1 << 30]
    if leave.at_once is not None:
        limits.append(2 * leave.at_once if leave.at_once > 1 else 1 if leave.is_ill else 2)
    if leave.interval:
        limits.append(max(2, math.ceil(2 / leave.interval)))
    return min(limits)
