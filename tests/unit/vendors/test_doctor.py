"""The doctor's findings, from what the vendor is said to have answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bellhop.ledger.pulls import Watermark
from bellhop.ledger.records.accounts import AccountView
from bellhop.schemas import zones
from bellhop.schemas.settings import Limits
from bellhop.schemas.statuses import CANCELLED, ENDED, STANDING, WAITING
from bellhop.vendors.doctor.checks import (
    Check,
    CheckStatus,
    Finding,
    Result,
    Subject,
    Trouble,
    examine,
    fail,
    general,
    name_list,
    ok,
    skip,
)
from bellhop.vendors.doctor.state import state_checks, unknown_ids, zone_finding
from bellhop.vendors.peoplevine import guide as spa_guide
from bellhop.vendors.peoplevine.doctor import PeoplevineChecks
from bellhop.vendors.peoplevine.settings import PeoplevineAccount
from bellhop.vendors.simplybook import guide as salon_guide
from bellhop.vendors.simplybook.doctor import SimplybookChecks
from bellhop.vendors.simplybook.settings import SimplybookAccount

NOW = datetime(2026, 3, 10, 12, 7, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")


def subject(
    zones: Mapping[str, ZoneInfo] | None = None,
    services: frozenset[str] = frozenset(),
    view: AccountView | None = None,
    marks: tuple[Watermark, ...] = (),
) -> Subject:
    return Subject({"spa": LONDON} if zones is None else zones, services, frozenset(), view, marks, lambda: NOW)


def club(system: str = "", region: str = "", **more: Any) -> PeoplevineAccount:
    return PeoplevineAccount(
        *("club", "https://v.example", "auth", "42", "someone", "password", region, False, 1.0, 1.0),
        system=system,
        **more,
    )


def salon(**more: Any) -> SimplybookAccount:
    return SimplybookAccount(
        **{
            "name": "salon",
            "base_url": "https://v.example",
            "company": "salon",
            "api_key": "key",
            "secret_key": "secret",
            "confirm": True,
            "connect_seconds": 1.0,
            "read_seconds": 1.0,
            **more,
        }
    )


def answering(answers: Mapping[str, Any]) -> Callable[..., Any]:
    """A vendor that answers each method so; an exception is raised."""

    def call(method: str, /, *arguments: Any) -> Any:
        answer = answers[method]
        if isinstance(answer, Exception):
            raise answer
        return answer(*arguments) if callable(answer) else answer

    return call


def made(checks: SimplybookChecks | PeoplevineChecks) -> dict[str, Finding]:
    reached = Check("reach", lambda: ok("there"))
    return {result.name: result.finding for result in examine([reached, *checks.checks()], checks.explain)}


SALON: dict[str, Any] = {
    "isPluginActivated": True,
    "getCompanyInfo": {"login": "salon", "name": "Salon", "timezone": "Europe/London"},
    "getCompanyTimezoneOffset": {"offset": "0", "timezone": "Europe/London"},
    "getTimeframe": 15,
    "getPluginStatuses": {"api": True},
    "getEventList": [{"id": "1", "name": "Massage", "is_public": True, "is_active": True}],
    "getUnitList": [{"id": "3", "name": "Ann", "qty": 1}],
    "getLocationsList": [],
    "isPaymentRequired": False,
    "getStartTimeMatrix": {"2026-03-11": ["09:00:00"]},
}
CLUB: dict[str, Any] = {
    "products": [{"id": "7", "name": "Facial"}],
    "locations": [{"id": "1", "name": "Spa"}],
    "guest_types": [{"id": "2", "name": "VIP"}],
    "get_service_availability": [{"start": "2026-03-11T09:00:00+00:00"}],
}


def of_salon(
    who: Subject | None = None, account: SimplybookAccount | None = None, **answers: Any
) -> dict[str, Finding]:
    call = answering({**SALON, **answers})
    return made(SimplybookChecks(account or salon(), who or subject(), call, lambda: None, lambda: "https://x"))


def of_club(
    who: Subject | None = None, account: PeoplevineAccount | None = None, elsewhere: Any = None, **answers: Any
) -> dict[str, Finding]:
    other = answering({"products": elsewhere or Trouble("products", "auth", "Invalid credentials")})
    return made(PeoplevineChecks(account or club(), who or subject(), answering({**CLUB, **answers}), other))


def view(**more: Any) -> AccountView:
    facts: dict[str, Any] = {
        **{"account": "club", "breaker": "closed", "failures": 0, "open_until": None, "error": ""},
        **{"day": "2026-03-10", "used": 0, "at_once": 0, "ill": False, **more},
    }
    return AccountView(**facts)


def state(account: PeoplevineAccount | SimplybookAccount, who: Subject) -> dict[str, Finding]:
    return {one.name: one.finding for one in examine(state_checks(account, who), general)}


# --- the checks' order ------------------------------------------------------------------------------------------------


def test_what_needs_a_failed_check_is_skipped_with_the_reason_and_so_is_what_needs_that() -> None:
    checks = [
        Check("a", lambda: fail("no")),
        Check("b", lambda: ok("never asked"), ("a",)),
        Check("c", lambda: ok("never asked"), ("b",)),
        Check("d", lambda: ok("asked")),
    ]
    found = examine(checks, general)
    assert [result.finding.status for result in found] == ["fail", "skipped", "skipped", "ok"]
    assert [result.finding.seen for result in found[1:3]] == ["not tried, as a failed", "not tried, as b failed"]


def test_a_check_that_has_its_own_reason_to_be_skipped_stops_no_other() -> None:
    found = examine([Check("a", lambda: skip("off")), Check("b", lambda: ok("asked"), ("a",))], general)
    assert found[1] == Result("b", ok("asked"))


@pytest.mark.parametrize(
    ("trouble", "advice"),
    [
        (Trouble("m", "transient", "could not be reached"), "check base_url, this host's network"),
        (Trouble("m", "throttled", "HTTP 429", status=429), "asks for a pause"),
        (Trouble("m", "unknown", "no answer in time"), "raise read_timeout"),
        (Trouble("m", "rejected", "HTTP 404", status=404), "not the vendor's API"),
        (Trouble("m", "rejected", "not active", code="-32001", status=200, advice="activate it"), "activate it"),
    ],
)
def test_a_failed_call_is_explained_by_its_kind(trouble: Trouble, advice: str) -> None:
    finding = general(trouble)
    assert finding.status is CheckStatus.FAIL
    assert advice in finding.advice[0]
    assert finding.seen == str(trouble)


def test_long_lists_are_cut_and_counted() -> None:
    assert name_list(["a", "b", "c"], 2) == "a, b and 1 more"
    assert name_list(["a", "b"], 2) == "a, b"


# --- what Bellhop knows itself ----------------------------------------------------------------------------------------


def test_zones_of_other_names_but_the_same_clock_are_the_same() -> None:
    assert zone_finding("Europe/Paris", subject({"spa": ZoneInfo("Europe/Berlin")})).status is CheckStatus.OK


def test_zones_that_differ_only_in_summer_are_not_the_same() -> None:
    finding = zone_finding("Africa/Abidjan", subject({"spa": LONDON}))
    assert finding.status is CheckStatus.FAIL
    assert "spa is Europe/London" in finding.seen
    assert "set venues.spa.timezone" in finding.advice[0]


@pytest.mark.parametrize("name", ["Europe London", "europe/london", " Europe  London ", "Europe_London"])
def test_a_zone_is_known_however_the_vendor_spells_it_and_fails_where_its_clock_differs(name: str) -> None:
    assert zone_finding(name, subject()).status is CheckStatus.OK
    finding = zone_finding(name, subject({"spa": ZoneInfo("America/New_York")}))
    assert finding.status is CheckStatus.FAIL
    assert "spa is America/New_York" in finding.seen


def test_a_zone_of_several_words_is_known() -> None:
    york = subject({"spa": ZoneInfo("America/New_York")})
    assert zone_finding("America New York", york).status is CheckStatus.OK


@pytest.mark.parametrize(
    ("offset", "status"),
    [("0", "warn"), (0, "warn"), ("+00:00", "warn"), (60, "fail"), ("3600", "fail"), (-5, "fail"), ("+01:00", "fail")],
)
def test_of_a_zone_that_nobody_knows_the_clock_is_compared(offset: object, status: str) -> None:
    told = {"getCompanyTimezoneOffset": {"offset": offset, "timezone": "Mars Base"}}
    assert of_salon(**told)["time zone"].status == status


def test_an_offset_that_nobody_can_read_is_none() -> None:
    for offset in (None, "", "summer", [1], 10**9):
        told = {"getCompanyTimezoneOffset": {"offset": offset, "timezone": "Mars Base"}}
        assert of_salon(**told)["time zone"].status is CheckStatus.WARN


@pytest.mark.parametrize("name", ["", "Mars/Base", "../etc/passwd"])
def test_a_zone_that_nobody_knows_is_a_warning(name: str) -> None:
    assert zone_finding(name, subject()).status is CheckStatus.WARN


def test_an_account_without_a_venue_is_a_warning() -> None:
    assert zone_finding("Europe/London", subject({})).status is CheckStatus.WARN
    assert of_club(subject({}))["time zone"].status is CheckStatus.WARN


def test_ids_of_the_settings_that_the_vendor_lacks_are_named() -> None:
    finding = unknown_ids("services", "services", frozenset({"1", "99"}), frozenset({"1", "2"}))
    assert finding is not None
    assert finding.seen == "2 found, but the settings name services that are not there: 99"
    assert unknown_ids("services", "services", frozenset({"1"}), frozenset({"1", "2"})) is None


def test_an_open_breaker_is_told_with_its_end_and_its_last_error() -> None:
    until = NOW + timedelta(seconds=30)
    open_ = view(breaker="open", failures=5, open_until=until, error="could not be reached", ill=True)
    finding = state(club(), subject(view=open_))["breaker"]
    assert finding.status is CheckStatus.WARN
    assert finding.seen == ("open until 12:07:30 UTC: the vendor was away for 5 calls; last: could not be reached")
    assert state(club(), subject())["breaker"] == ok("closed")


@pytest.mark.parametrize(
    ("host", "status", "word"), [("", "ok", ""), ("2012a", "ok", "older (2012a)"), ("9999z", "warn", "newer (9999z)")]
)
def test_a_hosts_other_time_zones_are_told_and_newer_ones_are_a_warning(host: str, status: str, word: str) -> None:
    finding = state(club(), replace(subject(), host_zones=host))["tzdata"]
    assert (finding.status, zones.VERSION in finding.seen, word in finding.seen) == (CheckStatus(status), True, True)


@pytest.mark.parametrize(
    ("used", "status"), [(0, CheckStatus.OK), (799, CheckStatus.OK), (800, CheckStatus.WARN), (1000, CheckStatus.WARN)]
)
def test_a_budget_that_runs_short_is_a_warning(used: int, status: CheckStatus) -> None:
    finding = state(club(limits=Limits(per_day=1000)), subject(view=view(used=used)))["budget"]
    assert (finding.status, finding.seen[:20]) == (status, f"{used} of 1000 calls used today"[:20])


@pytest.mark.parametrize(
    ("pulled", "status"),
    [
        (None, CheckStatus.WARN),
        (NOW - timedelta(minutes=6), CheckStatus.OK),  # 12:01: of the last tick
        (NOW - timedelta(minutes=22), CheckStatus.OK),  # 11:45: the last may be on its way
        (NOW - timedelta(minutes=23), CheckStatus.WARN),
    ],
)
def test_a_pull_that_missed_its_last_two_ticks_is_late(pulled: datetime | None, status: CheckStatus) -> None:
    marks = () if pulled is None else (Watermark("club", "reservations", pulled, pulled),)
    finding = state(club(pulls={"reservations": "*/15 * * * *"}), subject(marks=marks))["pulls"]
    assert finding.status is status


def test_an_account_without_pulls_has_no_such_check() -> None:
    assert "pulls" not in state(club(), subject())
    assert "pulls" not in state(salon(), subject())


# --- SimplyBook.me ----------------------------------------------------------------------------------------------------


def test_a_salon_that_is_well_has_no_complaints() -> None:
    statuses = {name: finding.status for name, finding in of_salon().items()}
    odd = {name: status for name, status in statuses.items() if status is not CheckStatus.OK}
    assert odd == dict.fromkeys(("signature", "locations", "intake fields", "notes", "admin user"), "skipped")


@pytest.mark.parametrize(
    ("check", "status", "words", "answers"),
    [
        ("company", "fail", "this is other", {"getCompanyInfo": {"login": "other"}}),
        ("timeframe", "fail", "0 minutes", {"getTimeframe": 0}),
        ("services", "fail", "0 found, none of them active", {"getEventList": []}),
        ("providers", "fail", "none", {"getUnitList": []}),
        ("locations", "warn", "none, though", {"getPluginStatuses": {"location": True}}),
        ("availability", "fail", "no free start within 7 days for Massage (1)", {"getStartTimeMatrix": {}}),
        ("time zone", "warn", "none at all", {"getCompanyTimezoneOffset": [], "getCompanyInfo": {}}),
        ("permission", "fail", "answers false", {"isPluginActivated": False}),
    ],
)
def test_what_is_wrong_at_a_salon_is_told(check: str, status: str, words: str, answers: dict[str, Any]) -> None:
    finding = of_salon(**answers)[check]
    assert (finding.status, words in finding.seen) == (status, True), finding
    assert finding.advice or status == "warn"


def test_only_services_that_are_hidden_are_none() -> None:
    hidden = {"id": "1", "name": "Training", "is_public": False, "is_active": True}
    found = of_salon(getEventList=[hidden])
    assert found["services"].seen == "1 found, none of them active and public"
    assert found["availability"].seen == "not tried, as services failed"


def test_some_services_without_a_free_start_are_a_warning() -> None:
    services = [{"id": i, "name": f"S{i}", "is_public": True, "is_active": True} for i in ("1", "2")]
    found = of_salon(
        getEventList=services, getStartTimeMatrix=lambda _from, _to, id_: {"2026-03-11": ["09:00:00"] * (id_ == 1)}
    )
    assert found["availability"].status is CheckStatus.WARN
    assert "S1 (1) 1; none for S2 (2)" in found["availability"].seen


def test_batches_need_the_custom_feature_for_several_bookings() -> None:
    assert of_salon(account=salon(batch=True))["features"].status is CheckStatus.FAIL
    on = {"api": True, "multiple_booking": True}
    assert of_salon(account=salon(batch=True), getPluginStatuses=on)["features"].status is CheckStatus.OK


def test_bookings_that_nobody_will_approve_are_a_warning() -> None:
    on = {"api": True, "approve_booking": True}
    assert of_salon(account=salon(confirm=False), getPluginStatuses=on)["features"].status is CheckStatus.WARN
    assert of_salon(getPluginStatuses=on)["features"].status is CheckStatus.OK


@pytest.mark.parametrize("code", salon_guide.LOGIN)
def test_each_login_error_is_explained_by_its_code(code: str) -> None:
    finding = of_salon(isPluginActivated=Trouble("getToken", "auth", "refused", code=code))["login"]
    assert (finding.status, finding.advice) == (CheckStatus.FAIL, salon_guide.LOGIN[code])


def test_access_denied_after_a_login_that_worked_is_a_matter_of_permission() -> None:
    found = of_salon(isPluginActivated=Trouble("isPluginActivated", "auth", "Access denied", code="-32600"))
    assert found["login"].status is CheckStatus.OK
    assert found["permission"].advice == (salon_guide.API_FEATURE, salon_guide.API_KEY)
    assert found["services"].seen == "not tried, as permission failed"


def test_an_unknown_company_is_a_matter_of_the_company() -> None:
    wrong = Trouble("isPluginActivated", "auth", "Company does not exists", code="-32600")
    assert of_salon(isPluginActivated=wrong)["login"].advice == (salon_guide.COMPANY,)


def test_an_address_that_cannot_be_trusted_stops_the_login() -> None:
    def untrusted() -> str:
        raise Trouble("getServiceUrl", "unknown", "names a host that is not SimplyBook.me's", status=200)

    checks = SimplybookChecks(salon(discover=True), subject(), answering(SALON), lambda: None, untrusted)
    found = made(checks)
    assert found["address"].status is CheckStatus.FAIL
    assert found["login"].seen == "not tried, as address failed"


FIELD = {"name": "a" * 32, "title": "Notes", "type": "textarea", "is_null": True}


def of_notes(fields: list[dict[str, Any]], **on: bool) -> Finding:
    active = {"event_field": True, **on}
    account = salon(notes_field="notes")
    return of_salon(account=account, getAdditionalFields=fields, getPluginStatuses=active)["notes"]


@pytest.mark.parametrize(
    ("fields", "on", "status", "words"),
    [
        ([FIELD], {}, CheckStatus.OK, '"notes" takes the notes at'),
        ([], {}, CheckStatus.FAIL, 'no service looked at has an intake field "notes"'),
        ([FIELD | {"type": "select"}], {}, CheckStatus.FAIL, "takes no free text"),
        ([FIELD], {"event_field": False}, CheckStatus.FAIL, "Intake forms is not active"),
    ],
)
def test_the_field_for_notes_is_looked_for_in_the_services_forms(
    fields: list[dict[str, Any]], on: dict[str, bool], status: CheckStatus, words: str
) -> None:
    finding = of_notes(fields, **on)
    assert finding.status is status
    assert words in finding.seen
    assert of_salon()["notes"].status is CheckStatus.SKIPPED


def test_services_that_demand_payment_are_told_with_the_time_they_leave() -> None:
    found = of_salon(isPaymentRequired=True, getCompanyParam="30 minutes")["payments"]
    assert found.status is CheckStatus.WARN
    assert "payment is demanded for" in found.seen
    assert "within 30 minutes" in found.seen
    assert of_salon()["payments"].status is CheckStatus.OK


# --- Peoplevine -------------------------------------------------------------------------------------------------------


def test_a_club_that_is_well_has_no_complaints() -> None:
    assert {finding.status for finding in of_club().values()} == {CheckStatus.OK}


def test_credentials_of_the_other_region_are_recognised() -> None:
    refused = Trouble("products", "auth", "Invalid credentials", status=200)
    found = of_club(products=refused, elsewhere=[{"id": "7", "name": "Facial"}])
    assert 'set region = "2"' in found["credentials"].advice[0]
    assert found["availability"].seen == "not tried, as services failed"
    assert "does not take them either" in of_club(products=refused)["credentials"].advice[0]
    assert (
        'set region = "1"'
        in of_club(account=club(region="2"), products=refused, elsewhere=[1])["credentials"].advice[0]
    )


@pytest.mark.parametrize("system", ["sevenrooms", "book4time", "tripleseat", ""])
def test_no_offers_at_all_are_explained_by_the_system_behind(system: str) -> None:
    finding = of_club(account=club(system), get_service_availability=[])["availability"]
    assert (finding.status, finding.advice) == (CheckStatus.FAIL, spa_guide.AVAILABILITY[system])


def test_the_sevenrooms_guide_is_quoted_step_by_step() -> None:
    audience, duration = spa_guide.AVAILABILITY["sevenrooms"]
    steps = ("Settings", "Access Rules under Availability", "Edit all days", "Audience", "Save", "Repeat for all rules")
    places = [audience.index(step) for step in steps]
    assert places == sorted(places)
    assert "uncheck the Client must specify duration feature" in duration
    found = of_club(account=club("sevenrooms"))
    assert "case sensitive" in found["attributes"].advice[0]
    told = " ".join(found["set-up"].advice)
    for words in ("emails via Sevenrooms", "custom groups", "the name depends on what your Sevenrooms rep setup"):
        assert words in told
    statuses = found["statuses"].advice
    assert len(statuses) == 13
    assert (
        "NO_ENTRY (Pre-Service, No Entry): The guest was not permitted entry to the venue (Nightlife Only)." in statuses
    )
    assert "set-up" not in of_club()


def test_every_status_of_the_guide_has_a_meaning_here() -> None:
    known = WAITING | CANCELLED | ENDED | STANDING
    assert {code for code, *_ in spa_guide.STATUSES} <= known


def test_book4times_credentials_are_all_named() -> None:
    finding = of_club(account=club("book4time"), guest_types=[])["guest types"]
    assert finding.status is CheckStatus.WARN
    for word in ("API token", "account token", "location id", "guest type id", "tender type id"):
        assert word in finding.advice[1]


def test_no_services_are_to_be_pulled() -> None:
    assert "bellhop pull club --what services" in of_club(products=[])["services"].advice[0]


def test_days_are_asked_one_by_one_until_there_is_an_offer() -> None:
    asked: list[str] = []

    def offers(day: str, *_more: Any) -> list[dict[str, Any]]:
        asked.append(day)
        return [{"start": f"{day}T09:00:00+00:00"}] * (day == "2026-03-13")

    assert of_club(get_service_availability=offers)["availability"].seen == "offers: Facial (7) 1 on 13 Mar"
    assert asked == ["2026-03-11", "2026-03-12", "2026-03-13"]


def test_services_that_the_settings_name_are_tried_first() -> None:
    services = [{"id": str(number), "name": f"S{number}"} for number in range(1, 9)]
    found = of_club(subject(services=frozenset({"8"})), products=services)
    assert "S8 (8), " not in found["services"].seen
    assert found["availability"].seen.startswith("offers: S8 (8) 1 on 11 Mar, S1 (1)")


@pytest.mark.parametrize(
    ("start", "status"),
    [("2026-03-11T09:00:00+03:00", "fail"), ("2026-03-11T09:00:00", "skipped"), (None, "skipped")],
)
def test_the_offers_offset_is_held_against_the_venues_zone(start: str | None, status: str) -> None:
    assert of_club(get_service_availability=[{"start": start}])["time zone"].status == status
