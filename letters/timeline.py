"""An event's timeline: everything known of it, in the order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bellhop.ledger.records import AuditRow, EventView, Letter, Note, State, describe_entries
from bellhop.letters.masking import exchange, mask_data
from bellhop.schemas.envelope import Envelope


@dataclass(frozen=True, slots=True)
class TimelineMoment:
    """tone: how its dot is coloured. detail: JSON behind a fold, None for nothing. letter: the number of the letter it
    is about."""

    at: datetime
    title: str
    text: str = ""
    tone: str = "quiet"
    detail: Any = None
    letter: int | None = None


def timeline(
    view: EventView | None,
    letters: Sequence[Letter],
    acts: Sequence[AuditRow],
    notes: Mapping[int, Sequence[Note]],
    envelope: Envelope | None,
    *,
    reveal: bool,
    clean: Callable[[Any], Any],
) -> list[TimelineMoment]:
    """Everything that is known of an event, in the order of time. reveal: without masking what is a guest's own. clean:
    takes secrets out."""
    found = [
        *_arrival_moments(view, envelope, reveal),
        *_attempt_moments(view, reveal),
        *_death_moments(letters),
        *(TimelineMoment(act.at, f"{act.act} by {act.who}", act.why, "busy", letter=act.letter) for act in acts),
        *(
            TimelineMoment(note.at, f"note by {note.who}", note.text, "quiet", letter=number)
            for number, written in notes.items()
            for note in written
        ),
        *_state_moments(view),
    ]
    told = [
        TimelineMoment(one.at, one.title, clean(one.text), one.tone, clean(one.detail), one.letter) for one in found
    ]
    return sorted(told, key=lambda one: one.at)


def sentry_link(template: str, view: EventView | None, source: str, id_: str) -> str:
    """Where its errors are in Sentry; "" where the settings do not say."""
    if not template:
        return ""
    said = {
        "id": id_,
        "source": source,
        "subject": view.subject if view else "",
        "route": view.route if view else "",
    }
    for name, value in said.items():
        template = template.replace(f"{{{name}}}", quote(value, safe=""))
    return template


def _arrival_moments(view: EventView | None, envelope: Envelope | None, reveal: bool) -> Iterator[TimelineMoment]:
    received = view.received if view else envelope.received if envelope else None
    if received is None:
        return
    data = None
    if envelope is not None:
        data = dict(envelope.data) if reveal else mask_data(envelope.data)
    said = view.time if view else envelope.time if envelope else received
    text = f"dated by the sender {said:%Y-%m-%d %H:%M:%S} UTC"
    yield TimelineMoment(received, "Received: signature verified, content checked", text, "good", data)
    for warning in envelope.warnings if envelope else ():
        yield TimelineMoment(received, "Warning to the sender", warning, "wait")
    route = view.route if view else envelope.route if envelope else ""
    yield TimelineMoment(received, "Published", f"to {route}; confirmed by the broker, then answered", "good")


def _attempt_moments(view: EventView | None, reveal: bool) -> Iterator[TimelineMoment]:
    for number, attempt in enumerate(view.attempts if view else (), 1):
        yield TimelineMoment(
            attempt.started,
            f"Call {number}: {attempt.method}: {attempt.outcome}",
            _duration(attempt.seconds) + (f"; {attempt.error}" if attempt.error else ""),
            "good" if attempt.outcome == "ok" else "wait" if attempt.outcome in ("transient", "throttled") else "bad",
            exchange(attempt, reveal=reveal) or None,
        )


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _death_moments(letters: Sequence[Letter]) -> Iterator[TimelineMoment]:
    for letter in letters:
        title = f"Died: {letter.new.reason}"
        replays = f"after {letter.new.generation} replays: " if letter.new.generation else ""
        yield TimelineMoment(letter.new.died, title, replays + letter.new.error, "bad", letter=letter.id)


def _state_moments(view: EventView | None) -> Iterator[TimelineMoment]:
    """Where it stands, and what is planned."""
    if view is None:
        return
    if view.state.unfinished:
        told = "In doubt: the vendor is asked first" if view.state is State.IN_DOUBT else "In progress"
        if view.state is State.RETRYING:
            told = "Waiting for a retry"
        if view.state is State.HELD:
            yield TimelineMoment(view.updated, "Held by the flood guard", view.detail, "wait")
        elif view.next_at is not None:
            yield TimelineMoment(view.next_at, "Next retry", view.detail, "wait")
        else:
            yield TimelineMoment(view.updated, told, view.detail, "busy")
    elif view.state is not State.DEAD:
        at_vendor = describe_entries(view.entries)
        stands, gone = ", ".join(at_vendor["vendor_ids"]), ", ".join(at_vendor["cancelled_ids"])
        text = view.detail + (f"; at the vendor as {stands}" if stands else "")
        text += f"; cancelled there: {gone}" if gone else ""
        yield TimelineMoment(view.updated, f"Ended: {view.state.value}", text, "good")
