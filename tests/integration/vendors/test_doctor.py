"""`bellhop doctor` against the pretended vendors: each check as it passes, and as it fails."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from bellhop.cli.main import cli
from bellhop.ledger.breaker import FAILURES
from bellhop.ledger.records.accounts import Ended, Permit
from bellhop.ledger.store import Ledger
from bellhop.sandbox.peoplevine.seed import SEVENROOMS, PeoplevineSeeds
from bellhop.sandbox.seed import Seed
from bellhop.sandbox.server import Sandbox
from bellhop.sandbox.simplybook.seed import SimplybookSeed
from bellhop.schemas.settings import Limits
from bellhop.vendors.doctor.probe import Probe
from tests.support.ledger import sqlite_ledger

SETTINGS = """
[ledger]
url = "sqlite:///{folder}/ledger.db"
[work]
claim = "120s"
[sources.crm]
verifier = "bearer"
secrets = ["upstream-secret-42"]
[sources.crm.venues."Roof"]
venue = "salon"
service_id = "{service}"
provider_id = "{provider}"
[accounts.club]
kind = "peoplevine"
base_url = "{url}"
auth_id = "sandbox-sevenrooms"
company = "4713"
user = "bellhop"
password = "{password}"
system = "sevenrooms"
attributes = ["Likes the window"]
pull_reservations = "*/15 * * * *"
[accounts.salon]
kind = "simplybook"
base_url = "{url}"
company = "{company}"
api_key = "{api_key}"
secret_key = "{secret_key}"
limit_per_second = {rate}
{more}
[venues.club]
account = "club"
timezone = "{zone}"
[venues.salon]
account = "salon"
timezone = "{zone}"
"""

READING = {
    *("getToken", "getServiceUrl", "isPaymentRequired", "isPluginActivated", "getPluginStatuses", "getCompanyInfo"),
    *("getCompanyTimezoneOffset", "getTimeframe", "getEventList", "getUnitList", "getLocationsList"),
    *("getAdditionalFields", "getStartTimeMatrix", "products", "metadata", "get_service_availability"),
}
Fault = dict[str, object]
FEW = replace(SimplybookSeed(), units=SimplybookSeed().units[:3])


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Seed(simplybook=FEW)) as running:
        yield running


class Doctor:
    """The command, with settings of which some are changed."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._ledger_url = sqlite_ledger(folder)
        self._facts = {
            **{"folder": folder, "url": url, "company": "sandbox", "api_key": "sandbox-api-key", "more": ""},
            "secret_key": "sandbox-secret-key",
            **{"rate": "0", "password": "sandbox-password", "zone": "Europe/London", "service": "1", "provider": "2"},
        }

    def run(self, *words: str, **changed: object) -> Result:
        file = self._folder / "bellhop.toml"
        file.write_text(SETTINGS.format(**{**self._facts, **changed}))
        return CliRunner().invoke(cli, ["--config", str(file), "doctor", *words])

    def checks(self, account: str, **changed: object) -> dict[str, Any]:
        """By name; the exit code is held against them."""
        told = self.run(account, "--json", **changed)
        (only,) = json.loads(told.output)["accounts"]
        found = {check["name"]: check for check in only["checks"]}
        assert told.exit_code == int(any(check["status"] == "fail" for check in found.values()))
        assert only["ok"] is (told.exit_code == 0)
        return found

    def ledger(self) -> Ledger:
        return Ledger.open(self._ledger_url, keep_seconds=86400)


@pytest.fixture
def doctor(tmp_path: Path, sandbox: Sandbox) -> Doctor:
    return Doctor(tmp_path, sandbox.url)


def methods(sandbox: Sandbox) -> list[str]:
    return [call["method"] for call in sandbox.calls()]


def only_failure(found: dict[str, Any]) -> dict[str, Any]:
    (failure,) = [check for check in found.values() if check["status"] == "fail"]
    told: dict[str, Any] = failure
    return told


# --- as it should be --------------------------------------------------------------------------------------------------


def test_a_doctor_at_work_does_not_have_the_vendor_refuse_for_too_many_calls(doctor: Doctor, sandbox: Sandbox) -> None:
    sandbox.switch(simplybook_per_second=5, simplybook_at_once=2)
    found = doctor.checks("salon", rate="5")
    assert [check["name"] for check in found.values() if check["status"] == "fail"] == []


