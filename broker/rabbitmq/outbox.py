"""What callers gave to a publisher and the broker has not answered yet: each is settled, once, whatever happens."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass

from bellhop.broker.port import Address, Message
from bellhop.schemas.errors import BrokerError, BrokerUnavailable, PublishRefused, PublishUnconfirmed, Unroutable


@dataclass(slots=True)
class Pending:
    """deadline: monotonic seconds."""

    message: Message
    to: Address
    future: Future[None]
    deadline: float


class Outbox:
    """`add` and what it is asked are any thread's, all else the publisher's own."""

    def __init__(self) -> None:
        self._waiting: deque[Pending] = deque()
        self._sent: dict[int, Pending] = {}  # by delivery tag, in their order
        self._tag = 0

    def __bool__(self) -> bool:
        return bool(self._waiting or self._sent)

    @property
    def is_waiting(self) -> bool:
        return bool(self._waiting)

    def add(self, message: Message, to: Address, deadline: float) -> Future[None]:
        pending = Pending(message, to, Future(), deadline)
        self._waiting.append(pending)
        return pending.future

    def begin_channel(self) -> None:
        """Its tags count from 1 again."""
        self._tag = 0

    def next(self) -> tuple[int, Pending] | None:
        """What is to be sent now, and the tag that the broker will give it; None where nothing waits."""
        while self._waiting:
            pending = self._waiting.popleft()
            if not pending.future.done():
                self._tag += 1
                self._sent[self._tag] = pending
                return self._tag, pending
        return None

    def answer(self, tag: int, *, multiple: bool, nacked: bool) -> int:
        """The broker's confirm, or its refusal; how many it was about."""
        tags = [tag]
        if multiple:
            tags = []
            for sent in self._sent:  # rising
                if sent > tag:
                    break
                tags.append(sent)
        found = [pending for one in tags if (pending := self._sent.pop(one, None)) is not None]  # or it was returned
        for pending in found:
            _settle(pending.future, PublishRefused("the broker refused the message (nack)") if nacked else None)
        return len(found)

    def bring_back(self, tag: int, where: str) -> None:
        """Comes before the message's ack, which then finds nothing to settle."""
        pending = self._sent.pop(tag, None)
        if pending is not None:
            _settle(pending.future, Unroutable(f"no queue is bound for {where}: start a worker, which declares it"))

    def overdue(self, now: float) -> Sequence[int]:
        """The tags of what should have been answered by then."""
        return [tag for tag, pending in self._sent.items() if pending.deadline <= now]

    def fail(self, tags: Sequence[int], why: str) -> None:
        for tag in tags:
            _settle(self._sent.pop(tag).future, PublishUnconfirmed(why))

    def fail_sent(self, why: str) -> None:
        """From any thread, once the publisher's has ended."""
        sent, self._sent = self._sent, {}
        for pending in sent.values():
            _settle(pending.future, PublishUnconfirmed(why))

    def fail_waiting(self, why: str, until: float = math.inf) -> None:
        """Those whose deadline is not after `until`."""
        while self._waiting and self._waiting[0].deadline <= until:  # oldest first
            _settle(self._waiting.popleft().future, BrokerUnavailable(why))


def _settle(future: Future[None], error: BrokerError | None) -> None:
    with suppress(InvalidStateError):  # its caller gave up and cancelled it
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
