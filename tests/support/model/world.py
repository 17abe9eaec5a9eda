"""All that stands at one moment, and everything that may happen next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from bellhop.drill.checker import check
from bellhop.drill.history import EventEnd, LetterEnd, Record, SentPost, StandingBooking, ToldBooking
from bellhop.ledger.doubtful import LastRestore
from bellhop.ledger.records import RESTORED, Claimed, State, VendorCall, describe_entries
from bellhop.vendors.failure import Kind
from tests.support.ledger import NOON
from tests.support.model import records
from tests.support.model.records import Rows
from tests.support.model.worker import LATE_TICKS, Copy, Request, entry_of, envelope_of, moment, next_request

Step = tuple[str, "World"]
_NO_ROWS: Final = Rows()


@dataclass(frozen=True)
class Holding:
    """A worker with a message. owns: the broker still counts it as its own; otherwise the message has been given to
    somebody else, and this one goes on without knowing. last: what it asks, where it is only to publish and to ack."""

    message: Copy
    answers: tuple[tuple[Any, int], ...] = ()
    owns: bool = True
    last: Request | None = None

    @property
    def claims(self) -> list[Claimed]:
        return [answer for answer, _ in self.answers if isinstance(answer, Claimed)]

    def with_tokens(self, pk: int, new: Mapping[int, int]) -> Holding:
        answers = tuple(
            (replace(one, token=new[one.token]) if isinstance(one, Claimed) and one.event_pk == pk else one, tick)
            for one, tick in self.answers
        )
        return replace(self, answers=answers)


@dataclass(frozen=True)
class Budget:
    """How often what need not happen may: processes killed, connections lost, calls without an answer, replays by
    people, posts sent again, ledgers put back; how far time goes on."""

    kills: int = 0
    losses: int = 0
    silences: int = 0
    refusals: int = 0
    replays: int = 0
    posts: int = 0
    restores: int = 0
    ticks: int = 0

    def less(self, name: str) -> Budget:
        return replace(self, **{name: getattr(self, name) - 1})


@dataclass(frozen=True)
class World:
    """standing: what is booked at the vendor, by id and line. late: lines it will book yet, and until when. letters:
    open ones. copy: of ledger and letters, for a restore."""

    left: Budget
    lines: int
    workers: tuple[Holding | None, ...]
    queue: tuple[Copy, ...]
    accepted: frozenset[str]
    tick: int = 0
    made: int = 0
    ledger: Rows = _NO_ROWS
    standing: tuple[tuple[str, int], ...] = ()
    late: tuple[tuple[int, int], ...] = ()
    letters: frozenset[Copy] = frozenset()
    copy: tuple[Rows, frozenset[Copy]] | None = None

    # --- what must hold -----------------------------------------------------------------------------------------

    def breaches(self) -> list[str]:
        """What is broken here; at rest the drill's own checker decides, too."""
        found = [
            f"line {line} stands {n} times" for line, n in Counter(line for _, line in self.standing).items() if n > 1
        ]
        found += [f"{event} is lost" for event in sorted(self.accepted) if self._is_lost(event)]
        if not self.queue and not any(self.workers) and not self.late:
            found += [f"{one.breach}: {one.subject}: {one.words}" for one in check(self._history()).violations]
        return found

    def _is_lost(self, event: str) -> bool:
        """Whether nothing brings it on, no person sees it, and it has not ended."""
        moving = [*self.queue, *(one.message for one in self.workers if one and one.owns), *self.letters]
        row = self.ledger.of(event)
        ended = row is not None and not row.state.unfinished and row.state is not State.DEAD
        return not ended and event not in {one.event for one in moving}

    def _history(self) -> Iterator[Record]:
        slots = tuple(f"s{line}" for line in range(self.lines))
        for event in sorted(self.accepted):
            envelope = envelope_of(Copy(event, 0), self.lines)
            wanted = slots if event == "request" else ()
            yield SentPost(event, envelope.type, "R-1", envelope.time.isoformat(), wanted, 202, 0.0)
            if (row := self.ledger.of(event)) is not None:
                yield EventEnd(event, row.type, "R-1", row.state.value, row.reason)
        for number, letter in enumerate(sorted(self.letters)):
            row = self.ledger.of(letter.event)
            yield LetterEnd(number, letter.event, "R-1", row.reason if row else "", "open")
        for id_, line in self.standing:
            yield StandingBooking("sb", id_, "R-1", f"s{line}")
        if self.ledger.held is not None:
            told = describe_entries(self.ledger.held.booking.entries)
            yield ToldBooking("R-1", tuple(told["vendor_ids"]), tuple(told["cancelled_ids"]))

    # --- what may happen ----------------------------------------------------------------------------------------

    def steps(self) -> Iterator[Step]:
        for place, worker in enumerate(self.workers):
            if worker is None:
                for message in dict.fromkeys(self.queue):
                    queue = _without(self.queue, message)
                    yield from replace(self._with(place, Holding(message)), queue=queue)._claim(place, message)
            else:
                yield from self._work(place, worker)
                yield from self._fail(place, worker)
        for line, until in dict.fromkeys(self.late):
            made = replace(self, late=_without(self.late, (line, until)))._book(line)[0]
            yield f"the vendor books line {line} late", made
        if self.left.ticks and all(until > self.tick for _, until in self.late):
            yield "time passes", replace(self._less("ticks"), tick=self.tick + 1)
        yield from self._people()
        yield from self._restores()
        if self.left.posts:
            for event in sorted(self.accepted):
                yield f"{event} is posted again", self._less("posts")._put(Copy(event, 0))

    def _claim(self, place: int, message: Copy) -> Iterator[Step]:
        """A worker takes a message and claims its event: until the claim, holding it is as good as its being queued."""
        ledger, answer = records.claim(self.ledger, envelope_of(message, self.lines), self.tick)
        yield (
            f"w{place} takes {message.event}: {type(answer).__name__}",
            replace(self, ledger=ledger)._answer(place, answer),
        )

    def _work(self, place: int, worker: Holding) -> Iterator[Step]:
        """The worker's next step, with each answer it may get."""
        asked = worker.last or next_request(worker.message, worker.answers, self.lines, self.tick)
        name = f"w{place} {asked.what}"
        match asked.what:
            case "mark":
                ledger, answer = records.mark(self.ledger, asked.of, self.tick)
                yield name, replace(self, ledger=ledger)._answer(place, answer)
            case "settle":
                ledger, lost = records.settle(self.ledger, asked.of, self.tick)
                yield f"{name} {asked.of.state}", replace(self, ledger=ledger)._answer(place, lost)
            case "ask":
                is_free = all(line != asked.of.line for _, line in self.standing)
                yield f"{name}: {'free' if is_free else 'taken'}", self._answer(place, is_free)
            case "call":
                yield from self._call(place, name, asked.of)
            case "publish":
                answered = self._with(place, replace(worker, last=Request("ack")))
                if asked.of == "letter":
                    yield f"{name} letter", replace(answered, letters=self.letters | {worker.message})
                else:
                    yield f"{name} retry", answered._put(worker.message)
            case "ack":
                yield name, self._with(place, None)

    def _call(self, place: int, name: str, call: VendorCall) -> Iterator[Step]:
        if call.method == "cancel":
            done = replace(self, standing=tuple(one for one in self.standing if one[0] != call.arguments["id"]))
            yield f"{name} cancel", done._answer(place, None)
            if self.left.silences:
                yield f"{name} cancel, unanswered", done._less("silences")._answer(place, Kind.UNKNOWN)
            return
        booked, id_ = self._book(call.line)
        yield f"{name} book", booked._answer(place, id_)
        if self.left.refusals:
            yield f"{name} book, refused for now", self._less("refusals")._answer(place, Kind.TRANSIENT)
        if self.left.silences:
            silent = self._less("silences")
            yield f"{name} book, unanswered", booked._less("silences")._answer(place, Kind.UNKNOWN)
            yield f"{name} book, never carried out", silent._answer(place, Kind.UNKNOWN)
            late = (*silent.late, (call.line, self.tick + LATE_TICKS - 1))
            yield f"{name} book, late", replace(silent, late=tuple(sorted(late)))._answer(place, Kind.UNKNOWN)

    def _fail(self, place: int, worker: Holding) -> Iterator[Step]:
        if self.left.kills:
            yield f"w{place} is killed", self._less("kills")._drop(place)
        if self.left.losses and worker.owns:
            lost = self._less("losses")._with(place, replace(worker, owns=False))
            yield f"w{place} loses its delivery", lost._put(worker.message)

    def _people(self) -> Iterator[Step]:
        for letter in sorted(self.letters):
            row = self.ledger.of(letter.event)
            if row is None or row.state is not State.DEAD:
                continue  # at work: `begin_replay` leaves it
            if self.left.replays:
                yield f"{letter.event} is replayed", self._less("replays")._go_on(letter)
            if row.calling is not None and not row.calling.repeatable:
                yield from self._say(letter, row.calling)

    def _say(self, letter: Copy, call: VendorCall) -> Iterator[Step]:
        """What a person who looks finds. While the vendor may still carry it out, he does not say that it is not."""
        known = {one.vendor_id for one in self.ledger.held.booking.entries} if self.ledger.held else set()
        lines = range(self.lines) if call.method == RESTORED else (call.line,)
        found = tuple(entry_of(i, line, letter.event) for i, line in self.standing if line in lines and i not in known)
        missing = {*lines} - {entry.line for entry in found}
        if (not found or call.method == RESTORED) and any(line in missing for line, _ in self.late):
            return
        said = replace(self, ledger=records.end_doubt(self.ledger, letter.event, found, self.tick))._go_on(letter)
        doubtful = any(row.died_in_doubt for row in said.ledger.records())
        for other in sorted(said.letters):  # those that waited for it go on, too
            row = said.ledger.of(other.event)
            if not doubtful and row is not None and row.reason == "in_doubt" and row.state is State.DEAD:
                said = said._go_on(other)
        yield f"a person says of {letter.event}: {len(found)} there", said

    def _restores(self) -> Iterator[Step]:
        if self.left.restores and self.copy is None:
            yield "the ledger is copied", replace(self, copy=(self.ledger, self.letters))
        if self.left.restores and self.copy is not None and all(until > self.tick for _, until in self.late):
            ledger, letters = self.copy
            world = replace(self._less("restores"), tick=self.tick + 1)  # it takes its time
            for place in range(len(self.workers)):
                world = world._drop(place)
            ledger = records.put_back(ledger, LastRestore(NOON, moment(world.tick)), self.lines, world.tick)
            world = replace(world, ledger=ledger, letters=letters, copy=None)
            for event in sorted(self.accepted):
                row = ledger.of(event)
                if row is None or row.state is not State.DEAD:
                    world = world._put(Copy(event, 0))
                elif all(one.event != event for one in letters):  # its replay was on its way, see `Restores.say`
                    world = world._put(Copy(event, row.generation + 1))
            yield "the ledger is put back, and what it does not show to people is brought on again", world

    # --- parts of steps -----------------------------------------------------------------------------------------

    def _with(self, place: int, worker: Holding | None) -> World:
        workers = (*self.workers[:place], worker, *self.workers[place + 1 :])
        return replace(self, workers=workers)

    def canonical(self) -> World:
        """States that differ in names alone are one: workers have none, and of tokens only the order counts."""
        ledger, workers = self.ledger, self.workers
        for pk, tokens in ledger.tokens().items():
            held = {one.token for worker in workers if worker for one in worker.claims if one.event_pk == pk}
            new = {token: place for place, token in enumerate(sorted({*tokens, *held, 0}))}
            if any(token != place for token, place in new.items()):
                ledger = ledger.with_tokens(pk, new)
                workers = tuple(worker and worker.with_tokens(pk, new) for worker in workers)
        return replace(self, ledger=ledger, workers=tuple(sorted(workers, key=hash)))

    def _answer(self, place: int, answer: Any) -> World:
        worker = self.workers[place]
        assert worker is not None
        answers = (*worker.answers, (answer, self.tick))
        asked = next_request(worker.message, answers, self.lines, self.tick)
        if asked.what in (
            "publish",
            "ack",
        ):  # what it was answered before matters no more: states that differ in it are one
            return self._with(place, Holding(worker.message, (), worker.owns, asked))
        return self._with(place, replace(worker, answers=answers))

    def _less(self, name: str) -> World:
        return replace(self, left=self.left.less(name))

    def _put(self, message: Copy) -> World:
        return replace(self, queue=tuple(sorted((*self.queue, message))))

    def _drop(self, place: int) -> World:
        """The worker is gone; what it held comes again."""
        worker = self.workers[place]
        world = self._with(place, None)
        return world._put(worker.message) if worker is not None and worker.owns else world

    def _go_on(self, letter: Copy) -> World:
        return replace(self, letters=self.letters - {letter})._put(replace(letter, generation=letter.generation + 1))

    def _book(self, line: int) -> tuple[World, str]:
        id_ = f"v{self.made}"
        return replace(self, made=self.made + 1, standing=(*self.standing, (id_, line))), id_


def _without(many: tuple[Any, ...], one: Any) -> tuple[Any, ...]:
    place = many.index(one)
    return (*many[:place], *many[place + 1 :])


FIRST: Final = Copy("request", 0)
SECOND: Final = Copy("cancel", 0)


def begin(left: Budget, *, lines: int = 1, workers: int = 2, cancel: bool = False) -> World:
    """One booking is accepted, and its cancel perhaps."""
    queue = (SECOND, FIRST) if cancel else (FIRST,)
    return World(left, lines, (None,) * workers, queue, frozenset(one.event for one in queue))