def test_accounts_that_are_well_pass_and_nothing_but_reading_methods_was_called(
    doctor: Doctor, sandbox: Sandbox
) -> None:
    before = sandbox.state.snapshot()
    told = doctor.run()
    assert told.exit_code == 0, told.output
    assert "salon (simplybook): all well" in told.output
    assert set(methods(sandbox)) <= READING
    assert {call["effect"] for call in sandbox.calls()} == {None}
    assert sandbox.state.snapshot() == before
    for secret in ("sandbox-api-key", "sandbox-secret-key", "sandbox-password", "upstream-secret-42"):
        assert secret not in told.output


def test_the_key_itself_is_tried_and_its_token_is_shared_with_the_workers(doctor: Doctor, sandbox: Sandbox) -> None:
    ledger = doctor.ledger()
    ledger.replace_token("salon", None, lambda: "of-yesterday")
    assert doctor.checks("salon")["login"]["seen"].startswith("logged in with the API key")
    assert methods(sandbox).count("getToken") == 1
    assert ledger.token("salon") != "of-yesterday"


def test_a_key_that_is_wrong_is_found_though_a_token_that_works_is_shared(doctor: Doctor, sandbox: Sandbox) -> None:
    doctor.checks("salon")
    shared = doctor.ledger().token("salon")
    failure = only_failure(doctor.checks("salon", api_key="another-key-42"))
    assert (failure["name"], "Wrong API key" in failure["seen"]) == ("login", True)
    assert doctor.ledger().token("salon") == shared


def test_an_account_whose_breaker_is_open_is_checked_all_the_same(doctor: Doctor) -> None:
    ledger = doctor.ledger()
    for _ in range(FAILURES):
        ledger.accounts.acquire("club", Limits(), last=False, lease_seconds=5, patience_seconds=0)
        ledger.accounts.release(Permit("club", "", 0, False), Ended.AWAY, error="no answer in time")
    found = doctor.checks("club")
    assert found["breaker"]["status"] == "warn"
    assert "no answer in time" in found["breaker"]["seen"]
    assert found["availability"]["status"] == "ok"
    view = next(one for one in ledger.accounts.views() if one.account == "club")
    assert (view.breaker, view.used) == ("open", FAILURES)  # neither closed nor counted


def test_an_account_that_is_not_there_is_wrong_usage(doctor: Doctor) -> None:
    told = doctor.run("nobody")
    assert told.exit_code == 2
    assert "is not one of the accounts: club, salon" in told.output


def test_the_late_pull_of_an_account_is_told(doctor: Doctor) -> None:
    assert doctor.checks("club")["pulls"]["status"] == "warn"


# --- the way to the vendor --------------------------------------------------------------------------------------------


def test_a_name_that_does_not_exist_is_one_line_and_the_rest_is_skipped(doctor: Doctor) -> None:
    own = {"password": "a-password", "api_key": "an-api-key", "secret_key": "a-secret-key"}  # the sandbox's are refused
    found = doctor.checks("salon", url="http://vendor.invalid", **own)
    assert only_failure(found)["seen"] == "the name vendor.invalid is not known"
    assert found["login"]["seen"] == "not tried, as reach failed"
    assert found["breaker"]["status"] == "ok"


def test_a_port_where_nobody_listens_is_one_line(doctor: Doctor) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert "refuses connections" in only_failure(doctor.checks("club", url=url))["seen"]


def test_https_where_plain_http_is_spoken_is_one_line(doctor: Doctor, sandbox: Sandbox) -> None:
    failure = only_failure(doctor.checks("club", url=sandbox.url.replace("http", "https")))
    assert failure["seen"].startswith("TLS with 127.0.0.1")


def test_a_path_that_is_not_the_vendors_api_is_one_line(doctor: Doctor, sandbox: Sandbox) -> None:
    failure = only_failure(doctor.checks("salon", url=f"{sandbox.url}/elsewhere"))
    assert failure["name"] == "login"
    assert "check base_url" in failure["advice"][0]
    assert only_failure(doctor.checks("club", url=f"{sandbox.url}/elsewhere"))["name"] == "credentials"


@pytest.mark.parametrize(("minutes", "status"), [(-2, "warn"), (0, "ok"), (2, "warn")])
def test_a_clock_that_differs_by_more_than_a_minute_is_a_warning(sandbox: Sandbox, minutes: int, status: str) -> None:
    probe = Probe(
        sandbox.url,
        connect_seconds=2,
        read_seconds=10,
        now=lambda: datetime.now(UTC) + timedelta(minutes=minutes),
    )
    assert probe.reach().status == "ok"
    finding = probe.clock()
    assert finding.status == status
    assert ("behind" in finding.seen, "ahead of" in finding.seen) == (minutes < 0, minutes > 0)


