"""SimplyBook.me's `rescheduleBook`, pretended: of the vendor's newer clients; the document does not have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bellhop.sandbox.answers import Reply
from bellhop.sandbox.simplybook.booked import Booked
from bellhop.sandbox.simplybook.bookings import Bookings
from bellhop.sandbox.simplybook.hours import Hours
from bellhop.sandbox.simplybook.intake import answers, entries
from bellhop.sandbox.simplybook.rpc import RpcError, read_integer


class Rescheduling:
    """`methods` are the vendor's, by name."""

    def __init__(self, bookings: Bookings, hours: Hours) -> None:
        self._bookings = bookings
        self._hours = hours
        self.methods: Mapping[str, Callable[..., Reply]] = {"rescheduleBook": self._reschedule}

    def _reschedule(
        self,
        id_: Any,
        sign: Any,
        start_date: Any,
        start_time: Any,
        end_date: Any,
        end_time: Any,
        additional: Any,
        offset: Any,
        timezone: Any,
    ) -> Reply:
        """The same booking at another time, under its id. Its form is inferred: that of `book`'s answer."""
        booked = self._bookings.by_signature(id_, sign)
        start = self._hours.start(booked.service, booked.unit, start_date, start_time)
        end = _end(start, end_date, end_time) or start + timedelta(minutes=booked.service.minutes)
        given = entries(additional)
        fields = answers(booked.service, given) if given else booked.fields
        self._move(booked, start, end)
        booked.fields = fields
        if offset is not None:
            booked.client_time_offset = read_integer(offset)
        return Reply(
            {"require_confirm": not booked.confirmed, "bookings": [booked.as_json()]}, effect="changed", id=booked.id
        )

    def _move(self, booked: Booked, start: datetime, end: datetime) -> None:
        """Raises RpcError -32054 where it does not fit, beside others than itself."""
        diary, unit = self._hours.diary, booked.unit
        diary.release(unit.id, booked.start, booked.end, booked.id)
        if diary.fits(unit.id, start, end, holds=unit.qty):
            self._bookings.move(booked, start, end)
        diary.occupy(unit.id, booked.start, booked.end, booked.id)
        if (booked.start, booked.end) != (start, end):
            raise RpcError(-32054)


def _end(start: datetime, date: Any, time: Any) -> datetime | None:
    """None where none is given. Raises RpcError -32602 where it is not later than the start."""
    if date is None or time is None:
        return None
    try:
        end = datetime.strptime(f"{date} {time}", "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007  # the company's wall clock
    except ValueError:
        raise RpcError(-32602) from None
    if end <= start:
        raise RpcError(-32602)
    return end
