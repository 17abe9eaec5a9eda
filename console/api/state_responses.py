"""Schemas of answers about state: events, queues, accounts, routes, the overview."""

from __future__ import annotations

from marshmallow import fields

from bellhop.console.api.requests import of, one_of
from bellhop.console.api.responses import (
    ApiAnswer,
    AttemptLine,
    LetterLine,
    VendorBookings,
    maybe_when,
    time_field,
    zone_field,
)
from bellhop.ledger.records import FloodState, LetterState, State
from bellhop.letters.needs import Need, Severity

# --- events -----------------------------------------------------------------------------------------------------


class EventLine(VendorBookings):
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
    time = time_field()
    received = time_field()
    updated = time_field()
    next_at = maybe_when()
    attempt_count = fields.Integer()


class EventLetter(ApiAnswer):
    id = fields.Integer()
    state = of(LetterState)
    reason = fields.String()
    generation = fields.Integer()
    died = time_field()


class EventWhole(EventLine):
    attempts = fields.List(fields.Nested(AttemptLine))
    letters = fields.List(fields.Nested(EventLetter))


class EventList(ApiAnswer):
    rows = fields.List(fields.Nested(EventLine))


class Found(EventList):
    letters = fields.List(fields.Nested(LetterLine))


class MomentLine(ApiAnswer):
    at = time_field()
    title = fields.String()
    text = fields.String()
    detail = fields.Raw(allow_none=True, metadata={"description": "Masked, unless revealed."})
    letter = fields.Integer(allow_none=True)


class Timeline(ApiAnswer):
    rows = fields.List(fields.Nested(MomentLine))


# --- at a glance ------------------------------------------------------------------------------------------------


class AttentionLine(ApiAnswer):
    """Something that needs a person."""

    kind = one_of(*(need.value for need in Need))
    name = fields.String(metadata={"description": "Its number or name; empty where there is one of its kind alone."})
    title = fields.String()
    why = fields.String()
    count = fields.Integer(metadata={"description": "Of letters or messages; 1 for a thing by itself."})
    since = maybe_when()
    starts = maybe_when()
    zone = zone_field()
    severity = one_of(*(severity.value for severity in Severity))
    path = fields.String(metadata={"description": "Its page of the console."})
    command = fields.String(metadata={"description": "The same on the command line."})


class AttentionList(ApiAnswer):
    rows = fields.List(fields.Nested(AttentionLine), metadata={"description": "The gravest first."})


class NeedLine(AttentionLine):
    """What needs a person beside the letters."""

    what = one_of(*(need.value for need in Need))


class TrendLine(ApiAnswer):
    """Rates are of the last minute."""

    route = fields.String()
    waiting = fields.Integer()
    oldest_seconds = fields.Float(allow_none=True)
    unfinished = fields.Integer()
    in_per_second = fields.Float()
    out_per_second = fields.Float()
    success = fields.Float(allow_none=True, metadata={"description": "A share of 1; null where nothing has ended."})
    p95_seconds = fields.Float(allow_none=True, metadata={"description": "From the webhook to the end."})


class Overview(ApiAnswer):
    measured = maybe_when()
    problem = fields.String(metadata={"description": "What is down; empty for nothing."})
    open = fields.Integer()
    reasons = fields.Dict(keys=fields.String(), values=fields.Integer())
    urgent = fields.List(fields.Nested(LetterLine), metadata={"description": "The next start first."})
    needs = fields.List(fields.Nested(NeedLine), metadata={"description": "As GET /attention, without letters."})
    routes = fields.List(fields.Nested(TrendLine))
    retry = fields.Integer(allow_none=True)
    unroutable = fields.Integer(allow_none=True)


class SeriesLine(ApiAnswer):
    """A number for each beat, the oldest first."""

    route = fields.String()
    waiting = fields.List(fields.Float())
    oldest_seconds = fields.List(fields.Float())
    came_per_second = fields.List(fields.Float())
    ended_per_second = fields.List(fields.Float())
    success = fields.List(
        fields.Float(),
        metadata={"description": "A share of 1 over a minute; without beats before which nothing ended."},
    )
    p95_seconds = fields.List(fields.Float())


class Series(ApiAnswer):
    measured = maybe_when()
    beat_seconds = fields.Float()
    rows = fields.List(fields.Nested(SeriesLine))


# --- queues, accounts, routes -----------------------------------------------------------------------------------


class LaneLine(ApiAnswer):
    accounts = fields.String(metadata={"description": "Whose: an account, several that share a lane, or none."})
    ready = fields.Integer()


class QueueLine(ApiAnswer):
    route = fields.String()
    ready = fields.Integer()
    oldest_seconds = fields.Float(allow_none=True)
    in_flight = fields.Integer(allow_none=True)
    lanes = fields.List(fields.Nested(LaneLine), metadata={"description": "The hundred with the most ready."})
    working = fields.Integer()
    retrying = fields.Integer()
    in_doubt = fields.Integer()
    held = fields.Integer(metadata={"description": "By the flood guard: GET /floods."})
    dead = fields.Integer()


