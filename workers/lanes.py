"""What one worker has in hand of each account, and whose event begins next.

An account is held: nothing of its lanes is taken. A lane has room: more of it may be in hand, which wait here for a
thread of the pool, and for the account's turn by rate and calls at once. Every lane has less in hand than there are
free places, and every account less at work than there are free threads: one alone gets half of both, the next one half
of what is left, and there is always a place for one that has nothing yet. What of an account begins first, `precedence`
says. docs/decisions/0025 has the whole.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bellhop.broker.port import Delivery
from bellhop.broker.topology import is_soon_lane, lane_account
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.fibres import Fibres
from bellhop.workers.delivery import ClaimedDelivery
from bellhop.workers.pool import IdleThreads, capacity_of, pool_size
from bellhop.workers.ports import FREE, AccountLeave, Turns
from bellhop.workers.precedence import LOOK_SECONDS, Precedence, Rank
from bellhop.workers.retry import LOOK_SECONDS as LANE_LOOK_SECONDS

SOON_SECONDS: Final = 2.0
"""What has to wait longer for its turn is not taken yet."""
WAIT_AT_MOST_SECONDS: Final = 15.0
"""What is in hand, and so claimed, waits no longer for what goes before it."""
_LEAST_FREE: Final = 2


@dataclass(slots=True)
class _Lane:
    """One of an account's two: what starts soon, and all else."""

    in_hand: int = 0
    waiting: deque[ClaimedDelivery] = field(default_factory=deque)
    looked_at: float | None = None
    """Monotonic seconds: when it was last looked at as a whole, or its account became held; None while it is not."""


_EMPTY: Final = _Lane()
"""Of an account of which nothing is in hand."""


@dataclass(slots=True)
class _Account:
    leave: AccountLeave = FREE
    at_work: int = 0
    soon: _Lane = field(default_factory=_Lane)
    later: _Lane = field(default_factory=_Lane)

    def lane(self, name: str) -> _Lane:
        return self.soon if is_soon_lane(name) else self.later

    @property
    def both(self) -> tuple[_Lane, _Lane]:
        return self.soon, self.later


