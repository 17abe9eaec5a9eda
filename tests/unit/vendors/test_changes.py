"""A change is what differs: an event compared with what stands, at each vendor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bellhop.ledger.records import Booking, EntryState
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from bellhop.vendors.outcome import Dead, Done, Recorded, Repeated
from tests.unit.vendors.test_handlers import (
    EMPTY,
    NINE,
    TEN,
    Salon,
    Spa,
    event,
    finish,
    salon_handler,
    spa_event,
    spa_handler,
)

ADA = {"name": "Ada Lee", "email": "ada@example.com", "phone": "+15550100"}
BEN = {"name": "Ben Ode", "email": "ben@example.com"}


def asked(id_: str = "e-1", type_: str = "booking.requested", *starts: str, **more: Any) -> Envelope:
    return event(type_, *(starts or (NINE,)), id_=id_, **{"client": ADA, **more})


def booked(salon: Salon, first: Envelope | None = None) -> Booking:
    outcome, booking = finish(salon_handler(salon), first or asked(), EMPTY)
    assert isinstance(outcome, Done)
    salon.calls.clear()
    return booking


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"client": {**ADA, "phone": "+15550199"}}, "client.phone: *** → ***"),
        ({"client": {**ADA, "name": "Ada Low"}}, "client.name: *** → ***"),
        ({"client": {**ADA, "email": "low@example.com"}}, "client.email: *** → ***"),
        ({"client": {**ADA, "timezone": "Europe/Athens"}}, "client.timezone: nothing → ***"),
        ({"client": BEN}, "client.phone: *** → nothing"),
        ({"notes": "nut allergy"}, "notes: nothing → ***"),
        ({"member_id": "77"}, "member_id: nothing → 77"),
        ({"additional": {"Room": "b"}}, "additional: nothing → ***"),
        ({"promo_code": "SUMMER"}, "promo_code: nothing → SUMMER"),
    ],
)
def test_what_no_call_carries_is_told_to_a_person_field_by_field_and_never_confirmed(
    more: dict[str, Any], told: str
) -> None:
    salon = Salon()
    outcome, _ = finish(salon_handler(salon), asked("e-2", "booking.changed", **more), booked(salon))
    assert isinstance(outcome, Dead)
    assert outcome.reason is Reason.UNSUPPORTED
    assert told in outcome.error
    assert "change 1 there by hand" in outcome.error
    assert "Ada" not in outcome.error
    assert salon.calls == []
    assert outcome.applies, "an older event of the booking counts no more"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"price": 250.0}, "services.0.price: nothing → 250"),
        ({"end": "2027-05-10T10:00:00+01:00"}, "services.0.end: nothing → 2027-05-10T10:00:00+01:00"),
        ({"facility_id": "9"}, "services.0.facility_id: nothing → 9"),
    ],
)
def test_what_a_service_says_beside_its_slot_is_compared_too(changed: dict[str, Any], told: str) -> None:
    salon = Salon()
    newer = asked("e-2", "booking.changed")
    newer.data["services"][0].update(changed)
    outcome, _ = finish(salon_handler(salon), newer, booked(salon))
    assert isinstance(outcome, Dead)
    assert told in outcome.error


def test_the_person_who_opens_the_letter_reads_what_was_and_what_is_asked() -> None:
    salon = Salon()
    newer = asked("e-2", "booking.changed", client={**ADA, "phone": "+15550199"}, notes="nut allergy")
    outcome, _ = finish(salon_handler(salon), newer, booked(salon))
    assert isinstance(outcome, Dead)
    assert outcome.answer == {
        "vendor_ids": ["1"],
        "by_hand": [
            {"field": "client.phone", "before": "+15550100", "after": "+15550199"},
            {"field": "notes", "before": None, "after": "nut allergy"},
        ],
    }


@pytest.mark.parametrize("type_", ["booking.requested", "booking.changed"])
def test_the_same_under_another_id_is_a_duplicate_and_not_done(type_: str) -> None:
    salon = Salon()
    spelled = {"name": " Ada  Lee", "email": "ADA@example.com", "phone": "+1 555-0100"}
    outcome, _ = finish(salon_handler(salon), asked("e-2", type_, client=spelled), booked(salon))
    assert isinstance(outcome, Repeated)
    assert salon.calls == []


def test_what_a_person_was_told_once_is_not_told_again_by_the_next_event_that_says_it() -> None:
    salon = Salon()
    newer = asked("e-2", "booking.changed", notes="nut allergy")
    dead, _ = finish(salon_handler(salon), newer, booked(salon))
    assert isinstance(dead, Dead)
    assert dead.booking is not None
    again, _ = finish(salon_handler(salon), replace(newer, id="e-3"), dead.booking)
    assert again == Repeated("it asks what event e-2 asked, which a person has")
    replayed, _ = finish(salon_handler(salon), newer, dead.booking)
    assert replayed == dead, "the letter's own replay says the same"


def test_what_a_person_was_told_to_change_and_is_asked_back_is_told_too() -> None:
    salon = Salon()
    dead, _ = finish(salon_handler(salon), asked("e-2", "booking.changed", notes="nut allergy"), booked(salon))
    assert isinstance(dead, Dead)
    assert dead.booking is not None
    back, _ = finish(salon_handler(salon), asked("e-3", "booking.changed"), dead.booking)
    assert isinstance(back, Dead)
    assert "notes: *** → nothing" in back.error


def test_a_changed_guest_in_another_slot_is_booked_there_and_all_of_it_stands() -> None:
    salon = Salon()
    newer = asked("e-2", "booking.changed", TEN, client={**ADA, "phone": "+15550199"})
    outcome, _ = finish(salon_handler(salon), newer, booked(salon))
    assert isinstance(outcome, Done)
    assert [call[0] for call in salon.calls] == ["book", "cancel"]
    assert salon.asked[4]["phone"] == "+15550199"


def test_of_two_services_the_one_that_stays_is_a_persons_where_its_guest_changed() -> None:
    salon = Salon()
    newer = asked("e-2", "booking.changed", NINE, TEN, notes="nut allergy")
    outcome, booking = finish(salon_handler(salon), newer, booked(salon))
    assert isinstance(outcome, Dead)
    assert "change 1 there by hand" in outcome.error
    assert [entry.vendor_id for entry in booking.entries if entry.stands] == ["1", "2"]


def test_a_request_of_another_guest_under_the_same_reference_is_a_booking_of_its_own() -> None:
    salon = Salon()
    outcome, booking = finish(salon_handler(salon), asked("e-2", client=BEN), booked(salon))
    assert isinstance(outcome, Done)
    assert [call[0] for call in salon.calls] == ["book"]
    assert [entry.vendor_id for entry in booking.entries if entry.stands] == ["1", "2"]

    moved, booking = finish(salon_handler(salon), asked("e-3", "booking.changed", TEN, client=BEN), booking)
    assert isinstance(moved, Done)
    assert [entry.vendor_id for entry in booking.entries if entry.stands] == ["1", "3"], "Ada's place stays hers"

    outcome, booking = finish(salon_handler(salon), event("booking.cancelled", id_="e-4", client=BEN), booking)
    assert outcome == Done("cancelled; 1 of other guests under its reference stands")
    assert [entry.vendor_id for entry in booking.entries if entry.stands] == ["1"]

    nobody, _ = finish(salon_handler(salon), event("booking.cancelled", id_="e-5", client={}), booking)
    assert nobody == Done("cancelled", tombstone=True)


@pytest.mark.parametrize("type_", ["booking.requested", "booking.changed"])
def test_what_replaces_another_booking_for_another_guest_takes_its_place_too(type_: str) -> None:
    salon = Salon()
    made = booked(salon)
    adopted = replace(made, entries=tuple(replace(entry, changed_by="e-2") for entry in made.entries))
    outcome, booking = finish(salon_handler(salon), asked("e-2", type_, TEN, client=BEN, replaces="R-0"), adopted)
    assert isinstance(outcome, Done)
    assert [call[0] for call in salon.calls] == ["book", "cancel"]
    assert [entry.vendor_id for entry in booking.entries if entry.stands] == ["2"]


EVE = {"name": "Eve Lee", "email": "ADA@example.com"}


@pytest.mark.parametrize("start", [NINE, TEN])
def test_a_request_for_another_name_with_the_same_address_moves_nothing_unless_a_person_says_so(start: str) -> None:
    salon = Salon()
    booking = booked(salon)
    request = asked("e-2", "booking.requested", start, client=EVE)
    outcome, _ = finish(salon_handler(salon), request, booking)
    assert isinstance(outcome, Dead)
    assert ("another name with the same e-mail address" in outcome.error, salon.calls) == (True, [])
    finish(salon_handler(salon), request.next_generation(), booking)
    assert [call[0] for call in salon.calls] == (["book", "cancel"] if start == TEN else [])


@pytest.mark.parametrize("name", ["Dr ADA Lee", "Lee", "Lee, Ada"])
def test_one_name_told_at_another_length_is_no_other_name(name: str) -> None:
    salon = Salon()
    request = asked("e-2", "booking.requested", TEN, client={**ADA, "name": name})
    outcome, _ = finish(salon_handler(salon), request, booked(salon))
    assert isinstance(outcome, Done)
    assert [call[0] for call in salon.calls] == ["book", "cancel"]


def test_of_two_guests_who_share_an_address_each_ones_events_are_its_own() -> None:
    salon = Salon()
    other = booked(salon, asked("e-0", "booking.requested", TEN, client=EVE))
    mine = booked(salon)
    both = replace(mine, entries=(*mine.entries, *other.entries))
    outcome, booking = finish(salon_handler(salon), asked("e-3", "booking.cancelled", client=ADA), both)
    assert isinstance(outcome, Done)
    assert [entry.asked["client"]["name"] for entry in booking.entries if entry.stands and entry.asked] == ["Eve Lee"]


def test_a_change_of_the_one_guest_there_is_may_correct_the_name() -> None:
    salon = Salon()
    outcome, _ = finish(salon_handler(salon), asked("e-2", "booking.changed", TEN, client=EVE), booked(salon))
    assert [call[0] for call in salon.calls] == ["book", "cancel"]
    assert isinstance(outcome, Done)


def test_a_change_of_none_of_several_guests_is_a_persons() -> None:
    salon = Salon()
    _, booking = finish(salon_handler(salon), asked("e-2", client=BEN), booked(salon))
    other = {"name": "Cy Roe", "email": "cy@example.com"}
    outcome, _ = finish(salon_handler(salon), asked("e-3", "booking.changed", TEN, client=other), booking)
    assert isinstance(outcome, Dead)
    assert "several guests' bookings stand" in outcome.error


def test_a_group_that_shrinks_gives_its_last_places_back_and_one_that_grows_takes_what_is_missing() -> None:
    class Group(Salon):
        def book(self, *arguments: Any) -> Any:
            self.per_call = arguments[6] or 1
            answer = super().book(*arguments)
            times = {"start": "2027-05-10 09:15:00", "end": "2027-05-10 09:45:00"}
            return replace(answer, bookings=tuple(replace(row, **times) for row in answer.bookings))

    def group(id_: str, count: int) -> Envelope:
        made = asked(id_, "booking.changed")
        made.data["services"][0]["count"] = count
        return made

    salon = Group()
    booking = booked(salon, group("e-1", 3))
    outcome, booking = finish(salon_handler(salon), group("e-2", 4), booking)
    assert isinstance(outcome, Done)
    assert [call[0] for call in salon.calls] == ["book"]
    outcome, booking = finish(salon_handler(salon), group("e-3", 2), booking)
    assert isinstance(outcome, Done)
    assert [entry.vendor_id for entry in booking.entries if entry.stands] == ["1", "2"]
    again, _ = finish(salon_handler(salon), group("e-4", 2), booking)
    assert isinstance(again, Repeated)


def test_a_change_that_only_cancels_is_done_also_after_a_death_behind_its_last_call() -> None:
    salon = Salon()
    booking = booked(salon, asked("e-1", "booking.requested", NINE, TEN))
    fewer = asked("e-2", "booking.changed", NINE)
    _, booking = finish(salon_handler(salon), fewer, booking, kill_after=1)
    outcome, _ = finish(salon_handler(salon), fewer, booking)
    assert isinstance(outcome, Done)


def test_of_a_booking_older_than_what_is_kept_a_person_is_told_that_nothing_is_known() -> None:
    salon = Salon()
    old = booked(salon)
    entries = tuple(replace(entry, asked=None) for entry in old.entries)
    outcome, _ = finish(salon_handler(salon), asked("e-2", "booking.changed"), replace(old, entries=entries))
    assert isinstance(outcome, Dead)
    assert "is not known here any more" in outcome.error
    assert outcome.booking is not None
    again, _ = finish(salon_handler(salon), asked("e-3", "booking.changed"), outcome.booking)
    assert isinstance(again, Repeated)


def test_what_was_proven_to_be_an_events_own_was_booked_for_what_it_asks() -> None:
    """By a callback or a person's word, which know the call and not the event."""
    salon = Salon()
    made = booked(salon, asked(notes="nut allergy"))
    proven = replace(made, entries=tuple(replace(entry, asked=None) for entry in made.entries))
    outcome, _ = finish(salon_handler(salon), asked(notes="nut allergy"), proven)
    assert isinstance(outcome, Done)
    assert outcome.booking is not None
    later, _ = finish(salon_handler(salon), asked("e-2", "booking.changed", notes="none"), outcome.booking)
    assert isinstance(later, Dead)
    assert "notes: *** → ***" in later.error
    again, _ = finish(salon_handler(salon), asked("e-3", "booking.changed", notes="nut allergy"), outcome.booking)
    assert isinstance(again, Repeated)
    assert salon.calls == []


