"""What a SimplyBook.me company has on offer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bellhop.vendors.catalog import CatalogKind, MethodCall, Rows


def _services(call: MethodCall, _service: str) -> Rows:
    """minutes: how long one takes."""
    return [
        {
            "id": row["id"],
            "name": row["name"],
            "minutes": row["duration"],
            "price": row["price"],
            "currency": row["currency"],
            "public": row["is_public"],
            "active": row["is_active"],
            "recurring": row["is_recurring"],
        }
        for row in call("getEventList", False, True)
    ]


def _providers(call: MethodCall, _service: str) -> Rows:
    """qty: how many bookings one holds at a time; None where the vendor does not say."""
    return [{"id": row["id"], "name": row["name"], "qty": row.get("qty")} for row in call("getUnitList", False, True)]


def _locations(call: MethodCall, _service: str) -> Rows:
    rows = call("getLocationsList", False, True)
    return [{"id": row["id"], "name": row["title"], "providers": row.get("units") or []} for row in rows]


def _fields(call: MethodCall, service: str) -> Rows:
    """name: what a booking's `fields` names it by."""
    names = {row["id"]: row["name"] for row in call("getEventList", False, True)}
    return [
        {
            "service_id": id_,
            "service": names.get(id_, ""),
            "name": row["name"],
            "title": row["title"],
            "type": row["type"],
            "mandatory": not row["is_null"],
            "values": [value.strip() for value in (row["values"] or "").split(",") if value.strip()],
        }
        for id_ in ([service] if service else names)
        for row in call("getAdditionalFields", int(id_))
    ]


CATALOG: Final[Mapping[str, CatalogKind]] = {
    "services": CatalogKind(("id", "name", "minutes", "price", "currency", "public", "active", "recurring"), _services),
    "providers": CatalogKind(("id", "name", "qty"), _providers),
    "locations": CatalogKind(("id", "name", "providers"), _locations),
    "fields": CatalogKind(
        ("service_id", "service", "name", "title", "type", "mandatory", "values"), _fields, by_service=True
    ),
}
