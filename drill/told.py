"""A drill's record, by what it is of: how the checker looks at it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from bellhop.drill.history import (
    CallbackEnd,
    EventEnd,
    LetterEnd,
    PersonAct,
    QueuedMessage,
    Record,
    SeenCall,
    SentPost,
    StandingBooking,
    ToldBooking,
    ToldResult,
)


@dataclass
class Told:
    """The record, by what it is of."""

    posts: dict[str, list[SentPost]] = field(default_factory=lambda: defaultdict(list))
    events: dict[str, EventEnd] = field(default_factory=dict)
    letters: dict[str, list[LetterEnd]] = field(default_factory=lambda: defaultdict(list))
    messages: set[str] = field(default_factory=set)
    standing: dict[str, list[StandingBooking]] = field(default_factory=lambda: defaultdict(list))
    bookings: dict[str, ToldBooking] = field(default_factory=dict)
    results: dict[str, list[ToldResult]] = field(default_factory=lambda: defaultdict(list))
    calls: list[SeenCall] = field(default_factory=list)
    callbacks: list[CallbackEnd] = field(default_factory=list)
    acts: list[PersonAct] = field(default_factory=list)

    @classmethod
    def of(cls, records: Iterable[Record]) -> Told:
        told = cls()
        for record in records:
            match record:
                case SentPost():
                    told.posts[record.id].append(record)
                case EventEnd():
                    told.events[record.id] = record
                case LetterEnd():
                    told.letters[record.id].append(record)
                case QueuedMessage():
                    told.messages.add(record.id)
                case StandingBooking():
                    told.standing[record.reference].append(record)
                case ToldBooking():
                    told.bookings[record.reference] = record
                case ToldResult():
                    told.results[record.reference].append(record)
                case SeenCall():
                    told.calls.append(record)
                case CallbackEnd():
                    told.callbacks.append(record)
                case PersonAct():
                    told.acts.append(record)
        return told

    @property
    def answered(self) -> set[str]:
        """The bookings of which a person said what stands."""
        numbers = {act.letter for act in self.acts if act.act in ("there", "absent") and act.worked}
        return {one.reference for letters in self.letters.values() for one in letters if one.number in numbers}

    @property
    def accepted(self) -> dict[str, SentPost]:
        """What was answered 2xx, by id."""
        return {id_: posts[0] for id_, posts in self.posts.items() if any(200 <= one.status < 300 for one in posts)}
