from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bellhop.ledger.records import CauseRow
from bellhop.letters.alerts.facts import Alert, alerts_of
from bellhop.letters.alerts.messages import BODIES, AlertNotice, email
from bellhop.letters.needs import AttentionItem, Need, Severity
from bellhop.schemas.errors import SettingsError
from bellhop.schemas.events import VenueFacts
from bellhop.vendors.settings import build
from tests.support.ledger import NOON

GUEST = "Client Jane Lee <jane.lee@example.com> +44 20 7946 0958 is not known"
SAID_BY_OTHERS = ("Jane", "Lee", "jane.lee", "7946")
OURS = (Need.UNARCHIVED, Need.UNROUTABLE, Need.SOURCE, Need.FLOOD, Need.SILENCE)
"""What these say is in words of our own alone."""


def cause(reason: str = "rejected", **more: Any) -> CauseRow:
    row = CauseRow(
        cause=f"{reason}/salon/-32601/{GUEST}",
        reason=reason,
        route="bookings.simplybook",
        account="salon",
        error=GUEST,
        count=26,
        first=NOON - timedelta(hours=1),
        last=NOON,
        example=7,
        next_start=None,
    )
    return replace(row, **more)


def item(need: Need, **more: Any) -> AttentionItem:
    return replace(
        AttentionItem(need, "club", f"{need} of club", GUEST, Severity.WARNING, "/#accounts", "bellhop accounts"),
        **more,
    )


def notice(says: str, alert: Alert | None = None) -> AlertNotice:
    (one,) = alerts_of([], [cause()], NOON)
    return AlertNotice(says, "incident-1", alert or one, "https://bellhop.example.test/letters?reason=rejected", NOON)


def test_letters_are_told_by_their_cause_with_count_and_soonest_start() -> None:
    start = NOON + timedelta(hours=9)
    items = [item(Need.LETTERS), item(Need.IN_DOUBT), item(Need.ACCOUNT)]
    alerts = alerts_of(items, [cause(next_start=start), cause("in_doubt", count=1)], NOON)
    assert [(one.title, one.severity, one.count) for one in alerts] == [
        ("account of club", "warning", 1),
        ("26 dead letters at salon: rejected (-32601)", "warning", 26),
        ("1 dead letter at salon: in_doubt (-32601)", "critical", 1),
    ]
    assert alerts[1].starts == "2026-11-21T21:00:00Z"
    assert alerts[1].path == "/letters?reason=rejected&account=salon"
    assert alerts[1].command == "bellhop dead list --reason rejected --account salon"


def test_a_start_is_told_by_the_clock_of_its_venue_beside_utc() -> None:
    start = NOON + timedelta(hours=9)
    venue = VenueFacts("spa", "salon", "simplybook", ZoneInfo("America/New_York"), lambda _data: ())
    (one,) = alerts_of([], [cause(next_start=start, venue="spa")], NOON, {"spa": venue})
    assert one.starts == "2026-11-21T16:00:00-05:00"
    assert "The soonest booking starts 2026-11-21 16:00 UTC-05:00 (21:00 UTC)." in notice("open", one).lines
    (utc,) = alerts_of([], [cause(next_start=start)], NOON)
    assert "The soonest booking starts 2026-11-21 21:00 UTC." in notice("open", utc).lines


def test_a_cause_keeps_its_key_while_it_grows_and_two_causes_have_two() -> None:
    (few,), (many,) = alerts_of([], [cause(count=1)], NOON), alerts_of([], [cause(count=90)], NOON)
    (other,) = alerts_of([], [cause(cause="rejected/salon/-/something else")], NOON)
    assert few.key == many.key != other.key


@pytest.mark.parametrize(("hours", "severity"), [(3.9, "critical"), (4.1, "warning")])
def test_a_cause_is_critical_once_a_start_is_near(hours: float, severity: str) -> None:
    (one,) = alerts_of([], [cause(next_start=NOON + timedelta(hours=hours))], NOON)
    assert one.severity == severity


@pytest.mark.parametrize("need", [need for need in Need if need not in OURS])
def test_what_others_wrote_is_not_told(need: Need) -> None:
    """A vendor's words, an upstream's ids and what a person wrote may name a guest."""
    alerts = alerts_of([item(need, title="in our own words")], [cause()], NOON)
    for one in alerts:
        for says in ("open", "more", "over"):
            told = [json.dumps(body(notice(says, one))) for body in BODIES.values()]
            told.append(email(notice(says, one), MAIL).as_string())
            assert not [word for word in SAID_BY_OTHERS for text in told if word in text]


