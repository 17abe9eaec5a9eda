"""Retry now: moves what waits for a retry on a route back to its work queue."""

from __future__ import annotations

from typing import Protocol

from bellhop.broker.port import Broker
from bellhop.schemas.errors import LedgerError
from bellhop.vendors.registry import ROUTES


class RouteUnknown(LedgerError):
    """Raised for a route that Bellhop does not have."""


def check_route(route: str) -> str:
    """The route. Raises RouteUnknown."""
    if route not in ROUTES:
        raise RouteUnknown(f"there is no route {route}: the routes are {', '.join(ROUTES)}")
    return route


class Acts(Protocol):
    """What is needed of `ledger.letters`."""

    def note_act(self, who: str, act: str, why: str, what: str) -> None: ...


def retry_now(broker: Broker, acts: Acts, route: str, *, who: str, why: str) -> int:
    """What waits in the retry ladder for the route is tried at once: how many events. In the audit first: what was
    moved before a broker went away is moved. Raises RouteUnknown, BrokerError, LedgerUnavailable."""
    acts.note_act(who, "retry now", why, f"route {check_route(route)}")
    return broker.hasten(route)
