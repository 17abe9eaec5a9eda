from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bellhop.broker.port import QueueStats
from bellhop.ledger.records import (
    DeadReceiver,
    Flood,
    FloodState,
    Letter,
    LetterState,
    Part,
    Pause,
    RefusedCount,
    Silence,
    State,
    TakeAsk,
    WaitingLetters,
)
from bellhop.ledger.records.accounts import AccountView
from bellhop.ledger.strays import Stray
from bellhop.letters.attention import attention, check_broker
from bellhop.letters.needs import AttentionItem, BrokerCheck, attention_row
from bellhop.schemas.errors import BrokerUnavailable
from bellhop.schemas.events import VenueFacts
from bellhop.schemas.reasons import Reason
from tests.support.ledger import NOON, event, letter

VENUES = {
    name: VenueFacts(name, "sb", "simplybook", ZoneInfo(zone), lambda _data: ())
    for name, zone in (("york", "America/New_York"), ("tokyo", "Asia/Tokyo"))
}


def ledger(
    *groups: WaitingLetters,
    pauses: Sequence[Pause] = (),
    refused: Sequence[RefusedCount] = (),
    letters: Sequence[Letter] = (),
    strays: Sequence[Stray] = (),
    parts: Sequence[Part] = (),
    dead: Sequence[DeadReceiver] = (),
    floods: Sequence[Flood] = (),
    asks: Sequence[TakeAsk] = (),
    silences: Sequence[Silence] = (),
) -> Any:
    return SimpleNamespace(
        letters=SimpleNamespace(waiting=lambda: list(groups), find=lambda *_: list(letters)),
        jobs=SimpleNamespace(find_stopped=list),
        edits=SimpleNamespace(waiting=list),
        accounts=SimpleNamespace(views=list),
        pauses=SimpleNamespace(all=lambda: list(pauses)),
        parts=SimpleNamespace(own="", all=lambda: list(parts)),
        strays=lambda before: [one for one in strays if one.since < before],
        refusals=SimpleNamespace(
            counts=lambda since: [one for one in refused if one.last >= since],
            count_waiting=lambda _source, _cause: 3,
        ),
        alerts=SimpleNamespace(dead_receivers=lambda: list(dead)),
        floods=SimpleNamespace(open=lambda: list(floods)),
        take_asks=SimpleNamespace(open=lambda: list(asks)),
        habits=SimpleNamespace(silent=lambda: list(silences)),
    )


def group(reason: str = "rejected", route: str = "members", **hours: float) -> WaitingLetters:
    """oldest: hours ago; soonest: hours from now."""
    soonest = NOON + timedelta(hours=hours["soonest"]) if "soonest" in hours else None
    return WaitingLetters(route, "club", reason, 2, NOON - timedelta(hours=hours.get("oldest", 1)), soonest)


def needs(*groups: WaitingLetters) -> list[AttentionItem]:
    return attention(ledger(*groups), BrokerCheck(), NOON)


def test_letters_of_all_routes_and_reasons_are_one_item_and_those_in_doubt_another() -> None:
    items = needs(group("auth", "members"), group("rejected", "pulls", oldest=5), group("in_doubt", soonest=9))
    assert [(one.need, one.count) for one in items] == [("in_doubt", 2), ("letters", 4)]
    assert items[1].since == NOON - timedelta(hours=5)
    assert items[1].why == "2 auth, 2 rejected"
    assert items[0].starts == NOON + timedelta(hours=9)


