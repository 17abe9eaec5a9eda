"""What Peoplevine, pretended, has on offer and what is reserved of it (document: `peoplevine-bookings`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from bellhop.sandbox.diary import Diary
from bellhop.sandbox.peoplevine.answers import CallRefused, id_of, wall_clock
from bellhop.sandbox.peoplevine.seed import PeoplevineSeed, Treatment
from bellhop.sandbox.peoplevine.switches import PeoplevineSwitches

_SEARCHED_DAYS: Final = 14


@dataclass(frozen=True, slots=True)
class Offer:
    """start and end are the venue's wall clock, without a zone."""

    start: datetime
    end: datetime
    price: float
    technician_id: str
    service_id: str
    facility_id: str

    def as_json(self) -> dict[str, Any]:
        return {
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "price": self.price,
            "technician_id": self.technician_id,
            "service_id": self.service_id,
            "facility_id": self.facility_id,
        }


class Reservations:
    """One account's. Not safe between threads: its owner holds a lock."""

    def __init__(
        self,
        seed: PeoplevineSeed,
        switches: Callable[[], PeoplevineSwitches],
        now: Callable[[], datetime],
        ids: Iterator[str],
    ) -> None:
        self.all: list[dict[str, Any]] = []
        self._seed = seed
        self._switches = switches
        self._now = now
        self._ids = ids
        self._diary = Diary()
        self._treatments = {treatment.id: treatment for treatment in seed.treatments}

    def create(self, member: str, notes: Any, rows: Any) -> str:
        """All of the offers or none: the reservation's id. Raises Refused."""
        if not isinstance(rows, list) or not rows:
            raise CallRefused("Invalid offers")
        offers = [self._offer(row) for row in rows]
        if self._switches().peoplevine_refuses_overlap:
            self._check_free(offers)
        id_ = next(self._ids)
        for index, offer in enumerate(offers):
            self._diary.occupy(offer.technician_id, offer.start, offer.end, f"{id_}/{index}")
        row = {"id": id_, "member_id": member, "notes": notes, "offers": [offer.as_json() for offer in offers]}
        self.all.append(row | ({"status": "BOOKED"} if self._seed.system == "7rooms" else {}))
        return id_

    def set_status(self, id_: str, status: str) -> bool:
        """Of a reservation in SevenRooms; False where there is none of that id."""
        for row in self.all:
            if row["id"] == id_ and "status" in row:
                row["status"] = status
                return True
        return False

    def available(self, asked: Any) -> list[dict[str, Any]]:
        """Offers wholly inside the window asked for; where there are none, what `alternateTime` and
        `nextAvailableDate` allow. Raises Refused."""
        day, opens, closes, treatments = self._window(asked)
        if self._is_unbookable():
            return []
        midnight = datetime.combine(day, time.min)
        windows = [(opens, closes)]
        if asked.get("alternateTime"):
            windows.append((midnight, midnight + timedelta(days=1)))
        if asked.get("nextAvailableDate"):
            later = (midnight + timedelta(days=ahead) for ahead in range(1, _SEARCHED_DAYS + 1))
            windows += [(start, start + timedelta(days=1)) for start in later]
        for start, end in windows:
            offers = [offer for treatment in treatments for offer in self._free(treatment, start, end)]
            if offers:
                return [self._aware(offer) for offer in offers]
        return []

    def _is_unbookable(self) -> bool:
        """Whether SevenRooms is set up so that nothing can be booked through its API (`sevenrooms-setup`)."""
        switches = self._switches()
        wrong = switches.sevenrooms_app_not_in_audience or switches.sevenrooms_client_must_specify_duration
        return wrong and self._seed.system == "7rooms"

    def _offer(self, row: Any) -> Offer:
        if not isinstance(row, dict):
            raise CallRefused("Invalid offers")
        start, end, price = wall_clock(row.get("start")), wall_clock(row.get("end")), row.get("price")
        technician, service = id_of(row.get("technician_id")), id_of(row.get("service_id"))
        facility = id_of(row.get("facility_id"))
        if start is None or end is None or end <= start:
            raise CallRefused("Invalid date")
        if isinstance(price, bool) or not isinstance(price, int | float):
            raise CallRefused("Invalid price")
        if technician not in self._seed.technicians:
            raise CallRefused("Invalid technician ID")
        if service not in self._treatments:
            raise CallRefused("Invalid service ID")
        if facility not in self._seed.facilities:
            raise CallRefused("Invalid facility ID")
        if not self._bookable(start):
            raise CallRefused("Time is not available")
        return Offer(start, end, price, technician, service, facility)

    def _check_free(self, offers: list[Offer]) -> None:
        asked = Diary()
        for index, offer in enumerate(offers):
            who, start, end = offer.technician_id, offer.start, offer.end
            if not self._diary.fits(who, start, end) or not asked.fits(who, start, end):
                raise CallRefused("Time is not available")
            asked.occupy(who, start, end, str(index))

    def _window(self, asked: Any) -> tuple[date, datetime, datetime, list[Treatment]]:
        """Date, start and end of the window, and the services."""
        try:
            day = date.fromisoformat(asked["date"])
            opens, closes = (datetime.combine(day, time.fromisoformat(asked[key])) for key in ("startTime", "endTime"))
            treatments = [self._treatments[id_of(service)] for service in asked["services"]]
        except KeyError as error:
            known = isinstance(asked, dict) and {"date", "startTime", "endTime", "services"} <= asked.keys()
            raise CallRefused("Invalid service ID" if known else f"Missing {error.args[0]}") from None
        except (TypeError, ValueError):
            raise CallRefused("Invalid request") from None
        if opens.tzinfo or closes.tzinfo:
            raise CallRefused("Invalid request")
        return day, opens, closes, treatments

    def _free(self, treatment: Treatment, opens: datetime, closes: datetime) -> Iterator[Offer]:
        step = timedelta(minutes=self._seed.step_minutes)
        midnight = datetime.combine(opens.date(), time.min)
        start = midnight - (midnight - opens) // step * step
        while (end := start + timedelta(minutes=treatment.minutes)) <= closes:
            if self._bookable(start):
                for index, technician in enumerate(self._seed.technicians):
                    if self._diary.fits(technician, start, end):
                        price = max(treatment.price - index % 2 * self._seed.cheaper, 0)
                        for facility in self._seed.facilities:
                            yield Offer(start, end, price, technician, treatment.id, facility)
            start += step

    def _bookable(self, start: datetime) -> bool:
        now = self._now().astimezone(self._seed.zone).replace(tzinfo=None)
        return now < start <= now + timedelta(days=self._seed.days_ahead)

    def _aware(self, offer: Offer) -> dict[str, Any]:
        """Availability answers with an offset; creation takes times without one."""
        if not self._switches().peoplevine_offsets:
            return offer.as_json()
        zone = self._seed.zone
        return {
            **offer.as_json(),
            "start": offer.start.replace(tzinfo=zone).isoformat(),
            "end": offer.end.replace(tzinfo=zone).isoformat(),
        }
