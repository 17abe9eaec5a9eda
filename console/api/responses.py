"""Schemas of answers about letters, jobs, edits and people. Only named fields leave."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, fields

from bellhop.console.api.requests import of
from bellhop.ledger.records import CauseState, EditState, EntryState, ItemState, JobState, LetterState, Role, Verdict


class ApiAnswer(Schema):
    class Meta:
        unknown = EXCLUDE  # whoever reads an answer is to bear what later versions add to it


def time_field(**kwargs: Any) -> fields.String:
    return fields.String(metadata={"format": "date-time"}, **kwargs)


def maybe_when() -> fields.String:
    return time_field(allow_none=True)


def zone_field() -> fields.String:
    """Of the venue that a row's times are about."""
    told = "The time zone the venue lives by, such as Europe/London; null where the settings do not name it."
    return fields.String(allow_none=True, metadata={"description": told})


def _next() -> fields.String:
    return fields.String(allow_none=True, metadata={"description": "The next page's cursor; null on the last one."})


class FieldRule(ApiAnswer):
    field = fields.String()
    rule = fields.String()


class ProblemDetails(ApiAnswer):
    """RFC 9457."""

    type = fields.String(metadata={"format": "uri"})
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    instance = fields.String()
    errors = fields.List(fields.Nested(FieldRule))


class OpenApi(ApiAnswer):
    openapi = fields.String()


# --- letters ----------------------------------------------------------------------------------------------------


class LetterLine(ApiAnswer):
    id = fields.Integer()
    state = of(LetterState)
    reason = fields.String()
    error = fields.String()
    route = fields.String()
    account = fields.String()
    source = fields.String()
    event_id = fields.String()
    type = fields.String()
    subject = fields.String()
    generation = fields.Integer()
    attempts = fields.Integer()
    died = time_field()
    archived = time_field()
    not_after = maybe_when()
    venue = fields.String()
    zone = zone_field()
    guest = fields.String(metadata={"description": "Their initials, or the member's id."})
    message_id = fields.String()
    cause = fields.String()
    assignee = fields.String()


class LetterPage(ApiAnswer):
    rows = fields.List(fields.Nested(LetterLine))
    next = _next()
    count = fields.Integer(metadata={"description": "How many match, on all pages."})


class VendorBookingLine(ApiAnswer):
    id = fields.String()
    state = of(EntryState)
    service = fields.Integer(metadata={"description": "The index of the event's service that it fulfils."})
    made_by = fields.String(metadata={"description": "The event's id."})
    cancelled_by = fields.String(allow_none=True, metadata={"description": "The event's id; null while it stands."})


class VendorBookings(ApiAnswer):
    vendor_ids = fields.List(fields.String(), metadata={"description": "Of what stands at the vendor."})
    cancelled_ids = fields.List(fields.String(), metadata={"description": "Of what stood there once."})
    vendor_bookings = fields.List(fields.Nested(VendorBookingLine))


class AttemptLine(ApiAnswer):
    method = fields.String()
    started = time_field()
    seconds = fields.Float()
    outcome = fields.String()
    error = fields.String()
    request = fields.Raw(allow_none=True, metadata={"description": "What was asked; guests masked."})
    answer = fields.Raw(allow_none=True, metadata={"description": "The vendor's answer; guests masked."})


class AdviceLine(ApiAnswer):
    do = fields.String(metadata={"description": "As the runbook has it for this reason."})
    do_not = fields.String()
    act = fields.String(metadata={"description": "The right act: replay, discard (it is done by hand), look first."})
    label = fields.String(metadata={"description": "The right act in a button's words."})
    vendor = fields.String(metadata={"description": "What is known of the vendor's code."})


class ConflictLine(ApiAnswer):
    field = fields.String(metadata={"description": "What the two ask otherwise."})
    stands = fields.Raw(allow_none=True, metadata={"description": "What stands; masked, unless revealed."})
    letter = fields.Raw(allow_none=True, metadata={"description": "What the letter asks; masked, unless revealed."})


class LetterWhole(LetterLine, VendorBookings):
    advice = fields.Nested(AdviceLine, allow_none=True)
    calls = fields.List(fields.Nested(AttemptLine), metadata={"description": "All that its event made."})
    look_for = fields.List(fields.String(), metadata={"description": "Ids in answers that nobody could read."})
    evidence = fields.Raw(allow_none=True, metadata={"description": "What else the letter brought along."})
    body_bytes = fields.Integer()
    data = fields.Raw(allow_none=True, metadata={"description": "Masked, unless revealed. Null if unreadable."})
    conflict = fields.List(fields.Nested(ConflictLine), metadata={"description": "Of a conflict alone."})
    unreadable = fields.String()
    body = fields.String()


class LifeLine(ApiAnswer):
    state = of(CauseState)
    who = fields.String(metadata={"description": "Who said so last."})
    why = fields.String()
    at = maybe_when()
    until = maybe_when()
    since = fields.Integer(metadata={"description": "How many letters came since it was said."})


class Cause(ApiAnswer):
    key = fields.String(metadata={"description": "The cause's name for people to type."})
    cause = fields.String()
    reason = fields.String()
    route = fields.String()
    account = fields.String()
    error = fields.String(metadata={"description": "The example's."})
    count = fields.Integer()
    first = time_field()
    last = time_field()
    example = fields.Integer(metadata={"description": "One of their letters."})
    next_start = maybe_when()
    zone = zone_field()
    trend = fields.List(fields.Integer(), metadata={"description": "Deaths in each two hours of the last day."})
    life = fields.Nested(LifeLine)
    advice = fields.Nested(AdviceLine, allow_none=True)


