"""From a decoded body to the envelopes it holds: its format, the contracts, and where each event goes. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from bellhop.ingest import elsewhere, leniency
from bellhop.ingest.formats.parts import Context, Event, Ignored, Made, NotOurs, Receipt, RefusedItem, Tested, fate
from bellhop.ingest.formats.table import TABLE
from bellhop.ingest.unknown import is_of_unknown_type, leave_out_unknown
from bellhop.schemas import events
from bellhop.schemas.envelope import Envelope, content_hash
from bellhop.schemas.errors import EventInvalid, FieldProblem
from bellhop.schemas.expressions import Unreadable
from bellhop.schemas.routes import MEMBERS_ROUTE, PULLS_ROUTE, bookings_route, callbacks_route
from bellhop.schemas.settings import Account, Settings, SourceSettings
from bellhop.schemas.statuses import cancels, is_cancel
from bellhop.vendors.registry import CANCELLING, VENDORS, titles, vendor_of
from bellhop.vendors.vendor import Notice

MAX_EVENTS: Final = 1000
_NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands in the content's hash for a time that is only the receipt's: sent again, the content is the same."""

_TEST_FIELDS: Final = {"id", "type", "timestamp", "data"}

Read = Envelope | Ignored | RefusedItem | Tested


class Intake:
    """One source's way in. Safe from any thread, as it keeps nothing between bodies."""

    def __init__(self, settings: Settings, source: SourceSettings) -> None:
        self._settings = settings
        self._source = source
        self._format = TABLE[source.format]
        self._account = settings.accounts.get(source.account)
        self._members = settings.accounts.get(source.member_account)

    def read(self, decoded: object, receipt: Receipt) -> Sequence[Read]:
        """What the body holds, in its order, at least one: of a list also what is refused, where not all of it is.
        Raises EventInvalid with every problem found; in a list, its fields begin with the item's index."""
        items = self._items(decoded)
        if items is None:
            return (self._one(decoded, self._context(receipt)),)
        if self._source.items is not None and not items:
            return (Ignored("its list holds no events"),)
        if not 1 <= len(items) <= MAX_EVENTS:
            raise EventInvalid((FieldProblem("body", f"must hold 1 to {MAX_EVENTS} events"),))
        made = tuple(self._item(index, item, receipt) for index, item in enumerate(items))
        refused = [one for one in made if isinstance(one, RefusedItem)]
        if len(refused) == len(made):
            raise EventInvalid(tuple(problem for one in refused for problem in one.problems))
        return made

    def _item(self, index: int, item: object, receipt: Receipt) -> Read:
        try:
            return self._one(item, self._context(receipt.of_item(index)))
        except EventInvalid as error:
            return RefusedItem([replace(problem, field=f"{index}.{problem.field}") for problem in error.problems])

    def _context(self, receipt: Receipt) -> Context:
        return Context(self._source, self._settings.venues, receipt, self._account)

    def _items(self, decoded: object) -> Sequence[object] | None:
        """What is each read as a body of its own; None where that is the whole."""
        if self._source.items is not None:
            try:
                found = self._source.items.find(decoded)
            except Unreadable as error:
                raise EventInvalid((FieldProblem("body", str(error)),)) from None
            if not isinstance(found, list | dict):
                raise EventInvalid((FieldProblem("body", "holds no list where the source's `items` says"),))
            items = found if isinstance(found, list) else [found]
            return [{"item": item, "body": decoded} for item in items]
        is_listed = self._format.is_listed and not self._source.map.takes_lists
        return decoded if is_listed and isinstance(decoded, list) else None

    def _one(self, item: object, context: Context) -> Read:
        if isinstance(item, dict) and item.get("type") == events.TEST_TYPE and _TEST_FIELDS.issuperset(item):
            return self._test(item, context)  # whatever the source's format
        try:
            made: Made = self._format.adapt(item, context)
            if isinstance(made, Event):
                return self._event(made, context.receipt)
        except NotOurs as error:
            return Ignored(str(error))
        except EventInvalid as error:
            if self._source.takes_unknown and any(map(is_of_unknown_type, error.problems)):
                return self._note_unknown(item, context.receipt)
            raise
        except RecursionError:  # only what is deeper than any of our formats looks
            raise EventInvalid((FieldProblem("body", "must not be nested so deep"),)) from None
        return made if isinstance(made, Ignored) else self._notice(made, context.receipt)

    def _test(self, body: Mapping[str, Any], context: Context) -> Tested:
        """Raises EventInvalid."""
        own_id = events.parse_test(self._add_time(Event(body), context.receipt).body)
        id_ = context.receipt.signed_id or own_id or f"sha256-{context.receipt.digest}"
        inner = body["data"].get("event")
        if inner is None:
            return Tested(id_)
        try:
            found = self._one(inner, context)
        except EventInvalid as error:
            raise EventInvalid(tuple(replace(one, field=f"data.event.{one.field}") for one in error.problems)) from None
        if not isinstance(found, Envelope | Ignored):
            raise EventInvalid((FieldProblem("data.event.type", "must not be a test again"),))
        return Tested(id_, found)

    def _notice(self, made: Notice, receipt: Receipt) -> Envelope:
        vendor = self._source.format
        return self._envelope(
            made.id,
            events.callback_type(vendor),
            made.subject,
            (callbacks_route(vendor), self._source.account),
            made.time,
            made.data,
            receipt,
            has_own_time=made.has_own_time,
        )

    def _event(self, made: Event, receipt: Receipt) -> Envelope:
        parsed, meant = self._parse(made, receipt)
        id_ = self._id(parsed, receipt)
        subject = parsed.subject
        warnings = meant.warnings
        if parsed.type in events.MEMBER_TYPES:
            where = MEMBERS_ROUTE, self._member_account()
            warnings += _warnings(self._members, parsed)
        elif parsed.type == events.PULL_TYPE:
            where = PULLS_ROUTE, self._source.pull_account
            # The id is part of it: two bookings may bear the same second, and each is a reason to pull.
            subject = f"{self._source.pull_account}/reservations/{id_}"
        else:
            where, odd = self._place(parsed, meant.elsewhere or elsewhere.named_venue(made.body))
            warnings += odd
            warnings += _warnings(self._settings.accounts.get(parsed.account), parsed)
        envelope = self._envelope(
            id_, parsed.type, subject, where, parsed.time, parsed.data, receipt, has_own_time=meant.has_own_time
        )
        if parsed.type in events.BOOKING_TYPES:
            time, odd = self._order_time(parsed.time, meant, receipt)
            warnings += odd
            envelope = replace(envelope, time=time, coarse=self._source.is_coarse, not_after=parsed.not_after)
        return replace(envelope, warnings=warnings) if warnings else envelope

    def _place(self, parsed: events.Parsed, unknown: str) -> tuple[tuple[str, str], tuple[str, ...]]:
        """The route and account of a booking event, and what is odd about them. A cancel that names no venue of ours
        goes anywhere: what stands under its reference is cancelled wherever it is. Raises EventInvalid."""
        if parsed.kind:
            return (bookings_route(parsed.kind), parsed.account), ()
        named = {one.venue for one in self._source.venues.values()} or set(self._settings.venues)
        facts = [self._settings.venues[name] for name in sorted(named)]
        kinds = [kind for kind in CANCELLING if any(one.kind == kind for one in facts)]
        if not kinds:
            raise EventInvalid((FieldProblem("data.venue", "the settings have no venues"),))
        accounts = {one.account for one in facts}
        where = bookings_route(kinds[0]), accounts.pop() if len(accounts) == 1 and not unknown else ""
        if not unknown:  # a cancel that names no venue need not
            return where, ()
        return where, (f"{unknown}: {fate(cancels=cancels(parsed.type, parsed.data.get('status')))}",)

    def _order_time(self, told: datetime, meant: Event, receipt: Receipt) -> tuple[datetime, tuple[str, ...]]:
        """The time by which a booking's events are ordered. The content's hash keeps the one that was told: sent again,
        it is the same."""
        ahead = (told - receipt.received).total_seconds()
        if ahead <= self._source.tolerance_seconds:
            return meant.counts_at or told, ()
        text = f"timestamp: lies {ahead / 60:.0f} minutes in the future; the time at which it came stands for it"
        return receipt.received.astimezone(UTC), (text,)

    def _parse(self, made: Event, receipt: Receipt) -> tuple[events.Parsed, Event]:
        """The event as its contract has it, and as it was meant. Raises EventInvalid; NotOurs."""
        is_ours = self._source.format == "bellhop"
        if is_ours and self._source.takes_unknown:
            made = leave_out_unknown(made)
        meant = self._add_time(made if is_ours else leniency.relax(leniency.cancel_alone(made)), receipt)
        if why := made.elsewhere or elsewhere.unknown_venue(self._source, self._settings.venues, meant.body):
            return self._parse_elsewhere(made, why, receipt)
        try:
            return self._check(meant.body), meant
        except EventInvalid as error:
            problems = error.problems
        try:
            return self._parse_cancel(made, problems, receipt)
        except EventInvalid as error:
            if self._source.format != "mapped":
                raise
            raise EventInvalid(tuple(map(_map_it, error.problems))) from None

    def _parse_cancel(
        self, made: Event, problems: Sequence[FieldProblem], receipt: Receipt
    ) -> tuple[events.Parsed, Event]:
        """Without what is wrong with it, which no cancel needs. Some of that shows only once the rest is left out: of
        what nothing may carry nothing else is told. Raises EventInvalid, of what is no cancel with these problems."""
        alone = leniency.cancel_alone(made, problems)
        if alone is made:
            raise EventInvalid(tuple(problems))
        alone = self._add_time(alone if self._source.format == "bellhop" else leniency.relax(alone), receipt)
        try:
            return self._check(alone.body), alone
        except EventInvalid as error:
            further = [one for one in error.problems if one not in problems]
            if not further:
                raise
        return self._parse_cancel(made, (*problems, *further), receipt)

    def _add_time(self, made: Event, receipt: Receipt) -> Event:
        """With the receipt's time, where it may lack one and does."""
        if not isinstance(made.body, Mapping) or made.body.get("timestamp") not in (None, ""):
            return made
        if not self._source.takes_receipt_time and not is_cancel(made.body) and not made.elsewhere:
            return made
        return replace(made, body={**made.body, "timestamp": receipt.received.isoformat()}, has_own_time=False)

    def _parse_elsewhere(self, made: Event, why: str, receipt: Receipt) -> tuple[events.Parsed, Event]:
        """What may take away a booking that stands here. Raises NotOurs of all else."""
        for alone in elsewhere.events_alone(made, why) if not self._source.pull_account else ():
            try:
                timed = self._add_time(alone, receipt)
                return events.parse(timed.body, self._settings.venues.get, is_elsewhere=True), timed
            except EventInvalid:
                continue
        raise NotOurs(why)

    def _check(self, body: Any) -> events.Parsed:
        is_booking = isinstance(body, Mapping) and body.get("type") in events.BOOKING_TYPES
        if is_booking and self._source.pull_account:
            return events.parse_pull(body)
        return events.parse(body, self._settings.venues.get)

    def _id(self, parsed: events.Parsed, receipt: Receipt) -> str:
        """The other formats' ids are the events' own: one post may hold several."""
        is_whole = self._source.format in ("bellhop", "mapped") and not receipt.is_of_item
        signed = receipt.signed_id if is_whole else ""
        return signed or parsed.id or receipt.signed_id or f"sha256-{receipt.digest}"

    def _note_unknown(self, item: object, receipt: Receipt) -> Envelope:
        """An event of a type that nobody here knows, to be recorded and no more. Its subject is its own: it must not
        stand in the order of a booking that it may not be about."""
        given = item.get("id") if isinstance(item, Mapping) and not receipt.is_of_item else None
        own_id = leniency.delivery_id(given) if isinstance(given, str | int) else None
        id_ = receipt.signed_id or own_id or f"sha256-{receipt.digest}"
        facts = sorted(self._settings.venues.values(), key=lambda one: one.name)
        route = MEMBERS_ROUTE if self._source.member_account or not facts else bookings_route(facts[0].kind)
        now = receipt.received.astimezone(UTC)
        data = {"digest": receipt.digest}
        made = self._envelope(
            id_, events.UNKNOWN_TYPE, f"unknown/{id_}", (route, ""), now, data, receipt, has_own_time=False
        )
        return replace(made, warnings=("type: is unknown here: kept as recorded, nothing is called",))

    def _member_account(self) -> str:
        if not self._source.member_account:
            who = titles(tuple(vendor for vendor in VENDORS if vendor.members))
            raise EventInvalid((FieldProblem("type", f"needs a {who} account: this source has no member_account"),))
        return self._source.member_account

    def _envelope(
        self,
        id_: str,
        type_: str,
        subject: str,
        where: tuple[str, str],
        time: datetime,
        data: Mapping[str, Any],
        receipt: Receipt,
        *,
        has_own_time: bool,
    ) -> Envelope:
        return Envelope(
            id=id_,
            source=self._source.name,
            type=type_,
            subject=subject,
            route=where[0],
            account=where[1],
            time=time,
            received=receipt.received,
            data=data,
            content_hash=content_hash(type_, time if has_own_time else _NO_TIME, data),
        )


def _warnings(account: Account | None, parsed: events.Parsed) -> tuple[str, ...]:
    """What of an event its vendor will not have as it was sent."""
    return () if account is None else vendor_of(account).warnings(account, parsed.type, parsed.data)


def _map_it(problem: FieldProblem) -> FieldProblem:
    """For whoever writes the map: what is missing is missing there."""
    is_missing = problem.rule.startswith("missing data for required field")
    return replace(problem, rule="is required: map it") if is_missing else problem
