"""What an event means at each vendor: the calls a handler names, from any point it may have been killed at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.records import Booking, Call, Entry, EntryState
from schemas.envelope import Envelope, content_hash
from schemas.events import VenueFacts
from schemas.reasons import Reason
from schemas.settings import PeoplevineAccount, SimplybookAccount
from workers.handlers.members import Members
from workers.handlers.peoplevine_bookings import PeoplevineBookings
from workers.handlers.simplybook_bookings import SimplybookBookings
from workers.outcome import Dead, Done, Outcome, Recorded
from workers.vendors.failure import Kind, VendorFailure
from workers.vendors.simplybook import BookAnswer, BookedRow

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")
VENUES = {
    "salon": VenueFacts("salon", "sb", "simplybook", LONDON),
    "spa": VenueFacts("spa", "pv", "peoplevine", LONDON),
}
EMPTY = Booking("crm", "R-1", "sb")


@dataclass(frozen=True)
class Unit:
    id: str
    qty: int | None


@dataclass
class Salon:
    """SimplyBook.me as the handler sees it; `calls` in order."""

    require_confirm: bool = False
    per_call: int = 1
    units: tuple[Unit, ...] = (Unit("3", 1), Unit("5", 4))
    free: tuple[str, ...] = ("09:15:00",)
    gone: bool = False
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    _next: int = 0

    def book(self, *arguments: Any) -> BookAnswer:
        self.calls.append(("book", *arguments[:4]))
        rows = []
        for _ in range(self.per_call):
            self._next += 1
            rows.append(
                BookedRow(
                    id=str(self._next), hash=f"hash-{self._next}", code="c", start="", end="",
                    confirmed=not self.require_confirm,
                )
            )  # fmt: skip
        return BookAnswer(self.require_confirm, tuple(rows), "", "", "")

    def confirm_booking(self, id_: str, hash_: str) -> bool:
        self.calls.append(("confirm", id_, hash_))
        return True

    def cancel_booking(self, id_: str, hash_: str) -> bool:
        self.calls.append(("cancel", id_, hash_))
        if self.gone:
            raise VendorFailure(
                Kind.REJECTED, vendor="simplybook", method="cancelBooking", code="-32080", message="gone"
            )
        return True

    def get_unit_list(self) -> tuple[Unit, ...]:
        return self.units

    def get_start_time_matrix(self, *arguments: Any) -> Mapping[str, tuple[str, ...]]:
        return {"2027-05-10": self.free}


def salon_account(*, confirm: bool = True) -> SimplybookAccount:
    return SimplybookAccount("sb", "http://sb", "acme", "key", "secret", confirm, 1.0, 1.0)


def spa_account(*, slots_hold_one: bool = True) -> PeoplevineAccount:
    return PeoplevineAccount("pv", "http://pv", "1", "2", "u", "p", "", slots_hold_one, 1.0, 1.0)


def salon_handler(salon: Salon, *, confirm: bool = True) -> SimplybookBookings:
    return SimplybookBookings({"sb": salon}, {"sb": salon_account(confirm=confirm)}, VENUES)  # type: ignore[dict-item]


def event(
    type_: str = "booking.requested", *starts: str, id_: str = "e-1", account: str = "sb", **data: Any
) -> Envelope:
    services = [{"service_id": "7", "provider_id": "3", "start": start, "count": 1} for start in starts]
    whole = {"booking_id": "R-1", "venue": "salon", "client": {"name": "Ada"}, "services": services, **data}
    return Envelope(
        id=id_, source="crm", type=type_, subject="R-1", route="bookings.simplybook", account=account, time=NOW,
        received=NOW, data=whole, content_hash=content_hash(type_, NOW, whole),
    )  # fmt: skip


def finish(handler: Any, announced: Envelope, booking: Booking | None, kill_after: int = 99) -> tuple[Outcome, Booking]:
    """Runs a handler as the executor does; stops as a kill would after so many calls."""
    for _ in range(kill_after):
        step = handler.translate(announced, booking)
        if not isinstance(step, Call):
            return step, booking or EMPTY
        result = handler.perform(step, announced, booking)
        if isinstance(result, Done):
            return result, booking or EMPTY
        booking = result
    return Recorded("killed"), booking or EMPTY


NINE = "2027-05-10T09:15:00+01:00"
TEN = "2027-05-10T10:15:00+01:00"
ELEVEN = "2027-05-10T11:15:00+01:00"


def test_a_request_is_booked_in_the_companys_own_time() -> None:
    salon = Salon()
    outcome, booking = finish(salon_handler(salon), event("booking.requested", "2027-05-10T08:15:00+00:00"), EMPTY)
    assert isinstance(outcome, Done)
    assert salon.calls == [("book", 7, 3, "2027-05-10", "09:15:00")]
    assert [entry.vendor_id for entry in booking.entries] == ["1"]


def test_a_booking_that_requires_it_is_confirmed_with_its_hash() -> None:
    salon = Salon(require_confirm=True)
    _, booking = finish(salon_handler(salon), event("booking.requested", NINE), EMPTY)
    assert salon.calls[1:] == [("confirm", "1", "hash-1")]
    assert booking.entries[0].state is EntryState.CONFIRMED


def test_an_account_that_leaves_confirming_to_the_venue_is_not_confirmed_for_it() -> None:
    salon = Salon(require_confirm=True)
    outcome, _ = finish(salon_handler(salon, confirm=False), event("booking.requested", NINE), EMPTY)
    assert isinstance(outcome, Done)
    assert [call[0] for call in salon.calls] == ["book"]


def test_what_stands_already_is_not_booked_again_by_a_later_status() -> None:
    salon = Salon()
    _, booking = finish(salon_handler(salon), event("booking.requested", NINE, status="BOOKED"), EMPTY)
    outcome, _ = finish(salon_handler(salon), event("booking.changed", NINE, id_="e-2", status="CONFIRMED"), booking)
    assert isinstance(outcome, Done)
    assert len(salon.calls) == 1


def test_a_cancel_cancels_every_id_the_ledger_holds() -> None:
    salon = Salon(per_call=3)
    _, booking = finish(salon_handler(salon), event("booking.requested", NINE), EMPTY)
    outcome, booking = finish(salon_handler(salon), event("booking.cancelled", id_="e-2"), booking)
    assert outcome == Done("cancelled", tombstone=True)
    assert sorted(call[1] for call in salon.calls if call[0] == "cancel") == ["1", "2", "3"]
    assert {entry.state for entry in booking.entries} == {EntryState.CANCELLED}


def test_a_cancel_of_what_is_gone_at_the_vendor_is_done() -> None:
    salon = Salon()
    _, booking = finish(salon_handler(salon), event("booking.requested", NINE), EMPTY)
    salon.gone = True
    outcome, _ = finish(salon_handler(salon), event("booking.cancelled", id_="e-2"), booking)
    assert isinstance(outcome, Done)


def test_a_cancel_without_a_booking_calls_nothing_and_leaves_a_tombstone() -> None:
    salon = Salon()
    outcome, _ = finish(salon_handler(salon), event("booking.cancelled"), EMPTY)
    assert isinstance(outcome, Done)
    assert outcome.tombstone
    assert salon.calls == []


@given(killed=st.lists(st.integers(0, 3), max_size=6), old=st.sets(st.sampled_from([NINE, TEN, ELEVEN]), min_size=1),
       new=st.sets(st.sampled_from([NINE, TEN, ELEVEN]), min_size=1), require_confirm=st.booleans())  # fmt: skip
def test_a_change_killed_anywhere_ends_with_exactly_the_new_slots_and_never_with_none(
    killed: list[int], old: set[str], new: set[str], require_confirm: bool
) -> None:
    salon = Salon(require_confirm=require_confirm)
    handler = salon_handler(salon)
    _, booking = finish(handler, event("booking.requested", *sorted(old)), EMPTY)
    change = event("booking.changed", *sorted(new), id_="e-2")
    for calls in killed:
        _, booking = finish(handler, change, booking, kill_after=calls)
        assert any(entry.state is not EntryState.CANCELLED for entry in booking.entries)
    outcome, booking = finish(handler, change, booking)
    assert isinstance(outcome, Done)
    standing = [entry for entry in booking.entries if entry.state is not EntryState.CANCELLED]
    assert len(standing) == len(new)
    assert len({entry.slot for entry in standing}) == len(new)
    assert {entry.state for entry in standing} == {EntryState.CONFIRMED}
    assert sum(call[0] == "book" for call in salon.calls) == len(old | new)
    assert sum(call[0] == "cancel" for call in salon.calls) == len(old - new)


@pytest.mark.parametrize("status", ["HOLD", "NO_SHOW", "CUSTOM_STATUS_27"])
def test_statuses_that_book_nothing_are_recorded(status: str) -> None:
    salon = Salon()
    outcome, _ = finish(salon_handler(salon), event("booking.requested", NINE, status=status), EMPTY)
    assert isinstance(outcome, Recorded)
    assert salon.calls == []


def test_an_account_that_the_settings_lost_is_a_persons_to_put_back() -> None:
    step = salon_handler(Salon()).translate(event("booking.requested", NINE, account="gone"), EMPTY)
    assert isinstance(step, Dead)
    assert step.reason is Reason.MISCONFIGURED


def the_call(handler: SimplybookBookings, **service: Any) -> Call:
    asked = event("booking.requested", NINE)
    asked.data["services"][0].update(service)
    step = handler.translate(asked, EMPTY)
    assert isinstance(step, Call)
    return step


def test_a_call_in_doubt_whose_slot_is_still_free_made_nothing() -> None:
    handler = salon_handler(Salon())
    assert handler.resolve(the_call(handler), event("booking.requested", NINE)) is None


@pytest.mark.parametrize(
    ("salon", "service"),
    [
        (Salon(free=()), {}),
        (Salon(), {"provider_id": "5"}),
        (Salon(), {"count": 2}),
        (Salon(units=()), {}),
        (Salon(units=(Unit("3", None),)), {}),
    ],
    ids=["taken", "holds several", "several at once", "unit unknown", "capacity unknown"],
)
def test_a_call_in_doubt_goes_to_a_person_unless_its_slot_proves_that_it_made_nothing(
    salon: Salon, service: dict[str, Any]
) -> None:
    handler = salon_handler(salon)
    verdict = handler.resolve(the_call(handler, **service), event("booking.requested", NINE))
    assert isinstance(verdict, Dead)
    assert verdict.reason is Reason.IN_DOUBT
    assert verdict.answer is not None


# --- Peoplevine -------------------------------------------------------------------------------------------------


@dataclass
class Spa:
    offered: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[Any, ...]] = field(default_factory=list)

    def sync_member(self, member_id: str) -> None:
        self.calls.append(("sync_member", member_id))

    def create_service_reservation(self, *arguments: Any) -> str:
        self.calls.append(("create", *arguments))
        return "30396436"

    def get_service_availability(self, *arguments: Any) -> list[dict[str, Any]]:
        return self.offered


def spa_handler(spa: Spa, *, slots_hold_one: bool = True) -> PeoplevineBookings:
    account = spa_account(slots_hold_one=slots_hold_one)
    return PeoplevineBookings({"pv": spa}, {"pv": account}, VENUES)  # type: ignore[dict-item]


def spa_event(type_: str = "booking.requested", **more: Any) -> Envelope:
    service = {
        "service_id": "24422569", "provider_id": "17138931", "facility_id": "24422054", "price": 100.0, "count": 1,
        "start": "2022-05-10T09:15:00+01:00", "end": "2022-05-10T10:15:00+01:00",
    }  # fmt: skip
    return event(
        type_, account="pv", venue="spa", member_id="3125141", notes="test reservation", services=[service], **more
    )


def test_one_reservation_holds_all_services_in_venue_local_times() -> None:
    spa = Spa()
    outcome, booking = finish(spa_handler(spa), spa_event(), Booking("crm", "R-1", "pv"))
    assert isinstance(outcome, Done)
    offer = {
        "start": "2022-05-10T09:15:00", "end": "2022-05-10T10:15:00", "price": 100.0,
        "technician_id": "17138931", "service_id": "24422569", "facility_id": "24422054",
    }  # fmt: skip
    assert spa.calls == [("create", "3125141", "test reservation", [offer])]
    assert [entry.vendor_id for entry in booking.entries] == ["30396436"]


@pytest.mark.parametrize("type_", ["booking.cancelled", "booking.changed"])
def test_what_the_api_cannot_do_tells_a_person_which_reservation(type_: str) -> None:
    standing = Booking("crm", "R-1", "pv", (Entry("30396436", 0, "e-0", EntryState.CONFIRMED, slot="other"),))
    step = spa_handler(Spa()).translate(spa_event(type_), standing)
    assert isinstance(step, Dead)
    assert step.reason is Reason.UNSUPPORTED
    assert "30396436" in step.error
    assert step.tombstone is (type_ == "booking.cancelled")


def offered(start: str = "2022-05-10T09:15:00+03:00", technician: str = "17138931") -> dict[str, Any]:
    return {"start": start, "technician_id": technician, "facility_id": "24422054", "service_id": "24422569"}


@pytest.mark.parametrize(
    ("offers", "slots_hold_one", "proves"),
    [
        ([offered()], True, True),
        ([offered()], False, False),
        ([], True, False),
        ([offered(start="2022-05-10T09:30:00+03:00")], True, False),
        ([offered(technician="9")], True, False),
    ],
)
def test_only_a_slot_still_offered_where_slots_hold_one_proves_that_nothing_was_made(
    offers: list[dict[str, Any]], slots_hold_one: bool, proves: bool
) -> None:
    handler = spa_handler(Spa(offers), slots_hold_one=slots_hold_one)
    call = handler.translate(spa_event(), None)
    assert isinstance(call, Call)
    verdict = handler.resolve(call, spa_event())
    assert (verdict is None) is proves


def test_a_member_is_synchronised_by_the_subject_of_its_event() -> None:
    spa = Spa()
    handler = Members({"pv": spa})  # type: ignore[dict-item]
    outcome, _ = finish(handler, event("member.updated", account="pv"), None)
    assert isinstance(outcome, Done)
    assert spa.calls == [("sync_member", "R-1")]
