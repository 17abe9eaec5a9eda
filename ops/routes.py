"""What people do with a route as a whole."""

from __future__ import annotations

from broker.port import Broker
from schemas.errors import LedgerError
from schemas.settings import ROUTES


class RouteUnknown(LedgerError):
    """Raised for a route that Bellhop does not have."""


def checked(route: str) -> str:
    """The route. Raises RouteUnknown."""
    if route not in ROUTES:
        raise RouteUnknown(f"there is no route {route}: the routes are {', '.join(ROUTES)}")
    return route


def retry_now(broker: Broker, route: str) -> int:
    """What waits in the retry ladder for the route is tried at once: how many events. Raises RouteUnknown,
    BrokerError."""
    return broker.hasten(checked(route))
