"""Peoplevine's offers: what a booking asks for, and which offer answers it best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

OPEN: Final = "*"
"""Stands in a slot for what the booking left open."""

_CHOSEN: Final = ("technician_id", "facility_id", "price")
_SLOT: Final = ("service_id", "technician_id", "facility_id", "start", "end")
_LAST_MINUTE: Final = "23:59"


def requested_offers(services: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> list[dict[str, Any]]:
    """The services as offers, in venue-local times without offset, as the API takes them. What a service leaves open
    (technician, facility, price) is None; its start and end are then a window."""

    def local(moment: str) -> str:
        return datetime.fromisoformat(moment).astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")

    return [
        {
            "start": local(service["start"]),
            "end": local(service["end"]),
            "price": service.get("price"),
            "technician_id": service.get("provider_id"),
            "service_id": service["service_id"],
            "facility_id": service.get("facility_id"),
        }
        for service in services
    ]


def is_open(offer: Mapping[str, Any]) -> bool:
    """Whether it leaves anything to choose."""
    return any(offer[key] is None for key in _CHOSEN)


def slot(offers: Sequence[Mapping[str, Any]]) -> str:
    """What is wanted, for comparing; the price is not part of it."""
    return "|".join(
        sorted("/".join(str(OPEN if offer[key] is None else offer[key]) for key in _SLOT) for offer in offers)
    )


def window(offer: Mapping[str, Any]) -> tuple[str, str, str]:
    """Date, start and end as availability is asked for; it knows one day at a time."""
    start, end = (datetime.fromisoformat(offer[key]) for key in ("start", "end"))
    last = f"{end:%H:%M}" if end.date() == start.date() else _LAST_MINUTE
    return start.date().isoformat(), f"{start:%H:%M}", last


def best(
    wanted: Mapping[str, Any], offers: Sequence[Mapping[str, Any]], taken: Sequence[Mapping[str, Any]]
) -> dict[str, Any] | None:
    """The offer inside the wanted window that starts nearest to its beginning, then the cheapest; None where there is
    none. Not one that overlaps what was already taken for the same booking: its guest is one person."""
    opens, closes = (datetime.fromisoformat(wanted[key]) for key in ("start", "end"))
    fits = []
    for offer in map(_plain, offers):
        if offer is None:
            continue
        start, end = (datetime.fromisoformat(offer[key]) for key in ("start", "end"))
        if not (opens <= start and end <= closes) or any(_overlap(offer, other) for other in taken):
            continue
        if all(wanted[key] in (None, offer[key]) for key in ("service_id", "technician_id", "facility_id")):
            fits.append((start - opens, offer["price"], offer["technician_id"], offer["facility_id"], offer))
    if not fits:
        return None
    chosen: dict[str, Any] = min(fits, key=lambda fit: fit[:4])[4]
    return chosen if wanted["price"] is None else {**chosen, "price": wanted["price"]}


def describe_offer(offer: Mapping[str, Any]) -> str:
    """Which offer was taken, for people."""
    return (
        f"service {offer['service_id']} with technician {offer['technician_id']} in {offer['facility_id']}, "
        f"{offer['start']} to {offer['end'][11:]}, price {offer['price']:g}"
    )


def same_place_and_time(there: Mapping[str, Any], offer: Mapping[str, Any]) -> bool:
    """Whether availability's `there` is this offer. It answers with an offset, creation takes venue-local times:
    the wall clocks are compared."""
    try:
        start = datetime.fromisoformat(str(there["start"])).replace(tzinfo=None)
    except ValueError:
        return False
    same = all(str(there[key]) == offer[key] for key in ("technician_id", "facility_id"))
    return same and start == datetime.fromisoformat(offer["start"])


def _plain(offer: Mapping[str, Any]) -> dict[str, Any] | None:
    """An offer as creation takes it; None for one of a form nobody can book."""
    try:
        start, end = (datetime.fromisoformat(str(offer[key])).replace(tzinfo=None) for key in ("start", "end"))
        price = float(offer.get("price") or 0)
        ids = {key: str(offer[key]) for key in ("technician_id", "service_id", "facility_id")}
    except (KeyError, ValueError, TypeError):
        return None
    times = {"start": start.isoformat(timespec="seconds"), "end": end.isoformat(timespec="seconds")}
    return {**times, "price": price, **ids}


def _overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(one["start"] < other["end"] and other["start"] < one["end"])