def test_a_vendor_that_hangs_up_is_told_in_one_line(doctor: Doctor, sandbox: Sandbox) -> None:
    sandbox.fault(method="products", kind="reset", times=None)
    assert "the connection broke" in only_failure(doctor.checks("club"))["seen"]


# --- SimplyBook.me ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-33001, "set company to the company's login"),
        (-33002, "go to the 'Custom Features' link and select API Custom Feature 'Settings'"),
        (-33003, "set api_key anew"),
        (-33004, "the user is blocked"),
        (-33005, "HIPAA"),
    ],
)
def test_a_refused_login_is_explained_by_its_code(doctor: Doctor, sandbox: Sandbox, code: int, words: str) -> None:
    sandbox.switch(simplybook_login_error=code)
    failure = only_failure(doctor.checks("salon"))
    assert failure["name"] == "login"
    assert words in " ".join(failure["advice"])


def test_a_wrong_api_key_is_not_shown(doctor: Doctor) -> None:
    told = doctor.run("salon", api_key="a-key-that-is-wrong")
    assert told.exit_code == 1
    assert "Wrong API key" in told.output
    assert "a-key-that-is-wrong" not in told.output


@pytest.mark.parametrize("token", ["empty", "null"])
def test_a_login_that_gives_no_token_has_failed(doctor: Doctor, sandbox: Sandbox, token: str) -> None:
    sandbox.switch(simplybook_token=token)
    assert only_failure(doctor.checks("salon"))["name"] == "login"


def test_an_api_feature_that_is_off_is_a_matter_of_permission(doctor: Doctor, sandbox: Sandbox) -> None:
    sandbox.switch(**sandbox.state.switches.plugins({"api": False}))
    found = doctor.checks("salon")
    assert only_failure(found)["seen"] == "isPluginActivated('api') answers false"
    assert found["services"]["seen"] == "not tried, as permission failed"


def test_access_denied_right_after_logging_in_is_a_matter_of_permission(doctor: Doctor, sandbox: Sandbox) -> None:
    sandbox.fault(method="isPluginActivated", kind="error", code=-32600, message="Access denied", times=None)
    failure = only_failure(doctor.checks("salon"))
    assert failure["name"] == "permission"
    assert "also right after logging in" in failure["seen"]


@pytest.mark.parametrize(
    ("check", "method"),
    [
        ("company", "getCompanyInfo"),
        ("time zone", "getCompanyTimezoneOffset"),
        ("timeframe", "getTimeframe"),
        ("features", "getPluginStatuses"),
        ("services", "getEventList"),
        ("providers", "getUnitList"),
        ("locations", "getLocationsList"),
        ("intake fields", "getAdditionalFields"),
        ("availability", "getStartTimeMatrix"),
    ],
)
def test_a_method_that_fails_fails_its_check_with_the_vendors_words(
    doctor: Doctor, sandbox: Sandbox, check: str, method: str
) -> None:
    sandbox.fault(method=method, kind="error", code=-32001, message="Custom Feature is not activated")
    failure = only_failure(doctor.checks("salon"))
    assert (failure["name"], failure["seen"]) == (check, f"{method}: Custom Feature is not activated (-32001)")
    assert failure["advice"] == ["activate the custom feature at SimplyBook.me"]


def test_venues_of_another_zone_would_book_at_the_wrong_times(doctor: Doctor) -> None:
    failure = only_failure(doctor.checks("salon", zone="Europe/Paris"))
    assert failure["seen"] == "the company's is Europe/London, but in the settings salon is Europe/Paris"
    assert only_failure(doctor.checks("club", zone="Asia/Dubai"))["name"] == "time zone"


def test_ids_of_the_settings_that_the_vendor_does_not_have_are_named(doctor: Doctor) -> None:
    assert "that are not there: 99" in only_failure(doctor.checks("salon", service="99"))["seen"]
    failure = only_failure(doctor.checks("salon", provider="98"))
    assert (failure["name"], "98" in failure["seen"]) == ("providers", True)


def test_batches_without_their_custom_feature_fail(doctor: Doctor, sandbox: Sandbox) -> None:
    sandbox.switch(**sandbox.state.switches.plugins({"multiple_booking": False}))
    assert doctor.checks("salon")["features"]["status"] == "ok"
    assert only_failure(doctor.checks("salon", more="batch = true"))["name"] == "features"


def test_the_address_is_asked_for_where_the_settings_say_so(doctor: Doctor, sandbox: Sandbox) -> None:
    assert doctor.checks("salon", more="discover = true")["address"]["status"] == "ok"
    sandbox.switch(simplybook_service_url="https://elsewhere.example")
    failure = only_failure(doctor.checks("salon", more="discover = true"))
    assert (failure["name"], "not SimplyBook.me's" in failure["seen"]) == ("address", True)


