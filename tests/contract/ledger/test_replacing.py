"""A booking takes the place of another: whatever order their events come in, and wherever a worker dies."""

from __future__ import annotations

from datetime import timedelta

from bellhop.ledger.records import Booking, ClaimBusy, Refused, Settled, State
from bellhop.ledger.store import Ledger
from tests.support.ledger import NOON, Clock, booking, claim, die_in_doubt, end, entry, event, finish, take


def of(ledger: Ledger, reference: str) -> Booking:
    found = ledger.booking("crm", reference)
    assert found is not None
    return found


def ids(one: Booking | None) -> list[str]:
    assert one is not None
    return [found.vendor_id for found in one.entries if found.stands]


def book(ledger: Ledger, reference: str, vendor_id: str, at: float = 0) -> None:
    made = Booking("crm", reference, "sb", (entry(vendor_id),))
    finish(ledger, event(f"book-{reference}", subject=reference, at=at), booking=made)


def change(reference: str, replaces: str, at: float, id_: str = "") -> object:
    return event(id_ or f"move-{reference}", "booking.changed", subject=reference, at=at, data={"replaces": replaces})


def test_what_stands_is_the_new_references_from_its_claim_on(ledger: Ledger) -> None:
    book(ledger, "A", "1")
    claimed = take(ledger, change("B", "A", 5))
    assert ids(claimed.booking) == ["1"]
    assert (ids(of(ledger, "A")), of(ledger, "A").replaced_by) == ([], "B")
    owner = ledger.booking_of("sb", "1")
    assert owner is not None
    assert owner.reference == "B"


def test_a_worker_that_dies_behind_its_claim_finds_it_again(ledger: Ledger, clock: Clock) -> None:
    book(ledger, "A", "1")
    take(ledger, change("B", "A", 5))
    clock.advance(seconds=61)
    assert ids(take(ledger, change("B", "A", 5)).booking) == ["1"]


def test_a_chain_is_followed_also_where_every_event_names_the_first_reference(ledger: Ledger) -> None:
    book(ledger, "A", "1")
    for number, (new, old) in enumerate([("B", "A"), ("C", "B"), ("D", "A")]):
        envelope = change(new, old, 5 + number)
        claimed = take(ledger, envelope)
        assert ids(claimed.booking) == ["1"]
        end_it(ledger, envelope, claimed)
    assert of(ledger, "C").replaced_by == "D"


def end_it(ledger: Ledger, envelope: object, claimed: object) -> None:
    from bellhop.ledger.records import Settlement

    ledger.settle([Settlement(claimed, envelope, State.DONE, booking=claimed.booking, applies=True)])


def test_a_late_event_of_what_was_replaced_is_superseded_and_its_cancel_cancels_nothing(ledger: Ledger) -> None:
    envelope = change("B", "A", 5)
    end_it(ledger, envelope, take(ledger, envelope))
    late = claim(ledger, event("late", subject="A"))
    assert isinstance(late, Settled)
    assert late.state is State.SUPERSEDED
    assert ids(take(ledger, event("cancel", "booking.cancelled", subject="A", at=6)).booking) == []


def test_a_chain_whose_middle_comes_last_still_lets_its_first_booking_go(ledger: Ledger) -> None:
    book(ledger, "A", "1")
    last = change("C", "B", 9)
    end_it(ledger, last, take(ledger, last))
    middle = take(ledger, change("B", "A", 5))
    assert middle.booking is not None
    assert (ids(middle.booking), middle.booking.replaced_by) == (["1"], "C")


def test_of_two_that_replace_the_same_the_newer_counts(ledger: Ledger) -> None:
    book(ledger, "A", "1")
    newer = change("C", "A", 9)
    end_it(ledger, newer, take(ledger, newer))
    older = claim(ledger, change("B", "A", 5))
    assert isinstance(older, Settled)
    assert older.state is State.SUPERSEDED


def test_it_waits_for_what_is_at_work_of_the_replaced_booking_and_is_stopped_by_its_doubt(ledger: Ledger) -> None:
    take(ledger, event("book", subject="A"))
    assert isinstance(claim(ledger, change("B", "A", 5)), ClaimBusy)
    die_in_doubt(ledger, event("doubt", subject="X"))
    assert isinstance(claim(ledger, change("Y", "X", 5)), Refused)


def test_a_request_that_waits_for_its_retry_is_overtaken(ledger: Ledger) -> None:
    end(ledger, event("book", subject="A"), State.RETRYING)
    envelope = change("B", "A", 5)
    end_it(ledger, envelope, take(ledger, envelope))
    assert isinstance(claim(ledger, event("book", subject="A")), Settled)


def test_what_was_replaced_and_is_asked_for_anew_is_a_booking_again(ledger: Ledger) -> None:
    envelope = change("B", "A", 5)
    end_it(ledger, envelope, take(ledger, envelope))
    again = event("again", subject="A", at=9)
    claimed = take(ledger, again)
    assert claimed.booking is not None
    assert claimed.booking.replaced_by == ""
    end_it(ledger, again, claimed)
    assert of(ledger, "A").replaced_by == ""


def test_a_booking_cannot_replace_itself_nor_run_in_a_ring(ledger: Ledger) -> None:
    book(ledger, "A", "1")
    own = change("A", "A", 5)
    end_it(ledger, own, take(ledger, own))
    for number, (new, old) in enumerate([("B", "A"), ("A", "B"), ("B", "A")]):
        envelope = change(new, old, 6 + number, f"ring-{number}")
        claimed = take(ledger, envelope)
        end_it(ledger, envelope, claimed)
    assert ids(of(ledger, "A")) + ids(of(ledger, "B")) == ["1"]


def test_a_preflight_foresees_it(ledger: Ledger) -> None:
    take(ledger, event("book", subject="A"))
    assert isinstance(ledger.foresee([change("B", "A", 5)])[0], ClaimBusy)


def test_a_replaced_booking_is_kept_as_long_as_its_start(ledger: Ledger, clock: Clock) -> None:
    coming = event("book", subject="A", data={"services": [{"start": (NOON + timedelta(days=400)).isoformat()}]})
    finish(ledger, coming, booking=Booking("crm", "A", "sb", (entry("1"),)))
    envelope = change("B", "A", 5)
    end_it(ledger, envelope, take(ledger, envelope))
    clock.advance(days=91)
    ledger.prune()
    assert ids(of(ledger, "B")) == ["1"]
    assert booking() is not None
