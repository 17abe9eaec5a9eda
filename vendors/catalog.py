"""What a vendor's account has on offer, as rows with the ids that a venue's mapping needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

Rows = list[dict[str, Any]]


class Call(Protocol):
    """One of the vendor's methods by its name."""

    def __call__(self, method: str, /, *arguments: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing. columns: the rows' keys, each of them always there. rows: takes the call, and the service
    that is chosen, "" for all."""

    columns: tuple[str, ...]
    rows: Callable[[Call, str], Rows]
    by_service: bool = False


def _salon_services(call: Call, _service: str) -> Rows:
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


def _providers(call: Call, _service: str) -> Rows:
    """qty: how many bookings one holds at a time; None where the vendor does not say."""
    return [{"id": row["id"], "name": row["name"], "qty": row.get("qty")} for row in call("getUnitList", False, True)]


def _salon_locations(call: Call, _service: str) -> Rows:
    rows = call("getLocationsList", False, True)
    return [{"id": row["id"], "name": row["title"], "providers": row.get("units") or []} for row in rows]


def _fields(call: Call, service: str) -> Rows:
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


def _products(call: Call, _service: str) -> Rows:
    return [
        {
            "id": str(row["id"]),
            "name": row["name"],
            "price": (row.get("rate") or {}).get("sell"),
            "currency": (row.get("rate") or {}).get("currency"),
            "description": row.get("description") or "",
        }
        for row in call("products")
    ]


def _entries(method: str) -> Callable[[Call, str], Rows]:
    def rows(call: Call, _service: str) -> Rows:
        return [
            {"id": str(row["id"]), "name": row["name"], "description": row.get("description") or ""}
            for row in call(method)
        ]

    return rows


_ENTRY: Final = ("id", "name", "description")
_PRODUCT: Final = Kind(("id", "name", "price", "currency", "description"), _products)

KINDS: Final[Mapping[str, Mapping[str, Kind]]] = {
    "simplybook": {
        "services": Kind(
            ("id", "name", "minutes", "price", "currency", "public", "active", "recurring"), _salon_services
        ),
        "providers": Kind(("id", "name", "qty"), _providers),
        "locations": Kind(("id", "name", "providers"), _salon_locations),
        "fields": Kind(
            ("service_id", "service", "name", "title", "type", "mandatory", "values"), _fields, by_service=True
        ),
    },
    "peoplevine": {
        "services": _PRODUCT,
        "products": _PRODUCT,
        "locations": Kind(_ENTRY, _entries("locations")),
        "guest-types": Kind(_ENTRY, _entries("guest_types")),
    },
}
"""By the account's kind. Peoplevine calls its services products: either word will do."""

WORDS: Final = tuple(dict.fromkeys(word for kinds in KINDS.values() for word in kinds))
