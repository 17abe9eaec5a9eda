"""What the settings of a source must be, and the commands that show what becomes of a body."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bellhop.cli.main import cli
from bellhop.schemas.errors import SettingsError
from bellhop.schemas.settings import SourceSettings
from bellhop.vendors.settings import build
from tests.support.ingress import DOCUMENT, TOKEN

MAP = {"data.client.name": "details.client"}


def built(**source: Any) -> SourceSettings:
    made = {"verifier": "bearer", "secrets": [TOKEN]} | source
    return build(DOCUMENT | {"sources": {"x": made}}).sources["x"]


def test_what_an_upstream_asks_for_itself_is_the_default_and_may_be_changed() -> None:
    assert (built().answer, built().tolerance_seconds) == (202, 300)
    assert (built(format="tripleseat").answer, built(verifier="tripleseat").tolerance_seconds) == (200, 180)
    assert built(format="tripleseat", answer=202).answer == 202
    assert built(verifier="calendly", tolerance="1m").tolerance_seconds == 60


def test_a_sources_venues_are_known_by_any_key() -> None:
    venues = built(format="sevenrooms", venues={"ahNz Zn.0": {"venue": "spa", "duration": "90m", "price": 5}}).venues
    (venue,) = venues.values()
    assert list(venues) == ["ahNz Zn.0"]
    assert (venue.venue, venue.duration_seconds, venue.price, venue.service_id) == ("spa", 5400, 5, "")


@pytest.mark.parametrize(
    ("source", "key", "problem"),
    [
        ({"format": "xml"}, "format", "must be one of: bellhop, sevenrooms"),
        ({"format": "mapped"}, "map", "is required"),
        ({"map": {"id": "a"}}, "map", "is not for the format bellhop"),
        ({"format": "mapped", "map": []}, "map", "must be a table"),
        ({"format": "mapped", "map": {"data.bookingid": "a"}}, "map.data.bookingid", "is no field of an event"),
        ({"format": "mapped", "map": {"id": {"paht": "a"}}}, "map.id", "has no setting paht"),
        ({"venues": []}, "venues", "must be a table"),
        ({"venues": {"1": {"venue": "nowhere"}}}, "venues.1.venue", "is not one of the venues"),
        ({"venues": {"1": {}}}, "venues.1.venue", "missing data"),
        ({"venues": {"1": {"venue": "spa", "durration": 1}}}, "venues.1.durration", "is not a setting"),
        ({"venues": {"1": {"venue": "spa", "price": -1}}}, "venues.1.price", "must be greater"),
        ({"pull_account": "salon"}, "pull_account", "is not a Peoplevine account"),
        ({"pull_account": "nobody"}, "pull_account", "is not a Peoplevine account"),
        ({"format": "simplybook"}, "account", "is required"),
        ({"format": "simplybook", "account": "club"}, "account", "is not a SimplyBook.me account"),
        ({"account": "salon"}, "account", "is for the format simplybook"),
        ({"feed_venue": "spa"}, "feed_venue", "is for the format simplybook"),
        ({"format": "simplybook", "account": "salon", "feed_venue": "x"}, "feed_venue", "is not one of the venues"),
        (
            {"format": "simplybook", "account": "salon", "feed_venue": "salon", "map": MAP},
            *("feed_venue", "must be of another account"),
        ),
        ({"format": "simplybook", "account": "salon", "feed_venue": "spa"}, "feed_venue", "needs a map"),
        ({"format": "simplybook", "account": "salon", "map": MAP}, "feed_venue", "is required where map is set"),
        ({"silence": "ignore", "silent_after": "1h"}, "silent_after", "is not for silence"),
        ({"notification_url": "example.test"}, "notification_url", "must start with http:"),
        ({"answer": 204}, "answer", "must be one of"),
        ({"unknown_venues": "drop"}, "unknown_venues", "must be one of"),
        ({"missing_time": "now"}, "missing_time", "must be one of"),
        ({"resend_window": "91d"}, "resend_window", "must be at most as long as ledger.keep"),
        ({"items": "bookings"}, "items", "is for the format mapped"),
        ({"format": "mapped", "map": MAP, "items": "a..b"}, "items", "must have a path"),
        ({"format": "mapped", "map": MAP, "items": {"expression": "a b"}}, "items", "is no expression of JMESPath"),
        ({"format": "mapped", "map": MAP, "items": {"value": "x"}}, "items", "must be a path"),
    ],
)
def test_a_source_that_cannot_work_stops_the_start(source: dict[str, Any], key: str, problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        built(**source)
    assert caught.value.key == f"sources.x.{key}"
    assert problem in caught.value.problem


def test_callbacks_may_pull_feed_both_or_neither() -> None:
    base: dict[str, Any] = {"format": "simplybook", "account": "salon"}
    for more in ({}, {"pull_account": "club"}, {"feed_venue": "spa", "map": MAP}):
        made = built(**base, **more)
        assert (made.pull_account, made.feed_venue) == (more.get("pull_account", ""), more.get("feed_venue", ""))


# --- the commands -----------------------------------------------------------------------------------------------

TOML = """
[accounts.club]
kind = "peoplevine"
auth_id = "aid"
company = "4711"
user = "u-name"
password = "p-word"