def test_what_is_to_be_paid_is_an_item_of_its_own_with_the_first_time_at_which_the_vendor_cancels() -> None:
    answers = [{"unpaid_until": "2026-11-21T13:00:00+00:00"}, {"unpaid_until": "2026-11-21T12:30:00+00:00"}, {}, None]
    made = tuple(
        Letter(number, replace(letter(event(f"e-{number}")), evidence={"answer": answer}), LetterState.OPEN, NOON)
        for number, answer in enumerate(answers)
    )
    told = ledger(group("unpaid", soonest=9), group("auth"), letters=made)
    unpaid, others = attention(told, BrokerCheck(), NOON)
    assert (unpaid.need, unpaid.severity, others.why) == ("unpaid", "critical", "2 auth")
    assert unpaid.why.endswith("the first at 2026-11-21 12:30 UTC")
    (vague,) = attention(ledger(group("unpaid"), letters=made[2:]), BrokerCheck(), NOON)
    assert vague.why.endswith("soon: each letter says when")


def test_what_starts_is_told_in_the_zone_of_the_venue_where_it_does() -> None:
    york, tokyo = VENUES
    groups = [replace(group(soonest=9), venue=york), replace(group("auth", soonest=8), venue=tokyo)]
    flood = Flood(4, "crm", NOON, "too many", FloodState.OPEN, held=15, soonest=NOON, venue=york)
    items = attention(ledger(*groups, floods=[flood]), BrokerCheck(), NOON, VENUES)
    assert [(one.need, attention_row(one)["zone"]) for one in items] == [
        ("flood", "America/New_York"),
        ("letters", "Asia/Tokyo"),  # the soonest of both
    ]
    (gone,) = attention(ledger(replace(group(soonest=9), venue="closed")), BrokerCheck(), NOON, VENUES)
    assert gone.zone is None


def test_until_when_it_is_to_be_paid_is_told_by_the_clock_of_its_venue() -> None:
    unpaid = letter(event(data={"venue": "york"}), Reason.UNPAID)
    made = Letter(
        1, replace(unpaid, evidence={"answer": {"unpaid_until": "2026-11-21T12:30:00Z"}}), LetterState.OPEN, NOON
    )
    (item,) = attention(ledger(group("unpaid"), letters=[made]), BrokerCheck(), NOON, VENUES)
    assert item.why.endswith("the first at 2026-11-21 07:30 EST (12:30 UTC)")


@pytest.mark.parametrize(("hours", "severity"), [(3.9, "critical"), (4.1, "warning")])
def test_a_dead_booking_is_critical_once_its_start_is_near(hours: float, severity: str) -> None:
    (item,) = needs(group(soonest=hours), group("auth"))
    assert item.severity == severity


def test_the_gravest_comes_first_and_a_pause_of_somebodys_own_last() -> None:
    pause = Pause("pulls", "ann", "it is ill", NOON - timedelta(days=9), None)
    queues = BrokerCheck(unroutable=1, problem="refused")
    items = attention(ledger(group(), pauses=[pause]), queues, NOON)
    assert [one.need for one in items] == ["broker", "letters", "unroutable", "route"]


def test_a_broker_that_does_not_answer_is_an_item_and_no_error() -> None:
    def away() -> dict[str, QueueStats]:
        raise BrokerUnavailable("refused")

    assert check_broker(SimpleNamespace(stats=away)) == BrokerCheck(problem="refused")
    stats = {"dead": QueueStats(1, 2, None), "unroutable": QueueStats(4, None, None)}
    assert check_broker(SimpleNamespace(stats=lambda: stats)) == BrokerCheck(unroutable=4, unarchived=3)


def test_nothing_is_told_where_nothing_waits() -> None:
    assert needs() == []


@pytest.mark.parametrize(
    ("refused", "severity", "title", "command"),
    [
        (False, "warning", "Account sb is away", "bellhop accounts"),
        (True, "critical", "Account sb: its credentials are refused", "bellhop doctor sb"),
    ],
)
def test_an_account_that_is_held_is_an_item_and_for_its_credentials_a_persons(
    refused: bool, severity: str, title: str, command: str
) -> None:
    told = ledger()
    told.accounts.views = lambda: [
        AccountView("sb", "open", 5, NOON, "Wrong API key", "", 0, 0, True, refused),
        AccountView("pv", "closed", 1, None, "Wrong API key", "", 0, 0, True, refused),
    ]
    (item,) = attention(told, BrokerCheck(), NOON)
    assert (item.severity, item.title, item.command) == (severity, title, command)
    assert "Wrong API key" in item.why


