from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bellhop.broker import headers
from bellhop.broker.port import Address, Message
from bellhop.broker.topology import work
from bellhop.ledger.records import Letter, LetterFilter, LetterState, NewLetter
from bellhop.letters.replay import CHUNK, Replayed, readable, replay
from bellhop.schemas.clock import Clock
from bellhop.schemas.envelope import Envelope, content_hash, decode, encode
from bellhop.schemas.errors import LedgerUnavailable, PublishUnconfirmed

NOW = datetime(2026, 11, 1, 10, tzinfo=UTC)


class Killed(BaseException):
    """Stands for kill -9: nothing after it runs."""


def letter(number: int, *, body: bytes | None = None, generation: int = 0) -> Letter:
    data = {"member_id": str(number)}
    hash_ = content_hash("member.updated", NOW, data)
    envelope = Envelope(
        f"e{number}", "crm", "member.updated", "7", "members", "pv", NOW, NOW, data, hash_, generation=generation
    )
    new = NewLetter(
        f"crm/e{number}", encode(envelope) if body is None else body, "members", "rejected", "no", {}, 3, NOW
    )
    return Letter(number, new, LetterState.OPEN, NOW)


class Archive:
    """The archive's rules in memory: each method is one commit."""

    def __init__(self, *letters: Letter) -> None:
        self.rows = {one.id: one for one in letters}
        self.audit: list[tuple[int, str, str]] = []
        self.die_after_begin = self.die_before_replayed = False

    def find(self, which: LetterFilter, limit: int, after: int = 0) -> list[Letter]:
        found = [r for r in self.rows.values() if r.id in which.ids and r.state in which.states and r.id > after]
        return found[:limit]

    def begin_replay(self, ids: Sequence[int], who: str, why: str) -> list[Letter]:
        begun = []
        for id_ in ids:
            row = self.rows[id_]
            if row.state is LetterState.OPEN:
                self.audit.append((id_, who, why))
                row = self.rows[id_] = replace(row, state=LetterState.REPLAYING)
            if row.state is LetterState.REPLAYING:
                begun.append(row)
        if self.die_after_begin:
            raise Killed
        return begun

    def close_replayed(self, ids: Sequence[int]) -> None:
        if self.die_before_replayed:
            raise Killed
        for id_ in ids:
            if self.rows[id_].state is LetterState.REPLAYING:
                self.rows[id_] = replace(self.rows[id_], state=LetterState.REPLAYED)

    @property
    def states(self) -> list[str]:
        return [row.state.value for row in self.rows.values()]


class Publisher:
    """Confirms at once, but for the ids in `fails`."""

    def __init__(self, fails: Sequence[str] = ()) -> None:
        self.sent: list[tuple[Message, Address]] = []
        self.fails = fails

    def publish(self, message: Message, to: Address) -> Future[None]:
        self.sent.append((message, to))
        future: Future[None] = Future()
        if message.id in self.fails:
            future.set_exception(PublishUnconfirmed("connection lost"))
        else:
            future.set_result(None)
        return future

    def close(self, timeout: float = 5.0) -> None: ...

    @property
    def facts(self) -> set[tuple[str, int]]:
        """What the ledger of events knows a delivery by: its id and generation."""
        return {(message.id, decode(message.body).generation) for message, _ in self.sent}


def _replay(archive: Archive, publisher: Publisher, ids: Sequence[int]) -> Replayed:
    return replay(archive, publisher, ids, who="ada@desk", why="mended", clock=Clock(now=lambda: NOW))


def test_a_letter_goes_back_to_its_route_one_generation_on_with_its_count_at_zero() -> None:
    archive, publisher = Archive(letter(1, generation=2)), Publisher()
    assert _replay(archive, publisher, [1]) == Replayed(replayed=1)
    ((message, to),) = publisher.sent
    assert to == work("members")
    assert message.id == "crm/e1"
    before = decode(archive.rows[1].new.body)
    assert message.headers == {
        headers.ATTEMPT: 0,
        headers.ENQUEUED: NOW.timestamp(),
        headers.ROUTE: "members",
        headers.LANE: before.account,
    }
    after = decode(message.body)
    assert after == replace(before, generation=3)
    assert archive.states == ["replayed"]
    assert archive.audit == [(1, "ada@desk", "mended")]