[sources.seven]
verifier = "path-secret"
secrets = ["secret-in-the-address-42"]
format = "sevenrooms"
pull_account = "club"

[sources.acuity]
verifier = "acuity"
secrets = ["signing-key"]
format = "mapped"
member_account = "club"
[sources.acuity.map]
type = { value = "member.updated" }
"data.member_id" = "id"
"""


@pytest.fixture
def run(tmp_path: Path) -> Any:
    file = tmp_path / "bellhop.toml"
    file.write_text(TOML)

    def call(*words: str, body: str = "") -> Result:
        return CliRunner().invoke(cli, ["--config", str(file), "sources", *words], input=body)

    return call


def test_the_sources_are_listed_without_their_secrets(run: Any) -> None:
    told = json.loads(run("list", "--json").output)
    assert told[0] == {
        "name": "seven",
        "format": "sevenrooms",
        "verifier": "path-secret",
        "path": "/webhooks/seven/<secret>",
        "status": 202,
    }
    assert "/webhooks/acuity" in run("list").output
    assert "secret-in-the-address" not in run("list").output


def test_a_body_is_tried_without_being_sent(run: Any) -> None:
    body = json.dumps([{"event_type": "created", "entity": {"id": "r-1", "created": "2026-11-20T11:00:00"}}])
    result = run("try", "seven", "-", "--json", body=body)
    told = json.loads(result.output)
    assert (result.exit_code, told["status"], told["problems"]) == (0, 202, [])
    (event,) = told["events"]
    assert (event["type"], event["route"], event["account"]) == ("pull.requested", "pulls", "club")
    assert "route pulls  account club" in run("try", "seven", "-", body=body).output


def test_what_would_be_ignored_and_what_would_be_refused_is_told_with_every_problem(run: Any) -> None:
    assert "ignored: its entity_type" in run("try", "seven", "-", body='{"entity_type": "feedback"}').output
    result = run("try", "seven", "-", body="[{}, {}]")
    assert result.exit_code == 1
    assert "0.event_type: must be one of" in result.output or "0.event_type: must be a text" in result.output
    assert "1.event_type" in result.output
    assert "line 1, column 1" in run("try", "seven", "-", body="?").output


def test_a_form_is_tried_as_one(run: Any) -> None:
    result = run("try", "acuity", "-", "--json", body="action=scheduled&id=1")
    assert json.loads(result.output)["events"][0]["subject"] == "1"
    refused = run("try", "seven", "-", "--content-type", "application/x-www-form-urlencoded", body="a=1")
    assert (refused.exit_code, "Content-Type" in refused.output) == (1, True)


def test_an_unknown_source_is_told(run: Any) -> None:
    result = run("try", "nobody", "-")
    assert result.exit_code == 1
    assert "there is no source nobody" in result.output
