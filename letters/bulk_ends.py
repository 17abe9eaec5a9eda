"""How the letters of a bulk job ended, and whether that stops it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Protocol

from bellhop.ledger.causes import shape_of
from bellhop.ledger.records import (
    BulkJob,
    ItemState,
    JobItem,
    Letter,
    LetterFilter,
    LetterState,
    Standing,
    State,
    Verdict,
)
from bellhop.letters.preflight import WORDS
from bellhop.schemas.envelope import decode
from bellhop.schemas.errors import EnvelopeError

GONE: Final = "its letter is no longer kept"
SET_ASIDE: Final = "somebody discarded its event"

End = tuple[ItemState, str]
"""Where an item stands, and the words for people."""

_FAILURES: Final = 1000


class EndsLedger(Protocol):
    """What is needed of the ledger; every method may raise LedgerUnavailable."""

    @property
    def letters(self) -> Any: ...

    @property
    def jobs(self) -> Any: ...

    def standings(self, source: str, ids: Sequence[str]) -> Mapping[str, Sequence[Standing]]: ...


class Ends:
    """Of replays."""

    def __init__(self, ledger: EndsLedger) -> None:
        self._ledger = ledger

    def of(
        self, out: Sequence[JobItem], letters: Mapping[int, Letter]
    ) -> tuple[list[tuple[int, ItemState, str]], list[tuple[Letter, Standing]]]:
        """What is to be noted of those that were sent, where it is noted otherwise; and those that died again."""
        standings = self._standings(letters.values())
        told: list[tuple[int, ItemState, str]] = []
        died: list[tuple[Letter, Standing]] = []
        for item in out:
            letter, standing = letters.get(item.letter), standings.get(item.letter)
            end = replay_end(letter, standing)
            if end != (item.state, item.detail):
                told.append((item.place, *end))
            if letter is not None and standing is not None and end[0] is ItemState.FAILED:
                died.append((letter, standing))
        return told, died

    def ends_of(self, letters: Collection[Letter]) -> Mapping[int, End]:
        """By letter, where its replay stands."""
        standings = self._standings(letters)
        return {letter.id: replay_end(letter, standings.get(letter.id)) for letter in letters}

    def stops(self, job: BulkJob, died: Sequence[tuple[Letter, Standing]]) -> str:
        """Why the job stops; "" where it goes on. A new cause, too, stops it once it has come twice: the mending has
        broken something else."""
        before = self._ledger.jobs.items(job.id, _FAILURES, state=ItemState.FAILED).rows
        shapes = {shape_of(item.detail) for item in before}
        for letter, standing in died:
            shape = shape_of(words(standing))
            if self._same_cause(letter, standing):
                return f"letter {letter.id} died again of the same cause: {standing.detail}"
            if shape in shapes:
                return f"letter {letter.id} died of what another of this job died of: {standing.detail}"
            shapes.add(shape)
        return ""

    def _same_cause(self, letter: Letter, standing: Standing) -> bool:
        """By its new letter where that has been archived, else by its reason."""
        which = LetterFilter(source=letter.new.source, event_id=letter.new.event_id, states=tuple(LetterState))
        again = [one for one in self._ledger.letters.find(which, 100) if one.new.generation > letter.new.generation]
        return any(one.cause == letter.cause for one in again) or (not again and standing.reason == letter.new.reason)

    def _standings(self, letters: Collection[Letter]) -> Mapping[int, Standing]:
        """By letter, where its content stands; without those that no worker has taken."""
        by_source: dict[str, list[Letter]] = {}
        for letter in letters:
            by_source.setdefault(letter.new.source, []).append(letter)
        found: dict[int, Standing] = {}
        for source, some in by_source.items():
            rows = self._ledger.standings(source, [letter.new.event_id for letter in some])
            for letter in some:
                if (standing := own(letter, rows.get(letter.new.event_id, ()))) is not None:
                    found[letter.id] = standing
        return found


def discard_end(letter: Letter | None) -> End:
    """Of a letter that was to be discarded. One that is still open was not begun: its process died."""
    if letter is not None and letter.state is LetterState.OPEN:
        return ItemState.WAITING, ""
    if letter is not None and letter.state is LetterState.DISCARDED:
        return ItemState.DONE, "discarded"
    return ItemState.SKIPPED, WORDS[Verdict.CLOSED]


def replay_end(letter: Letter | None, standing: Standing | None) -> End:
    """Of a letter that was replayed. standing: its content's. While its end is not known, how far it has come."""
    if letter is None:
        return ItemState.SKIPPED, GONE
    if letter.state is LetterState.OPEN:  # nothing was published: the mark comes before
        return ItemState.WAITING, ""
    if letter.state is LetterState.DISCARDED:
        return ItemState.SKIPPED, WORDS[Verdict.CLOSED]
    if standing is None:
        return ItemState.SENT, ""
    if standing.state.unfinished:
        return ItemState.SENT, words(standing)
    is_newer = standing.generation > letter.new.generation
    if standing.state in (State.DEAD, State.DISCARDED) and is_newer:
        return ItemState.FAILED, words(standing)
    if standing.state is State.DEAD:  # still of the death before: no worker has taken the replay yet
        return ItemState.SENT, ""
    if standing.state is State.DISCARDED:
        return ItemState.SKIPPED, SET_ASIDE
    return ItemState.DONE, words(standing)


def words(standing: Standing) -> str:
    """For people, and for telling causes apart."""
    return f"{standing.reason or standing.state.value}: {standing.detail}"


def own(letter: Letter, standings: Sequence[Standing]) -> Standing | None:
    """That of the letter's content: others may have come under its event's id."""
    try:
        hash_ = decode(letter.new.body).content_hash
    except EnvelopeError:
        return None
    return next((standing for standing in standings if standing.content_hash == hash_), None)
