"""Watermarks move after successes alone, and one pull of an account runs at a time; whose a vendor's id is."""

from __future__ import annotations

from datetime import timedelta

from bellhop.ledger.pulls import Watermark
from bellhop.ledger.records import EntryState, State
from bellhop.ledger.store import Ledger
from tests.support.ledger import BOOK, LEASE, NOON, Clock, OpenLedger, booking, end, entry, event, finish, take


def mark(minutes: float, what: str = "profiles") -> Watermark:
    at = NOON + timedelta(minutes=minutes)
    return Watermark("pv", what, at, at)


def test_one_pull_of_an_account_runs_at_a_time_whichever_process_asks(open_ledger: OpenLedger) -> None:
    one, other = open_ledger().pulls, open_ledger().pulls
    assert one.begin("pv", "schedule/a", 60)
    assert not other.begin("pv", "schedule/b", 60)
    assert other.begin("another", "schedule/b", 60)
    one.end("pv", "schedule/a", None)
    assert other.begin("pv", "schedule/b", 60)


def test_the_same_event_delivered_again_takes_up_its_own_pull(ledger: Ledger) -> None:
    assert ledger.pulls.begin("pv", "schedule/a", 60)
    assert ledger.pulls.begin("pv", "schedule/a", 60)


def test_a_pull_whose_worker_died_gives_way_when_its_lease_is_over(ledger: Ledger, clock: Clock) -> None:
    ledger.pulls.begin("pv", "schedule/a", 60)
    clock.advance(seconds=61)
    assert ledger.pulls.begin("pv", "schedule/b", 60)
    ledger.pulls.end("pv", "schedule/a", None)  # it comes to late life
    assert not ledger.pulls.begin("pv", "schedule/c", 60)


def test_a_failed_pull_moves_nothing(ledger: Ledger) -> None:
    ledger.pulls.begin("pv", "a", 60)
    ledger.pulls.end("pv", "a", None)
    assert ledger.pulls.watermark("pv", "profiles") is None


def test_a_watermark_never_moves_back(ledger: Ledger) -> None:
    for minutes in (10, 5, 20, 15):
        ledger.pulls.end("pv", "a", mark(minutes))
    assert ledger.pulls.watermark("pv", "profiles") == mark(20)


def test_each_kind_has_its_own(ledger: Ledger) -> None:
    ledger.pulls.end("pv", "a", mark(1))
    ledger.pulls.end("pv", "a", mark(2, "services"))
    assert ledger.pulls.watermarks() == [mark(1), mark(2, "services")]


def test_a_vendors_id_leads_to_its_booking_in_its_own_account_alone(ledger: Ledger) -> None:
    finish(ledger, event(), booking=booking(entry("434"), entry("435", EntryState.CANCELLED)))
    found = ledger.booking_of("sb", "435")
    assert found is not None
    assert (found.source, found.reference, len(found.entries)) == ("crm", "R-1", 2)
    assert ledger.booking_of("another", "435") is None
    assert ledger.booking_of("sb", "436") is None


def test_an_id_that_was_only_marked_on_the_way_is_known_too(ledger: Ledger) -> None:
    claimed = take(ledger, event())
    ledger.calling(claimed, BOOK, booking(entry("434")), LEASE)
    assert ledger.booking_of("sb", "434") is not None


def test_a_booking_that_is_pruned_takes_its_ids_along(ledger: Ledger, clock: Clock) -> None:
    finish(ledger, event(), booking=booking(entry("434")))
    clock.advance(days=200)
    ledger.prune()
    assert ledger.booking_of("sb", "434") is None


def test_whether_a_call_that_books_is_on_its_way_is_known_until_its_end(ledger: Ledger) -> None:
    assert not ledger.is_booking("sb")
    claimed = take(ledger, event())
    assert not ledger.is_booking("sb")
    ledger.calling(claimed, BOOK, None, LEASE)
    assert ledger.is_booking("sb")
    assert not ledger.is_booking("another")
    end(ledger, event("e-2", subject="R-2"), State.DONE)
    assert ledger.is_booking("sb")
