"""What workers died over before is worked alone, so that it takes nobody with it.

A broker counts, for each message that an ending process held, one delivery more: for the one it died over and for all
that had been fetched beside it alike, and where it was merely stopped or paused, too. So from a few on a message is
suspected, no more. It is sent on through the ladder, with that count carried along (`bellhop-deaths`), and worked when
it comes back: one suspect at a time, while the process works nothing else and fetches nothing more, on any route. What
it dies over then is that one, and the message that comes again is counted one death more. One that was worked to any
end is suspected no more.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from bellhop.broker.headers import DEATHS
from bellhop.broker.port import Consumer, Delivery
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.fibres import current, pause
from bellhop.schemas.reasons import Reason
from bellhop.vendors.outcome import Dead, Outcome, Wait

DEATHS_IN_COMPANY: Final = 5
"""Lost connections, stops and pauses count too, and so does whoever kills a healthy worker again and again: none is a
reason to work one by one, which takes minutes for some hundred messages. However many these are, they never make a
letter."""
DEATHS_ALONE: Final = 3
QUIET_SECONDS: Final = 0.3
"""For acks on their way."""
SILENT_SECONDS: Final = 0.05
TURN_SECONDS: Final = 10.0
"""A suspect that has begun may wait for its account's turn, for as long as somebody keeps that account paused. After so
long the others are fetched again; those among them that are suspected are sent on."""


def count_deaths(delivery: Delivery, in_company: int = DEATHS_IN_COMPANY) -> int:
    """How often a process ended that held it: at most `in_company` times beside others, and then each time alone."""
    before = delivery.message.headers.get(DEATHS, 0)
    carried = 0 if isinstance(before, str) else max(0, int(before))
    if carried < in_company:
        return min(in_company, carried + delivery.deliveries)
    return carried + (delivery.deliveries > 0)


class Room:
    """What a process works, whatever its routes: many deliveries, or one suspect. Safe from any thread. in_company:
    from so many deaths on a message is suspected. quiet_seconds: how long nothing stirs before one is begun."""

    def __init__(
        self,
        delivery_limit: int,
        clock: Clock = SYSTEM_CLOCK,
        in_company: int = DEATHS_IN_COMPANY,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self.deaths = min(in_company, delivery_limit - 1)
        self.limit = min(in_company + DEATHS_ALONE, delivery_limit)
        self._clock = clock
        self._quiet_seconds = quiet_seconds
        self._changed = threading.Condition()
        self._stir_time = clock.monotonic()
        self._is_taken = False  # a worker has a suspect of its own
        self._began_at: float | None = None
        self._in_hand = 0  # suspects
        self._workers: set[object] = set()
        self._silent: set[object] = set()  # those of them that fetch nothing and have sent their acks
        self.is_alone = False
        self._company = _Company(self)

    def join(self, worker: object) -> None:
        """It is about to fetch; from now on a suspect waits until it does not."""
        with self._changed:
            self._workers.add(worker)

    def needs_silence(self) -> bool:
        """Whether no worker may fetch anything now."""
        with self._changed:
            waits = self._began_at is not None and self._clock.monotonic() - self._began_at >= TURN_SECONDS
            return self._is_taken and (self.is_alone or not waits)

    def note_silence(self, worker: object) -> None:
        with self._changed:
            self._silent.add(worker)

    def enter(self, *, may_stay: bool) -> bool:
        """A suspect has come, on any route. Whether it is the one to be worked, if it may."""
        with self._changed:
            self._in_hand += 1
            stays = may_stay and not self._is_taken
            if stays:
                self._is_taken = True
                self._silent.clear()
            return stays

    def begin(self) -> None:
        """The suspect is about to be claimed."""
        with self._changed:
            self._began_at = self._clock.monotonic()

    def postpone(self) -> None:
        """It could not be claimed."""
        with self._changed:
            self._began_at = None

    def leave(self, *, has_stayed: bool) -> None:
        """A suspect has ended or was sent on, and its ack is about to be sent."""
        with self._changed:
            self._in_hand -= 1
            self._stir_time = self._clock.monotonic()
            if has_stayed:
                self._is_taken, self._began_at = False, None

    def is_quiet(self) -> bool:
        """Whether the process holds no suspect but one, which may now begin: sooner, it would take others with it."""
        with self._changed:
            is_still = self._clock.monotonic() - self._stir_time >= self._quiet_seconds
            return is_still and self._in_hand == 1 and self._workers <= self._silent

    def place(self, delivery: Delivery) -> AbstractContextManager[None]:
        """Where it is worked: a suspect while nothing else is, and all else while no suspect is."""
        return self._alone() if self.is_suspect(delivery) else self._company

    def is_suspect(self, delivery: Delivery) -> bool:
        return count_deaths(delivery, self.deaths) >= self.deaths

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._changed:
            self.is_alone = True  # from now on nobody begins; there is but one suspect at a time
        while self._company.at_work:
            pause(QUIET_SECONDS / 10)
        try:
            yield
        finally:
            with self._changed:
                self.is_alone = False


class _Company:
    """What is worked while no suspect is. Each delivery passes here: no lock is taken until there is a suspect."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.at_work: set[object] = set()  # threads, and fibres of those that many share

    def __enter__(self) -> None:
        # Entered first and looked then, as who works alone looks the other way round: one of both sees the other.
        self.at_work.add(current())
        while self._room.is_alone:
            self.__exit__()
            pause(QUIET_SECONDS / 10)
            self.at_work.add(current())

    def __exit__(self, *_: object) -> None:
        self.at_work.discard(current())


