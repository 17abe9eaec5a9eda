from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bellhop.broker import headers
from bellhop.broker.port import Consumer, Delivery, Message, Publisher, QueueStats
from bellhop.broker.topology import DEAD_QUEUE
from bellhop.ledger.records import LetterFilter, NewLetter, Pause, State, WaitingLetters
from bellhop.letters.archive import BATCH, Archiver, keep_house, letter_from_message, measure
from bellhop.schemas.clock import Clock
from bellhop.schemas.envelope import Envelope, content_hash, encode
from bellhop.schemas.errors import BrokerUnavailable, LedgerUnavailable
from bellhop.schemas.reasons import Reason
from bellhop.vendors.registry import ROUTES

NOW = datetime(2026, 11, 1, 10, tzinfo=UTC)
DATA = {"member_id": "7"}


def envelope(id_: str = "e1", generation: int = 0) -> Envelope:
    hash_ = content_hash("member.updated", NOW, DATA)
    start = NOW + timedelta(days=1)
    return Envelope(
        id_, "crm", "member.updated", "7", "members", "pv", NOW, NOW, DATA, hash_, start, generation=generation
    )


def message(id_: str = "e1", body: bytes | None = None, **told: Any) -> Message:
    return Message(f"crm/{id_}", encode(envelope(id_)) if body is None else body, told)


DIED = {
    headers.REASON: "rejected",
    headers.ERROR: "Member not found",
    headers.EVIDENCE: json.dumps({"attempts": [{"method": "sync_member"}]}),
    headers.ATTEMPT: 3,
    headers.ROUTE: "members",
    headers.DIED: NOW.timestamp() - 60,
}


# --- a letter from a message --------------------------------------------------------------------------------------


def test_a_letter_has_all_that_the_message_tells() -> None:
    sent = message(**DIED)
    assert letter_from_message(sent, NOW) == NewLetter(
        message_id="crm/e1",
        body=sent.body,
        route="members",
        reason="rejected",
        error="Member not found",
        evidence={"attempts": [{"method": "sync_member"}]},
        attempts=3,
        died=NOW - timedelta(seconds=60),
        source="crm",
        event_id="e1",
        type="member.updated",
        subject="7",
        account="pv",
        generation=0,
        not_after=NOW + timedelta(days=1),
    )


def test_what_the_broker_buried_itself_died_of_its_delivery_limit() -> None:
    letter = letter_from_message(message(**{headers.ATTEMPT: 2}), NOW)
    assert letter.reason == Reason.DELIVERY_LIMIT
    assert "buried" in letter.error
    assert (letter.route, letter.died, letter.attempts) == ("members", NOW, 2)


def test_what_cannot_be_read_is_kept_byte_for_byte_with_its_route() -> None:
    letter = letter_from_message(message(body=b"\xff\x00", **{headers.REASON: "poison", headers.ROUTE: "members"}), NOW)
    assert (letter.body, letter.reason, letter.route) == (b"\xff\x00", "poison", "members")
    assert (letter.source, letter.event_id, letter.account) == ("", "", "")
    unread = letter_from_message(message(body=b"{}"), NOW)
    assert unread.reason == Reason.POISON
    assert "bellhopversion" in unread.error


def test_no_header_keeps_a_letter_from_being_archived() -> None:
    odd: Sequence[Mapping[str, Any]] = (
        {headers.REASON: "because"},
        {headers.REASON: 7},
        {headers.EVIDENCE: "{"},
        {headers.EVIDENCE: "[1]"},
        {headers.ATTEMPT: "many"},
        {headers.ATTEMPT: -1},
        {headers.ATTEMPT: 2**40},
        {headers.DIED: "now"},
        {headers.DIED: 1e300},
        {headers.DIED: float("nan")},
        {headers.ERROR: 5},
    )
    for told in odd:
        letter = letter_from_message(message(**told), NOW)
        assert letter.died == NOW
        assert letter.reason == Reason.DELIVERY_LIMIT
        assert 0 <= letter.attempts < 2**31


# --- the archiver -------------------------------------------------------------------------------------------------


class DeadQueue:
    """A broker with one queue, as the port's rules have it: what is not acked comes again after `close`."""

    def __init__(self, messages: Sequence[Message], journal: list[str]) -> None:
        self.waiting = list(messages)
        self.unacked: list[Delivery] = []
        self.journal = journal
        self.connected = True
        self.stats_now: Mapping[str, QueueStats] | None = {"dead": QueueStats(3, 1, 8.0)}

    def declare(self) -> None: ...

    def publisher(self) -> Publisher:
        raise NotImplementedError

    def consumer(self, queue: str, prefetch: int) -> Consumer:
        assert (queue, prefetch) == (DEAD_QUEUE, BATCH)
        return self

    def take(self, limit: int, timeout: float) -> Sequence[Delivery]:
        self.journal.append(f"take {limit}")
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        deliveries = [Delivery(one, number) for number, one in enumerate(taken)]
        self.unacked += deliveries
        return deliveries

    def rest(self) -> None: ...

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        self.journal.append(f"ack {len(deliveries)}")
        for delivery in deliveries:
            self.unacked.remove(delivery)

    def stats(self) -> Mapping[str, QueueStats]:
        if self.stats_now is None:
            raise BrokerUnavailable("away")
        return self.stats_now

    def close(self) -> None:
        self.waiting = [delivery.message for delivery in self.unacked] + self.waiting
        self.unacked = []


