"""Peoplevine in `bellhop up` and `bellhop send`: it fits the sandbox's accounts as they are seeded."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from bellhop.vendors.vendor import DemoData

_MEMBER: Final = 3125141
_UNKNOWN_MEMBER: Final = 9999999
"""The sandbox has no such member: it rejects what is asked for it."""

_SETTINGS: Final = """\
[accounts.club]
kind = "peoplevine"
base_url = "{sandbox}"
auth_id = "sandbox"
company = "4711"
user = "bellhop"
password = "sandbox-password"
slots_hold_one = true
pull_reservations = "* * * * *" # every minute, so that it can be watched
connect_timeout = "2s"
read_timeout = "10s"
late_after = "20s"

[venues.spa]
account = "club"
timezone = "Europe/London"
"""


def _booking(start: datetime, number: int) -> dict[str, Any]:
    service = {
        "service_id": "24422569",
        "provider_id": str(100 + number),
        "facility_id": "24422054",
        "start": start.isoformat(),
        "end": (start + timedelta(hours=1)).isoformat(),
        "price": 100.0,
    }
    return {"member_id": _MEMBER, "notes": "a sample", "services": [service]}


DEMO: Final = DemoData(_SETTINGS, "massage", _booking, can_cancel=False, member=_MEMBER, unknown_member=_UNKNOWN_MEMBER)
