"""What a Peoplevine account has on offer. Peoplevine calls its services products: either word will do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from bellhop.vendors.catalog import Call, Kind, Rows


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

CATALOG: Final[Mapping[str, Kind]] = {
    "services": _PRODUCT,
    "products": _PRODUCT,
    "locations": Kind(_ENTRY, _entries("locations")),
    "guest-types": Kind(_ENTRY, _entries("guest_types")),
}
