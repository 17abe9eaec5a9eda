"""Replays dead letters: mark the rows, publish with confirms, close the rows.

What if the process dies here? After the mark: the letter is `replaying`; the same command again publishes it again, of
the same generation, and the ledger of events knows it. After the confirm: the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from bellhop.broker.messages import work_message
from bellhop.broker.port import Publisher
from bellhop.broker.topology import work
from bellhop.ledger.records import Edit, Letter, LetterFilter, LetterState
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.envelope import decode, decode_recordable
from bellhop.schemas.errors import BrokerError, EnvelopeError

CHUNK: Final = 100
REPLAYABLE: Final = (LetterState.OPEN, LetterState.REPLAYING)


class ReplayLetters(Protocol):
    """What replay needs of the archive; every method may raise LedgerUnavailable."""

    def find(self, which: LetterFilter, limit: int, after: int = 0) -> list[Letter]: ...

    def begin_replay(self, ids: Sequence[int], who: str, why: str) -> list[Letter]: ...

    def unready(self, ids: Sequence[int]) -> Mapping[int, str]: ...

    def close_replayed(self, ids: Sequence[int]) -> None: ...

    def close_edited(self, id_: int, who: str, why: str) -> bool: ...


class ReplayEdits(Protocol):
    def to_replay(self, id_: int) -> Edit: ...


class EditLedger(Protocol):
    """What the replay of an edit needs of the ledger, which alone knows whether it may be."""

    @property
    def letters(self) -> ReplayLetters: ...

    @property
    def edits(self) -> ReplayEdits: ...


@dataclass(frozen=True, slots=True)
class Replayed:
    """replayed: closed. unreadable: cannot be replayed, as no envelope is in them; left as they were. closed: somebody
    else closed them, or there are none of these numbers. unconfirmed: marked `replaying`; the same command again
    completes them. error: why the broker did not confirm. unready: why those were not replayed whose event is at work
    already, a line each."""

    replayed: int = 0
    unreadable: int = 0
    closed: int = 0
    unconfirmed: int = 0
    error: str = ""
    unready: tuple[str, ...] = ()

    def plus(self, other: Replayed) -> Replayed:
        return Replayed(
            self.replayed + other.replayed,
            self.unreadable + other.unreadable,
            self.closed + other.closed,
            self.unconfirmed + other.unconfirmed,
            self.error or other.error,
            (*self.unready, *other.unready),
        )


def replay(
    letters: ReplayLetters,
    publisher: Publisher,
    ids: Sequence[int],
    *,
    who: str,
    why: str,
    rate: float | None = None,
    progress: Callable[[Replayed], None] = lambda _: None,
    clock: Clock = SYSTEM_CLOCK,
) -> Replayed:
    """Replays the letters of these numbers, in their order. rate: at most so many a second. progress: is told the sum
    after each chunk.

    Ends early, with `error` set, where the broker did not confirm. Raises LedgerUnavailable; what was done by then is
    done, and the same call again does the rest.
    """
    total = Replayed()
    began, sent = clock.monotonic(), 0
    for chunk in _chunks(ids, rate):
        if rate and (wait := began + sent / rate - clock.monotonic()) > 0:
            clock.sleep(wait)
        result = _replay_chunk(letters, publisher, chunk, who=who, why=why, clock=clock)
        sent += len(chunk)
        total = total.plus(result)
        progress(total)
        if result.error:
            break
    return total


def replay_edited(
    ledger: EditLedger,
    publisher: Publisher,
    number: int,
    *,
    who: str,
    clock: Clock = SYSTEM_CLOCK,
) -> Replayed:
    """Replays a letter with the content of the edit of this number. Only then is the letter closed: dying in between
    leaves it open, and whichever content is sent again, the ledger of events works the fact once. One that is being
    replayed as it was is left alone.

    Raises EditRefused where it is not approved as it must be; LedgerUnavailable.
    """
    edit, letters = ledger.edits.to_replay(number), ledger.letters
    if not letters.find(LetterFilter(ids=[edit.letter]), limit=1):
        return Replayed(closed=1)
    if unready := letters.unready([edit.letter]):
        return Replayed(unready=_lines(unready))
    try:
        _publish(edit.body, publisher, clock.now()).result()
    except BrokerError as failure:
        return Replayed(unconfirmed=1, error=str(failure))
    letters.close_edited(edit.letter, who, f"{edit.why} (edit {edit.id})")
    return Replayed(replayed=1)


def readable(letter: Letter) -> bool:
    """Whether there is an envelope in it that can be replayed."""
    try:
        decode_recordable(letter.new.body)
    except EnvelopeError:
        return False
    return True


def _chunks(ids: Sequence[int], rate: float | None) -> Iterator[Sequence[int]]:
    """Chunks of at most a second's worth, so that the rate is kept evenly."""
    size = CHUNK if rate is None else max(1, min(CHUNK, int(rate)))
    ordered = list(dict.fromkeys(ids))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def _replay_chunk(
    letters: ReplayLetters,
    publisher: Publisher,
    ids: Sequence[int],
    *,
    who: str,
    why: str,
    clock: Clock,
) -> Replayed:
    found = letters.find(LetterFilter(ids=ids, states=REPLAYABLE), limit=len(ids))
    wanted = [letter.id for letter in found if readable(letter)]
    begun = letters.begin_replay(wanted, who, why) if wanted else []
    left = {*wanted} - {letter.id for letter in begun}
    unready = letters.unready(sorted(left)) if left else {}
    published = [(letter.id, _publish(letter.new.body, publisher, clock.now())) for letter in begun]
    confirmed, error = [], ""
    for number, future in published:
        try:
            future.result()
            confirmed.append(number)
        except BrokerError as failure:
            error = str(failure)
    if confirmed:
        letters.close_replayed(confirmed)  # only now: the broker has them
    return Replayed(
        replayed=len(confirmed),
        unreadable=len(found) - len(wanted),
        closed=len(ids) - len(found) + len(left) - len(unready),
        unconfirmed=len(begun) - len(confirmed),
        error=error,
        unready=_lines(unready),
    )


def _lines(unready: Mapping[int, str]) -> tuple[str, ...]:
    return tuple(f"dead letter {number}: {why}" for number, why in sorted(unready.items()))


def _publish(body: bytes, publisher: Publisher, now: datetime) -> Future[None]:
    """As a new event, of the next generation: its tries are counted anew, and its trace is the envelope's."""
    envelope = decode(body).next_generation()
    return publisher.publish(work_message(envelope, now), work(envelope.route))