class Archive:
    """The ledger's archive: knows a letter by its message, generation, reason and body."""

    def __init__(self, journal: list[str]) -> None:
        self.journal = journal
        self.stored: dict[tuple[str, int, str, bytes], NewLetter] = {}
        self.away = False
        self.pruned = 0
        self.letters = self

    def archive(self, letters: Sequence[NewLetter]) -> int:
        if self.away:
            self.journal.append("refuse")
            raise LedgerUnavailable("away")
        before = len(self.stored)
        for letter in letters:
            self.stored.setdefault((letter.message_id, letter.generation, letter.reason, letter.body), letter)
        self.journal.append(f"commit {len(letters)}")
        return len(self.stored) - before

    def count(self, which: LetterFilter) -> int:
        if self.away:
            raise LedgerUnavailable("away")
        return len(self.stored)

    def waiting(self) -> Sequence[WaitingLetters]:
        if self.away:
            raise LedgerUnavailable("away")
        died, start = NOW - timedelta(minutes=5), NOW + timedelta(hours=2)
        return [
            WaitingLetters("members", "club", "auth", 2, died, None),
            WaitingLetters("pulls", "salon", "exhausted", 1, NOW, start),
        ]

    @property
    def pauses(self) -> Archive:
        return self

    def all(self) -> list[Pause]:
        if self.away:
            raise LedgerUnavailable("away")
        return [Pause("members", "eve", "the vendor moves", NOW - timedelta(hours=1), None)]

    def count_unfinished(self) -> Mapping[tuple[str, State], int]:
        if self.away:
            raise LedgerUnavailable("away")
        return {("members", State.IN_DOUBT): 4}

    def prune(self) -> int:
        self.pruned += 1
        return 0


class Bench:
    """An archiver over both, with a clock that tests turn."""

    def __init__(self, *messages: Message) -> None:
        self.journal: list[str] = []
        self.told: list[tuple[str, dict[str, object]]] = []
        self.queue = DeadQueue(messages, self.journal)
        self.archive = Archive(self.journal)
        self.clock = 0.0
        self.archiver = self.another()

    def another(self) -> Archiver:
        clock = Clock(now=lambda: NOW, monotonic=lambda: self.clock)
        return Archiver(self.queue, self.archive, self.observe, clock=clock)

    def observe(self, event: str, /, **fields: object) -> None:
        self.told.append((event, fields))

    def named(self, event: str) -> list[dict[str, object]]:
        return [fields for name, fields in self.told if name == event]


def test_a_batch_is_committed_once_and_acked_only_then() -> None:
    bench = Bench(*(message(f"e{n}", **DIED) for n in range(5)))
    bench.archiver.step()
    assert bench.journal == [f"take {BATCH}", "commit 5", "ack 5"]
    assert [fields["id"] for fields in bench.named("letter.archived")] == [f"e{n}" for n in range(5)]
    assert bench.archiver.problem is None


def test_nothing_is_acked_while_the_ledger_is_away_and_the_connection_is_kept_alive() -> None:
    bench = Bench(message(**DIED))
    bench.archive.away = True
    for _ in range(3):
        bench.archiver.step()
    # One attempt, then a wait: but `take` is called at every turn, with no room for more.
    assert bench.journal == [f"take {BATCH}", "refuse", "take 0", "take 0"]
    assert "cannot be archived" in str(bench.archiver.problem)
    bench.clock += 0.6
    bench.archiver.step()
    assert bench.journal[-1] == "refuse"
    bench.archive.away = False
    bench.clock += 60
    bench.archiver.step()
    assert bench.journal[-2:] == ["commit 1", "ack 1"]
    assert bench.archiver.problem is None
    assert bench.queue.unacked == []


def test_the_back_off_grows() -> None:
    bench = Bench(message(**DIED))
    bench.archive.away = True
    waits, last = [], 0.0
    for _ in range(400):
        before = bench.journal.count("refuse")
        bench.archiver.step()
        if bench.journal.count("refuse") > before:
            waits.append(bench.clock - last)
            last = bench.clock
        bench.clock += 0.25
    assert waits[:6] == [0, 0.5, 1, 2, 5, 10]
    assert set(waits[6:]) == {30}