def test_at_peoplevine_too_what_a_person_says_is_there_was_booked_for_what_the_event_asks() -> None:
    spa = Spa()
    _, made = finish(spa_handler(spa), spa_event(), SPA)
    proven = replace(made, entries=tuple(replace(entry, asked=None) for entry in made.entries))
    outcome, _ = finish(spa_handler(spa), spa_event(), proven)
    assert isinstance(outcome, Done)
    assert outcome.booking == made
    assert len(spa.calls) == 1


def test_a_booking_that_goes_to_another_vendors_venue_leaves_the_old_one_to_a_person() -> None:
    salon, spa = Salon(), Spa()
    moved = replace(spa_event("booking.changed"), id="e-2")
    outcome, booking = finish(spa_handler(spa), moved, booked(salon))
    assert isinstance(outcome, Dead)
    assert "cancel 1 of account sb there by hand" in outcome.error
    assert len(spa.calls) == 1
    again, _ = finish(spa_handler(spa), moved, booking)
    assert isinstance(again, Dead)
    assert len(spa.calls) == 1


# --- Peoplevine ---------------------------------------------------------------------------------------------------

SPA = Booking("crm", "R-1", "pv")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"member_id": "1001"}, "member_id: 3125141 → 1001"),
        ({"notes": "nut allergy"}, "notes: *** → ***"),
        ({"services": {"price": 250.0}}, "services.0.price: 100 → 250"),
        ({"services": {"start": "2022-05-10T09:30:00+01:00"}}, "services.0.start: 2022-05-10T09:15:00+01:00 → "),
        ({"services": {"end": "2022-05-10T10:45:00+01:00"}}, "services.0.end: 2022-05-10T10:15:00+01:00 → "),
        ({"services": {"facility_id": "9"}}, "services.0.facility_id: 24422054 → 9"),
    ],
)
def test_every_change_at_peoplevine_is_a_persons_field_by_field(more: dict[str, Any], told: str) -> None:
    spa = Spa()
    _, booking = finish(spa_handler(spa), spa_event(), SPA)
    newer = replace(spa_event("booking.changed"), id="e-2")
    newer.data["services"][0].update(more.pop("services", {}))
    newer.data.update(more)
    outcome, _ = finish(spa_handler(spa), newer, booking)
    assert isinstance(outcome, Dead)
    assert outcome.reason is Reason.UNSUPPORTED
    assert told in outcome.error
    assert "change 30396436 there by hand" in outcome.error
    assert len(spa.calls) == 1


