"""Peoplevine Bookings, pretended (document: `peoplevine-bookings`).

Every answer is HTTP 200 with `success`, `reason` and `message`; a failure is `success: false` with a reason. Reasons
the document does not show are inferred: "Invalid credentials", "Time is not available", "Invalid technician ID" and
their like.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from sandbox.answers import Answer, ids
from sandbox.diary import Diary
from sandbox.seed import PeoplevineSeed, Treatment
from sandbox.switches import Switches

CREDENTIALS: Final = ("auth_id", "company", "user", "pass")
_SEARCHED_DAYS: Final = 14


class Refused(Exception):
    """The call is answered with `success: false` and this reason."""


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


class Peoplevine:
    """One account's state. Not safe between threads: its owner holds a lock."""

    def __init__(self, seed: PeoplevineSeed, switches: Callable[[], Switches], now: Callable[[], datetime]) -> None:
        self.members = set(seed.members)
        self.synced: Counter[str] = Counter()
        self.reservations: list[dict[str, Any]] = []
        self._seed = seed
        self._switches = switches
        self._now = now
        self._diary = Diary()
        self._ids = ids(now())
        self._treatments = {treatment.id: treatment for treatment in seed.treatments}
        self._methods: dict[str, tuple[str, Callable[[Mapping[str, str], Any], Answer]]] = {
            "sync_member": ("GET", self._sync_member),
            "get_service_availability": ("POST", self._get_service_availability),
            "create_service_reservation": ("POST", self._create_service_reservation),
        }

    def call(self, verb: str, method: str, query: Mapping[str, str], body: Any) -> Answer:
        """body: the decoded JSON; None where there is none or it is none."""
        if method not in self._methods:
            return self.failure(f"No such method: {method}", 404)
        wanted, handler = self._methods[method]
        if verb != wanted:
            return self.failure(f"Use {wanted}", 405)
        try:
            self._check_credentials(query)
            return handler(query, body)
        except Refused as refused:
            return self.failure(str(refused))
        except OverflowError:  # a time at the end of the calendar
            return self.failure("Invalid date")

    def failure(self, reason: str, status: int | None = None) -> Answer:
        status = self._switches().peoplevine_failure_status if status is None else status
        return Answer(_body(success=False, reason=reason), status, refusal=reason)

    def _check_credentials(self, query: Mapping[str, str]) -> None:
        seed = self._seed
        right = (seed.auth_id, seed.company, seed.user, seed.password)
        if tuple(query.get(name) for name in CREDENTIALS) != right:
            raise Refused("Invalid credentials")
        if query.get("host", "1") not in ("1", "2"):
            raise Refused("Invalid host")

    def _sync_member(self, query: Mapping[str, str], body: Any) -> Answer:
        member = query.get("member_id", "")
        if member not in self.members:
            raise Refused("Member not found")
        self.synced[member] += 1
        return Answer(_body(success=True, success_count=1), effect="synced", id=member)

    def _create_service_reservation(self, query: Mapping[str, str], body: Any) -> Answer:
        if not isinstance(body, dict):
            raise Refused("Invalid request")
        member = _id(body.get("member_id"))
        if member not in self.members:
            raise Refused("Invalid member ID")
        rows = body.get("offers")
        if not isinstance(rows, list) or not rows:
            raise Refused("Invalid offers")
        offers = [self._offer(row) for row in rows]
        if self._switches().peoplevine_refuses_overlap:
            self._check_free(offers)
        reservation = next(self._ids)
        for index, offer in enumerate(offers):
            self._diary.occupy(offer.technician_id, offer.start, offer.end, f"{reservation}/{index}")
        self.reservations.append(
            {
                "id": reservation,
                "member_id": member,
                "notes": body.get("notes"),
                "offers": [offer.as_json() for offer in offers],
            }
        )
        # The document's own example: a reservation made counts as nothing in success_count.
        return Answer(_body(success=True, message=reservation), effect="booked", id=reservation)

    def _offer(self, row: Any) -> Offer:
        if not isinstance(row, dict):
            raise Refused("Invalid offers")
        start, end, price = _wall_clock(row.get("start")), _wall_clock(row.get("end")), row.get("price")
        technician, service = _id(row.get("technician_id")), _id(row.get("service_id"))
        facility = _id(row.get("facility_id"))
        if start is None or end is None or end <= start:
            raise Refused("Invalid date")
        if isinstance(price, bool) or not isinstance(price, int | float):
            raise Refused("Invalid price")
        if technician not in self._seed.technicians:
            raise Refused("Invalid technician ID")
        if service not in self._treatments:
            raise Refused("Invalid service ID")
        if facility not in self._seed.facilities:
            raise Refused("Invalid facility ID")
        if not self._bookable(start):
            raise Refused("Time is not available")
        return Offer(start, end, price, technician, service, facility)

    def _check_free(self, offers: list[Offer]) -> None:
        asked = Diary()
        for index, offer in enumerate(offers):
            who, start, end = offer.technician_id, offer.start, offer.end
            if not self._diary.fits(who, start, end) or not asked.fits(who, start, end):
                raise Refused("Time is not available")
            asked.occupy(who, start, end, str(index))

    def _get_service_availability(self, query: Mapping[str, str], body: Any) -> Answer:
        """Offers wholly inside the window asked for; where there are none, what `alternateTime` and
        `nextAvailableDate` allow."""
        day, opens, closes, treatments = self._window(body)
        midnight = datetime.combine(day, time.min)
        windows = [(opens, closes)]
        if body.get("alternateTime"):
            windows.append((midnight, midnight + timedelta(days=1)))
        if body.get("nextAvailableDate"):
            later = (midnight + timedelta(days=ahead) for ahead in range(1, _SEARCHED_DAYS + 1))
            windows += [(start, start + timedelta(days=1)) for start in later]
        for start, end in windows:
            offers = [offer for treatment in treatments for offer in self._free(treatment, start, end)]
            if offers:
                break
        return Answer({"offers": [self._aware(offer) for offer in offers], **_body(success=True, counts=False)})

    def _window(self, body: Any) -> tuple[date, datetime, datetime, list[Treatment]]:
        """Date, start and end of the window, and the services."""
        try:
            day = date.fromisoformat(body["date"])
            opens, closes = (datetime.combine(day, time.fromisoformat(body[key])) for key in ("startTime", "endTime"))
            treatments = [self._treatments[_id(service)] for service in body["services"]]
        except KeyError as error:
            known = isinstance(body, dict) and {"date", "startTime", "endTime", "services"} <= body.keys()
            raise Refused("Invalid service ID" if known else f"Missing {error.args[0]}") from None
        except (TypeError, ValueError):
            raise Refused("Invalid request") from None
        if opens.tzinfo or closes.tzinfo:
            raise Refused("Invalid request")
        return day, opens, closes, treatments

    def _free(self, treatment: Treatment, opens: datetime, closes: datetime) -> Iterator[Offer]:
        step = timedelta(minutes=self._seed.step_minutes)
        midnight = datetime.combine(opens.date(), time.min)
        start = midnight - (midnight - opens) // step * step
        while (end := start + timedelta(minutes=treatment.minutes)) <= closes:
            if self._bookable(start):
                for technician in self._seed.technicians:
                    if self._diary.fits(technician, start, end):
                        for facility in self._seed.facilities:
                            yield Offer(start, end, treatment.price, technician, treatment.id, facility)
            start += step

    def _bookable(self, start: datetime) -> bool:
        now = self._now().astimezone(self._seed.zone).replace(tzinfo=None)
        return now < start <= now + timedelta(days=self._seed.days_ahead)

    def _aware(self, offer: Offer) -> dict[str, Any]:
        """Availability answers with an offset; creation takes times without one."""
        zone = self._seed.zone
        return {
            **offer.as_json(),
            "start": offer.start.replace(tzinfo=zone).isoformat(),
            "end": offer.end.replace(tzinfo=zone).isoformat(),
        }


def _body(
    *, success: bool, reason: str | None = None, message: str | None = None, success_count: int = 0, counts: bool = True
) -> dict[str, Any]:
    body: dict[str, Any] = {"success": success, "reason": reason, "message": message}
    return {**body, "success_count": success_count, "error_count": 0} if counts else body


def _id(value: Any) -> str:
    """An id written as text or number, as text; "" for anything else."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _wall_clock(value: Any) -> datetime | None:
    """A venue-local time; None for what is none, or has an offset."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is None else None