ADMIN = 'admin_user = "admin"\nadmin_password = "{}"'
OPEN = ADMIN.format("sandbox-password")


def test_the_user_of_the_companys_list_is_tried_by_logging_in_and_reading(doctor: Doctor, sandbox: Sandbox) -> None:
    ledger = doctor.ledger()
    ledger.replace_token("salon/admin", None, lambda: "of-yesterday")
    found = doctor.checks("salon", more=OPEN)["admin user"]
    assert (found["status"], "the list shows 0 bookings" in found["seen"]) == ("ok", True)
    assert [name for name in methods(sandbox) if name in ("getUserToken", "getBookings")] == [
        *("getUserToken", "getBookings")
    ]
    assert ledger.token("salon/admin") != "of-yesterday"
    assert {call["effect"] for call in sandbox.calls()} == {None}


def test_without_such_a_user_the_list_is_left_alone(doctor: Doctor, sandbox: Sandbox) -> None:
    assert doctor.checks("salon")["admin user"]["status"] == "skipped"
    assert "getUserToken" not in methods(sandbox)


def test_a_wrong_password_of_the_user_is_found_though_a_token_that_works_is_shared(doctor: Doctor) -> None:
    doctor.checks("salon", more=OPEN)
    told = doctor.run("salon", more=ADMIN.format("a-wrong-word-42"))
    assert "a-wrong-word-42" not in told.output
    failure = only_failure(doctor.checks("salon", more=ADMIN.format("a-wrong-word-42")))
    assert (failure["name"], "User with this login" in failure["seen"]) == ("admin user", True)
    assert "set admin_user and admin_password anew" in failure["advice"][0]
    assert "api_key" not in " ".join(failure["advice"])


@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        ({"method": "getUserToken", "kind": "error", "code": -33004, "message": "User is blocked"}, "unblock it"),
        ({"method": "getUserToken", "kind": "error", "code": -32000, "message": "Not today"}, "set admin_user"),
        ({"method": "getUserToken", "kind": "http", "status": 403}, "a firewall before it turns this host away"),
        ({"method": "getBookings", "kind": "error", "code": -32600, "message": "Access denied"}, "see all bookings"),
        ({"method": "getBookings", "kind": "error", "code": -32601, "message": "Method not found"}, "see all bookings"),
        ({"method": "getBookings", "kind": "reset"}, "the vendor did not answer"),
    ],
)
def test_each_refusal_of_the_user_fails_that_check_alone(
    doctor: Doctor, sandbox: Sandbox, fault: Fault, advice: str
) -> None:
    sandbox.fault(**fault, times=None)  # type: ignore[arg-type]
    failure = only_failure(doctor.checks("salon", more=OPEN))
    assert failure["name"] == "admin user"
    assert advice in " ".join(failure["advice"])


@pytest.mark.parametrize(
    ("check", "seed"),
    [
        ("services", replace(FEW, services=())),
        ("providers", replace(FEW, units=(), locations=())),
        ("timeframe", replace(FEW, timeframe=0)),
        ("availability", replace(FEW, days_ahead=-1)),
    ],
)
def test_a_company_that_is_not_set_up_fails(tmp_path: Path, check: str, seed: SimplybookSeed) -> None:
    with Sandbox(Seed(simplybook=seed)) as sandbox:
        told = Doctor(tmp_path, sandbox.url).checks("salon", service="", provider="")
    assert told[check]["status"] == "fail"
    assert told[check]["advice"]


