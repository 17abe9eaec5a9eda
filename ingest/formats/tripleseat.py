"""Tripleseat: `{webhook_trigger_type, event: {…}}`, or `{webhook_trigger_type, message, object: {…}}`.

Ids are whole numbers. Dates are American and local to the site, as is `updated_at`; `event_date_iso8601` is the day
beyond doubt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from bellhop.ingest.formats.parts import (
    NO_SITE,
    Context,
    Draft,
    Ignored,
    Made,
    a_word,
    an_id,
    an_object,
    counts_at,
    event_time,
    lay_map,
    service,
    stable_id,
    their_site,
)
from bellhop.schemas.statuses import cancels

_TYPES: Final = {
    "CREATE_EVENT": "booking.requested",
    "UPDATE_EVENT": "booking.changed",
    "STATUS_CHANGE_EVENT": "booking.changed",
    "DELETE_EVENT": "booking.cancelled",
}
_OF_AN_EVENT: Final = re.compile(r"(?:CHANGE|REASSIGN)_EVENT_[A-Z_]+", re.ASCII)
"""CHANGE_EVENT_DATETIME, CHANGE_EVENT_GUEST_COUNTS; REASSIGN_EVENT_LOCATION, _AREAS, _CONTACT, _ACCOUNT, _OWNERSHIP."""
_STATUSES: Final = {
    "DEFINITE": "BOOKED",
    "TENTATIVE": "HOLD",
    "PROSPECT": "HOLD",
    "LOST": "CANCELED",
    "CANCELLED": "CANCELED",
    "CANCELED": "CANCELED",
    "CLOSED": "COMPLETE",
}
"""SevenRooms' words for Tripleseat's; others stay as they are, and are recorded."""

_AMERICAN: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_MOMENT: Final = re.compile(r"(\S+)\s+(\d{1,2}):(\d{2})(?::\d{2})?\s*([AP])M", re.ASCII | re.IGNORECASE)
_UTC: Final = ZoneInfo("UTC")


def adapt(item: Any, context: Context) -> Made:
    whole = an_object(item, "body")
    trigger = a_word(whole.get("webhook_trigger_type"), "webhook_trigger_type").upper()
    type_ = "booking.changed" if _OF_AN_EVENT.fullmatch(trigger) else _TYPES.get(trigger, "")
    if not type_:
        return Ignored("its webhook_trigger_type is not of an event")
    key = "event" if whole.get("event") is not None else "object"
    event = an_object(whole.get(key), key)
    reference = an_id(event.get("id"), f"{key}.id")
    draft, zone, site = Draft({"booking_id": reference}), _UTC, NO_SITE  # for a pull the hour does not matter
    status = _status(event.get("status"))
    is_cancel = cancels(type_, status)
    if not context.is_pulled:
        draft.add("status", status)
        site = their_site(event.get("site_id"), f"{key}.site_id", context, is_needed=not is_cancel)
        draft.add("venue", site.venue.name if site.venue else "")
        zone = site.venue.zone if site.venue else _UTC
        if not is_cancel and site.row and site.venue:
            draft.add("services", list(service(site.row, site.venue, *_span(event))))
    at = _updated_at(event, key, zone, context, is_needed=not is_cancel and not site.elsewhere)
    if site.venue is None and not context.is_pulled:
        at = None  # by the clock of a site that nobody knows
    base = {"id": stable_id(reference, trigger.lower(), at, event), "type": type_, "data": draft.data}
    # By either name, so that one map fits both forms.
    made = lay_map({**whole, "event": event, "object": event}, base, context, at, site)
    return replace(made, counts_at=counts_at(at, zone, context.receipt.received))


def _status(status: object) -> object:
    return _STATUSES.get(status.strip().upper(), status) if isinstance(status, str) else status


def _updated_at(
    event: Mapping[str, Any], key: str, zone: ZoneInfo, context: Context, *, is_needed: bool
) -> datetime | None:
    name = "created_at" if event.get("created_at") and not event.get("updated_at") else "updated_at"
    told = event.get(name) or None
    local = _read(told, None)
    if local is not None:
        return local.replace(tzinfo=zone).astimezone(UTC)
    return event_time(told, f"{key}.{name}", context, zone, is_needed=is_needed)


def _span(event: Mapping[str, Any]) -> tuple[object, object]:
    """Start and end, venue-local; what cannot be read stays as it is, for the contract to name."""
    told_start, told_end = event.get("event_start"), event.get("event_end")
    day = _day(event.get("event_date_iso8601"))
    start = _read(told_start, day)
    if start is None:
        return told_start, told_end
    same_day = isinstance(told_end, str) and told_end.split()[:1] == str(told_start).split()[:1]
    end = _read(told_end, day if same_day else None)
    return start.isoformat(), end.isoformat() if end else told_end


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def _read(value: object, day: date | None) -> datetime | None:
    """An American date and time. day: instead of the date in it."""
    found = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        return None
    hour, minute = int(found[2]) % 12 + (12 if found[4] in "Pp" else 0), int(found[3])
    american = _AMERICAN.fullmatch(found[1])
    try:
        if not 1 <= int(found[2]) <= 12:
            return None
        if day is None:
            day = date(int(american[3]), int(american[1]), int(american[2])) if american else None
        made = datetime(day.year, day.month, day.day, hour, minute) if day else None  # noqa: DTZ001  # site-local
    except ValueError:
        return None
    return made if made and 1970 <= made.year < 3000 else None
