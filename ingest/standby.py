"""What lets the ingress run, and accept as far as it can, while the broker or the ledger is away."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Final, Protocol, TypeVar

from bellhop.broker.port import Address, Broker, Message, Publisher, gather
from bellhop.broker.topology import NOWHERE, PULSE
from bellhop.ledger.parts import PartBeats
from bellhop.ledger.records import EventView, Part, RefusedPost, ReloadAsked
from bellhop.ledger.refusals import Refusals
from bellhop.ledger.rotations import Rotations
from bellhop.schemas.errors import (
    BellhopError,
    BrokerError,
    BrokerUnavailable,
    LedgerError,
    LedgerUnavailable,
    PublishUnconfirmed,
    Unroutable,
)
from bellhop.schemas.observe import Observe
from bellhop.schemas.rotations import SecretRotation

Result = TypeVar("Result")

_DECLARE_SECONDS: Final = 1.0
_AWAY_SECONDS: Final = 2.0
_FIRST_SECONDS: Final = 5.0
_DOUBTED_SECONDS: Final = 10.0
_PROOF_SECONDS: Final = 3.0
"""For so long a confirm proves that there is a majority."""
_ANSWER_SECONDS: Final = 5.0
"""Meanwhile another node may be taking a queue's lead."""
_QUESTION: Final = Message("question", b"", {})


class ReadActs(Protocol):
    """Of the ledger what people have done."""

    def note_act(self, who: str, act: str, why: str, what: str) -> None: ...


class ReadLedger(Protocol):
    def event(self, source: str, id_: str, /) -> EventView | None: ...

    def ping(self) -> None: ...

    def unknown(self, source: str, ids: Sequence[str], /) -> Collection[str]: ...

    @property
    def refusals(self) -> Refusals: ...

    @property
    def rotations(self) -> Rotations: ...

    @property
    def parts(self) -> PartBeats: ...

    @property
    def letters(self) -> ReadActs: ...


class Declaring:
    """Declares the queues, in a thread, again and again until it holds: meanwhile webhooks are answered 503."""

    def __init__(self, broker: Broker, observe: Observe, pause: Callable[[float], None] = time.sleep) -> None:
        self._broker = broker
        self._observe = observe
        self._pause = pause
        self._declared = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self.run, name="declare", daemon=True).start()

    def run(self) -> None:
        while not self._declared.is_set():
            try:
                self._broker.declare()
                self._declared.set()
            except BrokerError as error:
                self._observe("broker.lost", where="declare", error=str(error))
                self._pause(_DECLARE_SECONDS)

    def problem(self) -> str:
        """ "" while the broker is there and has the queues."""
        if not self._declared.is_set():
            return "the queues are not declared yet"
        return failure_of(self._broker.stats)


class WatchedPublisher:
    """Another publisher, which knows whether the broker takes what is published, and confirmed what was. confirmed: is
    told of each message that it has, with its route."""

    def __init__(
        self,
        publisher: Publisher,
        monotonic: Callable[[], float] = time.monotonic,
        confirmed: Callable[[Message, str], None] = lambda _message, _route: None,
    ) -> None:
        self._publisher = publisher
        self._confirmed = confirmed
        self._monotonic = monotonic
        self._failure = ""
        self._failed = 0.0
        self._proved = -math.inf
        self._asking = threading.Lock()
        self._question: Future[None] | None = None

    def publish(self, message: Message, to: Address) -> Future[None]:
        future = self._publisher.publish(message, to)
        future.add_done_callback(lambda done: self._note_outcome(done, message, to))
        return future

    def problem(self) -> str:
        """ "" while the broker confirms what is published. It is asked by messages that no queue keeps: under an alarm
        RabbitMQ reads no more from those who publish, which one that only asks for numbers does not see. By two, as it
        takes one from each new connection all the same. The second needs the majority, unless that has just confirmed
        something: what is for no queue, a node that is cut off gives back, too.

        A publish that nobody confirmed counts for a while, for a broker can take what it has no majority to confirm;
        not for longer, as somebody must be let in to find out.
        """
        if self._failure and self._monotonic() < self._failed + _DOUBTED_SECONDS:
            return self._failure
        with self._asking:  # two on their way are enough
            if self._question is None or self._question.done():
                self._publisher.publish(_QUESTION, NOWHERE)
                is_proved = self._monotonic() < self._proved + _PROOF_SECONDS
                self._question = self._publisher.publish(_QUESTION, NOWHERE if is_proved else PULSE)
            question = self._question
        try:
            error = question.exception(_ANSWER_SECONDS)
        except TimeoutError:
            return f"the broker has not answered a publish within {_ANSWER_SECONDS:g} s"
        if error is None:
            self._proved = self._monotonic()
        return "" if error is None or isinstance(error, Unroutable) else str(error)

    def gather(self) -> AbstractContextManager[None]:
        return gather(self._publisher)

    def close(self, timeout: float = 5.0) -> None:
        self._publisher.close(timeout)

    def _note_outcome(self, done: Future[None], message: Message, to: Address) -> None:
        """A publish that was refused, or has no queue, was answered: that is its route's trouble alone."""
        error = PublishUnconfirmed("the broker did not confirm in time") if done.cancelled() else done.exception()
        is_ill = isinstance(error, PublishUnconfirmed | BrokerUnavailable)
        self._failed, self._failure = self._monotonic(), str(error) if is_ill else ""
        if error is None:
            self._proved = self._failed
            self._confirmed(message, to.routing_key)


