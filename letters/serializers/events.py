"""Events, and everything that happened to one."""

from __future__ import annotations

from collections.abc import Sequence

from bellhop.ledger.records import Attempt, EventView, Letter, describe_entries
from bellhop.letters.masking import exchange
from bellhop.letters.serializers import JsonObject
from bellhop.letters.timeline import TimelineMoment
from bellhop.schemas.clock import iso


def event_row(view: EventView) -> JsonObject:
    """An event as lists have it."""
    return {
        "source": view.source,
        "id": view.id,
        "type": view.type,
        "subject": view.subject,
        "route": view.route,
        "account": view.account,
        "state": view.state.value,
        "detail": view.detail,
        "reason": view.reason,
        "generation": view.generation,
        "time": iso(view.time),
        "received": iso(view.received),
        "updated": iso(view.updated),
        "next_at": iso(view.next_at),
        "attempt_count": view.attempt_count,
        **describe_entries(view.entries),
    }


def event_detail(view: EventView, letters: Sequence[Letter], *, reveal: bool = False) -> JsonObject:
    """An event with its calls and its dead letters. reveal: without masking what is a guest's own in requests and
    answers."""
    return event_row(view) | {
        "attempts": [attempt_row(attempt, reveal) for attempt in view.attempts],
        "letters": [
            {
                "id": letter.id,
                "state": letter.state.value,
                "reason": letter.new.reason,
                "generation": letter.new.generation,
                "died": iso(letter.new.died),
            }
            for letter in letters
        ],
    }


def attempt_row(attempt: Attempt, reveal: bool) -> JsonObject:
    """One call. reveal: without masking what is a guest's own."""
    row: JsonObject = {
        "method": attempt.method,
        "started": iso(attempt.started),
        "seconds": attempt.seconds,
        "outcome": attempt.outcome,
        "error": attempt.error,
        "request": None,
        "answer": None,
    }
    return row | exchange(attempt, reveal=reveal)


def moment_row(moment: TimelineMoment) -> JsonObject:
    """A moment of an event's timeline."""
    return {
        "at": iso(moment.at),
        "title": moment.title,
        "text": moment.text,
        "tone": moment.tone,
        "detail": moment.detail,
        "letter": moment.letter,
    }
