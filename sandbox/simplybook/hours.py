"""Who works when and is free when, in the company's wall-clock time: SimplyBook.me's calendar and bookings share it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date as Date
from datetime import datetime, timedelta
from typing import Any, Final

from bellhop.sandbox.diary import Diary
from bellhop.sandbox.simplybook.rpc import RpcError, identifier
from bellhop.sandbox.simplybook.seed import Service, SimplybookSeed, Unit

Span = tuple[int, int]
"""From and to, in minutes from midnight."""

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME: Final = re.compile(r"\d\d:\d\d:\d\d", re.ASCII)


class Hours:
    """Not safe between threads: its owner holds a lock. now: aware UTC."""

    def __init__(self, seed: SimplybookSeed, now: Callable[[], datetime]) -> None:
        self.diary = Diary()
        self._seed = seed
        self._now = now
        self._services = {service.id: service for service in seed.services}
        self._units = {unit.id: unit for unit in seed.units}

    def service(self, id_: Any) -> Service:
        """Raises RpcError -32051."""
        service = self._services.get(identifier(id_))
        if service is None:
            raise RpcError(-32051)
        return service

    def unit(self, id_: Any) -> Unit:
        """Raises RpcError -32052."""
        unit = self._units.get(identifier(id_))
        if unit is None:
            raise RpcError(-32052)
        return unit

    def units(self, id_: Any) -> list[Unit]:
        """One, those of a list, or (null) all. Raises RpcError -32052."""
        if id_ is None:
            return list(self._seed.units)
        return [self.unit(one) for one in (id_ if isinstance(id_, list) else [id_])]

    def local_now(self) -> datetime:
        return self._now().astimezone(self._seed.zone).replace(tzinfo=None)

    def horizon(self) -> tuple[datetime, datetime]:
        """Now, and the last moment that can be booked."""
        now = self.local_now()
        return now, now + timedelta(days=self._seed.days_ahead)

    def spans(self, unit: Unit, day: Date) -> tuple[Span, ...]:
        """When the unit works on that day."""
        return () if day.weekday() in unit.days_off else unit.hours

    def works(self, unit: Unit, start: datetime, minutes: int) -> bool:
        """Whether the whole time is inside one span: no service extends over a break or closing time."""
        first = start.hour * 60 + start.minute
        return any(opens <= first and first + minutes <= closes for opens, closes in self.spans(unit, start.date()))

    def free(self, service: Service, unit: Unit, start: datetime, seats: int = 1) -> bool:
        """Whether it works then, and that many places are left."""
        end = start + timedelta(minutes=service.minutes)
        return self.works(unit, start, service.minutes) and self.diary.fits(
            unit.id, start, end, holds=unit.qty, seats=seats
        )

    def start(self, service: Service, unit: Unit, date: Any, time: Any) -> datetime:
        """The moment asked for, one that could be booked if nobody had. Raises RpcError -32053, -32054, -32056."""
        if not isinstance(date, str) or not _DATE.fullmatch(date):
            raise RpcError(-32053)
        if not isinstance(time, str) or not _TIME.fullmatch(time):
            raise RpcError(-32054)
        try:
            day = datetime.fromisoformat(date)
        except ValueError:
            raise RpcError(-32053) from None
        hours, minutes, seconds = map(int, time.split(":"))
        minute = hours * 60 + minutes
        start = day + timedelta(minutes=minute)
        on_frame = hours <= 23 and minutes <= 59 and not seconds and minute % self._seed.timeframe == 0
        if not on_frame or not self.works(unit, start, service.minutes):
            raise RpcError(-32054)
        earliest, latest = self.horizon()
        if start <= earliest:
            raise RpcError(-32056)
        if start > latest:
            raise RpcError(-32053)
        return start

    def starts(self, service: Service, units: list[Unit], day: datetime, seats: int) -> list[datetime]:
        """The starts of `day` (its midnight) at which at least one of the units is free."""
        earliest, latest = self.horizon()
        return [
            start
            for start in (day + timedelta(minutes=minute) for minute, _ in self.frames())
            if earliest < start <= latest and any(self.free(service, unit, start, seats) for unit in units)
        ]

    def frames(self) -> Iterator[Span]:
        """The timeframes of a day."""
        step = self._seed.timeframe
        return ((minute, minute + step) for minute in range(0, 24 * 60, step))

    def fits(self, unit: Unit, day: datetime, span: Span, seats: int) -> bool:
        """Whether that many places are left then, whether it works or not."""
        start, end = (day + timedelta(minutes=minute) for minute in span)
        return self.diary.fits(unit.id, start, end, holds=unit.qty, seats=seats)

    def turns(self, service: Service, first: datetime) -> list[datetime]:
        """The starts of a recurring service; of any other, the one."""
        return [first + timedelta(days=service.every_days * turn) for turn in range(service.repeats)]


def within(span: Span, spans: Iterable[Span]) -> bool:
    return any(opens <= span[0] and span[1] <= closes for opens, closes in spans)


def merge_spans(spans: Iterable[Span]) -> list[Span]:
    """The same time with as few spans as can be, in order."""
    made: list[Span] = []
    for opens, closes in sorted(spans):
        if made and opens <= made[-1][1]:
            made[-1] = (made[-1][0], max(closes, made[-1][1]))
        else:
            made.append((opens, closes))
    return made


def clock(minute: int) -> str:
    """H:i; a day's end is 24:00."""
    return f"{minute // 60:02}:{minute % 60:02}"
