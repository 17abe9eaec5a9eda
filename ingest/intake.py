"""From a decoded body to the envelopes it holds: its format, the contracts, and where each event goes. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from bellhop.ingest.formats.parts import Context, Event, Ignored, Made, Receipt
from bellhop.ingest.formats.table import TABLE
from bellhop.schemas import events
from bellhop.schemas.envelope import Envelope, content_hash
from bellhop.schemas.errors import EventInvalid, FieldProblem
from bellhop.schemas.routes import MEMBERS_ROUTE, PULLS_ROUTE, bookings_route, callbacks_route
from bellhop.schemas.settings import Account, Settings, SourceSettings
from bellhop.schemas.statuses import Meaning, meaning
from bellhop.vendors.registry import VENDORS, titles, vendor_of
from bellhop.vendors.vendor import Notice

MAX_EVENTS: Final = 1000
_NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands in the content's hash for a time that is only the receipt's: sent again, the content is the same."""
_CANCEL_FIELDS: Final = ("booking_id", "venue", "status", "notes")

Read = Envelope | Ignored


class Intake:
    """One source's way in. Safe from any thread, as it keeps nothing between bodies."""

    def __init__(self, settings: Settings, source: SourceSettings) -> None:
        self._settings = settings
        self._source = source
        self._format = TABLE[source.format]
        self._account = settings.accounts.get(source.account)
        self._members = settings.accounts.get(source.member_account)

    def read(self, decoded: object, receipt: Receipt) -> Sequence[Read]:
        """What the body holds, in its order, at least one. Raises EventInvalid with every problem found; where the body
        is a list, its fields begin with the item's index."""
        context = Context(self._source, self._settings.venues, receipt, self._account)
        if not (self._format.is_listed and isinstance(decoded, list)):
            return (self._one(decoded, context),)
        if not 1 <= len(decoded) <= MAX_EVENTS:
            raise EventInvalid((FieldProblem("body", f"must hold 1 to {MAX_EVENTS} events"),))
        made, problems = [], []
        for index, item in enumerate(decoded):
            try:
                made.append(self._one(item, context))
            except EventInvalid as error:
                problems += [replace(problem, field=f"{index}.{problem.field}") for problem in error.problems]
        if problems:
            raise EventInvalid(tuple(problems))
        return tuple(made)

    def _one(self, item: object, context: Context) -> Read:
        try:
            made: Made = self._format.adapt(item, context)
        except RecursionError:  # only what is deeper than any of our formats looks
            raise EventInvalid((FieldProblem("body", "must not be nested so deep"),)) from None
        if isinstance(made, Ignored):
            return made
        return self._notice(made, context.receipt) if isinstance(made, Notice) else self._event(made, context.receipt)

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
        parsed = self._parse(made.body)
        id_ = self._id(parsed, receipt)
        subject = parsed.subject
        warnings: tuple[str, ...] = ()
        if parsed.type in events.MEMBER_TYPES:
            where = MEMBERS_ROUTE, self._member_account()
            warnings = _warnings(self._members, parsed)
        elif parsed.type == events.PULL_TYPE:
            where = PULLS_ROUTE, self._source.pull_account
            # The id is part of it: two bookings may bear the same second, and each is a reason to pull.
            subject = f"{self._source.pull_account}/reservations/{id_}"
        else:
            where = bookings_route(parsed.kind), parsed.account
            warnings = _warnings(self._settings.accounts.get(parsed.account), parsed)
        envelope = self._envelope(
            id_, parsed.type, subject, where, parsed.time, parsed.data, receipt, has_own_time=made.has_own_time
        )
        return replace(envelope, not_after=parsed.not_after, warnings=warnings)

    def _parse(self, body: Any) -> events.Parsed:
        if self._source.format != "bellhop":
            body = _cancel_alone(body)
        is_booking = isinstance(body, Mapping) and body.get("type") in events.BOOKING_TYPES
        try:
            if is_booking and self._source.pull_account:
                return events.parse_pull(body)
            return events.parse(body, self._settings.venues.get)
        except EventInvalid as error:
            if self._source.format != "mapped":
                raise
            raise EventInvalid(tuple(map(_map_it, error.problems))) from None

    def _id(self, parsed: events.Parsed, receipt: Receipt) -> str:
        """The other formats' ids are the events' own: one post may hold several."""
        is_whole = self._source.format in ("bellhop", "mapped")
        signed = receipt.signed_id if is_whole else ""
        return signed or parsed.id or f"sha256-{receipt.digest}"

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


def _cancel_alone(body: Any) -> Any:
    """What cancels, without what only a booking needs: half of a service, as a map's constants make one, or an e-mail
    address with a slip in it must not keep a cancel from being taken."""
    data = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(data, Mapping) or body.get("type") not in events.BOOKING_TYPES:
        return body
    status = data.get("status")
    meant, _ = meaning(body["type"], status if isinstance(status, str) else None, (None,))
    if meant is not Meaning.CANCEL:
        return body
    return {**body, "data": {name: value for name, value in data.items() if name in _CANCEL_FIELDS}}


def _map_it(problem: FieldProblem) -> FieldProblem:
    """For whoever writes the map: what is missing is missing there."""
    is_missing = problem.rule.startswith("missing data for required field")
    return replace(problem, rule="is required: map it") if is_missing else problem