def test_what_is_forgotten_is_not_linked_by_its_upstreams_id() -> None:
    (one,) = alerts_of([item(Need.FORGOTTEN, path="/event?source=crm&id=jane.lee", command="x jane.lee")], [], NOON)
    assert (one.path, one.command) == ("/", "bellhop attention")


def test_an_incident_has_one_key_at_pagerduty_from_trigger_to_resolve() -> None:
    opened, more, over = (BODIES["pagerduty"](notice(says)) for says in ("open", "more", "over"))
    assert [one["event_action"] for one in (opened, more, over)] == ["trigger", "trigger", "resolve"]
    assert {one["dedup_key"] for one in (opened, more, over)} == {"incident-1"}
    assert opened["payload"]["severity"] == "warning"
    assert opened["links"][0]["href"].startswith("https://bellhop.example.test/")


def test_each_message_of_an_incident_has_an_id_of_its_own_that_a_second_try_has_too() -> None:
    assert len({notice(says).id for says in ("open", "more", "over")}) == 3
    assert notice("open").id == notice("open").id


def test_slack_reads_no_mark_of_its_own_in_what_is_told() -> None:
    (one,) = alerts_of([item(Need.ROUTE, title="a <!channel> & b")], [], NOON)
    assert "a &lt;!channel&gt; &amp; b" in BODIES["slack"](notice("open", one))["text"]


def test_teams_is_sent_one_card_with_a_way_to_the_console() -> None:
    (attachment,) = BODIES["teams"](notice("open"))["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["actions"][0]["type"] == "Action.OpenUrl"


MAIL = build(
    {
        "alerts": {
            "ops": {
                "kind": "email",
                "url": "smtp://mail.example.test",
                "to": "a@example.test",
                "from": "b@example.test",
            }
        }
    }
).alerts["ops"]


def test_what_follows_in_mail_is_in_the_thread_of_the_first() -> None:
    first, over = email(notice("open"), MAIL), email(notice("over"), MAIL)
    assert over["In-Reply-To"] == first["Message-ID"] != over["Message-ID"]
    assert first["Subject"].startswith("Bellhop: [warning] 26 dead letters at salon")
    assert over["Subject"].startswith("Bellhop: Over: 26 dead letters")


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ({"kind": "slack"}, "url"),
        ({"kind": "slack", "url": "smtp://mail.example.test"}, "url"),
        ({"kind": "email", "url": "https://hooks.example.test/x", "to": "a@b.test", "from": "a@b.test"}, "url"),
        ({"kind": "email", "url": "smtp://mail.example.test", "from": "a@b.test"}, "to"),
        ({"kind": "email", "url": "smtp://mail.example.test", "to": "Ann <a@b.test>", "from": "a@b.test"}, "to"),
        ({"kind": "email", "url": "smtp://mail.example.test", "to": "a@b.test", "from": "nobody"}, "from"),
        ({"kind": "pagerduty"}, "routing_key"),
        ({"kind": "webhook", "url": "https://hooks.example.test/x"}, "secret"),
        ({"kind": "slack", "url": "https://hooks.example.test/x", "routing_key": "r"}, "routing_key"),
        ({"kind": "slack", "url": "http://169.254.169.254/latest"}, "url"),
        ({"kind": "slack", "url": "https://hooks.example.test/x", "quiet": "22-7"}, "quiet"),
        ({"kind": "slack", "url": "https://hooks.example.test/x", "quiet": "22:00-22:00"}, "quiet"),
        ({"kind": "pager", "url": "https://hooks.example.test/x"}, "kind"),
        ({"kind": "slack", "url": "https://hooks.slack.com/services/T0/B0/…"}, "url"),
    ],
)
def test_a_receiver_that_could_not_be_told_is_found_when_the_settings_are_read(keys: dict[str, Any], key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        build({"alerts": {"team": keys}})
    assert f"alerts.team.{key}" in {problem.key.removesuffix(".0") for problem in caught.value.problems}


def test_what_a_receivers_settings_hold_in_secret_is_masked() -> None:
    settings = build(
        {
            "alerts": {
                "a": {"kind": "slack", "url": "https://hooks.slack.com/services/T0/B0/abc"},
                "b": {"kind": "pagerduty", "routing_key": "R0123456789"},
                "c": {
                    "kind": "email",
                    "url": "smtps://bell:pa%40ss@mail.example.test",
                    "to": "a@b.test",
                    "from": "a@b.test",
                },
            }
        }
    )
    assert {"https://hooks.slack.com/services/T0/B0/abc", "R0123456789", "pa%40ss", "pa@ss"} <= settings.secrets