def test_what_a_source_was_refused_in_the_last_day_is_an_item_and_what_is_older_none() -> None:
    def count(source: str, hours: float) -> RefusedCount:
        reasons = {"invalid-event": 2, "malformed-json": 1}
        return RefusedCount(source, 3, 9, reasons, NOON - timedelta(hours=hours), NOON - timedelta(hours=hours))

    (item,) = attention(ledger(refused=[count("crm", 23), count("old", 25)]), BrokerCheck(), NOON)
    assert (item.need, item.name, item.count, item.severity) == ("source", "crm", 3, "warning")
    assert item.title == "Source crm: 3 posts refused"
    assert item.why == "2 invalid-event, 1 malformed-json"
    assert (item.path, item.command) == ("/refused?source=crm", "bellhop refused list crm")


def test_events_that_nothing_brings_on_are_named() -> None:
    old = [Stray("crm", f"e {number}", "members", State.RETRYING, NOON - timedelta(hours=number)) for number in (1, 2)]
    young = Stray("crm", "e 3", "members", State.WORKING, NOON - timedelta(minutes=14))
    broker = BrokerCheck(idle=frozenset({"members"}))
    (item,) = attention(ledger(strays=[*old, young]), broker, NOON)
    assert (item.need, item.severity, item.count, item.since) == ("forgotten", "critical", 2, NOON - timedelta(hours=2))
    assert item.why.endswith("crm/e 2 (retrying), crm/e 1 (retrying)")
    assert (item.path, item.command) == ("/event?source=crm&id=e%202", "bellhop events show crm 'e 2'")


def test_what_waits_behind_others_in_its_queue_is_not_forgotten() -> None:
    stray = Stray("crm", "e-1", "members", State.RETRYING, NOON - timedelta(hours=1))
    assert attention(ledger(strays=[stray]), BrokerCheck(idle=frozenset({"pulls"})), NOON) == []


def test_what_is_held_as_a_flood_is_critical_with_its_soonest_start() -> None:
    start = NOON + timedelta(hours=30)
    flood = Flood(4, "crm", NOON, "more than 25 cancels within 10 minutes", FloodState.OPEN, held=15, soonest=start)
    (item,) = attention(ledger(floods=[flood]), BrokerCheck(), NOON)
    assert (item.need, item.name, item.severity, item.count, item.starts) == ("flood", "4", "critical", 15, start)
    assert item.title == "Source crm: 15 of its cancels and changes held"
    assert item.command == "bellhop floods release 4 --why …"


def test_what_a_source_asks_for_is_an_item_until_somebody_answers() -> None:
    ask = TakeAsk(7, "crm", "c1", "the field is known now", NOON, "link 1 of source crm")
    (item,) = attention(ledger(asks=[ask]), BrokerCheck(), NOON)
    assert (item.need, item.name, item.count, item.path) == ("ask", "7", 3, "/sources")
    assert item.title == "Source crm asks to take 3 refused posts again"
    assert item.command == "bellhop sources grant 7"


def test_a_source_that_is_silent_is_an_item_with_when_it_was_heard_last() -> None:
    (item,) = attention(ledger(silences=[Silence("crm", NOON, "longer than ever")]), BrokerCheck(), NOON)
    assert (item.need, item.name, item.title, item.since) == ("silence", "crm", "Source crm is silent", NOON)
    assert item.why == "nothing of it was taken since 2026-11-21 12:00 UTC, longer than ever: ask its people"


def test_a_receiver_that_takes_no_alert_is_named() -> None:
    (item,) = attention(ledger(dead=[DeadReceiver("team", 3, NOON, "HTTP 404")]), BrokerCheck(), NOON)
    assert (item.need, item.title, item.why) == ("receiver", "Alerts do not reach team", "HTTP 404")