def test_the_same_again_at_peoplevine_is_a_duplicate_and_another_status_is_recorded() -> None:
    spa = Spa()
    _, booking = finish(spa_handler(spa), spa_event(), SPA)
    again, _ = finish(spa_handler(spa), replace(spa_event("booking.changed"), id="e-2"), booking)
    assert isinstance(again, Repeated)
    seated, _ = finish(spa_handler(spa), replace(spa_event("booking.changed", status="SEATED"), id="e-3"), booking)
    assert isinstance(seated, Recorded)


def test_a_request_of_another_member_is_a_reservation_of_its_own() -> None:
    spa = Spa()
    _, booking = finish(spa_handler(spa), spa_event(), SPA)
    other = replace(spa_event(), id="e-2")
    other.data["member_id"] = "1001"
    step = spa_handler(spa).translate(other, booking)
    assert getattr(step, "method", "") == "create_service_reservation"


def spa_cancel(id_: str, **more: Any) -> Envelope:
    return replace(spa_event("booking.cancelled"), id=id_, data={"booking_id": "R-1", "services": [], **more})


def spa_with_notes(id_: str, notes: str) -> Envelope:
    newer = replace(spa_event("booking.changed"), id=id_)
    newer.data["notes"] = notes
    return newer


def test_a_cancel_by_hand_that_a_person_was_told_of_is_not_told_again_by_the_next_that_says_it() -> None:
    spa = Spa()
    _, booking = finish(spa_handler(spa), spa_event(), SPA)
    first, _ = finish(spa_handler(spa), spa_cancel("e-2"), booking)
    assert isinstance(first, Dead)
    assert first.booking is not None
    replayed, _ = finish(spa_handler(spa), spa_cancel("e-2"), first.booking)
    assert replayed == first, "the letter's own replay says the same"
    again, _ = finish(spa_handler(spa), spa_cancel("e-3"), replace(first.booking, cancelled=True))
    assert isinstance(again, Repeated)
    assert "a person has been told" in again.detail