class Suspects:
    """One worker's suspects. `leave` belongs to its settler, the rest to its owner."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._suspect: Delivery | None = None
        self._has_begun = False

    def join(self) -> None:
        """The worker is about to fetch: from now on a suspect of any route waits until it does not."""
        self._room.join(self)

    def silence(self, consumer: Consumer) -> float | None:
        """Has it fetch nothing while a suspect is to be worked, on whatever route; for how many seconds it should then
        be waited for what has come, None where all is as ever."""
        if not self._room.needs_silence():
            consumer.start_fetching()
            return None
        if consumer.stop_fetching():
            self._room.note_silence(self)
        return SILENT_SECONDS

    def split(self, deliveries: Sequence[Delivery]) -> tuple[list[Delivery], list[tuple[Delivery, Outcome]]]:
        """Those that nobody suspects, and the suspects that are not to be worked now, with what becomes of them. One
        may stay, for `next`: the one least often died over."""
        fresh = [delivery for delivery in deliveries if not self._room.is_suspect(delivery)]
        suspects = sorted((delivery for delivery in deliveries if self._room.is_suspect(delivery)), key=count_deaths)
        return fresh, [(one, outcome) for one in suspects if (outcome := self._outcome(one)) is not None]

    def next(self) -> Delivery | None:
        """The suspect, once it may begin; each time, until it is begun."""
        return self._suspect if not self._has_begun and self._suspect and self._room.is_quiet() else None

    @property
    def unbegun(self) -> Sequence[Delivery]:
        """The suspect that waits for its turn."""
        return () if self._suspect is None or self._has_begun else (self._suspect,)

    def begin(self) -> None:
        self._has_begun = True
        self._room.begin()

    def postpone(self) -> None:
        """What was begun could not be claimed; `next` has it again."""
        self._has_begun = False
        self._room.postpone()

    def leave(self, delivery: Delivery) -> None:
        """It has its end, and its ack is about to be sent."""
        if not self._room.is_suspect(delivery):
            return
        is_own = delivery is self._suspect
        if is_own:
            self._suspect, self._has_begun = None, False
        self._room.leave(has_stayed=is_own)

    def _outcome(self, delivery: Delivery) -> Outcome | None:
        # As it comes from the ladder; one that was held by another process is counted first.
        if self._room.enter(may_stay=not delivery.deliveries and self._suspect is None):
            self._suspect = delivery
            return None
        deaths = count_deaths(delivery, self._room.deaths)
        if delivery.deliveries and deaths >= self._room.limit:
            text = f"the workers that had it died {deaths} times, at last with nothing else at work"
            return Dead(Reason.DELIVERY_LIMIT, text)
        return Wait("workers died with it: it is worked alone, later")
