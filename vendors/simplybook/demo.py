"""SimplyBook.me in `bellhop up` and `bellhop send`: it fits the sandbox's company as that is seeded."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from bellhop.vendors.vendor import DemoData

_SETTINGS: Final = """\
[accounts.salon]
kind = "simplybook"
base_url = "{sandbox}"
company = "sandbox"
api_key = "sandbox-api-key"
secret_key = "sandbox-secret-key"
connect_timeout = "2s"
read_timeout = "10s"
late_after = "20s"

[venues.salon]
account = "salon"
timezone = "Europe/London"
"""
_LIMITS: Final = ("simplybook_per_second=5", "simplybook_at_once=2", "simplybook_per_day=5000")
"""As they are said to be."""


def _booking(start: datetime, number: int) -> dict[str, Any]:
    client = {"name": "Sample Guest", "email": "guest@example.com", "phone": "+442071234567"}
    service = {"service_id": "1", "provider_id": str(1 + number), "start": start.isoformat()}
    return {"client": client, "services": [service]}


DEMO: Final = DemoData(_SETTINGS, "haircut", _booking, switches=_LIMITS)
