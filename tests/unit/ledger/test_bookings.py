"""Merging what workers know of a booking."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.ledger.bookings import apply_event, merge_booking, reaching
from bellhop.ledger.codec import asked_to_json, call_from_json, call_to_json, entries_from_json, entries_to_json
from bellhop.ledger.known import HeldBooking
from bellhop.ledger.records import Booking, Entry, EntryState
from tests.support.ledger import BOOK, NOON, booking, entry, event

entries = st.lists(
    st.builds(
        Entry,
        st.sampled_from(["v-1", "v-2", "v-3"]),
        st.integers(0, 2),
        st.sampled_from(["e-1", "e-2"]),
        st.sampled_from(EntryState),
        st.sampled_from(["", "h"]),
    ),
    unique_by=lambda one: one.vendor_id,
)


@given(st.lists(st.tuples(entries, st.booleans()), max_size=5))
def test_no_vendor_id_is_forgotten_and_no_entry_goes_back(stores: list[tuple[list[Entry], bool]]) -> None:
    held: HeldBooking | None = None
    for found, owned in stores:
        before = {one.vendor_id: one for one in held.booking.entries} if held else {}
        held = merge_booking(held, Booking("crm", "R-1", "sb", tuple(found)), owned=owned)
        now = {one.vendor_id: one for one in held.booking.entries}
        assert now.keys() == before.keys() | {one.vendor_id for one in found}
        assert len(now) == len(held.booking.entries)
        for vendor_id, old in before.items():
            assert list(EntryState).index(now[vendor_id].state) >= list(EntryState).index(old.state)
            assert now[vendor_id].secret_hash or not old.secret_hash


def test_only_the_worker_whose_claim_holds_says_whether_it_is_cancelled() -> None:
    held = merge_booking(None, booking(cancelled=True), owned=True)
    assert merge_booking(held, booking(), owned=False).booking.cancelled
    assert not merge_booking(held, booking(), owned=True).booking.cancelled


def test_merging_does_not_move_the_place() -> None:
    held = apply_event(HeldBooking(booking()), NOON, 1)
    assert merge_booking(held, replace(booking(), as_of=NOON + timedelta(days=1)), owned=True).place == (NOON, 1)
    assert merge_booking(None, replace(booking(), as_of=NOON), owned=True).booking.as_of is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1))
def test_the_place_is_the_newest_applied(places: list[tuple[int, int]]) -> None:
    held = HeldBooking(booking())
    for seconds, rank in places:
        held = apply_event(held, NOON + timedelta(seconds=seconds), rank)
    newest = max(places)
    assert held.place == (NOON + timedelta(seconds=newest[0]), newest[1])


def test_a_booking_is_kept_until_the_latest_start_any_event_told() -> None:
    starts = [{"start": (NOON + timedelta(days=day)).isoformat()} for day in (3, 9, 5)]
    held = reaching(HeldBooking(booking()), event(data={"services": starts}, not_after=NOON + timedelta(days=3)))
    held = reaching(held, event(not_after=NOON + timedelta(days=1)))
    assert held.last_start == NOON + timedelta(days=9)


@pytest.mark.parametrize("services", [[{}], [{"start": "soon"}], [{"start": "2026-11-21T10:00:00"}], [{"start": None}]])
def test_a_start_that_cannot_be_read_is_passed_over(services: list[dict[str, object]]) -> None:
    assert reaching(HeldBooking(booking()), event(data={"services": services})).last_start is None


def test_entries_and_calls_come_back_from_their_columns() -> None:
    asked = {"client": {"name": "Ada Lee"}, "services": []}
    one = entry("v-1", EntryState.BOOKED, secret_hash="h", slot="s", code="c", batch="b", asked=asked, left_by="e-2")
    stored = entries_to_json([one])
    assert "Ada" not in str(stored), "what names the guest has a column of its own"
    assert entries_from_json(stored, asked_to_json([one]), "sb") == (one,)
    assert entries_from_json(stored, None, "sb") == (replace(one, asked=None),)


def test_an_entry_older_than_its_account_is_of_its_bookings_account() -> None:
    (stored,) = entries_to_json([entry("1")])
    del stored["account"]
    assert entries_from_json([stored], None, "sb") == (entry("1"),)


def test_the_same_id_of_two_accounts_is_of_two_bookings() -> None:
    held = merge_booking(None, booking(entry("1"), entry("1", account="other")), owned=True)
    assert len(held.booking.entries) == 2


def test_a_late_worker_undoes_nothing_that_was_found_out_since() -> None:
    held = merge_booking(None, booking(entry("1", slot="old")), owned=True)
    held = merge_booking(held, booking(entry("1", slot="new", asked={"notes": "b"})), owned=True)
    held = merge_booking(held, booking(entry("1", slot="old", asked={"notes": "a"})), owned=False)
    assert held.booking.entries == (entry("1", slot="new", asked={"notes": "b"}),)


def test_calls_come_back_from_their_column() -> None:
    assert call_from_json(call_to_json(BOOK)) == BOOK
    assert call_to_json(None) is None
    assert call_from_json(None) is None