class Lanes:
    """Of one worker. `room`, `most` are the consumer's `broker.port.Leave`. rank: of what starts later than soon.
    precedence: of the whole process. share: how many events one thread may have. Safe from any thread."""

    def __init__(
        self,
        threads: int,
        turns: Turns,
        clock: Clock = SYSTEM_CLOCK,
        *,
        rank: Rank = Rank.OTHER,
        precedence: Precedence | None = None,
        share: int = 1,
    ) -> None:
        self._places = capacity_of(threads, share)
        self.pool = pool_size(threads)
        self._turns = turns
        self._clock = clock
        self._rank = rank
        self._precedence = precedence or Precedence()
        self.share = share
        self._idle = IdleThreads(clock.monotonic)
        self._accounts: dict[str, _Account] = {}
        self._lane_of: dict[int, str] = {}  # of what is in hand, by id(delivery)
        # Of a thousand accounts few may begin something at a moment: no others are gone through for each event.
        self._next: dict[str, None] = {}  # who has something waiting and may have more at work, the next one first
        self._later: list[tuple[float, str]] = []  # a heap: when to ask again of whose turn it was not
        self._at_work = 0
        self._is_closed = False

    # --- taking: the consumer's and the owner's ---------------------------------------------------------------------

    def most(self, lane: str) -> int:
        leave = self._turns.leave(lane_account(lane)) if lane else FREE
        return self._places // 2 if leave.is_ill else min(leave.most_in_hand, self._places // 2)

    def room(self, lane: str, beside: int) -> int:
        if not lane:  # they are of any account
            return self._places
        name = lane_account(lane)
        leave, now = self._turns.leave(name), self._clock.monotonic()
        with self._idle.changed:
            is_idle = name not in self._accounts and leave.held <= 0 and not leave.is_ill
            own = _EMPTY if is_idle else self._update(name, leave, now).lane(lane)
            is_looked_at = own.looked_at is not None and now - own.looked_at >= LANE_LOOK_SECONDS
            if leave.held > 0 and not is_looked_at:
                return 0
            if max(self._precedence.next_at(name), leave.next_at) - now > SOON_SECONDS:
                return 0
            free = self._places - len(self._lane_of) - beside
            limits = [self._places if is_looked_at else leave.most_in_hand, (free + own.in_hand) // 2]
            most = None if is_looked_at else self._precedence.most(name, self._rank_of(lane), leave)
            return max(0, min(limits if most is None else [*limits, most]) - own.in_hand)

    def is_full(self, beside: int) -> bool:
        # By `room`: a lane that has so many in hand needs two more that are free.
        return self._places - len(self._lane_of) - beside < _LEAST_FREE

    def hold_seconds(self, name: str) -> float:
        """For how many seconds the account has no leave at all."""
        return self._turns.leave(name).held

    def end_look(self, lane: str) -> None:
        """What waited in it for its account, which is held, was looked at; the next look is some minutes off."""
        with self._idle.changed:
            account = self._accounts.get(lane_account(lane))
            if account is not None and account.lane(lane).looked_at is not None:
                account.lane(lane).looked_at = self._clock.monotonic()

    def take_in(self, delivery: Delivery, lane: str) -> None:
        """One more of the lane is in hand."""
        name = lane_account(lane)
        leave = self._turns.leave(name)
        with self._idle.changed:
            self._lane_of[id(delivery)] = lane
            account = self._accounts.setdefault(name, _Account())
            account.lane(lane).in_hand += 1
            self._update(name, leave, self._clock.monotonic())

    def is_in_hand(self, delivery: Delivery) -> bool:
        return id(delivery) in self._lane_of

    def let_go(self, delivery: Delivery) -> None:
        """One less, where it was."""
        with self._idle.changed:
            if (lane := self._lane_of.pop(id(delivery), None)) is not None:
                account = self._accounts[name := lane_account(lane)]
                account.lane(lane).in_hand -= 1
                self._keep(name, account)

    # --- working: the pool's -----------------------------------------------------------------------------------------

    def put(self, many: Sequence[ClaimedDelivery]) -> None:
        """They wait for a thread and their turn. Each must have been taken in."""
        with self._idle.changed:
            beginning = 0
            for claimed in many:
                lane = self._lane_of[id(claimed.delivery)]
                name = lane_account(lane)
                account = self._accounts[name]
                account.lane(lane).waiting.append(claimed)
                self._precedence.put(name, self._rank_of(lane))
                self._line_up(name, account)
                beginning += account.at_work < self.pool - self._at_work
            self._idle.call(math.ceil(beginning / self.share))  # where none may begin, who ends one looks

    def next(self) -> list[ClaimedDelivery]:
        """What a thread without work begins, once there is something; none when closed. `finish` must follow."""
        with self._idle.changed:
            while not self._is_closed:
                found, until = self._pick_many(self.share)
                if found:
                    return found
                self._idle.sleep(until)
            return []

    def more(self, fibres: Fibres) -> tuple[list[ClaimedDelivery], float]:
        """What a thread begins that is at work already; where it is nothing, when to ask again (monotonic seconds), if
        `fibres` are not rung before."""
        with self._idle.changed:
            self._idle.leave(fibres)
            found, until = self._pick_many(0 if self._is_closed else self.share - fibres.count)
            if not found and 0 < fibres.count < self.share:
                self._idle.listen(fibres)
            return found, until

    def finish(self, many: Sequence[ClaimedDelivery]) -> None:
        """Their thread is free again, and asks for more."""
        with self._idle.changed:
            for claimed in many:
                self._finish(claimed)

    def next_after(self, claimed: ClaimedDelivery) -> ClaimedDelivery | None:
        """It has ended: what its fibre begins next, or None."""
        with self._idle.changed:
            self._finish(claimed)
            return None if self._is_closed else self._pick(self._clock.monotonic())[0]

    def close(self) -> None:
        with self._idle.changed:
            self._is_closed = True
            self._idle.call_all()

    def _finish(self, claimed: ClaimedDelivery) -> None:
        name = lane_account(self._lane_of[id(claimed.delivery)])
        account = self._accounts[name]
        self._precedence.finish(name)
        account.at_work -= 1
        self._at_work -= 1
        self._line_up(name, account)

    def _pick_many(self, most: int) -> tuple[list[ClaimedDelivery], float]:
        """What may begin; and when time alone brings more."""
        found: list[ClaimedDelivery] = []
        now, until = self._clock.monotonic(), math.inf
        while len(found) < most:
            one, until = self._pick(now)
            if one is None:
                break
            found.append(one)
        if len(found) == most and not self._is_closed:  # this thread has all it may have: the rest is another's
            free = self.pool - self._at_work
            has_place = free > 0 and any(self._accounts[name].at_work < free for name in self._next)
            self._idle.call_by(0.0 if has_place else self._later[0][0] if self._later else math.inf)
        return found, until

    def _pick(self, now: float) -> tuple[ClaimedDelivery | None, float]:
        """The next event; or None, and when time alone brings one."""
        while self._later and self._later[0][0] <= now:
            name = heapq.heappop(self._later)[1]
            if name in self._accounts:
                self._line_up(name, self._accounts[name])
        soonest = math.inf
        for name in list(self._next) if self._at_work < self.pool else ():
            account = self._accounts[name]
            if account.at_work >= self.pool - self._at_work:
                continue
            found, begins = self._pick_of(name, account, now)
            if found is not None:
                return found, 0.0
            if begins > now + LOOK_SECONDS:  # by its rate; what others may let begin sooner is asked of each time
                del self._next[name]
                heapq.heappush(self._later, (begins, name))
            soonest = min(soonest, begins)
        return None, min(soonest, self._later[0][0]) if self._later else soonest

    def _pick_of(self, name: str, account: _Account, now: float) -> tuple[ClaimedDelivery | None, float]:
        soonest = math.inf
        for lane in [one for one in account.both if one.waiting]:
            begins = self._begin(name, account, lane, now)
            if begins <= 0:
                account.at_work += 1
                self._at_work += 1
                del self._next[name]
                found = lane.waiting.popleft()
                self._line_up(name, account)  # behind the others: the next free thread is theirs
                return found, 0.0
            soonest = min(soonest, begins)
        return None, soonest

    def _line_up(self, name: str, account: _Account) -> None:
        """Where it has something that may begin, at the end of who is next; else it is not among them."""
        if any(lane.waiting for lane in account.both) and account.at_work < (account.leave.at_once or self.pool):
            self._next.setdefault(name)
        else:
            self._next.pop(name, None)

    def _begin(self, name: str, account: _Account, lane: _Lane, now: float) -> float:
        rank = Rank.SOON if lane is account.soon else self._rank
        is_old = now - lane.waiting[0].started >= WAIT_AT_MOST_SECONDS
        return self._precedence.begin(name, rank, account.leave, now, in_any_case=is_old)

    def _rank_of(self, lane: str) -> Rank:
        return Rank.SOON if is_soon_lane(lane) else self._rank

    def _update(self, name: str, leave: AccountLeave, now: float) -> _Account:
        """The account with this leave; kept only while there is something of it to be known."""
        account = self._accounts.get(name) or _Account()
        is_changed = account.leave.at_once != leave.at_once
        account.leave = leave
        if is_changed:
            self._line_up(name, account)
            self._idle.call_all()
        for lane in account.both:
            if not leave.is_ill and leave.held <= 0:
                lane.looked_at = None
            elif lane.looked_at is None:
                lane.looked_at = now
        return self._keep(name, account)

    def _keep(self, name: str, account: _Account) -> _Account:
        if any(lane.in_hand or lane.looked_at is not None for lane in account.both):
            self._accounts[name] = account
        else:
            self._accounts.pop(name, None)
        return account
