"""Peoplevine's switches, and those of what stands behind it, see `sandbox/switch.py`."""

from __future__ import annotations

from dataclasses import dataclass

from bellhop.sandbox.switch import switch


@dataclass(frozen=True, slots=True)
class PeoplevineSwitches:
    peoplevine_refuses_overlap: bool = switch(
        True, "I", "a technician's time that is taken is refused; otherwise it is booked a second time"
    )
    peoplevine_failure_status: int = switch(
        200, "V", "HTTP status of success:false (others are not public: I)", (200, 400, 401, 404, 422, 500)
    )
    peoplevine_products_success: bool = switch(
        False, "V", "what products answers as success, beside its data: false in the document's own example"
    )
    peoplevine_offsets: bool = switch(True, "V", "availability's times carry the venue's offset")
    peoplevine_from: str = switch(
        "iso",
        "I",
        "how `from` must be written: an ISO 8601 time, a date, or seconds since 1970",
        ("iso", "date", "epoch"),
    )
    peoplevine_region: str = switch(
        "1", "V", "the region (`host`) that knows the accounts; the other one refuses their credentials", ("1", "2")
    )
    peoplevine_error_count: int = switch(
        0, "I", "of what a sync brings, so many fail: success with error_count, and with their reason in message"
    )
    peoplevine_failure_words: str = switch(
        "reason",
        "V",
        "where a failure's words stand: in reason; in message beside a bare reason (I: a .NET backend's exceptions); "
        "in both",
        ("reason", "message", "both"),
    )
    peoplevine_credentials_words: str = switch("Invalid credentials", "I", "the words that refuse the credentials")
    book4time_daily_batches: bool = switch(
        True, "V", "what changes behind Book4Time is seen by sync_reservations from the next midnight on; else at once"
    )
    sevenrooms_app_not_in_audience: bool = switch(
        False, "V", "the app is missing in SevenRooms' access rules: no availability, and no error"
    )
    sevenrooms_client_must_specify_duration: bool = switch(
        False, "V", "SevenRooms wants a duration, which its API does not take: no availability, and no error"
    )
