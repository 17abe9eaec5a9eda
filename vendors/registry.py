"""The vendors: one row each. Everything that differs between vendors is reached from here, and from nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bellhop.broker.connect import connect
from bellhop.broker.port import Broker
from bellhop.broker.topology import Topology
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.routes import MEMBERS_ROUTE, PULLS_ROUTE, RESULTS_ROUTE, bookings_route, callbacks_route
from bellhop.schemas.settings import Account, Settings
from bellhop.vendors.fates import Fate
from bellhop.vendors.peoplevine.vendor import PEOPLEVINE
from bellhop.vendors.simplybook.vendor import SIMPLYBOOK
from bellhop.vendors.vendor import Vendor

VENDORS: Final[tuple[Vendor[Any], ...]] = (PEOPLEVINE, SIMPLYBOOK)

BY_KIND: Final[Mapping[str, Vendor[Any]]] = {vendor.kind: vendor for vendor in VENDORS}
CANCELLING: Final = tuple(sorted(BY_KIND, key=lambda kind: not BY_KIND[kind].can_cancel))
"""Their kinds, those first that have a call for a cancel."""

ROUTES: Final = (
    MEMBERS_ROUTE,
    *(vendor.routes[0] for vendor in VENDORS),
    *(route for vendor in VENDORS for route in vendor.routes[1:]),
    PULLS_ROUTE,
    RESULTS_ROUTE,
)
"""All routes: each has a work queue, and a worker takes from it."""
BOOKINGS_ROUTES: Final = frozenset(bookings_route(vendor.kind) for vendor in VENDORS)


def lanes(accounts: Mapping[str, Account]) -> Mapping[str, Sequence[str]]:
    """Of each route, the accounts whose events may come on it, in the order of the settings."""
    kinds = {route: {vendor.kind} for vendor in VENDORS for route in vendor.routes}
    kinds[MEMBERS_ROUTE] = {vendor.kind for vendor in VENDORS if vendor.members}
    kinds[PULLS_ROUTE] = {vendor.kind for vendor in VENDORS if vendor.pulls}
    return {route: [name for name, one in accounts.items() if one.kind in those] for route, those in kinds.items()}


def routes_in_use(settings: Settings) -> tuple[str, ...]:
    """Those whose events the settings speak of: a worker must take from each."""
    sources, kinds = settings.sources.values(), {venue.kind for venue in settings.venues.values()}
    used = {bookings_route(kind) for kind in kinds}
    used |= {callbacks_route(source.format) for source in sources if source.format in BY_KIND}
    used |= {MEMBERS_ROUTE for source in sources if source.member_account}
    used |= {PULLS_ROUTE for source in sources if source.pull_account}
    used |= {PULLS_ROUTE for account in settings.accounts.values() if account.pulls}
    used |= {RESULTS_ROUTE for _ in settings.told}
    return tuple(route for route in ROUTES if route in used)


def connect_broker(settings: Settings, observe: Observe = silent) -> Broker:
    """The settings' broker; not connected yet."""
    return connect(settings.broker, topology_of(settings), observe)


def topology_of(settings: Settings) -> Topology:
    """A queue for each route, and a lane in it for each account, of results for each source that is told."""
    by_route = {**lanes(settings.accounts), RESULTS_ROUTE: list(settings.told)}
    broker = settings.broker
    return Topology(ROUTES, broker.ladder, broker.delivery_limit, by_route, BOOKINGS_ROUTES)


def vendor_of(account: Account) -> Vendor[Any]:
    return BY_KIND[account.kind]


def carries_ends(kind: str) -> bool:
    """Whether a vendor is told when a service ends, and does not say that itself."""
    fates = (one.fields["services.end"].fate for one in BY_KIND[kind].fates if "services.end" in one.fields)
    return next(fates, Fate.CARRIED) is Fate.CARRIED


def titles(vendors: tuple[Vendor[Any], ...]) -> str:
    """Their names, for a sentence."""
    return " or ".join(vendor.title for vendor in vendors) or "vendor's"
