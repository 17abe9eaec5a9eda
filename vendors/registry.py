"""The vendors: one row each. Everything that differs between vendors is reached from here, and from nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bellhop.schemas.routes import MEMBERS_ROUTE, PULLS_ROUTE, RESULTS_ROUTE, bookings_route
from bellhop.vendors.peoplevine.vendor import PEOPLEVINE
from bellhop.vendors.simplybook.vendor import SIMPLYBOOK
from bellhop.vendors.vendor import Vendor

VENDORS: Final = (PEOPLEVINE, SIMPLYBOOK)

BY_KIND: Final[Mapping[str, Vendor]] = {vendor.kind: vendor for vendor in VENDORS}
ROUTES: Final = (
    MEMBERS_ROUTE,
    *(bookings_route(vendor.kind) for vendor in VENDORS),
    *(route for vendor in VENDORS for route in vendor.routes),
    PULLS_ROUTE,
    RESULTS_ROUTE,
)
"""All routes: each has a work queue, and a worker takes from it."""
