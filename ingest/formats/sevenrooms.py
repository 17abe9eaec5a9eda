"""SevenRooms: `{event_type, entity_type, entity: {…}, updates: […]}`, one or a list of them.

Ids are opaque texts. `created` and `updated` are UTC without saying so; a reservation's own times are venue-local.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from bellhop.ingest.formats.parts import (
    NO_SITE,
    Context,
    Draft,
    Event,
    Ignored,
    Made,
    TheirSite,
    a_word,
    an_id,
    an_object,
    event_time,
    lay_map,
    refuse,
    service,
    stable_id,
    their_site,
)
from bellhop.schemas.events import VenueFacts
from bellhop.schemas.settings import SourceVenue
from bellhop.schemas.statuses import cancels

_TYPES: Final = {"created": "booking.requested", "updated": "booking.changed", "deleted": "booking.cancelled"}
_CLIENTS: Final = ("client", "venue_group_client", "venue_client")
_RESERVATION: Final = "reservation"
_UTC: Final = ZoneInfo("UTC")
_CLOCKS: Final = ("%H:%M:%S", "%H:%M", "%I:%M %p", "%I:%M%p", "%I:%M:%S %p")


def adapt(item: Any, context: Context) -> Made:
    whole = an_object(item, "body")
    told = whole.get("entity_type")  # older ones have none, and are of reservations
    entity_type = _RESERVATION if told is None else a_word(told, "entity_type").lower().replace("-", "_")
    is_client = entity_type in _CLIENTS
    if not is_client and entity_type != _RESERVATION:
        return Ignored("its entity_type is neither a reservation nor a client")
    event_type = a_word(whole.get("event_type"), "event_type").lower()
    if event_type not in _TYPES:
        refuse("event_type", f"must be one of {', '.join(_TYPES)}")
    entity = an_object(whole.get("entity"), "entity")
    return _member(whole, entity, event_type, context) if is_client else _booking(whole, entity, event_type, context)


def _booking(whole: Mapping[str, Any], entity: Mapping[str, Any], event_type: str, context: Context) -> Event:
    is_cancel = cancels(_TYPES[event_type], entity.get("status"))
    reference, site = an_id(entity.get("id"), "entity.id"), NO_SITE
    draft = Draft({"booking_id": reference})
    if not context.is_pulled:
        site = their_site(entity.get("venue_id"), "entity.venue_id", context, is_needed=not is_cancel)
        draft.add("status", entity.get("status"))
        draft.add("client", _client(entity))
        draft.add("venue", site.venue.name if site.venue else "")
        if not is_cancel and site.row and site.venue:
            draft.add("notes", entity.get("notes"))
            draft.add("services", list(_services(entity, site.row, site.venue)))
    at = _time(entity, context, is_needed=not is_cancel and not site.elsewhere)
    id_ = stable_id(reference, event_type, at, entity)
    return _event(whole, _TYPES[event_type], id_, at, draft, context, site)


def _member(whole: Mapping[str, Any], entity: Mapping[str, Any], event_type: str, context: Context) -> Made:
    """Only a map can say where Peoplevine's member id stands."""
    if "member_id" not in context.source.map.apply(whole, {"data": {}})["data"]:
        return Ignored("it is of a client, and the source's map finds no data.member_id in it")
    reference, at = an_id(entity.get("id"), "entity.id"), _time(entity, context)
    return _event(whole, "member.updated", stable_id(reference, event_type, at, entity), at, Draft(), context)


def _event(
    whole: Mapping[str, Any],
    type_: str,
    id_: str,
    at: datetime | None,
    draft: Draft,
    context: Context,
    site: TheirSite = NO_SITE,
) -> Event:
    return lay_map(whole, {"id": id_, "type": type_, "data": draft.data}, context, at, site)


def _time(entity: Mapping[str, Any], context: Context, *, is_needed: bool = True) -> datetime | None:
    name = "updated" if entity.get("updated") else "created"
    return event_time(entity.get(name) or None, f"entity.{name}", context, _UTC, is_needed=is_needed)


def _client(entity: Mapping[str, Any]) -> dict[str, Any]:
    names = (entity.get("first_name"), entity.get("last_name"))
    client = Draft()
    client.add("name", " ".join(name.strip() for name in names if isinstance(name, str)).strip())
    client.add("email", entity.get("email"))
    client.add("phone", entity.get("phone_number"))
    return client.data if "name" in client.data else {}


def _services(entity: Mapping[str, Any], venue: SourceVenue, facts: VenueFacts) -> Any:
    return service(venue, facts, _start(entity), None, entity.get("duration"))


def _start(entity: Mapping[str, Any]) -> object:
    """As text, venue-local; what cannot be read stays as it is, for the contract to name."""
    slot = entity.get("real_datetime_of_slot")
    if slot:
        return slot
    day, clock = entity.get("date"), entity.get("arrival_time")
    if not day or not clock:
        return None
    for form in _CLOCKS:
        try:
            at = datetime.strptime(str(clock).strip().upper(), form).time()  # noqa: DTZ007  # venue-local
            return datetime.combine(date.fromisoformat(str(day)[:10]), at).isoformat()
        except ValueError:
            continue
    return f"{day} {clock}"