def test_what_was_to_be_cancelled_by_hand_and_is_wanted_again_is_a_persons_once_and_so_is_its_next_cancel() -> None:
    spa = Spa()
    _, booking = finish(spa_handler(spa), spa_event(), SPA)
    cancelled, _ = finish(spa_handler(spa), spa_cancel("e-2"), booking)
    assert isinstance(cancelled, Dead)
    assert cancelled.booking is not None
    wanted, _ = finish(spa_handler(spa), replace(spa_event(), id="e-3"), replace(cancelled.booking, cancelled=True))
    assert isinstance(wanted, Dead)
    assert wanted.booking is not None
    assert "30396436 stands at Peoplevine" in wanted.error
    assert not wanted.booking.cancelled
    replayed, _ = finish(spa_handler(spa), replace(spa_event(), id="e-3"), wanted.booking)
    assert replayed == wanted, "the letter's own replay says the same"
    again, _ = finish(spa_handler(spa), replace(spa_event(), id="e-4"), wanted.booking)
    assert again == Repeated("it asks what event e-3 asked, which a person has")
    assert isinstance(finish(spa_handler(spa), spa_with_notes("e-5", "nuts"), wanted.booking)[0], Dead)
    assert isinstance(finish(spa_handler(spa), spa_cancel("e-6"), wanted.booking)[0], Dead)
    assert len(spa.calls) == 1