def test_dying_between_commit_and_ack_stores_each_letter_once() -> None:
    bench = Bench(message("e1", **DIED), message("e2", **DIED))

    class Killed(BaseException):
        pass

    def die(_deliveries: Sequence[Delivery]) -> None:
        raise Killed

    acks, bench.queue.ack = bench.queue.ack, die  # type: ignore[method-assign]
    try:
        bench.archiver.step()
    except Killed:
        bench.queue.close()
    bench.queue.ack = acks  # type: ignore[method-assign]
    bench.another().step()
    assert len(bench.archive.stored) == 2
    assert bench.queue.unacked == []
    assert bench.queue.waiting == []
    assert bench.named("letters.known") == [{"count": 2}]


def test_what_it_holds_when_it_is_stopped_goes_back_to_the_queue() -> None:
    bench = Bench(message(**DIED))
    bench.archive.away = True
    bench.archiver.step()
    stop = threading.Event()
    stop.set()
    bench.archiver.run(stop)
    assert [one.id for one in bench.queue.waiting] == ["crm/e1"]


def test_more_than_a_batch_is_archived_in_several_commits() -> None:
    bench = Bench(*(message(f"e{n}", **DIED) for n in range(BATCH + 1)))
    bench.archiver.step()
    bench.archiver.step()
    assert [line for line in bench.journal if line.startswith("commit")] == [f"commit {BATCH}", "commit 1"]


# --- measuring and pruning ----------------------------------------------------------------------------------------


def test_the_sizes_are_told_and_taken_back_when_the_broker_is_away() -> None:
    bench = Bench()
    measure(bench.queue, bench.archive, bench.observe)
    assert bench.named("queue.measured") == [{"queue": "dead", "ready": 3, "in_flight": 1, "oldest_seconds": 8.0}]
    assert bench.named("letters.counted")[0] == {"state": "open", "count": 0}
    bench.told.clear()
    bench.queue.stats_now, bench.archive.away = None, True
    measure(bench.queue, bench.archive, bench.observe)
    assert {fields["queue"] for fields in bench.named("queue.measured")} >= {"dead", "members"}
    assert {fields["ready"] for fields in bench.named("queue.measured")} == {None}
    assert {fields["count"] for fields in bench.named("letters.counted")} == {None}


def test_what_waits_for_a_person_is_told_with_its_age_and_the_time_until_the_start() -> None:
    bench = Bench()
    measure(bench.queue, bench.archive, bench.observe, lambda: NOW)
    (told,) = bench.named("letters.waiting")
    assert told["groups"] == [
        {
            **{"route": "members", "account": "club", "reason": "auth"},
            **{"count": 2, "oldest_seconds": 300.0, "start_seconds": None},
        },
        {
            **{"route": "pulls", "account": "salon", "reason": "exhausted"},
            **{"count": 1, "oldest_seconds": 0.0, "start_seconds": 7200.0},
        },
    ]
    bench.archive.away = True
    measure(bench.queue, bench.archive, bench.observe, lambda: NOW)
    assert bench.named("letters.waiting")[-1] == {"groups": []}


def test_what_is_unfinished_is_told_of_every_route_and_of_none_while_the_ledger_is_away() -> None:
    bench = Bench()
    measure(bench.queue, bench.archive, bench.observe)
    (told,) = bench.named("events.unfinished")
    groups = told["groups"]
    assert isinstance(groups, list)
    assert len(groups) == 4 * len(ROUTES)
    assert [g["count"] for g in groups if (g["route"], g["state"]) == ("members", "in_doubt")] == [4]
    assert sum(g["count"] for g in groups) == 4
    bench.archive.away = True
    measure(bench.queue, bench.archive, bench.observe)
    assert bench.named("events.unfinished")[-1] == {"groups": []}


def test_how_long_each_route_has_been_held_is_told_and_nothing_while_the_ledger_is_away() -> None:
    bench = Bench()
    measure(bench.queue, bench.archive, bench.observe, lambda: NOW)
    (told,) = bench.named("routes.paused")
    groups = told["groups"]
    assert isinstance(groups, list)
    assert {group["route"]: group["seconds"] for group in groups} == {**dict.fromkeys(ROUTES, 0), "members": 3600}
    bench.archive.away = True
    measure(bench.queue, bench.archive, bench.observe)
    assert bench.named("routes.paused")[-1] == {"groups": []}


class _Turns(threading.Event):
    """A stop that comes after so many waits, each of which turns the clock."""

    def __init__(self, bench: Bench, turns: int) -> None:
        super().__init__()
        self.bench = bench
        self.turns = turns

    def wait(self, timeout: float | None = None) -> bool:
        self.turns -= 1
        self.bench.clock += timeout or 0
        if not self.turns:
            self.set()
        return self.is_set()


def test_it_prunes_at_the_start_and_once_a_day() -> None:
    bench = Bench()
    clock = Clock(monotonic=lambda: bench.clock)
    keep_house(bench.queue, bench.archive, bench.observe, _Turns(bench, 8640), clock=clock)
    assert bench.archive.pruned == 1
    keep_house(bench.queue, bench.archive, bench.observe, _Turns(bench, 8642), clock=clock)
    assert bench.archive.pruned == 3