class DeadCount(ApiAnswer):
    queue = fields.Integer(metadata={"description": "On the way to the archive."})
    letters = fields.Integer(metadata={"description": "Open dead letters."})


class Queues(ApiAnswer):
    routes = fields.List(fields.Nested(QueueLine))
    retry = fields.Integer()
    unroutable = fields.Integer()
    dead = fields.Nested(DeadCount)


class PartLine(ApiAnswer):
    """A process of this Bellhop, as it told itself."""

    name = fields.String(metadata={"description": "Host, process id and more: no two are alike."})
    kind = one_of("ingest", "work", "archive", "console")
    state = one_of("running", "silent", "stopped")
    host = fields.String()
    version = fields.String()
    routes = fields.List(fields.String(), metadata={"description": "Those it works."})
    started = time_field()
    seen = time_field()
    digest = fields.String(metadata={"description": "Of the settings it works with; the same for the same settings."})
    differs = fields.Boolean(metadata={"description": "Whether that is another than most parts have."})
    problem = fields.String(metadata={"description": "Why it has not taken those it was asked to read since."})


class RunningCount(ApiAnswer):
    part = fields.String(metadata={"description": "A route, or ingest, archive, console."})
    count = fields.Integer(metadata={"description": "How many processes do it."})


class PartList(ApiAnswer):
    rows = fields.List(fields.Nested(PartLine), metadata={"description": "Those that run first."})
    running = fields.List(fields.Nested(RunningCount))


class PullLine(ApiAnswer):
    what = fields.String()
    schedule = fields.String(allow_none=True, metadata={"description": "Its cron expression; null for none."})
    reached = maybe_when()
    pulled = maybe_when()
    age_seconds = fields.Integer(allow_none=True)


class LimitLine(ApiAnswer):
    """A limit of 0 is none."""

    per_second = fields.Float()
    at_once = fields.Integer()
    per_day = fields.Integer()


class AccountLine(ApiAnswer):
    account = fields.String()
    kind = fields.String()
    system = fields.String(metadata={"description": "What stands behind a Peoplevine account."})
    breaker = fields.String()
    refused = fields.Boolean(
        metadata={"description": "Whether its last call found its credentials refused: then that is what opened it."}
    )
    open_until = maybe_when()
    failures = fields.Integer()
    error = fields.String()
    day = fields.String(metadata={"description": "Of which `used` counts the calls."})
    used = fields.Integer(allow_none=True, metadata={"description": "Null where there is no limit: not counted."})
    on_their_way = fields.Integer(allow_none=True, metadata={"description": "Null without such a limit."})
    limits = fields.Nested(LimitLine)
    token = fields.Boolean(
        allow_none=True, metadata={"description": "Whether workers share one; null where the vendor has none."}
    )
    token_made = maybe_when()
    pulls = fields.List(fields.Nested(PullLine))


class AccountList(ApiAnswer):
    rows = fields.List(fields.Nested(AccountLine))


class PauseLine(ApiAnswer):
    who = fields.String()
    why = fields.String()
    since = time_field()
    until = maybe_when()


class RouteLine(ApiAnswer):
    route = fields.String()
    pause = fields.Nested(PauseLine, allow_none=True)


class RouteList(ApiAnswer):
    rows = fields.List(fields.Nested(RouteLine))


class HeldEventLine(ApiAnswer):
    id = fields.String()
    type = fields.String()
    subject = fields.String(metadata={"description": "The booking's reference at its source."})
    account = fields.String()
    received = time_field()
    starts = maybe_when()
    zone = zone_field()


class FloodLine(ApiAnswer):
    """Cancels and changes of a source that were too many at once. While it is open they are held."""

    id = fields.Integer()
    source = fields.String()
    since = time_field()
    limit = fields.String(metadata={"description": "Which limit of the settings was passed, in words."})
    state = of(FloodState)
    held = fields.Integer(metadata={"description": "How many events it holds now."})
    starts = maybe_when()
    zone = zone_field()
    who = fields.String(metadata={"description": "Who ended it."})
    why = fields.String()
    ended = maybe_when()
    events = fields.List(fields.Nested(HeldEventLine), metadata={"description": "Of those held, the first 500."})


class FloodList(ApiAnswer):
    rows = fields.List(fields.Nested(FloodLine))


class FloodEnd(ApiAnswer):
    events = fields.Integer(metadata={"description": "How many events were released or discarded."})


class Moved(ApiAnswer):
    moved = fields.Integer(metadata={"description": "How many messages are retried now."})


class AnsweredWord(ApiAnswer):
    letters = fields.List(fields.Integer(), metadata={"description": "Those that go on."})
    note = fields.String(metadata={"description": 'What could not be checked, "" where all was.'})
    problem = fields.String(metadata={"description": 'Why some go on only later, "" where none.'})