class Causes(ApiAnswer):
    rows = fields.List(fields.Nested(Cause))


class Reasons(ApiAnswer):
    reasons = fields.Dict(keys=fields.String(), values=fields.Integer())


class NoteLine(ApiAnswer):
    at = time_field()
    who = fields.String()
    text = fields.String()


class Notes(ApiAnswer):
    rows = fields.List(fields.Nested(NoteLine))


class Assigned(ApiAnswer):
    assigned = fields.Integer()


class Discarded(ApiAnswer):
    discarded = fields.Integer()


class Restored(ApiAnswer):
    restored = fields.Integer()


class VerdictLine(ApiAnswer):
    letter = fields.Integer()
    verdict = of(Verdict)
    words = fields.String()


class PlannedCallsLine(ApiAnswer):
    account = fields.String(metadata={"description": "Of route results the source that is told."})
    method = fields.String(metadata={"description": "Of each letter's first call; empty where none will be made."})
    words = fields.String(metadata={"description": "What comes of them where no call will be made."})
    count = fields.Integer()
    letters = fields.List(fields.Integer(), metadata={"description": "The first of them."})
    example = fields.Raw(allow_none=True, metadata={"description": "The first one's arguments; guests masked."})


class Preflight(ApiAnswer):
    rows = fields.List(fields.Nested(VerdictLine))
    counts = fields.Dict(keys=fields.String(), values=fields.Integer())
    calls = fields.List(
        fields.Nested(PlannedCallsLine), metadata={"description": "What a replay sends where, of 1,000 at most."}
    )
    seconds = fields.Float(metadata={"description": "How long a job of those that would be sent takes, about."})
    more = fields.Boolean(metadata={"description": "Whether more match than one preflight takes."})


# --- jobs, edits ------------------------------------------------------------------------------------------------


class JobLine(ApiAnswer):
    id = fields.Integer()
    kind = fields.String()
    state = of(JobState)
    who = fields.String()
    why = fields.String()
    created = time_field()
    updated = time_field()
    rate = fields.Float(allow_none=True)
    wave = fields.Integer()
    total = fields.Integer()
    counts = fields.Dict(keys=fields.String(), values=fields.Integer())
    detail = fields.String()
    waits = fields.String(metadata={"description": "Why it does not go on though it runs; empty where it does."})


class JobPage(ApiAnswer):
    rows = fields.List(fields.Nested(JobLine))
    next = _next()


class ItemLine(ApiAnswer):
    letter = fields.Integer()
    reference = fields.String(metadata={"description": "Of its booking, or the member's id."})
    start = maybe_when()
    guest = fields.String(metadata={"description": "Initials, or the member's id."})
    venue = fields.String()
    zone = zone_field()
    place = fields.Integer()
    verdict = of(Verdict)
    state = of(ItemState)
    detail = fields.String()


class ItemPage(ApiAnswer):
    rows = fields.List(fields.Nested(ItemLine))
    next = _next()


class ChangeLine(ApiAnswer):
    field = fields.String()
    before = fields.Raw(allow_none=True)
    after = fields.Raw(allow_none=True)


class EditLine(ApiAnswer):
    id = fields.Integer()
    letter = fields.Integer()
    who = fields.String()
    why = fields.String()
    at = time_field()
    state = of(EditState)
    approver = fields.String()
    changes = fields.List(fields.Nested(ChangeLine))


class EditDone(EditLine):
    replayed = fields.Boolean(metadata={"description": "False where it waits for approval, or is not open any more."})


class EditList(ApiAnswer):
    rows = fields.List(fields.Nested(EditLine))


# --- people -----------------------------------------------------------------------------------------------------


class AuditLine(ApiAnswer):
    at = time_field()
    who = fields.String()
    act = fields.String()
    letter = fields.Integer(allow_none=True)
    why = fields.String()
    what = fields.String()
    id = fields.Integer()
    prev = fields.String(metadata={"description": "The hash of the row before."})
    words_hash = fields.String(metadata={"description": "The hash of the row's why and what."})
    hash = fields.String(metadata={"description": "The hash of the row and of `prev`: `bellhop audit verify`."})
    forgotten = fields.Integer(
        allow_none=True, metadata={"description": "The row that tells why this one's words were erased."}
    )


class AuditPage(ApiAnswer):
    rows = fields.List(fields.Nested(AuditLine))
    next = _next()


class UserLine(ApiAnswer):
    name = fields.String()
    role = of(Role)
    created = time_field()
    disabled = fields.Boolean()
    has_password = fields.Boolean()


class Users(ApiAnswer):
    rows = fields.List(fields.Nested(UserLine))


class SignedOut(ApiAnswer):
    ended = fields.Integer(metadata={"description": "How many sessions there were."})


class SessionLine(ApiAnswer):
    name = fields.String(metadata={"description": "Of a user, or of somebody whom the provider signed in."})
    sessions = fields.Integer()


class SessionList(ApiAnswer):
    rows = fields.List(fields.Nested(SessionLine))


class TokenLine(ApiAnswer):
    id = fields.Integer()
    name = fields.String()
    role = of(Role)
    who = fields.String()
    created = time_field()
    last_used = maybe_when()
    expires = maybe_when()
    revoked = fields.Boolean()


class TokenMade(TokenLine):
    token = fields.String(metadata={"description": "Shown once."})


class TokenList(ApiAnswer):
    rows = fields.List(fields.Nested(TokenLine))
