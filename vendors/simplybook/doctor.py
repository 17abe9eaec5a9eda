"""The checks of a SimplyBook.me account. Only methods that read are called, getToken and getUserToken."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

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
from bellhop.vendors.doctor.state import unknown_ids, zone_finding
from bellhop.vendors.simplybook import guide
from bellhop.vendors.simplybook.company_rules import find_field, takes_text
from bellhop.vendors.simplybook.forms import is_set
from bellhop.vendors.simplybook.settings import SimplybookAccount

_FEATURES: Final = {
    "api": "API",
    "approve_booking": "Approve booking",
    "event_field": "Intake forms",
    "group_booking": "Group bookings",
    "location": "Multiple locations",
    "multiple_booking": "Multiple bookings",
}
_NOTES_ADVICE: Final = (
    "add a text field of that title to the services' intake form at SimplyBook.me, or name another by notes_field:",
    "where a service has none, notes are not sent, and the event's history and result say so",
)
_TRIED: Final = 3
_DAYS: Final = 7
_HOURS: Final = 14
"""No clock is further from UTC."""


class SimplybookChecks:
    """log_in: gets a new token and shares it. service_url: where getServiceUrl says the API is. list_of: logs in the
    user of `admin_user` and gives what stands of a service on a day (Y-m-d); None where the settings name none."""

    def __init__(
        self,
        account: SimplybookAccount,
        subject: Subject,
        call: MethodCall,
        log_in: Callable[[], None],
        service_url: Callable[[], str],
        list_of: Callable[[str, str], Sequence[object]] | None = None,
    ) -> None:
        self._account = account
        self._subject = subject
        self._call = call
        self._log_in = log_in
        self._service_url = service_url
        self._list_of = list_of
        self._api = False
        self._denied: Trouble | None = None
        self._info: dict[str, Any] = {}
        self._on: Mapping[str, bool] = {}
        self._services: list[dict[str, Any]] = []

    def checks(self) -> list[Check]:
        address = [Check("address", self._address, ("reach",))] if self._account.discover else []
        allowed = ("permission",)
        return [
            *address,
            Check("login", self._login, ("reach", "address")),
            Check("permission", self._permission, ("login",)),
            Check("company", self._company, allowed),
            Check("time zone", self._zone, ("company",)),
            Check("timeframe", self._timeframe, allowed),
            Check("features", self._features, allowed),
            Check("services", self._list_services, allowed),
            Check("providers", self._providers, allowed),
            Check("locations", self._locations, allowed),
            Check("intake fields", self._fields, ("services",)),
            Check("notes", self._notes, ("services",)),
            Check("payments", self._payments, ("services",)),
            Check("availability", self._availability, ("services", "company")),
            Check("admin user", self._admin_user, ("services",)),
            Check("signature", _signature),
        ]

    def explain(self, trouble: Trouble) -> Finding:
        if trouble.method in guide.USER and trouble.status is not None and not trouble.words.startswith("HTTP"):
            code = guide.USER_LOGIN.get(trouble.code, guide.USER[trouble.method])
            return fail(str(trouble), *code, guide.WITHOUT_LIST)
        if trouble.code in guide.LOGIN:
            return fail(str(trouble), *guide.LOGIN[trouble.code])
        if trouble.kind == "auth" and _is_company(trouble):
            return fail(str(trouble), guide.COMPANY)
        if trouble.kind == "auth":
            return fail(str(trouble), guide.API_FEATURE, guide.API_KEY)
        return general(trouble)

    def _address(self) -> Finding:
        return ok(f"getServiceUrl names {self._service_url()}")

    def _login(self) -> Finding:
        """The key itself is tried: a shared token that still works would hide one that is wrong. Workers go on with the
        new token, so the one that this may have ended costs at most the calls that were on their way."""
        self._log_in()
        try:
            self._api = bool(self._call("isPluginActivated", "api"))
        except Trouble as trouble:
            if trouble.kind != "auth" or trouble.method in ("getToken", "getServiceUrl") or _is_company(trouble):
                raise
            self._denied = trouble  # the login itself went well
        return ok("logged in with the API key; the new token is shared with the workers")

    def _permission(self) -> Finding:
        if self._denied is not None:
            return fail(f"{self._denied}, also right after logging in", guide.API_FEATURE, guide.API_KEY)
        if not self._api:
            return fail("isPluginActivated('api') answers false", guide.API_FEATURE)
        return ok("the Custom Feature API is active")

    def _company(self) -> Finding:
        self._info = self._call("getCompanyInfo")
        login = str(self._info.get("login") or "")
        if login and login.lower() != self._account.company.lower():
            return fail(f"the vendor says that this is {login}", guide.COMPANY)
        return ok(str(self._info.get("name") or login or "there, without a name"))

    def _zone(self) -> Finding:
        told = self._call("getCompanyTimezoneOffset")
        facts = told if isinstance(told, dict) else {}
        name = str(facts.get("timezone") or self._info.get("timezone") or "")
        return zone_finding(name, self._subject, _offset_of(facts.get("offset", facts.get("timezone_offset"))))

    def _timeframe(self) -> Finding:
        minutes = self._call("getTimeframe")
        if minutes < 1:
            return fail(f"{minutes} minutes between starts", "set the timeframe in the company's settings")
        return ok(f"{minutes} minutes between starts")

    def _features(self) -> Finding:
        on = self._active()
        seen = f"active: {', '.join(words for name, words in _FEATURES.items() if on.get(name)) or 'none'}"
        if self._account.batch and not on.get("multiple_booking"):
            return fail(
                seen, "batch is on in the settings: activate the Custom Feature Multiple bookings, or set it off"
            )
        if on.get("approve_booking") and not self._account.confirm:
            return warn(
                seen, "Approve booking is active and confirm is off: bookings will wait for a person's approval"
            )
        return ok(seen)

    def _active(self) -> Mapping[str, bool]:
        """The Custom Features, each on or off; asked for once."""
        if not self._on:
            self._on = self._call("getPluginStatuses", list(_FEATURES))
        return self._on

    def _list_services(self) -> Finding:
        rows = self._call("getEventList", False, True)
        self._services = [row for row in rows if row["is_public"] and row["is_active"]]
        if wrong := unknown_ids("services", "services", self._subject.services, frozenset(row["id"] for row in rows)):
            return wrong
        if not self._services:
            return fail(
                f"{len(rows)} found, none of them active and public",
                "add a service at SimplyBook.me, or make one visible: only those can be booked here",
            )
        hidden = len(rows) - len(self._services)
        names = name_list([f"{row['name']} ({row['id']})" for row in self._services], 3)
        return ok(f"{len(self._services)}: {names}" + (f"; {hidden} hidden" if hidden else ""))

    def _providers(self) -> Finding:
        rows = self._call("getUnitList", False, True)
        if wrong := unknown_ids("providers", "providers", self._subject.providers, frozenset(r["id"] for r in rows)):
            return wrong
        if not rows:
            return fail("none", "add a service provider at SimplyBook.me: nothing can be booked without one")
        several = sum(1 for row in rows if (row.get("qty") or 1) > 1)
        names = name_list([f"{row['name']} ({row['id']})" for row in rows], 3)
        return ok(f"{len(rows)}: {names}" + (f"; {several} hold several bookings at a time" if several else ""))

    def _locations(self) -> Finding:
        if not self._active().get("location"):
            return skip("the Custom Feature Multiple locations is not active")
        rows = self._call("getLocationsList", False, True)
        if not rows:
            return warn("none, though the Custom Feature Multiple locations is active", "add the company's locations")
        return ok(f"{len(rows)}: {name_list([str(row['title']) for row in rows], 3)}")

    def _fields(self) -> Finding:
        if not self._active().get("event_field"):
            return skip("the Custom Feature Intake forms is not active")
        asking = []
        for row in self._first(2 * _TRIED):
            fields = self._call("getAdditionalFields", int(row["id"]))
            needed = [str(one["title"] or one["name"]) for one in fields if not one["is_null"]]
            if needed:
                asking.append(f"{row['name']} ({row['id']}): {name_list(needed)}")
        if not asking:
            return ok("no service looked at has a mandatory field")
        return ok(f"mandatory for {'; '.join(asking)}", f"see `bellhop catalog {self._account.name} fields`")

    def _notes(self) -> Finding:
        wanted = self._account.notes_field
        if not wanted:
            return skip("notes_field is not set: notes are not sent, and whoever posts them is told so")
        if not self._active().get("event_field"):
            return fail("notes_field is set, but the Custom Feature Intake forms is not active", *_NOTES_ADVICE)
        with_it: list[str] = []
        without: list[str] = []
        unfit: list[str] = []
        for row in self._first(2 * _TRIED):
            field = find_field(wanted, self._call("getAdditionalFields", int(row["id"])))
            found = without if field is None else with_it if takes_text(field) else unfit
            found.append(f"{row['name']} ({row['id']})")
        if unfit:
            return fail(f'"{wanted}" takes no free text at {name_list(unfit, 3)}', *_NOTES_ADVICE)
        if not with_it:
            return fail(f'no service looked at has an intake field "{wanted}"', *_NOTES_ADVICE)
        seen = f'"{wanted}" takes the notes at {name_list(with_it, 3)}'
        return warn(f"{seen}; not at {name_list(without, 3)}", *_NOTES_ADVICE) if without else ok(seen)

    def _payments(self) -> Finding:
        """Which services demand payment: a booking of theirs stands only once it is paid."""
        if not self._call("isPaymentRequired"):
            return ok("no service demands payment")
        rows = self._first(2 * _TRIED)
        asking = [f"{row['name']} ({row['id']})" for row in rows if self._call("isPaymentRequired", int(row["id"]))]
        timeout = self._call("getCompanyParam", "payment_timeout") or "a time that is not told"
        later = self._call("getCompanyParam", "allow_delay_payment")
        seen = f"payment is demanded for {name_list(asking) or 'services not looked at'}, within {timeout}"
        seen += "; it may be delayed" if is_set(later) else ""
        return warn(seen, "a booking of theirs is a dead letter `unpaid` until it is paid: see docs/runbook.md")

    def _availability(self) -> Finding:
        today = self._subject.today()
        until = today + timedelta(days=_DAYS)
        free: list[str] = []
        none: list[str] = []
        for row in self._first(_TRIED):
            matrix = self._call("getStartTimeMatrix", today.isoformat(), until.isoformat(), int(row["id"]))
            starts = sum(map(len, matrix.values()))
            (free if starts else none).append(f"{row['name']} ({row['id']})" + (f" {starts}" if starts else ""))
        advice = (
            "check at SimplyBook.me the opening hours, the providers' working hours and days off,",
            "and that the providers perform these services",
        )
        if not free:
            return fail(f"no free start within {_DAYS} days for {', '.join(none)}", *advice)
        seen = f"free starts within {_DAYS} days: {', '.join(free)}"
        return warn(f"{seen}; none for {', '.join(none)}", *advice) if none else ok(seen)

    def _admin_user(self) -> Finding:
        """The user's password itself is tried, as the API key is; then what a call in doubt would ask."""
        if self._list_of is None:
            return skip("admin_user is not set: what became of a call without an answer is not looked up")
        (service,) = self._first(1)
        found = self._list_of(self._subject.today().isoformat(), service["id"])
        return ok(f"logged in; the list shows {len(found)} bookings of {service['name']} ({service['id']}) today")

    def _first(self, most: int) -> list[dict[str, Any]]:
        """Those that the settings name, then others."""
        return sorted(self._services, key=lambda row: row["id"] not in self._subject.services)[:most]


def _offset_of(told: object) -> timedelta | None:
    """An offset as hours, minutes or seconds, whichever its size allows, or as +01:00. The document does not say."""
    text = str(told).strip()
    if clock := re.fullmatch(r"([+-])(\d{1,2}):(\d{2})", text):
        size = timedelta(hours=int(clock[2]), minutes=int(clock[3]))
        return -size if clock[1] == "-" else size
    if not re.fullmatch(r"[+-]?\d{1,5}(?:\.0+)?", text):
        return None
    number = float(text)
    unit = 3600 if abs(number) <= _HOURS else 60 if abs(number) <= 60 * _HOURS else 1
    return timedelta(seconds=unit * number)


def _is_company(trouble: Trouble) -> bool:
    return "company" in trouble.words.lower()


def _signature() -> Finding:
    return skip("secret_key was not tried: only confirming or cancelling a booking shows whether it is right")
