"""Which of the deliveries that a worker has received may begin, and which go to the end of their account's lane."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bellhop.broker.headers import SWEPT
from bellhop.broker.messages import own_lane, waits_for
from bellhop.broker.topology import lane_account
from bellhop.schemas.clock import Clock
from bellhop.schemas.envelope import Envelope
from bellhop.workers.delivery import EndedDelivery, ReceivedDelivery
from bellhop.workers.lanes import Lanes
from bellhop.workers.retry import LOOK_SECONDS


class Admission:
    """Of one worker. starts_soon: whether an event cannot wait in a lane that is held for so many seconds. Belongs to
    the owner."""

    def __init__(self, lanes: Lanes, starts_soon: Callable[[Envelope, float], bool], clock: Clock) -> None:
        self._lanes = lanes
        self._starts_soon = starts_soon
        self._clock = clock

    def sort(self, received: Sequence[ReceivedDelivery]) -> tuple[list[ReceivedDelivery], list[EndedDelivery]]:
        """Those that begin, and those that do not. What came from its own lane was let through as it was taken; what
        did not, begins where its account has room. Of an account that is held begins what starts soon: the plan for it
        is the ladder, or a person."""
        begun, sent = [], []
        for one in received:
            name = waits_for(one.envelope)
            is_own, seconds = lane_account(one.delivery.lane) == name, self._lanes.hold_seconds(name)
            if seconds > 0:
                begins = self._starts_soon(one.envelope, seconds)
                if is_own:
                    self._note_look(one)
            else:
                begins = is_own or self._lanes.room(self._lane(one), 0) > 0
            if begins:
                self.admit([one])
                begun.append(one)
            else:
                sent.append(one.send_to_lane("its account is held" if seconds > 0 else "its turn is later", seconds))
        return begun, sent

    def admit(self, received: Sequence[ReceivedDelivery]) -> None:
        """They begin; or begin again, where they could not be claimed."""
        for one in received:
            if not self._lanes.is_in_hand(one.delivery):
                self._lanes.take_in(one.delivery, self._lane(one))

    def _lane(self, one: ReceivedDelivery) -> str:
        return own_lane(one.envelope, self._clock.now())

    def _note_look(self, one: ReceivedDelivery) -> None:
        """It came from a lane that is held. Once one comes again, all were looked at; what has no start waits for no
        look, and one that shows it is enough."""
        seen = one.delivery.message.headers.get(SWEPT, 0)
        is_round = not isinstance(seen, str) and self._clock.now().timestamp() - seen < LOOK_SECONDS / 2
        if is_round or one.envelope.not_after is None:
            self._lanes.end_look(one.delivery.lane)
