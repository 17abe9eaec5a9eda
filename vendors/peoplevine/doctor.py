"""The checks of a Peoplevine account. Only products, metadata and get_service_availability are called."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from bellhop.vendors.catalog import MethodCall
from bellhop.vendors.doctor.checks import (
    Check,
    Finding,
    Subject,
    Trouble,
    fail,
    general,
    name_list,
    ok,
    skip,
    warn,
)
from bellhop.vendors.doctor.state import unknown_ids
from bellhop.vendors.peoplevine import guide
from bellhop.vendors.peoplevine.settings import PeoplevineAccount

_TRIED: Final = 3
_DAYS: Final = 7


class PeoplevineChecks:
    """elsewhere: calls the same account in the other region."""

    def __init__(self, account: PeoplevineAccount, subject: Subject, call: MethodCall, elsewhere: MethodCall) -> None:
        self._account = account
        self._subject = subject
        self._call = call
        self._elsewhere = elsewhere
        self._services: list[dict[str, Any]] = []
        self._refused: Trouble | None = None
        self._offer: Mapping[str, Any] = {}

    def checks(self) -> list[Check]:
        known = ("credentials",)
        return [
            Check("credentials", self._credentials, ("reach",)),
            Check("services", self._list_services, known),
            Check("locations", lambda: self._list("locations", "locations"), known),
            Check("guest types", lambda: self._list("guest_types", "guest types"), known),
            Check("availability", self._availability, ("services",)),
            Check("time zone", self._zone, ("availability",)),
            *(self._sevenrooms() if self._account.system == "sevenrooms" else []),
        ]

    def explain(self, trouble: Trouble) -> Finding:
        if trouble.kind == "auth":
            return fail(str(trouble), guide.CREDENTIALS)
        return general(trouble)

    def _credentials(self) -> Finding:
        """An account without services refuses `products` without a reason: that says nothing of the credentials."""
        try:
            self._services = self._call("products")
        except Trouble as trouble:
            if trouble.kind == "auth":
                return fail(str(trouble), *self._region_advice(), guide.CREDENTIALS)
            if trouble.kind not in ("rejected", "unknown") or trouble.status != 200 or trouble.words.startswith("HTTP"):
                raise
            self._refused = trouble
            self._call("locations")
        return ok(f"taken, in region {self._account.region or '1'}")

    def _region_advice(self) -> tuple[str, ...]:
        """Tries the other region: it refuses credentials of this one with the same words."""
        other = other_region(self._account)
        try:
            self._elsewhere("products")
        except Trouble:
            return (f'region (host) is "{self._account.region or "1"}" here; "{other}" does not take them either',)
        return (f'the other region takes these credentials: set region = "{other}" (1 is the default, 2 the UK)',)

    def _list_services(self) -> Finding:
        pull = f"have them fetched: `bellhop pull {self._account.name} --what services`"
        if self._refused is not None:
            return fail(
                str(self._refused), f"there may be no services; {pull}", *guide.CONNECTION[self._account.system]
            )
        found = frozenset(str(row["id"]) for row in self._services)
        if wrong := unknown_ids("services", "services", self._subject.services, found):
            return wrong
        if not self._services:
            return fail("none", pull, *guide.CONNECTION[self._account.system])
        return ok(f"{len(self._services)}: {name_list([_label(row) for row in self._services], 3)}")

    def _list(self, method: str, words: str) -> Finding:
        rows = self._call(method)
        if not rows:
            return warn("none", f"bookings may need {words}", *guide.CONNECTION[self._account.system])
        return ok(f"{len(rows)}: {name_list([_label(row) for row in rows], 3)}")

    def _availability(self) -> Finding:
        """Stops at a service's first day with an offer: most accounts answer at once."""
        today = self._subject.today()
        free, none = [], []
        for row in sorted(self._services, key=lambda row: str(row["id"]) not in self._subject.services)[:_TRIED]:
            offers = 0
            for ahead in range(1, _DAYS + 1):
                day = today + timedelta(days=ahead)
                offers = self._offers(day.isoformat(), str(row["id"]))
                if offers:
                    free.append(f"{_label(row)} {offers} on {day:%d %b}")
                    break
            if not offers:
                none.append(_label(row))
        advice = guide.AVAILABILITY[self._account.system]
        if not free:
            return fail(f"no offer within {_DAYS} days for {', '.join(none)}", *advice)
        seen = f"offers: {', '.join(free)}"
        return warn(f"{seen}; none within {_DAYS} days for {', '.join(none)}", *advice) if none else ok(seen)

    def _offers(self, day: str, service: str) -> int:
        offers = self._call("get_service_availability", day, "00:00", "23:59", False, False, [service])
        if offers and not self._offer:
            self._offer = offers[0]
        return len(offers)

    def _zone(self) -> Finding:
        """The offers' offset against that of the venues at the same moment."""
        start = _moment(self._offer.get("start"))
        if start is None or start.utcoffset() is None:
            return skip("the offers' times have no offset to compare with")
        zones = self._subject.zones
        if not zones:
            return warn("no venue of the settings is of this account", "add one: [venues.NAME] with account")
        wrong = [venue for venue, zone in zones.items() if _offset(start, zone) != start.utcoffset()]
        if not wrong:
            return ok(f"the offers' offset {start:%z} is that of {', '.join(zones)} in the settings")
        ours = ", ".join(f"{venue} is {zones[venue].key}" for venue in wrong)
        return fail(
            f"the offers' offset is {start:%z}, but in the settings {ours}",
            f"bookings would be made at the wrong times: set venues.{wrong[0]}.timezone to the venue's own",
        )

    def _sevenrooms(self) -> list[Check]:
        """What only Sevenrooms' own screens show: told, not tried."""
        statuses = [f"{code} ({category}, {display}): {words}" for code, category, display, words in guide.STATUSES]
        screens = (guide.EMAILS, guide.GROUPS, guide.APP_NAME)
        return [
            Check("attributes", self._attributes),
            Check("set-up", lambda: skip("e-mails, groups and the App are set in Sevenrooms and Peoplevine", *screens)),
            Check("statuses", lambda: skip("what Sevenrooms' statuses mean", *statuses)),
        ]

    def _attributes(self) -> Finding:
        count = len(self._account.attributes)
        return skip(f"{count} labels beside the 10 default ones; Sevenrooms does not tell its own", guide.LABELS)


def other_region(account: PeoplevineAccount) -> str:
    return "1" if account.region == "2" else "2"


def _moment(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()


def _label(row: Mapping[str, Any]) -> str:
    return f"{row['name']} ({row['id']})"
