from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bellhop.ledger.records import AlertMessage, AlertRow
from bellhop.letters.alerts.facts import Alert
from bellhop.letters.alerts.plan import is_quiet, revise, revise_all
from bellhop.schemas.settings.alerts import AlertReceiver
from bellhop.vendors.settings import build
from tests.support.ledger import NOON


def receiver(**more: Any) -> AlertReceiver:
    keys = {"kind": "slack", "url": "https://hooks.example.test/x", "wait": "30s", "again": "30m", **more}
    return build({"alerts": {"team": keys}}).alerts["team"]


def alert(count: int = 1, severity: str = "warning") -> Alert:
    title = f"{count} dead letters"
    return Alert("letters/a", severity, title, "", count, None, None, "/letters", "bellhop dead list")


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def sent(row: AlertRow | None, at: datetime) -> AlertRow:
    """As the ledger notes it."""
    assert row is not None
    told = {"told": at, "told_count": row.facts["count"], "told_severity": row.facts["severity"]}
    return replace(row, pending=AlertMessage.NONE, tries=0, next_at=None, claimed_until=None, **told)


def told(count: int = 1, severity: str = "warning") -> AlertRow:
    to = receiver()
    seen = revise(None, alert(count, severity), to, NOON)
    return sent(revise(seen, alert(count, severity), to, after(30)), after(30))


def test_it_is_told_once_it_has_stood_for_a_while_and_with_what_it_has_become_by_then() -> None:
    first = revise(None, alert(1), receiver(), NOON)
    assert first is not None
    assert not first.pending
    assert revise(first, alert(40), receiver(), after(29)).pending == ""  # type: ignore[union-attr]
    due = revise(first, alert(40), receiver(), after(30))
    assert due is not None
    assert (due.pending, due.facts["count"], due.next_at) == ("open", 40, after(30))


def test_what_comes_and_goes_before_it_is_told_leaves_nothing() -> None:
    first = revise(None, alert(), receiver(), NOON)
    assert revise(first, None, receiver(), after(10)) is None
    due = revise(first, alert(), receiver(), after(30))
    assert revise(due, None, receiver(), after(31)) is None  # nobody has tried to send it


def test_what_was_told_is_not_told_again_while_it_stays_as_it_is() -> None:
    row: AlertRow | None = told(10)
    for hours in range(1, 100):
        row = revise(row, alert(19), receiver(), after(3600 * hours))
        assert row is not None
        assert not row.pending


def test_it_is_told_again_when_it_has_doubled_but_only_after_a_time() -> None:
    soon = revise(told(10), alert(20), receiver(), after(600))
    assert soon is not None
    assert not soon.pending
    assert revise(soon, alert(20), receiver(), after(1830)).pending == "more"  # type: ignore[union-attr]


def test_it_is_told_again_at_once_when_it_has_become_graver() -> None:
    assert revise(told(), alert(severity="critical"), receiver(), after(40)).pending == "more"  # type: ignore[union-attr]
    assert revise(told(1, "critical"), alert(), receiver(), after(99999)).pending == ""  # type: ignore[union-attr]


def test_its_end_is_told_once_it_has_lasted_and_not_of_what_comes_back_at_once() -> None:
    gone = revise(told(), None, receiver(), after(60))
    assert gone is not None
    assert (gone.pending, gone.gone) == ("", after(60))
    back = revise(gone, alert(), receiver(), after(80))
    assert back is not None
    assert (back.pending, back.gone) == ("", None)
    over = revise(gone, None, receiver(), after(90))
    assert over is not None
    assert over.pending == "over"
    assert revise(over, alert(), receiver(), after(91)).pending == ""  # type: ignore[union-attr]  # nobody knew yet


def test_what_comes_back_while_its_end_is_being_told_is_another_incident() -> None:
    over = revise(revise(told(), None, receiver(), after(60)), None, receiver(), after(90))
    assert over is not None
    tried = replace(over, tries=1)
    assert revise(tried, alert(), receiver(), after(91)) == tried


def test_what_may_have_been_told_is_told_to_be_over() -> None:
    """Its first message was tried, and nobody knows whether it came: an incident must not stay open for ever."""
    due = revise(revise(None, alert(), receiver(), NOON), alert(), receiver(), after(30))
    assert due is not None
    failed = replace(due, tries=2, error="HTTP 500")
    gone = revise(failed, None, receiver(), after(60))
    assert gone is not None
    assert revise(gone, None, receiver(), after(90)).pending == "over"  # type: ignore[union-attr]
    assert revise(replace(gone, pending=AlertMessage.OVER), None, receiver(), after(90_000)) is None


def test_a_message_on_its_way_is_not_changed() -> None:
    due = revise(revise(None, alert(), receiver(), NOON), alert(), receiver(), after(30))
    assert due is not None
    claimed = replace(due, tries=1, claimed_until=after(90))
    assert revise(claimed, alert(50), receiver(), after(40)).pending == "open"  # type: ignore[union-attr]
    assert revise(claimed, None, receiver(), after(40)).pending == "open"  # type: ignore[union-attr]


def test_what_is_less_grave_than_a_receiver_asks_for_is_not_told() -> None:
    assert revise(None, alert(), receiver(severity="critical"), NOON) is None
    assert revise(None, alert(severity="critical"), receiver(severity="critical"), NOON) is not None


@pytest.mark.parametrize(
    ("hours", "at", "quiet"),
    [
        ("22:00-07:00", 23, True),
        ("22:00-07:00", 6, True),
        ("22:00-07:00", 7, False),
        ("22:00-07:00", 12, False),
        ("12:00-13:00", 12, True),
        ("12:00-13:00", 13, False),
        ("", 3, False),
    ],
)
def test_quiet_hours_may_go_over_midnight(hours: str, at: int, quiet: bool) -> None:
    to = receiver(quiet=hours)
    assert is_quiet(to, "warning", NOON.replace(hour=at)) is quiet
    assert not is_quiet(to, "critical", NOON.replace(hour=at))


def test_quiet_hours_are_of_the_receivers_zone() -> None:
    to = receiver(quiet="22:00-07:00", timezone="America/Vancouver")  # 12:00 UTC is 04:00 there
    assert is_quiet(to, "warning", NOON)


def test_what_is_not_told_in_quiet_hours_is_told_after_them_if_it_still_stands() -> None:
    to = receiver(quiet="11:00-13:00")
    row = revise(revise(None, alert(), to, NOON), alert(), to, after(600))
    assert row is not None
    assert not row.pending
    assert revise(row, None, to, after(700)) is None
    assert revise(row, alert(), to, after(3600)).pending == "open"  # type: ignore[union-attr]


def test_each_receiver_has_a_row_of_its_own_and_only_what_changed_is_stored() -> None:
    named = {"a": replace(receiver(), name="a"), "b": replace(receiver(), name="b")}
    stored, gone = revise_all([], [alert()], named, NOON)
    assert sorted(row.receiver for row in stored) == ["a", "b"]
    assert not gone
    assert len({row.incident for row in stored}) == 2
    assert revise_all(stored, [alert()], named, after(1)) == ([], [])


def test_rows_of_a_receiver_that_the_settings_lack_go_after_a_day() -> None:
    row = told()
    assert revise_all([row], [], {}, after(3600)) == ([], [])
    assert revise_all([row], [], {}, after(90_000)) == ([], [row])
