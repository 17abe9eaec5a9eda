"""SimplyBook.me's calendar, pretended: working time, free time and taken time. It holds nothing for anyone.

Document: `simplybook-public-service-methods`. Where it gives no example, the form is inferred.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bellhop.sandbox.answers import Reply
from bellhop.sandbox.simplybook.hours import Hours, Span, clock, merge_spans, within
from bellhop.sandbox.simplybook.rpc import RpcError, days, identifier, read_integer, read_moment, seats_of
from bellhop.sandbox.simplybook.seed import Unit
from bellhop.sandbox.simplybook.switches import SimplybookSwitches


class Calendar:
    """`methods` are the document's, by name."""

    def __init__(self, hours: Hours, switches: Callable[[], SimplybookSwitches]) -> None:
        self._hours = hours
        self._switches = switches
        self.methods: Mapping[str, Callable[..., Reply]] = {
            "getStartTimeMatrix": self._start_time_matrix,
            "getCartesianStartTimeMatrix": self._cartesian_start_time_matrix,
            "calculateEndTime": self._calculate_end_time,
            "getAvailableUnits": self._available_units,
            "filterAvailableUnits": self._filter_available_units,
            "getAvailableTimeIntervals": self._available_time_intervals,
            "getReservedTime": self._reserved_time,
            "getReservedTimeIntervals": self._reserved_time_intervals,
            "getWorkCalendar": self._work_calendar,
            "getWorkDaysInfo": self._work_days_info,
            "getFirstWorkingDay": self._first_working_day,
            "getRecurringDatetimes": self._recurring_datetimes,
        }

    def _start_time_matrix(self, start: Any, end: Any, event_id: Any, unit_id: Any = None, count: Any = None) -> Reply:
        """A start is listed where at least one of the units is free."""
        service, units, seats = self._hours.service(event_id), self._hours.units(unit_id), seats_of(count)
        return Reply(
            {
                _date(day): [f"{one:%H:%M:%S}" for one in self._hours.starts(service, units, day, seats)]
                for day in days(start, end)
            }
        )

    def _cartesian_start_time_matrix(
        self, start: Any, end: Any, event_id: Any, unit_id: Any, count: Any, location_id: Any, additional: Any
    ) -> Reply:
        """The starts by provider, as the vendor's newer clients read them; 0 and an empty list are all providers."""
        service, units, seats = self._hours.service(event_id), self._hours.units(unit_id or None), seats_of(count)
        first, last = (one[:10] if isinstance(one, str) else one for one in (start, end))  # a time may stand behind
        rows = []
        for unit in units:
            slots = {
                _date(day): [f"{one:%H:%M:%S}" for one in self._hours.starts(service, [unit], day, seats)]
                for day in days(first, last)
            }
            if found := {day: times for day, times in slots.items() if times}:
                rows.append({"provider_id": unit.id, "timeslots": found})
        return Reply(rows)

    def _calculate_end_time(self, start: Any, event_id: Any, unit_id: Any) -> Reply:
        """Of any provider where none is named."""
        service, units = self._hours.service(event_id), self._hours.units(unit_id)
        for unit in units:
            try:
                begins = self._hours.start(service, unit, *read_moment(start))
            except RpcError as error:
                if error.code == -32602:
                    raise
                continue
            if self._hours.free(service, unit, begins):
                return Reply(f"{begins + timedelta(minutes=service.minutes):%Y-%m-%d %H:%M:%S}")
        return Reply(None if self._switches().simplybook_calculate_end_time_null else False)

    def _available_units(self, event_id: Any, date_time: Any, count: Any = None) -> Reply:
        return Reply(self._available(event_id, date_time, None, count))

    def _filter_available_units(self, event_id: Any, date_time: Any, unit_ids: Any, count: Any = None) -> Reply:
        if not isinstance(unit_ids, list):
            raise RpcError(-32602)
        return Reply(self._available(event_id, date_time, {identifier(one) for one in unit_ids}, count))

    def _available(self, event_id: Any, date_time: Any, among: set[str] | None, count: Any) -> list[int]:
        """Numbers, as in the document's example [1, 2, 3]."""
        service, seats, (date, time) = self._hours.service(event_id), seats_of(count), read_moment(date_time)
        found = []
        for unit in self._hours.units(None):
            if among is not None and unit.id not in among:
                continue
            try:
                start = self._hours.start(service, unit, date, time)
            except RpcError:
                continue
            if self._hours.free(service, unit, start, seats):
                found.append(int(unit.id))
        return found

    def _available_time_intervals(self, start: Any, end: Any, event_id: Any, unit_id: Any, count: Any = None) -> Reply:
        """By day, then by unit. What is too short for the service is left out."""
        service, units, seats = self._hours.service(event_id), self._hours.units(unit_id), seats_of(count)
        answer: dict[str, dict[str, list[list[str]]]] = {}
        for day in days(start, end):
            answer[_date(day)] = by_unit = {}
            for unit in units:
                free = merge_spans(self._free_frames(unit, day, seats))
                long_enough = [span for span in free if span[1] - span[0] >= service.minutes]
                if long_enough:
                    by_unit[unit.id] = [[f"{clock(opens)}:00", f"{clock(closes)}:00"] for opens, closes in long_enough]
        return Reply(answer)

    def _free_frames(self, unit: Unit, day: datetime, seats: int) -> list[Span]:
        earliest, latest = self._hours.horizon()
        worked = self._hours.spans(unit, day.date())
        return [
            frame
            for frame in self._hours.frames()
            if within(frame, worked)
            and earliest < day + timedelta(minutes=frame[0]) <= latest
            and self._hours.fits(unit, day, frame, seats)
        ]

    def _reserved_time(self, start: Any, end: Any, event_id: Any, unit_id: Any, count: Any = None) -> Reply:
        """Timeframe by timeframe. `dd` would hold what a synchronised calendar says."""
        return Reply(
            {
                day: [
                    {"dd": [], "events": _from_to(taken), "type": "reserved_time"},
                    {"events": _from_to(closed), "type": "not_worked_time"},
                ]
                for day, (taken, closed) in self._occupancy(start, end, event_id, unit_id, count).items()
            }
        )

    def _reserved_time_intervals(self, start: Any, end: Any, event_id: Any, unit_id: Any, count: Any = None) -> Reply:
        """As few intervals as can be. In the document's example `reserved_time` is a member as well as a type."""
        return Reply(
            {
                day: [
                    {"reserved_time": _from_to(merge_spans(taken)), "type": "reserved_time"},
                    {"not_worked_time": _from_to(merge_spans(closed)), "type": "not_worked_time"},
                ]
                for day, (taken, closed) in self._occupancy(start, end, event_id, unit_id, count).items()
            }
        )

    def _occupancy(
        self, start: Any, end: Any, event_id: Any, unit_id: Any, count: Any
    ) -> dict[str, tuple[list[Span], list[Span]]]:
        """By day the timeframes at which all the units that work are taken, and those at which none works."""
        if event_id is not None:
            self._hours.service(event_id)
        units, seats = self._hours.units(unit_id), seats_of(count)
        answer = {}
        for day in days(start, end):
            taken, closed = [], []
            worked = [(unit, self._hours.spans(unit, day.date())) for unit in units]
            for frame in self._hours.frames():
                working = [unit for unit, spans in worked if within(frame, spans)]
                if not working:
                    closed.append(frame)
                elif not any(self._hours.fits(unit, day, frame, seats) for unit in working):
                    taken.append(frame)
            answer[_date(day)] = (taken, closed)
        return answer

    def _work_calendar(self, year: Any, month: Any, unit_id: Any = None) -> Reply:
        """From the first opening to the last closing; of a day off, what they would be."""
        units, year, month = self._hours.units(unit_id), read_integer(year), read_integer(month)
        if not 1 <= month <= 12 or not 1 <= year <= 9999:
            raise RpcError(-32602)
        spans = [span for unit in units for span in unit.hours]
        first, last = min((one[0] for one in spans), default=0), max((one[1] for one in spans), default=0)
        answer = {}
        for number in range(1, calendar.monthrange(year, month)[1] + 1):
            day = datetime(year, month, number)  # noqa: DTZ001  # the company's wall clock
            works = any(self._hours.spans(unit, day.date()) for unit in units)
            answer[_date(day)] = {
                "from": f"{clock(first)}:00",
                "to": f"{clock(last)}:00",
                "is_day_off": "0" if works else "1",
            }
        return Reply(answer)

    def _work_days_info(
        self, start: Any, end: Any, unit_id: Any = None, event_id: Any = None, count: Any = None
    ) -> Reply:
        """The spans worked on each day; a span that ends at midnight ends at 24:00:00."""
        if event_id is not None:
            self._hours.service(event_id)
        units, _ = self._hours.units(unit_id), seats_of(count)
        answer = {}
        for day in days(start, end):
            worked = merge_spans(span for unit in units for span in self._hours.spans(unit, day.date()))
            answer[_date(day)] = [
                {"from": f"{clock(opens)}:00", "to": f"{clock(closes)}:00"} for opens, closes in worked
            ]
        return Reply(answer)

    def _first_working_day(self, unit_id: Any) -> Reply:
        """The first day with working time still to come, of any provider where none is named; null where there is
        none."""
        units, (now, latest) = self._hours.units(unit_id), self._hours.horizon()
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        while day <= latest:
            spans = [span for unit in units for span in self._hours.spans(unit, day.date())]
            if any(day + timedelta(minutes=closes) > now for _, closes in spans):
                return Reply(_date(day))
            day += timedelta(days=1)
        return Reply(None)

    def _recurring_datetimes(
        self, event_id: Any, unit_id: Any, date: Any, time: Any, recurring_data: Any = None
    ) -> Reply:
        service, unit = self._hours.service(event_id), self._hours.unit(unit_id)
        if service.repeats == 1:
            raise RpcError(-32015)
        first = self._hours.start(service, unit, date, time)
        return Reply([f"{turn:%Y-%m-%d %H:%M:%S}" for turn in self._hours.turns(service, first)])


def _date(day: datetime) -> str:
    return day.date().isoformat()


def _from_to(spans: list[Span]) -> list[dict[str, str]]:
    return [{"from": clock(opens), "to": clock(closes)} for opens, closes in spans]
