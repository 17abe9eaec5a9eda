"""Bellhop: carries member updates and bookings from webhooks to vendors.

Each folder beside this file is a link to the one of its name at the top of the repository;
`docs/decisions/0015-one-package.md` says why.
"""

from bellhop.schemas import zones

# Here, where every process and every other user of the package passes before it can read a zone.
zones.pin()