class StandbyLedger:
    """The ledger as the ingress reads it, opened when it is first asked. While it is away, all but one caller at a time
    are told so at once: waiting for it would use up the threads that take webhooks."""

    def __init__(self, open_: Callable[[], ReadLedger], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._open = open_
        self._monotonic = monotonic
        self._ledger: ReadLedger | None = None
        self._trying = threading.Lock()
        self._well = False
        self._has_failed = False
        self._away_until = 0.0

    def event(self, source: str, id_: str, /) -> EventView | None:
        """Raises LedgerUnavailable."""
        return self._ask(lambda ledger: ledger.event(source, id_))

    def keep_refused(self, posts: Sequence[RefusedPost], /) -> None:
        """Raises LedgerUnavailable."""
        self._ask(lambda ledger: ledger.refusals.enter(posts))

    def rotations(self) -> Mapping[str, Sequence[SecretRotation]]:
        """Raises LedgerUnavailable."""
        return self._ask(lambda ledger: ledger.rotations.all())

    def note_rotations(self, numbers: Sequence[int], /) -> None:
        """Raises LedgerUnavailable."""
        self._ask(lambda ledger: ledger.rotations.note_taken(numbers))

    def beat(self, part: Part, /) -> None:
        """Raises LedgerUnavailable."""
        self._ask(lambda ledger: ledger.parts.beat(part))

    def note_act(self, who: str, act: str, why: str, what: str) -> None:
        """Raises LedgerUnavailable."""
        self._ask(lambda ledger: ledger.letters.note_act(who, act, why, what))

    def reload_asked(self) -> ReloadAsked | None:
        """Raises LedgerUnavailable."""
        return self._ask(lambda ledger: ledger.parts.reload_asked())

    def leave(self, id_: str, /) -> None:
        """Raises LedgerUnavailable."""
        self._ask(lambda ledger: ledger.parts.leave(id_))

    def unknown(self, source: str, ids: Sequence[str], /) -> Collection[str]:
        """Raises LedgerUnavailable."""
        return self._ask(lambda ledger: ledger.unknown(source, ids))

    def problem(self) -> str:
        return failure_of(lambda: self._ask(lambda ledger: ledger.ping()))

    def _ask(self, act: Callable[[ReadLedger], Result]) -> Result:
        if self._well:
            return self._try(act)
        # The first who asks opens it, which takes a moment; until it has ever been away, others wait for that.
        patience = 0.0 if self._has_failed else _FIRST_SECONDS
        if self._monotonic() < self._away_until or not self._trying.acquire(timeout=patience):
            raise LedgerUnavailable("the ledger is away")
        try:
            return self._try(act)
        finally:
            self._trying.release()

    def _try(self, act: Callable[[ReadLedger], Result]) -> Result:
        try:
            if self._ledger is None:
                self._ledger = self._open()
            result = act(self._ledger)
        except LedgerError as error:
            self._well, self._has_failed = False, True
            self._away_until = self._monotonic() + _AWAY_SECONDS
            raise LedgerUnavailable(str(error)) from error
        self._well = True
        return result


def failure_of(probe: Callable[[], object]) -> str:
    """What is wrong, "" where nothing is."""
    try:
        probe()
    except BellhopError as error:
        return str(error)
    return ""
