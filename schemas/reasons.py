"""Why an event stands in front of a person: the closed set of dead-letter reasons, with what each means.

`docs/runbook.md` has a section for each.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    REJECTED = "rejected"
    """The vendor understood and said no; the same call would be refused again."""

    AUTH = "auth"
    """The vendor refused the credentials or the permission, also after logging in again once."""

    EXHAUSTED = "exhausted"
    """Every step of the retry ladder was tried."""

    TOO_LATE = "too_late"
    """The booking's start has come, or no retry fits in before it."""

    IN_DOUBT = "in_doubt"
    """The call may have happened, nobody knows, and calling again could book twice."""

    UNPAID = "unpaid"
    """It is booked, but the vendor cancels it where it is not paid in time."""

    CONFLICT = "conflict"
    """The same id or the same business key came with another content."""

    POISON = "poison"
    """Its bytes cannot be read as an envelope of this version."""

    UNSUPPORTED = "unsupported"
    """The vendor's API has no call for it; a person must do it in the vendor's own screens."""

    MISCONFIGURED = "misconfigured"
    """The settings no longer have its account or venue."""

    DELIVERY_LIMIT = "delivery_limit"
    """Delivered again and again without ever being settled: it kills its workers."""


PAUSED: Final = "paused in a hurry: no reason was given"
"""The reason of a bulk job's pause for which nobody gave one."""
