"""Dead letters, what they died of, and what people wrote to them and changed in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from bellhop.ledger.causes import cause_key
from bellhop.ledger.records import (
    Attempt,
    Booking,
    CauseLife,
    CauseRow,
    CauseState,
    Edit,
    Json,
    Letter,
    Note,
    describe_entries,
)
from bellhop.letters.advice import advise, advise_on
from bellhop.letters.conflicts import conflict_rows
from bellhop.letters.edits import field_changes
from bellhop.letters.lost_ids import lost_ids
from bellhop.letters.masking import guest_initials, mask_change, mask_data, mask_evidence, readable_data
from bellhop.letters.serializers import NO_VENUES, JsonObject, zone_name
from bellhop.letters.serializers.events import attempt_row
from bellhop.schemas.clock import iso
from bellhop.schemas.envelope import decode_recordable
from bellhop.schemas.errors import EnvelopeError
from bellhop.schemas.events import VenueFacts

SHOWN_BYTES: Final = 65_536
"""Of a body that nobody can read; `body_bytes` tells how long it is."""


def letter_row(letter: Letter, venues: Mapping[str, VenueFacts] = NO_VENUES) -> JsonObject:
    """A letter as lists have it. venues: by name; `zone` is that of the letter's, None where it is none of them."""
    new, data = letter.new, readable_data(letter)
    venue = str(data.get("venue") or "")
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
        "venue": venue,
        "zone": zone_name(venue, venues),
        "guest": guest_initials(data),
        "message_id": new.message_id,
        "cause": letter.cause,
        "assignee": letter.assignee,
    }


class LetterLedger(Protocol):
    """Both methods raise LedgerUnavailable."""

    def calls(self, source: str, id_: str) -> list[Attempt]: ...

    def booking(self, source: str, reference: str) -> Booking | None: ...


def letter_detail(
    letter: Letter, ledger: LetterLedger, *, reveal: bool, venues: Mapping[str, VenueFacts] = NO_VENUES
) -> JsonObject:
    """A letter with everything needed to decide. reveal: without masking what is a guest's own.

    calls: all that its event ever made, as the ledger has them, and what the letter itself brought along of one that
    the ledger has pruned. look_for: ids in answers that nobody could read, of bookings that may stand.
    """
    new = letter.new
    calls = ledger.calls(new.source, new.event_id) if new.event_id else []
    booking = ledger.booking(new.source, new.subject) if new.subject else None
    entries = booking.entries if booking else ()
    detail = dict(describe_entries(entries)) | letter_row(letter, venues)
    advice = advise(letter)
    detail["advice"] = asdict(advice) | {"vendor": vendor_advice(new.evidence)} if advice else None
    detail["calls"] = [attempt_row(call, reveal) for call in calls] or _own_calls(new.evidence, reveal)
    detail["look_for"] = lost_ids(calls, entries)
    rest = {key: value for key, value in new.evidence.items() if key != "attempts"}
    detail["evidence"] = rest if reveal else mask_evidence(rest)
    detail["body_bytes"] = len(letter.new.body)
    if (conflict := conflict_rows(letter, ledger, reveal=reveal)) is not None:
        detail["conflict"] = conflict
    try:
        data = decode_recordable(letter.new.body).data
        detail["data"] = dict(data) if reveal else mask_data(data)
    except EnvelopeError as error:
        detail["data"] = None
        detail["unreadable"] = str(error) if letter.new.body else "it is empty, or was erased (docs/erasure.md)"
        if reveal:
            detail["body"] = letter.new.body[:SHOWN_BYTES].decode("utf-8", "backslashreplace")
    return detail


def vendor_advice(evidence: Json) -> str:
    """What docs/vendors.md says of the vendor's code, "" for nothing."""
    answer = evidence.get("answer")
    said = answer.get("advice") if isinstance(answer, Mapping) else None
    return said if isinstance(said, str) else ""


def _own_calls(evidence: Json, reveal: bool) -> list[Any]:
    """The calls of its last delivery, which a letter brings along."""
    found = evidence if reveal else mask_evidence(evidence)
    calls = found.get("attempts")
    return [call for call in calls if isinstance(call, Mapping)] if isinstance(calls, list) else []


def cause_row(
    cause: CauseRow, venues: Mapping[str, VenueFacts] = NO_VENUES, example: Letter | None = None
) -> JsonObject:
    """zone: of the venue where `next_start` is, None where the settings do not name it. advice: of
    a letter of this reason and route, None for a reason of a newer Bellhop. example: one of its letters, by which the
    vendor's code is known."""
    advice = advise_on(cause.reason, cause.route)
    vendor = vendor_advice(example.new.evidence) if example else ""
    return {
        "key": cause_key(cause.cause),
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
        "zone": zone_name(cause.venue, venues),
        "trend": list(cause.trend),
        "life": life_row(cause.life),
        "advice": asdict(advice) | {"vendor": vendor} if advice else None,
    }


def life_row(life: CauseLife) -> JsonObject:
    return {
        "state": life.state.value,
        "who": life.who,
        "why": life.why,
        "at": iso(life.at),
        "until": iso(life.until),
        "since": life.since,
    }


_LIFE_ORDER: Final = (CauseState.REOPENED, CauseState.NEW, CauseState.ACKNOWLEDGED, CauseState.SNOOZED)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


def sort_causes(causes: Sequence[CauseRow]) -> list[CauseRow]:
    """What nobody has in hand first; of those what starts soonest, then what are the most."""
    order = {state: place for place, state in enumerate(_LIFE_ORDER)}
    in_hand = {CauseState.NEW: CauseState.REOPENED}  # both wait for somebody
    return sorted(
        causes,
        key=lambda one: (
            order.get(in_hand.get(one.life.state, one.life.state), len(order)),
            one.next_start or _NEVER,
            -one.count,
        ),
    )


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
        changes = field_changes(letter.new.body, edit.body)
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
