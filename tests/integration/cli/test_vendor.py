"""`bellhop catalog`, `bellhop call` and `bellhop accounts` against the pretended vendors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bellhop.cli.main import cli
from bellhop.ledger.breaker import FAILURES
from bellhop.ledger.pulls import Watermark
from bellhop.ledger.records.accounts import Ended, Permit
from bellhop.ledger.store import Ledger
from bellhop.sandbox.server import Sandbox
from bellhop.schemas.settings import Limits
from bellhop.vendors.peoplevine.client import METHODS as SPA_METHODS
from bellhop.vendors.simplybook.methods import METHODS as SALON_METHODS
from tests.support.ledger import sqlite_ledger

SETTINGS = """
[ledger]
url = "sqlite:///{folder}/ledger.db"
[work]
claim = "120s"
[accounts.club]
kind = "peoplevine"
base_url = "{url}"
auth_id = "sandbox"
company = "4711"
user = "bellhop"
password = "sandbox-password"
pull_reservations = "*/15 * * * *"
[accounts.salon]
kind = "simplybook"
base_url = "{url}"
company = "sandbox"
api_key = "sandbox-api-key"
secret_key = "sandbox-secret-key"
limit_per_second = 0
limit_at_once = 0
limit_per_day = {per_day}
"""
DAY = f"{datetime.now(UTC).date() + timedelta(days=30)}"
CLIENT = '{"name": "Ann Bell", "email": "ann@example.com"}'
BOOK = ("book", "1", "3", DAY, "09:00:00", CLIENT)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


class Commands:
    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._ledger_url = sqlite_ledger(folder)
        self._url = url

    def __call__(self, *words: str, per_day: int = 0) -> Result:
        file = self._folder / "bellhop.toml"
        file.write_text(SETTINGS.format(folder=self._folder, url=self._url, per_day=per_day))
        return CliRunner().invoke(cli, ["--config", str(file), *words])

    def json(self, *words: str, per_day: int = 0) -> Any:
        told = self(*words, per_day=per_day)
        assert told.exit_code == 0, told.output
        return json.loads(told.output)

    def ledger(self) -> Ledger:
        return Ledger.open(self._ledger_url, keep_seconds=86400)


@pytest.fixture
def run(tmp_path: Path, sandbox: Sandbox) -> Commands:
    return Commands(tmp_path, sandbox.url)


def called(sandbox: Sandbox) -> list[str]:
    return [call["method"] for call in sandbox.calls() if call["method"] != "getToken"]


# --- catalog ----------------------------------------------------------------------------------------------------------


def test_a_salons_services_are_listed_with_what_a_mapping_needs(run: Commands) -> None:
    rows = run.json("catalog", "salon", "services", "--json")
    assert rows[1] == {
        **{"id": "2", "name": "Massage", "minutes": 60, "price": "90.0000", "currency": "GBP"},
        **{"public": True, "active": True, "recurring": False},
    }
    assert [row["id"] for row in rows if not row["public"]] == ["13"]


def test_a_salons_providers_and_locations_are_listed(run: Commands) -> None:
    providers = {row["id"]: row for row in run.json("catalog", "salon", "providers", "--json")}
    assert providers["65"] == {"id": "65", "name": "Studio", "qty": 5}
    assert run.json("catalog", "salon", "locations", "--json")[1] == {
        "id": "2",
        "name": "location 2",
        "providers": ["66", "67"],
    }


def test_intake_fields_are_listed_for_one_service_or_for_all(run: Commands, sandbox: Sandbox) -> None:
    rows = run.json("catalog", "salon", "fields", "--service", "12", "--json")
    assert called(sandbox).count("getAdditionalFields") == 1
    assert rows[0] == {
        **{"service_id": "12", "service": "Treatment with a form", "name": "81853bf002e30056f6189432c77d98a5"},
        **{"title": "select", "type": "select", "mandatory": True, "values": ["one", "two", "three", "four", "five"]},
    }
    assert [row["mandatory"] for row in rows] == [True, False, True, False, False]
    assert run.json("catalog", "salon", "fields", "--json") == rows
    assert run.json("catalog", "salon", "fields", "--service", "1", "--json") == []


@pytest.mark.parametrize("word", ["services", "products"])
def test_a_clubs_services_are_its_products(run: Commands, word: str) -> None:
    rows = run.json("catalog", "club", word, "--json")
    assert rows[0] == {
        **{"id": "24422569", "name": "Signature Massage 60min", "price": 100, "currency": None, "description": ""}
    }


def test_a_clubs_locations_and_guest_types_are_listed(run: Commands) -> None:
    assert run.json("catalog", "club", "locations", "--json")[1]["description"] == "Great place to relax!"
    assert run.json("catalog", "club", "guest-types", "--json")[0] == {
        "id": "16001176",
        "name": "VIP",
        "description": "",
    }


def test_the_table_has_a_line_for_each(run: Commands) -> None:
    told = run("catalog", "club", "guest-types")
    assert told.exit_code == 0
    assert re.search(r"16001176\s+VIP", told.output)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("salon", "guest-types"), "it has services, providers, locations, fields, but no guest-types"),
        (("club", "providers"), "it has services, products, locations, guest-types, but no providers"),
        (("nobody", "services"), "is not one of the accounts: club, salon"),
        (("salon", "services", "--service", "1"), "--service is for fields"),
        (("salon", "fields", "--service", "x"), "must be a service's id"),
        (("salon", "rooms"), "is not one of"),
    ],
)
def test_what_an_account_does_not_have_is_wrong_usage(
    run: Commands, sandbox: Sandbox, words: tuple[str, ...], reason: str
) -> None:
    told = run("catalog", *words)
    assert told.exit_code == 2
    assert reason in " ".join(told.output.split())
    assert sandbox.calls() == []


def test_a_list_that_is_refused_is_one_line_with_advice(run: Commands, sandbox: Sandbox) -> None:
    sandbox.switch(**sandbox.state.switches.plugins({"location": False}))
    told = run("catalog", "salon", "locations")
    assert told.exit_code == 1
    assert told.output == (
        "bellhop: simplybook getLocationsList: Custom Feature is not activated (-32001); "
        "activate the custom feature at SimplyBook.me\n"
    )


# --- call -------------------------------------------------------------------------------------------------------------


def test_without_a_method_all_there_are_are_listed(run: Commands, sandbox: Sandbox) -> None:
    salon = {row["method"]: row for row in run.json("call", "salon", "--json")}
    club = {row["method"]: row for row in run.json("call", "club", "--json")}
    assert (set(salon), set(club)) == (set(SALON_METHODS), set(SPA_METHODS))
    assert salon["cancelBooking"] == {
        "method": "cancelBooking",
        "signature": "cancelBooking(id, sign)",
        "changes": True,
        "deprecated": False,
    }
    assert club["sync_profiles"]["signature"] == "sync_profiles(since)"
    assert "calculateEndTime(startDateTime, eventId, unitId|null)" in run("call", "salon").output
    assert sandbox.calls() == []


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("getTimeframe",), 15),
        (("isPluginActivated", "api"), True),
        (("getCompanyParam", "timeframe"), "15"),
        (("getCompanyParams", '["timeframe"]'), {"timeframe": "15"}),
        (("calculateEndTime", f"{DAY} 09:00:00", "1", "3"), f"{DAY} 09:30:00"),
        (("filterAvailableUnits", "1", f"{DAY} 09:00:00", "[3, 4]"), ["3", "4"]),
    ],
)
def test_a_salons_method_is_called_with_its_words_read_as_json_or_text(
    run: Commands, words: tuple[str, ...], answer: Any
) -> None:
    assert run.json("call", "salon", *words) == answer


def test_null_leaves_out_an_argument_in_the_middle(run: Commands) -> None:
    found = run.json("call", "salon", "getStartTimeMatrix", DAY, DAY, "1", "null", "2")
    assert "09:00:00" in found[DAY]


@pytest.mark.parametrize("method", [name for name, method in SALON_METHODS.items() if method.changes])
def test_what_changes_something_is_not_called_without_yes(run: Commands, sandbox: Sandbox, method: str) -> None:
    words = {
        "book": BOOK[1:],
        "confirmBookingBatch": ("1", "group", "hash:aa"),
        "confirmBookingBatchPayment": ("1", "group", "paypal", "hash:aa"),
        "confirmBookingCart": ("1", "paypal", "hash:aa"),
        "confirmBookingPayment": ("1", "paypal", "hash:aa"),
        "createBatch": (),
        "validatePayment": ("{}", "1"),
    }
    told = run("call", "salon", method, *words.get(method, ("1", "hash:aa")))
    assert told.exit_code == 2
    assert told.output.startswith(f"bellhop: {method} changes something at the vendor")
    assert "say --yes" in told.output
    assert sandbox.calls() == []


def test_a_booking_is_made_with_yes_and_its_hash_shown_only_when_asked_for(run: Commands, sandbox: Sandbox) -> None:
    masked = run.json("call", "salon", *BOOK, "--yes")
    assert masked["bookings"][0]["hash"] == "***"
    (booking,) = run.json("call", "salon", *BOOK[:4], "10:00:00", CLIENT, "--yes", "--reveal")["bookings"]
    assert re.fullmatch(r"[0-9a-f]{32}", booking["hash"])
    assert [call["effect"] for call in sandbox.calls() if call["method"] == "book"] == ["booked", "booked"]


def test_a_call_that_changes_something_is_in_the_audit_before_it_is_made(run: Commands, sandbox: Sandbox) -> None:
    sandbox.fault(method="book", kind="http", status=502, times=None)
    assert run("call", "salon", *BOOK, "--yes").exit_code == 1
    assert run.json("call", "salon", "getTimeframe") == 15
    with closing(run.ledger()) as ledger:
        rows = ledger.letters.audit(10)
    assert [(row.act, row.what) for row in rows] == [("call", "account salon: book")]


def test_a_hash_is_signed_with_the_accounts_secret_key(run: Commands) -> None:
    (booking,) = run.json("call", "salon", *BOOK, "--yes", "--reveal")["bookings"]
    signed = (booking["id"], f"hash:{booking['hash']}")
    assert run.json("call", "salon", "getBookingDetails", *signed)["id"] == booking["id"]
    assert run.json("call", "salon", "cancelBooking", *signed, "--yes") is True
    again = run("call", "salon", "cancelBooking", *signed, "--yes")
    assert again.exit_code == 1
    assert again.output.endswith("(-32080); look the booking up at SimplyBook.me\n")


def test_a_wrong_signature_is_told_with_advice_and_not_repeated(run: Commands) -> None:
    (booking,) = run.json("call", "salon", *BOOK, "--yes", "--reveal")["bookings"]
    told = run("call", "salon", "getBookingDetails", booking["id"], "hash:00")
    assert told.exit_code == 1
    assert "(-32085); check the account's secret_key" in told.output


@pytest.mark.parametrize("digits", ["1" * 32, "1e" + "2" * 30])
def test_a_signature_that_looks_like_a_number_stays_a_text(run: Commands, sandbox: Sandbox, digits: str) -> None:
    told = run("call", "salon", "getBooking", "1", digits)
    assert told.exit_code == 1
    assert called(sandbox) == ["getBooking"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("salon", "getTimeframes"), "did you mean getTimeframe"),
        (("salon", "xyz"), "`bellhop call salon` lists them"),
        (("salon", "getToken"), "is not a method of simplybook"),
        (("club", "getTimeframe"), "is not a method of peoplevine"),
        (("salon", "getTimeframe", "1"), "takes at most 0 arguments"),
        (("salon", "getWorkCalendar", "2027"), "month is missing: getWorkCalendar(year, month, unitId)"),
        (("salon", "getFirstWorkingDay", "x"), "unitId must be a whole number"),
        (("salon", "getBooking", "1", "short"), "sign must be a signature"),
        (("club", "products", "1"), "takes at most 0 arguments"),
        (("club", "sync_member"), "member_id is missing: sync_member(member_id)"),
        (("club", "sync_member", "Ann", "--yes"), "member_id must be a whole number"),
        (("club", "sync_member", "1", "member_id=2"), "member_id is given twice"),
        (("club", "sync_profiles", "yesterday"), "since must be an ISO 8601"),
        (("club", "get_service_availability", DAY, "9 am", "10:00", "0", "0", "7"), "start_time must be a time"),
        (("club", "get_service_availability", "soon", "09:00", "10:00", "0", "0", "7"), "date must be a date"),
        (("club", "get_service_availability", DAY, "09:00", "10:00", "2", "0", "7"), "must be true or false"),
        (("club", "get_service_availability", DAY, "09:00", "10:00", "0", "0", "[]"), "services must be ids"),
        (("club", "create_service_reservation", "1", "", "{}"), "offers must be a list of objects"),
    ],
)
def test_wrong_words_are_wrong_usage_and_nothing_is_called(
    run: Commands, sandbox: Sandbox, words: tuple[str, ...], reason: str
) -> None:
    told = run("call", *words)
    assert told.exit_code == 2
    assert reason in " ".join(told.output.split())
    assert sandbox.calls() == []


def test_a_clubs_offers_are_asked_for_by_position_and_by_name(run: Commands) -> None:
    by_place = run.json("call", "club", "get_service_availability", DAY, "09:00", "09:30", "false", "false", "7")
    by_name = run.json(
        *("call", "club", "get_service_availability", DAY, "09:00", "09:30", "services=[7]"),
        *("next_available_date=false", "alternate_time=false"),
    )
    assert by_place == by_name
    assert {offer["service_id"] for offer in by_place} == {"7"}


def test_a_clubs_booking_needs_yes(run: Commands, sandbox: Sandbox) -> None:
    start, end = f"{DAY}T09:00:00", f"{DAY}T09:15:00"
    offer = {
        **{"start": start, "end": end, "price": 40, "technician_id": "17138931"},
        **{"service_id": "7", "facility_id": "24422054"},
    }
    words = ("create_service_reservation", "1000", "by hand", json.dumps([offer]))
    refused = run("call", "club", *words)
    assert refused.exit_code == 2
    assert "Bellhop's ledger does not know of it" in refused.output
    assert sandbox.calls() == []
    id_ = run.json("call", "club", *words, "--yes")
    assert [one["id"] for one in sandbox.state.vendors["peoplevine"].first.reservations] == [id_]


def test_a_member_and_a_time_reach_the_vendor_as_they_should(run: Commands, sandbox: Sandbox) -> None:
    assert run.json("call", "club", "sync_member", "1000", "--yes") is None
    assert run.json("call", "club", "sync_reservations", "2022-01-01", "--yes") == 5
    assert sandbox.calls()[1]["query"]["from"] == "2022-01-01T00:00:00Z"
    told = run("call", "club", "sync_member", "5", "--yes")
    assert (told.exit_code, told.output) == (1, "bellhop: peoplevine sync_member: Member not found\n")


def test_a_call_whose_answer_never_came_says_that_nobody_knows(run: Commands, sandbox: Sandbox) -> None:
    sandbox.fault(method="book", kind="reset", when="after")
    told = run("call", "salon", *BOOK, "--yes")
    assert told.exit_code == 1
    assert "nobody knows whether the vendor did it: look there before calling again" in told.output
    assert called(sandbox) == ["book"]


def test_calls_count_and_stop_at_the_days_end_of_the_budget(run: Commands, sandbox: Sandbox) -> None:
    assert run.json("call", "salon", "getTimeframe", per_day=5) == 15  # with the login, two
    counted = run.json("accounts", "--json", per_day=5)[1]
    assert (counted["used"], counted["on_their_way"]) == (2, None)
    assert run.json("accounts", "--json")[1]["used"] is None  # without a limit nobody counts, and 0 would be untrue
    for _ in range(2):
        run.json("call", "salon", "getTimeframe", per_day=5)
    told = run("call", "salon", "getTimeframe", per_day=5)
    assert told.exit_code == 1
    assert "is kept for bookings" in told.output
    assert called(sandbox).count("getTimeframe") == 3
    assert run.json("call", "salon", "createBatch", "--yes", per_day=5)  # a change may use what is kept


def test_an_open_breaker_keeps_a_call_back(run: Commands, sandbox: Sandbox) -> None:
    _open_breaker(run.ledger(), "club")
    told = run("call", "club", "products")
    assert told.exit_code == 1
    assert "its breaker is open" in told.output
    assert sandbox.calls() == []


def test_no_answer_or_failure_shows_a_secret(run: Commands, sandbox: Sandbox) -> None:
    sandbox.fault(method="getTimeframe", kind="error", message="key sandbox-api-key is wrong", code=-32603)
    sandbox.fault(method="products", kind="error", message="pass=sandbox-password is wrong")
    told = run("call", "salon", "getTimeframe").output + run("call", "club", "products", "--reveal").output
    assert "sandbox-api-key" not in told
    assert "sandbox-password" not in told


def test_a_deprecated_method_says_so_in_the_list_and_when_it_is_called(run: Commands) -> None:
    listed = {one["method"]: one["deprecated"] for one in run.json("call", "salon", "--json")}
    assert [name for name, is_deprecated in listed.items() if is_deprecated] == ["confirmBookingPayment"]
    assert "deprecated by the vendor" in run("call", "salon").output
    told = run("call", "salon", "confirmBookingPayment", "1", "paypal", "hash:x")
    assert "it is deprecated by the vendor" in told.output


# --- accounts ---------------------------------------------------------------------------------------------------------


def _open_breaker(ledger: Ledger, account: str) -> None:
    for _ in range(FAILURES):
        ledger.accounts.acquire(account, Limits(), last=False, lease_seconds=5, patience_seconds=0)
        ledger.accounts.release(Permit(account, "", 0, False), Ended.AWAY, error="no answer in time")


def test_accounts_of_which_nothing_is_known_are_shown_too(run: Commands) -> None:
    club, salon = run.json("accounts", "--json", per_day=5000)
    assert (club["account"], club["breaker"], club["token"], salon["token"]) == ("club", "closed", None, False)
    assert salon["limits"] == {"per_second": 0, "at_once": 0, "per_day": 5000}
    assert club["pulls"] == [
        {"what": "reservations", "schedule": "*/15 * * * *", "reached": None, "pulled": None, "age_seconds": None}
    ]


def test_the_breaker_the_token_and_the_pulls_of_an_account_are_shown(run: Commands) -> None:
    ledger, now = run.ledger(), datetime.now(UTC)
    _open_breaker(ledger, "club")
    ledger.pulls.end("club", "x", Watermark("club", "reservations", now, now - timedelta(hours=2)))
    run.json("call", "salon", "getTimeframe")
    club, salon = run.json("accounts", "--json")
    assert (club["breaker"], club["failures"], club["error"]) == ("open", FAILURES, "no answer in time")
    assert datetime.fromisoformat(club["open_until"]) > now
    assert 7195 <= club["pulls"][0]["age_seconds"] <= 7300
    assert salon["token"] is True
    told = run("accounts").output
    assert "reservations 2h" in told
    assert "no answer in time" in told
    assert "shared" in told


def test_a_new_login_replaces_the_shared_token_and_has_a_held_account_tried_at_once(run: Commands) -> None:
    ledger = run.ledger()
    ledger.replace_token("salon", None, lambda: "of-yesterday")
    for _ in range(FAILURES):
        ledger.accounts.release(Permit("salon", "", 0, False), Ended.REFUSED, error="Wrong API key")
    assert "open: credentials refused" in run("accounts").output
    assert "salon: logged in" in run("accounts", "login", "salon").output
    assert ledger.token("salon") not in (None, "of-yesterday")
    (view,) = ledger.accounts.views()
    assert view.breaker == "probing"
    run.json("call", "salon", "getTimeframe")
    assert run.json("accounts", "--json")[1]["breaker"] == "closed"


def test_a_login_is_only_for_accounts_that_have_one(run: Commands) -> None:
    told = run("accounts", "login", "club")
    assert told.exit_code == 1
    assert "`bellhop doctor club` tries them" in told.output
    assert run("accounts", "login", "nobody").exit_code == 2
