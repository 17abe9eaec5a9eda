"""Schemas of requests. An unknown field is refused everywhere."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, fields, validate

from bellhop.console.api.request_fields import BodyFlag, BodyNumber, Line, Lines, QueryFlag, WholeNumber
from bellhop.console.api.times import AskedTime, Instant
from bellhop.ledger.records import ItemState, LetterFilter, LetterState, Order
from bellhop.letters.archive import WAITING
from bellhop.schemas.contract import Strict
from bellhop.schemas.patterns import END
from bellhop.schemas.reasons import Reason
from bellhop.vendors.registry import ROUTES

MOST_IDS: Final = 10_000
"""Of one preflight or job. More is several: a person who approves them reads what they are."""
MOST_AT_ONCE: Final = 500
"""Of what is done while the caller waits."""
MOST_ROWS: Final = 500
CURSOR: Final = rf"^[A-Za-z0-9_-]+\.[0-9a-f]{{16}}{END}"
BIGGEST_ID: Final = 10**18 - 1


def one_of(*values: str, **kwargs: Any) -> fields.String:
    return fields.String(validate=validate.OneOf(values), **kwargs)


def of(words: type[StrEnum], **kwargs: Any) -> fields.String:
    return one_of(*(word.value for word in words), **kwargs)


def ids_field(maximum: int, **kwargs: Any) -> fields.List[Any]:
    number = WholeNumber(in_body=True, validate=validate.Range(min=1, max=BIGGEST_ID))
    return fields.List(number, validate=validate.Length(min=1, max=maximum), **kwargs)


def limit(default: int = 100, *, in_body: bool = False) -> WholeNumber:
    return WholeNumber(in_body=in_body, load_default=default, validate=validate.Range(min=1, max=MOST_ROWS))


def cursor_field() -> fields.String:
    told = "The `next` of the page before, with the same filter; 409 for one of another list."
    form = validate.Regexp(CURSOR, error="must be the `next` of a page of this very list")
    return fields.String(validate=[validate.Length(max=300), form], metadata={"description": told})


def why(**kwargs: Any) -> fields.String:
    return Line(500, metadata={"description": "The reason; the audit keeps it."}, **({"required": True} | kwargs))


class NoArguments(Strict):
    pass


class Paged(Strict):
    limit = limit()
    cursor = cursor_field()


class _Which(Strict):
    reason = of(Reason)
    route = one_of(*ROUTES)
    account = Line(100)
    source = Line(100)
    event_id = Line(200)
    cause = Line(400)
    assignee = Line(100)
    text = Line(200, metadata={"description": "Words that all stand in it."})
    since = AskedTime("Died at this time or later:")
    until = AskedTime("Died at this time or before:")
    state = fields.List(
        of(LetterState),
        validate=validate.Length(min=1, max=len(LetterState)),
        metadata={"description": "Default: open and replaying."},
    )


class LetterChoice(_Which):
    # At least one: an empty list would not be "none of them" but a filter that narrows nothing.
    id = fields.List(
        WholeNumber(validate=validate.Range(min=1, max=BIGGEST_ID)),
        validate=validate.Length(min=1, max=MOST_AT_ONCE),
    )


class LetterQuery(LetterChoice):
    order = of(Order, load_default=Order.NEWEST.value)
    limit = limit()
    cursor = cursor_field()


class LettersById(LetterChoice):
    """The same in a body."""

    id = ids_field(MOST_AT_ONCE)


class LetterSearch(LetterQuery):
    """The same in a body."""

    id = ids_field(MOST_AT_ONCE)
    limit = limit(in_body=True)


class CauseQuery(_Which):
    limit = limit(200)


def _instead_of_ids() -> fields.Nested:
    return fields.Nested(LettersById, metadata={"description": "All that match now, instead of ids."})


class CauseWord(Strict):
    cause = Line(400, required=True)
    said = one_of("acknowledged", "snoozed", "resolved", "new", required=True)
    why = why(required=False, minimum=0, load_default="")
    until = Instant(allow_none=True, load_default=None, metadata={"description": "Of snoozed alone, which needs it."})


def letter_filter(given: dict[str, Any]) -> LetterFilter:
    """Of what one of the schemas above has loaded."""
    names = ("reason", "route", "account", "source", "event_id", "cause", "assignee", "since", "until")
    states = tuple(LetterState(state) for state in given.get("state") or ()) or WAITING
    chosen = {name: given[name] for name in names if name in given}
    return LetterFilter(**chosen, text=given.get("text", ""), ids=tuple(given.get("id", ())), states=states)


class RefusedQuery(Strict):
    source = Line(100)
    limit = limit(50)


class RefusedSource(Strict):
    source = Line(100)


class TakeRefusedPosts(Strict):
    source = Line(100, metadata={"description": "Only of this source."})
    cause = Line(100, metadata={"description": "Only of this cause."})
    numbers = ids_field(MOST_IDS, metadata={"description": "Only these."})
    dry_run = BodyFlag(load_default=False, metadata={"description": "Only says what would become of each."})
    why = why()


class RevealQuery(Strict):
    reveal = QueryFlag(load_default=False, metadata={"description": "Unmasked. For operators; audited."})


class NewNote(Strict):
    text = Lines(4000, required=True)


class SaidBooking(Strict):
    id = Line(200, required=True, metadata={"description": "The vendor's."})
    hash = Line(200, minimum=0, load_default="", metadata={"description": "SimplyBook.me's, where it is known."})


def _force() -> BodyFlag:
    said = "Although the vendor says otherwise, or may carry the call out yet: without it that is answered 409."
    return BodyFlag(load_default=False, metadata={"description": said})


class SayThere(Strict):
    bookings = fields.List(fields.Nested(SaidBooking), required=True, validate=validate.Length(min=1, max=100))
    rest_absent = BodyFlag(
        load_default=False,
        metadata={"description": "After a restore: what else the event wants is not there, and is booked."},
    )
    force = _force()
    why = why()


class SayAbsent(Strict):
    force = _force()
    why = why()


class Assigning(Strict):
    ids = ids_field(MOST_AT_ONCE)
    filter = _instead_of_ids()
    to = Line(100, minimum=0, required=True, metadata={"description": '"" to unassign.'})


class ActOnLetters(Strict):
    ids = ids_field(MOST_AT_ONCE, required=True)
    why = why()


class PreflightRequest(Strict):
    ids = ids_field(MOST_IDS)
    filter = _instead_of_ids()


class NewJob(Strict):
    kind = one_of("replay", "discard", load_default="replay")
    ids = ids_field(MOST_IDS)
    filter = _instead_of_ids()
    why = why()
    in_doubt = BodyFlag(
        load_default=False,
        metadata={"description": "Also letters in doubt: checked at the vendor, nothing is booked there."},
    )
    rate = BodyNumber(
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=0.001, max=1000),
        metadata={"description": "Rate limit, letters per second; null for none."},
    )


class OnceHeaders(Schema):
    """What makes an act that is sent again, as its answer was lost, the same act."""

    class Meta:
        unknown = EXCLUDE

    key = Line(
        200,
        data_key="Idempotency-Key",
        metadata={"description": "Your own key for this request: repeated, it makes no second job."},
    )


class ItemQuery(Paged):
    state = of(ItemState)


class Why(Strict):
    why = why()


class NewEdit(Strict):
    changes = fields.Dict(
        keys=fields.String(),
        required=True,
        validate=validate.Length(min=1, max=20),
        metadata={
            "description": "Fields of the event's data and their new values; null takes one away.",
            "minProperties": 1,
        },
    )
    why = why()


class SubjectQuery(Strict):
    source = Line(100, required=True)
    subject = Line(200, required=True)


class TimelineQuery(RevealQuery):
    source = Line(100, required=True)
    id = Line(200, required=True)


class SearchQuery(Strict):
    q = Line(200, required=True)
    limit = limit(50)


class SearchRequest(SearchQuery):
    """The same in a body."""

    limit = limit(50, in_body=True)


class Pausing(Strict):
    why = why()
    until = Instant(allow_none=True, metadata={"description": "Ends by itself at this time."})


class AuditQuery(Paged):
    who = Line(200)
    act = Line(100)
    letter = WholeNumber(validate=validate.Range(min=1, max=BIGGEST_ID))
