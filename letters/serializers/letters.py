"""Dead letters, what they died of, and what people wrote to them and changed in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bellhop.ledger.records import CauseRow, Edit, Letter, Note
from bellhop.letters.conflicts import StandingLedger, conflict_rows
from bellhop.letters.edits import differences
from bellhop.letters.masking import mask_change, mask_data, mask_evidence
from bellhop.letters.serializers import JsonObject
from bellhop.schemas.clock import iso
from bellhop.schemas.envelope import decode_recordable
from bellhop.schemas.errors import EnvelopeError

SHOWN_BYTES: Final = 65_536
"""Of a body that nobody can read; `body_bytes` tells how long it is."""


def letter_row(letter: Letter) -> JsonObject:
    """A letter as lists have it."""
    new = letter.new
    return {
        "id": letter.id,
        "state": letter.state.value,
        "reason": new.reason,
        "error": new.error,
        "route": new.route,
        "account": new.account,
        "source": new.source,
        "event_id": new.event_id,
        "type": new.type,
        "subject": new.subject,
        "generation": new.generation,
        "attempts": new.attempts,
        "died": iso(new.died),
        "archived": iso(letter.archived),
        "not_after": iso(new.not_after),
        "message_id": new.message_id,
        "cause": letter.cause,
        "assignee": letter.assignee,
    }


def letter_detail(letter: Letter, *, reveal: bool, ledger: StandingLedger | None = None) -> JsonObject:
    """A letter with everything needed to decide. reveal: without masking what is a guest's own. ledger: it knows what
    stands beside the content of a conflict; raises LedgerUnavailable."""
    detail = letter_row(letter)
    detail["evidence"] = letter.new.evidence if reveal else mask_evidence(letter.new.evidence)
    detail["body_bytes"] = len(letter.new.body)
    if ledger is not None and (conflict := conflict_rows(letter, ledger, reveal=reveal)) is not None:
        detail["conflict"] = conflict
    try:
        data = decode_recordable(letter.new.body).data
        detail["data"] = dict(data) if reveal else mask_data(data)
    except EnvelopeError as error:
        detail["data"] = None
        detail["unreadable"] = str(error)
        if reveal:
            detail["body"] = letter.new.body[:SHOWN_BYTES].decode("utf-8", "backslashreplace")
    return detail


def cause_row(cause: CauseRow) -> JsonObject:
    return {
        "cause": cause.cause,
        "reason": cause.reason,
        "route": cause.route,
        "account": cause.account,
        "error": cause.error,
        "count": cause.count,
        "first": iso(cause.first),
        "last": iso(cause.last),
        "example": cause.example,
        "next_start": iso(cause.next_start),
    }


def note_row(note: Note) -> JsonObject:
    return {"at": iso(note.at), "who": note.who, "text": note.text}


def edit_row(edit: Edit, letter: Letter | None, *, reveal: bool = False) -> JsonObject:
    """An edit with what it changes in its letter. reveal: without masking what is a guest's own."""
    return {
        "id": edit.id,
        "letter": edit.letter,
        "who": edit.who,
        "why": edit.why,
        "at": iso(edit.at),
        "state": edit.state.value,
        "approver": edit.approver,
        "changes": _changes(edit, letter, reveal),
    }


def _changes(edit: Edit, letter: Letter | None, reveal: bool) -> list[JsonObject]:
    """None where the letter is gone, or cannot be read."""
    if letter is None:
        return []
    try:
        changes = differences(letter.new.body, edit.body)
    except EnvelopeError:
        return []
    return [
        {
            "field": change.field,
            "before": change.before if reveal else mask_change(change.field, change.before),
            "after": change.after if reveal else mask_change(change.field, change.after),
        }
        for change in changes
    ]


def sort_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """The largest first."""
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
