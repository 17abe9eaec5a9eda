"""What an event means at each vendor: the calls a handler names, from any point it may have been killed at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.ledger.records import Booking, Entry, EntryState, VendorCall
from bellhop.schemas.envelope import Envelope, content_hash
from bellhop.schemas.reasons import Reason
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.outcome import Dead, Done, Outcome, Recorded, Repeated
from bellhop.vendors.peoplevine import offers
from bellhop.vendors.peoplevine.bookings import PeoplevineBookings
from bellhop.vendors.peoplevine.members import Members
from bellhop.vendors.peoplevine.settings import PeoplevineAccount
from bellhop.vendors.simplybook.book_answer import BookAnswer, BookedRow
from bellhop.vendors.simplybook.bookings import SimplybookBookings
from bellhop.vendors.simplybook.settings import SimplybookAccount
from bellhop.vendors.simplybook.slots import client_time_offset
from tests.support.facts import venue_facts

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")
VENUES = {
    "salon": venue_facts("salon", "sb", "simplybook", LONDON),
    "spa": venue_facts("spa", "pv", "peoplevine", LONDON),
}
EMPTY = Booking("crm", "R-1", "sb")


def unit(id_: str, qty: int | None) -> dict[str, Any]:
    return {"id": id_, "qty": qty}


@dataclass
class Salon:
    """SimplyBook.me as the handler sees it; `calls` in order."""

    require_confirm: bool = False
    per_call: int = 1
    units: tuple[dict[str, Any], ...] = (unit("3", 1), unit("5", 4))
    free: tuple[str, ...] = ("09:15:00",)
    gone: bool = False
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    rules: dict[str, Any] = field(default_factory=dict)
    batch_confirm: VendorFailure | None = None
    batches: int = 0
    asked: tuple[Any, ...] = ()
    _next: int = 0

    def call(self, name: str, *arguments: Any) -> Any:
        return self.rules.get(name)

    def create_batch(self) -> str:
        self.batches += 1
        return str(self.batches)

    def confirm_booking_batch(self, id_: str, type_: str, hash_: str) -> None:
        self.calls.append(("confirm batch", id_, type_, hash_))
        if self.batch_confirm is not None:
            raise self.batch_confirm

    def book(self, *arguments: Any) -> BookAnswer:
        self.calls.append(("book", *arguments[:4]))
        self.asked = arguments
        batch = "" if arguments[7] is None else str(arguments[7])
        rows = []
        for _ in range(self.per_call):
            self._next += 1
            rows.append(
                BookedRow(
                    id=str(self._next), hash=f"hash-{self._next}", code="c", start="", end="",
                    confirmed=not self.require_confirm,
                )
            )  # fmt: skip
        made = ("batch_booking", batch, f"batch-hash-{batch}") if batch else ("", "", "")
        return BookAnswer(self.require_confirm, tuple(rows), *made)

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

    def get_unit_list(self) -> tuple[dict[str, Any], ...]:
        return self.units

    def get_start_time_matrix(self, *arguments: Any) -> Mapping[str, tuple[str, ...]]:
        return {"2027-05-10": self.free}


def salon_account(*, confirm: bool = True, batch: bool = False) -> SimplybookAccount:
    return SimplybookAccount("sb", "http://sb", "acme", "key", "secret", confirm, 1.0, 1.0, batch=batch)


def spa_account(*, slots_hold_one: bool = True) -> PeoplevineAccount:
    return PeoplevineAccount("pv", "http://pv", "1", "2", "u", "p", "", slots_hold_one, 1.0, 1.0)


def salon_handler(salon: Salon, *, confirm: bool = True, batch: bool = False) -> SimplybookBookings:
    account = salon_account(confirm=confirm, batch=batch)
    return SimplybookBookings({"sb": salon}, {"sb": account}, VENUES)  # type: ignore[dict-item]


def event(
    type_: str = "booking.requested", *starts: str, id_: str = "e-1", account: str = "sb", **data: Any
) -> Envelope:
    services = [{"service_id": "7", "provider_id": "3", "start": start, "count": 1} for start in starts]
    whole = {"booking_id": "R-1", "venue": "salon", "client": {"name": "Ada"}, "services": services, **data}
    return Envelope(
        id=id_, source="crm", type=type_, subject="R-1", route="bookings.simplybook", account=account, time=NOW,
        received=NOW, data=whole, content_hash=content_hash(type_, NOW, whole),
    )  # fmt: skip


def finish(handler: Any, announced: Envelope, booking: Booking, kill_after: int = 99) -> tuple[Outcome, Booking]:
    """Runs a handler as the executor does; stops as a kill would after so many calls."""
    for _ in range(kill_after):
        step = handler.translate(announced, booking)
        if not isinstance(step, VendorCall):
            return step, booking
        ready = handler.prepare(step, announced, booking)
        if not isinstance(ready, VendorCall):
            return ready, booking
        result = handler.perform(ready, announced, booking)
        if not isinstance(result, Booking):
            return result, booking
        booking = result
    return Recorded("killed"), booking


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
    assert isinstance(outcome, Recorded)
    assert outcome.applies
    assert len(salon.calls) == 1


def test_a_cancel_cancels_every_id_the_ledger_holds() -> None:
    salon = Salon(per_call=3)
    _, booking = finish(salon_handler(salon), event("booking.requested", NINE), EMPTY)
    outcome, booking = finish(salon_handler(salon), event("booking.cancelled", id_="e-2"), booking)
    assert outcome == Done("cancelled", tombstone=True)
    assert sorted(call[1] for call in salon.calls if call[0] == "cancel") == ["1", "2", "3"]
    assert {entry.state for entry in booking.entries} == {EntryState.CANCELLED}


def test_several_services_of_one_booking_join_one_batch_that_is_confirmed_at_once() -> None:
    salon = Salon(require_confirm=True)
    outcome, booking = finish(salon_handler(salon, batch=True), event("booking.requested", NINE, TEN), EMPTY)
    assert isinstance(outcome, Done)
    assert salon.batches == 1
    assert [call[0] for call in salon.calls] == ["book", "book", "confirm batch"]
    assert salon.calls[-1] == ("confirm batch", "1", "batch_booking", "batch-hash-1")
    assert {(entry.batch, entry.state) for entry in booking.entries} == {("batch_booking:1", EntryState.CONFIRMED)}


def test_a_batch_begun_before_a_kill_is_gone_on_with() -> None:
    salon = Salon()
    handler, asked = salon_handler(salon, batch=True), event("booking.requested", NINE, TEN)
    _, booking = finish(handler, asked, EMPTY, kill_after=1)
    _, booking = finish(handler, asked, booking)
    assert salon.batches == 1
    assert {entry.batch for entry in booking.entries} == {"batch_booking:1"}


def test_a_count_above_one_never_travels_with_a_batch() -> None:
    salon = Salon()
    asked = event("booking.requested", NINE, TEN)
    asked.data["services"][0]["count"] = 3
    finish(salon_handler(salon, batch=True), asked, EMPTY, kill_after=1)
    assert (salon.asked[6], salon.asked[7], salon.batches) == (3, None, 0)


def test_batches_that_cannot_be_confirmed_together_are_confirmed_one_by_one() -> None:
    refused = VendorFailure(Kind.REJECTED, vendor="v", method="m", code="-32090", message="not available")
    salon = Salon(require_confirm=True, batch_confirm=refused)
    outcome, booking = finish(salon_handler(salon, batch=True), event("booking.requested", NINE, TEN), EMPTY)
    assert isinstance(outcome, Done)
    assert [call[0] for call in salon.calls] == ["book", "book", "confirm batch", "confirm", "confirm"]
    assert {entry.state for entry in booking.entries} == {EntryState.CONFIRMED}


def test_a_guest_of_another_zone_is_told_by_the_difference_at_the_start() -> None:
    salon = Salon()
    asked = event("booking.requested", NINE, client={"name": "Ada", "timezone": "Europe/Athens"})
    finish(salon_handler(salon), asked, EMPTY)
    assert salon.asked[4] == {"name": "Ada", "client_time_offset": 120}


def test_the_documents_example_of_a_difference_is_an_hour() -> None:
    start = datetime(2027, 1, 10, 12, tzinfo=ZoneInfo("Etc/GMT-2"))
    assert client_time_offset(start, ZoneInfo("Etc/GMT-3")) == 60


def test_what_the_company_would_refuse_is_told_with_every_rule_and_not_sent() -> None:
    field_ = {"name": "f" * 32, "title": "Room", "type": "select", "values": "a, b", "is_null": False}
    salon = Salon(
        rules={"getTimeframe": 60, "getCompanyParam": "email_phone", "getAdditionalFields": [field_]},
    )
    outcome, _ = finish(salon_handler(salon), event("booking.requested", NINE), EMPTY)
    assert isinstance(outcome, Dead)
    assert outcome.reason is Reason.REJECTED
    for words in ("09:00 and 10:00", "client.email is required", "client.phone is required", '"Room" is required'):
        assert words in outcome.error
    assert salon.calls == []


def test_intake_values_and_the_promo_code_go_with_the_booking() -> None:
    field_ = {"name": "f" * 32, "title": "Room", "type": "select", "values": "a, b", "is_null": False}
    salon = Salon(rules={"getAdditionalFields": [field_]})
    asked = event("booking.requested", NINE, additional={"Room": "b"}, promo_code="SUMMER")
    finish(salon_handler(salon), asked, EMPTY)
    promo = {"name": "promocode", "value": "SUMMER", "type": "text"}
    assert salon.asked[5] == {"f" * 32: "b", "promocode": promo}


def test_a_recurring_booking_in_doubt_is_a_persons_for_it_holds_several_slots() -> None:
    handler = salon_handler(Salon())
    asked = event("booking.requested", NINE, recurring={"days": 4})
    step = handler.translate(asked, EMPTY)
    assert isinstance(step, VendorCall)
    assert isinstance(handler.resolve(step, asked), Dead)


def test_two_services_that_are_one_slot_are_never_taken_for_one() -> None:
    salon = Salon()
    outcome, _ = finish(salon_handler(salon), event("booking.requested", NINE, NINE), EMPTY)
    assert isinstance(outcome, Dead)
    assert salon.calls == []


def test_of_a_group_of_which_some_were_cancelled_only_the_others_are_booked() -> None:
    asked = event("booking.requested", NINE)
    asked.data["services"][0]["count"] = 3
    _, booking = finish(salon_handler(Salon(per_call=3)), asked, EMPTY)
    entries = tuple(replace(e, state=EntryState.CANCELLED) if e.vendor_id == "2" else e for e in booking.entries)
    salon = Salon(_next=3)
    again, booking = finish(salon_handler(salon), replace(asked, id="e-2"), replace(booking, entries=entries))
    assert isinstance(again, Done)
    assert (len(salon.calls), salon.asked[6]) == (1, None)
    assert sorted(e.vendor_id for e in booking.entries if e.stands) == ["1", "3", "4"]


def test_an_answer_without_a_batchs_id_is_of_the_batch_that_was_named() -> None:
    class Silent(Salon):
        def book(self, *arguments: Any) -> BookAnswer:
            return replace(super().book(*arguments), batch_id="", batch_type="")

    salon = Silent(require_confirm=True)
    outcome, _ = finish(salon_handler(salon, batch=True), event("booking.requested", NINE, TEN), EMPTY)
    assert isinstance(outcome, Done)
    assert salon.batches == 1
    assert salon.calls[-1] == ("confirm batch", "1", "batch_booking", "batch-hash-1")


def test_a_batch_hash_without_any_id_signs_nothing_and_each_booking_is_confirmed_by_itself() -> None:
    class Nameless(Salon):
        def book(self, *arguments: Any) -> BookAnswer:
            return replace(super().book(*arguments), batch_hash="a-hash")

    salon = Nameless(require_confirm=True)
    finish(salon_handler(salon), event("booking.requested", NINE), EMPTY)
    assert [call[0] for call in salon.calls] == ["book", "confirm"]


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
       new=st.sets(st.sampled_from([NINE, TEN, ELEVEN]), min_size=1), require_confirm=st.booleans(),
       batch=st.booleans())  # fmt: skip
def test_a_change_killed_anywhere_ends_with_exactly_the_new_slots_and_never_with_none(
    killed: list[int], old: set[str], new: set[str], require_confirm: bool, batch: bool
) -> None:
    salon = Salon(require_confirm=require_confirm)
    handler = salon_handler(salon, batch=batch)
    _, booking = finish(handler, event("booking.requested", *sorted(old)), EMPTY)
    change = event("booking.changed", *sorted(new), id_="e-2")
    for calls in killed:
        _, booking = finish(handler, change, booking, kill_after=calls)
        assert any(entry.state is not EntryState.CANCELLED for entry in booking.entries)
    outcome, booking = finish(handler, change, booking)
    assert isinstance(outcome, Done if new != old else Repeated)
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


def the_call(handler: SimplybookBookings, **service: Any) -> VendorCall:
    asked = event("booking.requested", NINE)
    asked.data["services"][0].update(service)
    step = handler.translate(asked, EMPTY)
    assert isinstance(step, VendorCall)
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
        (Salon(units=(unit("3", None),)), {}),
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


def test_a_reservation_that_was_to_be_cancelled_by_hand_and_is_wanted_again_is_a_persons_to_look_at() -> None:
    _, booking = finish(spa_handler(Spa()), spa_event(), Booking("crm", "R-1", "pv"))
    outcome, _ = finish(spa_handler(Spa()), spa_event("booking.changed"), replace(booking, cancelled=True))
    assert isinstance(outcome, Dead)
    assert outcome.reason is Reason.UNSUPPORTED
    assert "30396436" in outcome.error


def offered(start: str = "2022-05-10T09:15:00+03:00", technician: str = "17138931") -> dict[str, Any]:
    return {"start": start, "technician_id": technician, "facility_id": "24422054", "service_id": "24422569"}


@pytest.mark.parametrize(
    ("there", "slots_hold_one", "proves"),
    [
        ([offered()], True, True),
        ([offered()], False, False),
        ([], True, False),
        ([offered(start="2022-05-10T09:30:00+03:00")], True, False),
        ([offered(technician="9")], True, False),
    ],
)
def test_only_a_slot_still_offered_where_slots_hold_one_proves_that_nothing_was_made(
    there: list[dict[str, Any]], slots_hold_one: bool, proves: bool
) -> None:
    handler = spa_handler(Spa(there), slots_hold_one=slots_hold_one)
    call = handler.translate(spa_event(), EMPTY)
    assert isinstance(call, VendorCall)
    verdict = handler.resolve(call, spa_event())
    assert (verdict is None) is proves


def offer(start: str, technician: str = "1", price: float = 100, minutes: int = 30, **more: Any) -> dict[str, Any]:
    begins = datetime.fromisoformat(f"2022-05-10T{start}:00+01:00")
    ends = begins + timedelta(minutes=minutes)
    return {
        "start": begins.isoformat(), "end": ends.isoformat(), "price": price, "technician_id": technician,
        "service_id": "7", "facility_id": "2", **more,
    }  # fmt: skip


def window(start: str = "09:00", end: str = "12:00", **more: Any) -> dict[str, Any]:
    day = "2022-05-10T"
    return {"service_id": "7", "start": f"{day}{start}:00+01:00", "end": f"{day}{end}:00+01:00", "count": 1, **more}


def windowed(*services: dict[str, Any]) -> Envelope:
    return event("booking.requested", account="pv", venue="spa", member_id="3125141", services=list(services))


def taken(spa: Spa) -> list[tuple[str, str, float]]:
    return [(o["start"][11:16], o["technician_id"], o["price"]) for o in spa.calls[-1][3]]


def test_a_window_takes_the_offer_nearest_its_beginning_then_the_cheapest_and_says_which() -> None:
    spa = Spa([offer("10:00", price=10), offer("09:15", "1"), offer("09:15", "2", price=85), offer("08:45", price=1)])
    outcome, booking = finish(spa_handler(spa), windowed(window()), Booking("crm", "R-1", "pv"))
    assert taken(spa) == [("09:15", "2", 85.0)]
    assert isinstance(outcome, Done)
    assert "reservation 30396436; took service 7 with technician 2" in outcome.detail
    assert "09:15:00 to 09:45:00, price 85" in outcome.detail
    again, _ = finish(spa_handler(spa), replace(windowed(window()), id="e-2"), booking)
    assert isinstance(again, Repeated)
    assert len(spa.calls) == 1


def test_an_offer_that_ends_after_the_window_or_begins_before_it_is_not_in_it() -> None:
    spa = Spa([offer("08:59"), offer("11:45")])
    outcome, _ = finish(spa_handler(spa), windowed(window()), Booking("crm", "R-1", "pv"))
    assert isinstance(outcome, Dead)
    assert outcome.reason is Reason.REJECTED
    assert "2022-05-10T08:59:00+01:00" in outcome.error
    assert spa.calls == []


@pytest.mark.parametrize(
    ("named", "took"),
    [
        ({"provider_id": "2", "facility_id": "2"}, ("10:00", "2", 100.0)),
        ({"provider_id": "2", "price": 70.0}, ("09:30", "2", 70.0)),
        ({"facility_id": "9"}, ("09:30", "2", 100.0)),
    ],
)
def test_what_the_booking_names_of_technician_facility_and_price_is_kept_to(
    named: dict[str, Any], took: tuple[str, str, float]
) -> None:
    spa = Spa([offer("09:00", "1"), offer("09:30", "2", facility_id="9"), offer("10:00", "2")])
    finish(spa_handler(spa), windowed(window(**named)), Booking("crm", "R-1", "pv"))
    assert taken(spa) == [took]


def test_two_services_of_one_guest_never_overlap() -> None:
    spa = Spa([offer("09:00", "1"), offer("09:15", "2"), offer("09:30", "2")])
    finish(spa_handler(spa), windowed(window(), window()), Booking("crm", "R-1", "pv"))
    assert taken(spa) == [("09:00", "1", 100.0), ("09:30", "2", 100.0)]


@given(
    st.lists(
        st.builds(
            offer,
            st.sampled_from(["08:30", "09:00", "09:15", "10:30", "11:30", "11:45"]),
            st.sampled_from(["1", "2"]),
            st.integers(1, 3),
        )
    )
)
def test_the_best_offer_is_inside_the_window_and_no_other_inside_is_better(there: list[dict[str, Any]]) -> None:
    wanted = offers.requested_offers([window()], LONDON)[0]
    chosen = offers.best(wanted, there, [])
    inside = [(o["start"][11:16], o["price"]) for o in there if "09:00" <= o["start"][11:16] <= "11:30"]
    assert (chosen is None) is (not inside)
    if chosen is not None:
        assert (chosen["start"][11:16], chosen["price"]) == min(inside)


def test_an_offer_of_an_unknown_form_is_passed_over() -> None:
    wanted = offers.requested_offers([window()], LONDON)[0]
    assert offers.best(wanted, [{"start": "soon"}, {**offer("09:00"), "price": "a lot"}], []) is None


def test_a_member_is_synchronised_by_the_subject_of_its_event() -> None:
    spa = Spa()
    handler = Members({"pv": spa})  # type: ignore[dict-item]
    outcome, _ = finish(handler, event("member.updated", account="pv"), EMPTY)
    assert isinstance(outcome, Done)
    assert spa.calls == [("sync_member", "R-1")]
