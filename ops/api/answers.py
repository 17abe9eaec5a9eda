"""What answers hold. Only what is named here leaves."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from ledger.records import EditState, ItemState, JobState, LetterState, Role, State, Verdict
from ops.api.requests import of


def _when(**kwargs: Any) -> fields.String:
    return fields.String(metadata={"format": "date-time"}, **kwargs)


def _maybe_when() -> fields.String:
    return _when(allow_none=True)


def _next() -> fields.String:
    return fields.String(allow_none=True, metadata={"description": "The next page's cursor; null on the last one."})


class FieldRule(Schema):
    field = fields.String()
    rule = fields.String()


class ProblemDetails(Schema):
    """RFC 9457."""

    type = fields.String(metadata={"format": "uri"})
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    instance = fields.String()
    errors = fields.List(fields.Nested(FieldRule))


class OpenApi(Schema):
    openapi = fields.String()


# --- letters ----------------------------------------------------------------------------------------------------


class LetterLine(Schema):
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
    died = _when()
    archived = _when()
    not_after = _maybe_when()
    message_id = fields.String()
    cause = fields.String()
    assignee = fields.String()


class LetterPage(Schema):
    rows = fields.List(fields.Nested(LetterLine))
    next = _next()
    count = fields.Integer(metadata={"description": "How many match, on all pages."})


class LetterWhole(LetterLine):
    evidence = fields.Raw(allow_none=True)
    body_bytes = fields.Integer()
    data = fields.Raw(allow_none=True, metadata={"description": "Masked, unless revealed. Null if unreadable."})
    unreadable = fields.String()
    body = fields.String()


class Cause(Schema):
    cause = fields.String()
    reason = fields.String()
    route = fields.String()
    account = fields.String()
    error = fields.String(metadata={"description": "The example's."})
    count = fields.Integer()
    first = _when()
    last = _when()
    example = fields.Integer(metadata={"description": "One of their letters."})
    next_start = _maybe_when()


class Causes(Schema):
    rows = fields.List(fields.Nested(Cause))


class Reasons(Schema):
    reasons = fields.Dict(keys=fields.String(), values=fields.Integer())


class NoteLine(Schema):
    at = _when()
    who = fields.String()
    text = fields.String()


class Notes(Schema):
    rows = fields.List(fields.Nested(NoteLine))


class Assigned(Schema):
    assigned = fields.Integer()


class Discarded(Schema):
    discarded = fields.Integer()


class Restored(Schema):
    restored = fields.Integer()


class VerdictLine(Schema):
    letter = fields.Integer()
    verdict = of(Verdict)
    words = fields.String()


class Preflight(Schema):
    rows = fields.List(fields.Nested(VerdictLine))
    counts = fields.Dict(keys=fields.String(), values=fields.Integer())
    more = fields.Boolean(metadata={"description": "Whether more match than one preflight takes."})


# --- jobs, edits ------------------------------------------------------------------------------------------------


class JobLine(Schema):
    id = fields.Integer()
    kind = fields.String()
    state = of(JobState)
    who = fields.String()
    why = fields.String()
    created = _when()
    updated = _when()
    rate = fields.Float(allow_none=True)
    wave = fields.Integer()
    total = fields.Integer()
    counts = fields.Dict(keys=fields.String(), values=fields.Integer())
    detail = fields.String()


class JobPage(Schema):
    rows = fields.List(fields.Nested(JobLine))
    next = _next()


class ItemLine(Schema):
    letter = fields.Integer()
    place = fields.Integer()
    verdict = of(Verdict)
    state = of(ItemState)
    detail = fields.String()


class ItemPage(Schema):
    rows = fields.List(fields.Nested(ItemLine))
    next = _next()


class ChangeLine(Schema):
    field = fields.String()
    before = fields.Raw(allow_none=True)
    after = fields.Raw(allow_none=True)


class EditLine(Schema):
    id = fields.Integer()
    letter = fields.Integer()
    who = fields.String()
    why = fields.String()
    at = _when()
    state = of(EditState)
    approver = fields.String()
    changes = fields.List(fields.Nested(ChangeLine))


class Edits(Schema):
    rows = fields.List(fields.Nested(EditLine))


# --- events -----------------------------------------------------------------------------------------------------


class EventLine(Schema):
    source = fields.String()
    id = fields.String()
    type = fields.String()
    subject = fields.String()
    route = fields.String()
    account = fields.String()
    state = of(State)
    detail = fields.String()
    reason = fields.String()
    generation = fields.Integer()
    time = _when()
    received = _when()
    updated = _when()
    next_at = _maybe_when()
    attempt_count = fields.Integer()


class AttemptLine(Schema):
    method = fields.String()
    started = _when()
    seconds = fields.Float()
    outcome = fields.String()
    error = fields.String()


class EventLetter(Schema):
    id = fields.Integer()
    state = of(LetterState)
    reason = fields.String()
    generation = fields.Integer()
    died = _when()


class EventWhole(EventLine):
    attempts = fields.List(fields.Nested(AttemptLine))
    vendor_ids = fields.List(fields.String())
    letters = fields.List(fields.Nested(EventLetter))


class Events(Schema):
    rows = fields.List(fields.Nested(EventLine))


# --- queues, accounts, routes -----------------------------------------------------------------------------------


class QueueLine(Schema):
    route = fields.String()
    ready = fields.Integer()
    oldest_seconds = fields.Float(allow_none=True)
    in_flight = fields.Integer(allow_none=True)
    working = fields.Integer()
    retrying = fields.Integer()
    in_doubt = fields.Integer()
    dead = fields.Integer()


class DeadCount(Schema):
    queue = fields.Integer(metadata={"description": "On the way to the archive."})
    letters = fields.Integer(metadata={"description": "In front of a person."})


class Queues(Schema):
    routes = fields.List(fields.Nested(QueueLine))
    retry = fields.Integer()
    unroutable = fields.Integer()
    dead = fields.Nested(DeadCount)


class PullLine(Schema):
    reached = _when()
    pulled = _when()


class AccountLine(Schema):
    account = fields.String()
    breaker = fields.String()
    failures = fields.Integer()
    open_until = _maybe_when()
    error = fields.String()
    day = fields.String()
    used = fields.Integer()
    per_day = fields.Integer(allow_none=True)
    per_second = fields.Float(allow_none=True)
    at_once = fields.Integer()
    pulls = fields.Dict(keys=fields.String(), values=fields.Nested(PullLine))


class Accounts(Schema):
    rows = fields.List(fields.Nested(AccountLine))


class PauseLine(Schema):
    who = fields.String()
    why = fields.String()
    since = _when()
    until = _maybe_when()


class RouteLine(Schema):
    route = fields.String()
    pause = fields.Nested(PauseLine, allow_none=True)


class RouteList(Schema):
    rows = fields.List(fields.Nested(RouteLine))


class Moved(Schema):
    moved = fields.Integer(metadata={"description": "How many waited for a retry and are tried now."})


# --- people -----------------------------------------------------------------------------------------------------


class AuditLine(Schema):
    at = _when()
    who = fields.String()
    act = fields.String()
    letter = fields.Integer(allow_none=True)
    why = fields.String()
    what = fields.String()


class AuditPage(Schema):
    rows = fields.List(fields.Nested(AuditLine))
    next = _next()


class UserLine(Schema):
    name = fields.String()
    role = of(Role)
    created = _when()
    disabled = fields.Boolean()
    has_password = fields.Boolean()


class Users(Schema):
    rows = fields.List(fields.Nested(UserLine))


class TokenLine(Schema):
    id = fields.Integer()
    name = fields.String()
    role = of(Role)
    who = fields.String()
    created = _when()
    last_used = _maybe_when()
    revoked = fields.Boolean()


class TokenMade(TokenLine):
    token = fields.String(metadata={"description": "Shown this once."})


class Tokens(Schema):
    rows = fields.List(fields.Nested(TokenLine))
