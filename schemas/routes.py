"""The routes that are no vendor's own: each has a work queue. `vendors/registry.py` has all of them."""

from __future__ import annotations

from typing import Final

from bellhop.schemas.results import RESULTS_ROUTE

MEMBERS_ROUTE: Final = "members"
PULLS_ROUTE: Final = "pulls"
__all__ = ["MEMBERS_ROUTE", "PULLS_ROUTE", "RESULTS_ROUTE", "bookings_route", "callbacks_route"]


def bookings_route(kind: str) -> str:
    """Where the bookings of a vendor's accounts go."""
    return f"bookings.{kind}"


def callbacks_route(kind: str) -> str:
    """Where what a vendor itself posts goes, of a vendor that does."""
    return f"callbacks.{kind}"