BROKEN: dict[str, tuple[Fault, dict[str, object], str, str]] = {
    "a wrong key, its code replaced": (
        {"method": "getToken", "kind": "error", "code": -32000, "message": "Wrong API key"},
        {},
        "login",
        "set api_key anew",
    ),
    "a company that is not there, its code replaced": (
        {"method": "getToken", "kind": "error", "code": -32000, "message": "Company does not exist"},
        {},
        "login",
        "set company to the company's login",
    ),
    "a login refused in words of no table": (
        {"method": "getToken", "kind": "error", "code": -32000, "message": "This tariff has no API"},
        {},
        "login",
        "activate the Custom Feature API",
    ),
    "a blocked user": (
        {"method": "getToken", "kind": "error", "code": -32000, "message": "User is blocked"},
        {},
        "login",
        "have the company's administrator unblock it",
    ),
    "a firewall before the vendor": (
        {"method": "getToken", "kind": "http", "status": 403},
        {},
        "login",
        "a firewall before it turns this host away",
    ),
    "a vendor out of order": ({"method": "getToken", "kind": "http", "status": 502}, {}, "login", "out of order"),
    "a token that is good for nothing": (
        {"method": "isPluginActivated", "kind": "error", "code": -32000, "message": "Session expired"},
        {},
        "permission",
        "activate the Custom Feature API",
    ),
    "a venue in another zone": ({}, {"zone": "America/New_York"}, "time zone", "set venues.salon.timezone"),
    "a service that is not there": ({}, {"service": "99"}, "services", "bellhop catalog"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_each_kind_of_broken_salon_fails_one_check_with_the_right_advice(
    doctor: Doctor, sandbox: Sandbox, kind: str
) -> None:
    fault, changed, check, advice = BROKEN[kind]
    if fault:
        sandbox.fault(**fault, times=None)  # type: ignore[arg-type]
    failure = only_failure(doctor.checks("salon", **changed))
    assert failure["name"] == check
    assert advice in " ".join(failure["advice"])


@pytest.mark.parametrize(
    ("body", "advice"),
    [
        ("Invalid username or password", "set auth_id (the integration's account id)"),
        ("Company is not active", "set auth_id (the integration's account id)"),
        ("Please try again later", "the vendor's status page"),
    ],
)
def test_each_kind_of_broken_club_fails_with_the_right_advice(
    doctor: Doctor, sandbox: Sandbox, body: str, advice: str
) -> None:
    sandbox.fault(method="products", kind="error", message=body, times=None)
    failure = only_failure(doctor.checks("club"))
    assert failure["name"] == "credentials"
    assert advice in " ".join(failure["advice"])


# --- Peoplevine -------------------------------------------------------------------------------------------------------


def test_wrong_credentials_are_told_with_the_region_tried_and_not_shown(doctor: Doctor, sandbox: Sandbox) -> None:
    told = doctor.run("club", password="a-wrong-password")
    assert told.exit_code == 1
    assert "Invalid credentials" in told.output
    assert '"2" does not take them either' in told.output
    assert "a-wrong-password" not in told.output
    assert set(methods(sandbox)) == {"products"}


def test_an_account_of_the_other_region_is_recognised(doctor: Doctor, sandbox: Sandbox) -> None:
    sandbox.switch(peoplevine_region="2")
    failure = only_failure(doctor.checks("club"))
    assert failure["advice"][0].startswith('the other region takes these credentials: set region = "2"')


@pytest.mark.parametrize("switch", ["sevenrooms_app_not_in_audience", "sevenrooms_client_must_specify_duration"])
def test_sevenrooms_without_availability_is_explained_by_its_guide(
    doctor: Doctor, sandbox: Sandbox, switch: str
) -> None:
    sandbox.switch(**{switch: True})
    failure = only_failure(doctor.checks("club"))
    assert failure["name"] == "availability"
    assert "Access Rules under Availability" in failure["advice"][0]
    assert "uncheck the Client must specify duration" in failure["advice"][1]
    assert set(methods(sandbox)) == {"products", "metadata", "get_service_availability"}


@pytest.mark.parametrize(
    ("method", "kind", "check"),
    [
        ("products", "error", "services"),
        ("products", "http", "credentials"),
        ("metadata", "error", "locations"),
        ("get_service_availability", "error", "availability"),
        ("get_service_availability", "http", "availability"),
    ],
)
def test_a_peoplevine_method_that_fails_fails_its_check(
    doctor: Doctor, sandbox: Sandbox, method: str, kind: str, check: str
) -> None:
    sandbox.fault(method=method, kind=kind, **({"message": "Not today"} if kind == "error" else {}))
    failure = only_failure(doctor.checks("club"))
    assert failure["name"] == check
    assert ("Not today" if kind == "error" else "HTTP 503") in failure["seen"]


def test_a_club_without_services_locations_and_guest_types_is_told_what_to_check(tmp_path: Path) -> None:
    bare = replace(SEVENROOMS, treatments=(), locations=(), guest_types=(), zone=ZoneInfo("Europe/London"))
    with Sandbox(Seed(peoplevine=PeoplevineSeeds(behind=(bare,)))) as sandbox:
        found = Doctor(tmp_path, sandbox.url).checks("club")
    statuses = {name: check["status"] for name, check in found.items()}
    assert [statuses[name] for name in ("services", "locations", "guest types")] == ["fail", "warn", "warn"]
    assert "sent to you by your Sevenrooms rep" in " ".join(found["services"]["advice"])