@pytest.mark.parametrize("where", ["die_after_begin", "die_before_replayed"])
def test_a_replay_that_was_killed_is_completed_by_the_same_command_with_the_same_generation(where: str) -> None:
    archive, publisher = Archive(letter(1), letter(2)), Publisher()
    setattr(archive, where, True)
    with pytest.raises(Killed):
        _replay(archive, publisher, [1, 2])
    assert archive.states == ["replaying", "replaying"]
    setattr(archive, where, False)
    assert _replay(archive, publisher, [1, 2]) == Replayed(replayed=2)
    assert archive.states == ["replayed", "replayed"]
    assert publisher.facts == {("crm/e1", 1), ("crm/e2", 1)}
    assert len(archive.audit) == 2


def test_a_letter_is_published_only_after_its_mark_is_committed() -> None:
    archive, publisher = Archive(letter(1)), Publisher()
    archive.die_after_begin = True
    with pytest.raises(Killed):
        _replay(archive, publisher, [1])
    assert publisher.sent == []


def test_what_is_not_confirmed_stays_open_to_the_same_command_and_ends_the_replay() -> None:
    archive = Archive(*(letter(n) for n in range(1, CHUNK + 3)))
    publisher = Publisher(fails=["crm/e2"])
    done = _replay(archive, publisher, list(archive.rows))
    assert (done.replayed, done.unconfirmed, done.error) == (CHUNK - 1, 1, "connection lost")
    assert archive.rows[2].state is LetterState.REPLAYING
    assert archive.rows[CHUNK + 1].state is LetterState.OPEN  # the next chunk was not begun
    publisher.fails = ()
    assert _replay(archive, publisher, list(archive.rows)).replayed == 3
    assert set(archive.states) == {"replayed"}


def test_what_cannot_be_read_is_refused_and_left_as_it_was() -> None:
    poison = letter(1, body=b"poison")
    archive, publisher = Archive(poison, letter(2)), Publisher()
    assert not readable(poison)
    assert _replay(archive, publisher, [1, 2]) == Replayed(replayed=1, unreadable=1)
    assert archive.states == ["open", "replayed"]
    assert archive.audit == [(2, "ada@desk", "mended")]


def test_what_was_closed_meanwhile_is_not_replayed_again() -> None:
    archive, publisher = Archive(letter(1), replace(letter(2), state=LetterState.DISCARDED)), Publisher()
    assert _replay(archive, publisher, [1, 2, 3]) == Replayed(replayed=1, closed=2)
    assert _replay(archive, publisher, [1]) == Replayed(closed=1)
    assert len(publisher.sent) == 1


def test_a_number_given_twice_is_replayed_once() -> None:
    archive, publisher = Archive(letter(1)), Publisher()
    assert _replay(archive, publisher, [1, 1]) == Replayed(replayed=1)


def test_the_rate_is_kept_over_the_whole_and_progress_is_told() -> None:
    archive, publisher, clock = Archive(*(letter(n) for n in range(1, 26))), Publisher(), [0.0]
    sums: list[int] = []

    def pause(seconds: float) -> None:
        clock[0] += seconds

    def progress(done: Replayed) -> None:
        sums.append(done.replayed)
        clock[0] += 0.5  # a slow broker: the pauses must be so much shorter

    done = replay(
        archive,
        publisher,
        list(archive.rows),
        who="a",
        why="b",
        rate=5,
        progress=progress,
        clock=Clock(now=lambda: NOW, monotonic=lambda: clock[0], sleep=pause),
    )
    assert done.replayed == 25
    assert sums == [5, 10, 15, 20, 25]
    assert clock[0] == 4.5  # the last chunk may begin 4 s after the first


def test_a_rate_below_one_a_second_is_kept_too() -> None:
    archive, clock = Archive(letter(1), letter(2), letter(3)), [0.0]

    def pause(seconds: float) -> None:
        clock[0] += seconds

    replay(
        archive,
        Publisher(),
        [1, 2, 3],
        who="a",
        why="b",
        rate=0.5,
        clock=Clock(now=lambda: NOW, monotonic=lambda: clock[0], sleep=pause),
    )
    assert clock[0] == 4


def test_a_ledger_that_is_away_is_told_to_the_caller() -> None:
    class Away(Archive):
        def close_replayed(self, ids: Sequence[int]) -> None:
            raise LedgerUnavailable("away")

    archive = Away(letter(1))
    with pytest.raises(LedgerUnavailable):
        _replay(archive, Publisher(), [1])
    assert archive.states == ["replaying"]
