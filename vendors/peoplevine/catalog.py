"""What a Peoplevine account has on offer. Peoplevine calls its services products: either word will do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from bellhop.vendors.catalog import CatalogKind, MethodCall, Rows


def _products(call: MethodCall, _service: str) -> Rows:
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


def _entries(method: str) -> Callable[[MethodCall, str], Rows]:
    def rows(call: MethodCall, _service: str) -> Rows:
        return [
            {"id": str(row["id"]), "name": row["name"], "description": row.get("description") or ""}
            for row in call(method)
        ]

    return rows


_ENTRY: Final = ("id", "name", "description")
_PRODUCT: Final = CatalogKind(("id", "name", "price", "currency", "description"), _products)

CATALOG: Final[Mapping[str, CatalogKind]] = {
    "services": _PRODUCT,
    "products": _PRODUCT,
    "locations": CatalogKind(_ENTRY, _entries("locations")),
    "guest-types": CatalogKind(_ENTRY, _entries("guest_types")),
}