def test_a_cancel_of_one_member_of_a_group_says_nothing_of_what_stands_for_the_others() -> None:
    spa = Spa()
    _, booking = finish(spa_handler(spa), spa_event(), SPA)
    (ada,) = booking.entries
    assert ada.asked is not None
    ben = replace(ada, vendor_id="77", made_by="e-2", asked={**ada.asked, "member_id": "1001"})
    both = replace(booking, entries=(ada, ben))
    cancelled, _ = finish(spa_handler(spa), spa_cancel("e-3", member_id="1001"), both)
    assert isinstance(cancelled, Dead)
    assert cancelled.booking is not None
    assert "reservation 77 " in cancelled.error
    assert cancelled.applies
    assert not cancelled.tombstone, "what another member has is not cancelled"
    changed, _ = finish(spa_handler(spa), spa_with_notes("e-4", "nuts"), cancelled.booking)
    assert isinstance(changed, Dead)
    assert "change 30396436 there by hand" in changed.error
    all_of_it, _ = finish(spa_handler(spa), spa_cancel("e-5"), cancelled.booking)
    assert isinstance(all_of_it, Dead)
    assert all_of_it.tombstone


def test_only_standing_bookings_are_compared() -> None:
    salon = Salon()
    old = booked(salon)
    gone = replace(old, entries=tuple(replace(e, state=EntryState.CANCELLED) for e in old.entries), cancelled=True)
    outcome, _ = finish(salon_handler(salon), asked("e-2", notes="nut allergy"), gone)
    assert isinstance(outcome, Done)
