"""Everything about a person is found by what people know of them, also where nothing went wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bellhop.ledger.records import Attempt, Booking, LetterFilter, Order, Settlement, State
from bellhop.ledger.store import Ledger
from tests.support.ledger import BOOK, LEASE, NOON, Clock, booking, die, entry, event, finish, letter, take

LEE = {"name": "Mei-Ling Lee", "email": "Mei.Lee@Example.com", "phone": "+49 (0)30 1234567"}


def found(ledger: Ledger, text: str, limit: int = 50) -> list[str]:
    return [view.id for view in ledger.find_events(text, limit)]


@pytest.mark.parametrize(
    "text",
    ["mei.lee@example.com", " MEI.LEE@EXAMPLE.COM", "+49 030 1234567", "Lee", "Ms Lee", "mei ling lee", "M-17", "R-1"],
)
def test_a_booking_that_went_well_is_found_by_its_guest(ledger: Ledger, text: str) -> None:
    finish(ledger, event(data={"client": LEE, "member_id": "m-17"}))
    finish(ledger, event("e-2", subject="R-2", data={"client": {"name": "Ada Lovelace"}, "member_id": "18"}))
    assert found(ledger, text) == ["e-1"]


def test_who_has_all_the_words_stands_before_who_has_some(ledger: Ledger) -> None:
    finish(ledger, event("e-1", subject="R-1", data={"client": {"name": "Zoë Lee"}}))
    finish(ledger, event("e-2", subject="R-2", data={"client": {"name": "Zoe Ng"}}))
    assert found(ledger, "zoe lee") == ["e-1"]
    assert found(ledger, "zoe") == ["e-2", "e-1"]
    assert found(ledger, "zoe", limit=1) == ["e-2"]


def test_a_member_is_found_by_what_its_profile_says(ledger: Ledger) -> None:
    profile = {"first_name": "Ada", "email": "ada@example.com", "tier": "gold"}
    finish(ledger, event("m-1", "member.updated", subject="M-9", data={"profile": profile}))
    assert found(ledger, "ada@example.com") == found(ledger, "Ada") == found(ledger, "M-9") == ["m-1"]
    assert found(ledger, "gold") == []


def test_an_event_is_found_while_it_is_worked_and_by_the_vendors_id_afterwards(ledger: Ledger) -> None:
    take(ledger, event("e-1", data={"client": LEE}))
    assert found(ledger, "lee") == ["e-1"]
    finish(ledger, event("e-2", subject="R-2"), booking=booking(entry("v-77")))
    assert found(ledger, "v-77") == ["e-1"]  # both are of booking R-1's ledger entry


def test_what_is_pruned_is_found_no_more(ledger: Ledger, clock: Clock) -> None:
    finish(ledger, event(data={"client": LEE}, not_after=NOON))
    clock.advance(days=91)
    ledger.prune()
    assert found(ledger, "lee") == []
    finish(ledger, event("e-2", subject="R-2", at=clock().timestamp() - NOON.timestamp()))
    assert found(ledger, "lee") == []


@pytest.mark.parametrize("text", ["", "  ", "%", "_", "\ud800", "\x00", "a" * 5000, "'; DROP TABLE events; --"])
def test_odd_words_find_nothing_and_break_nothing(ledger: Ledger, text: str) -> None:
    finish(ledger, event(data={"client": LEE}))
    assert found(ledger, text) == []


def test_a_dead_letters_other_words_lead_to_its_event_too(ledger: Ledger) -> None:
    dead = event(data={"client": LEE})
    die(ledger, dead)
    ledger.letters.archive([letter(dead)])
    assert found(ledger, "example") == ["e-1"]


def test_a_long_profile_is_found_by_the_first_of_its_words_alone(ledger: Ledger) -> None:
    names = {f"name{n}": f"Word{n}" for n in range(40)}
    finish(ledger, event("m-1", "member.updated", subject="M-9", data={"profile": names}))
    assert found(ledger, "word0") == ["m-1"]
    assert found(ledger, "word39") == []


def test_what_a_call_asked_and_what_came_of_it_is_kept(ledger: Ledger) -> None:
    asked = {"unit_id": "2", "client": {"name": "Mei Lee"}}
    tried = Attempt("book", NOON + timedelta(seconds=1), 0.5, "ok", "", {"bookings": [{"id": "v-1"}]}, asked)
    finish(ledger, event(), attempts=(tried,))
    view = ledger.event("crm", "e-1")
    assert view is not None
    assert view.attempts == [tried]


# --- one person, one number, many ways to write them --------------------------------------------------------------

FORMS = [
    ("+44 20 7946 0958", "020 7946 0958"),
    ("+44 (0)20 7946-0958", "(020) 7946 0958"),
    ("0044 20 7946 0958", "02079460958"),
    ("442079460958", "020 7946 0958"),
    ("tel:+44-20-7946-0958;ext=12", "020.7946.0958"),
    ("+39 06 698 2000", "06 6982000"),
    ("+353 1 234 5678", "01 234 5678"),
    ("+971 50 123 4567", "050 123 4567"),
    ("+1 212 555 0100", "(212) 555-0100"),
    ("011 44 20 7946 0958", "020 7946 0958"),
    ("+7 495 123-45-67", "8 (495) 123-45-67"),
    ("+36 1 234 5678", "06 1 234 5678"),
    ("+375 17 234-56-78", "8 017 234 56 78"),
]


@pytest.mark.parametrize(("abroad", "within"), FORMS)
def test_a_telephone_is_found_by_its_national_and_its_international_form(
    ledger: Ledger, abroad: str, within: str
) -> None:
    finish(ledger, event("e-1", subject="R-1", data={"client": {"phone": abroad}}))
    finish(ledger, event("e-2", subject="R-2", data={"client": {"phone": within}}))
    finish(ledger, event("e-3", subject="R-3", data={"client": {"phone": "+44 20 7946 0959"}}))
    for asked in (abroad, within):
        assert found(ledger, asked) == ["e-2", "e-1"]


def test_a_letter_is_found_by_either_form_too(ledger: Ledger) -> None:
    for id_, phone in (("e-1", "+44 20 7946 0958"), ("e-2", "020 7946 0958"), ("e-3", "020 7946 0959")):
        ledger.letters.archive([letter(event(id_, subject=id_, data={"client": {"phone": phone}}))])
    for asked in ("+44 (0)20 79460958", "02079460958", "0044 20 7946 0958", "020 7946 0958"):
        rows = ledger.letters.page(LetterFilter(text=asked), Order.OLDEST, 10).rows
        assert [row.new.event_id for row in rows] == ["e-1", "e-2"]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("Łukasz Żółć", "lukasz zolc"),
        ("Øyvind Ås", "oyvind"),
        ("Đorđe Đurić", "durić"),
        ("Anna Strauß", "STRAUSS"),
        ("Æsa Þórðardóttir", "aesa"),
        ("Æsa Þórðardóttir", "thordardottir"),
        ("I\u015f\u0131k Öz", "isik"),
    ],
)
def test_letters_with_strokes_are_found_by_their_plain_ones(ledger: Ledger, name: str, asked: str) -> None:
    finish(ledger, event("e-1", data={"client": {"name": name}}))
    ledger.letters.archive([letter(event("e-2", subject="R-2", data={"client": {"name": name}}))])
    assert found(ledger, asked) == found(ledger, name) == ["e-1"]
    rows = ledger.letters.page(LetterFilter(text=asked), Order.OLDEST, 10).rows
    assert [row.new.event_id for row in rows] == ["e-2"]


@pytest.mark.parametrize("asked", ["Res-A1b2", "res-a1b2", "RES-A1B2", "rEs-a1B2"])
def test_a_reference_is_found_whatever_its_case(ledger: Ledger, asked: str) -> None:
    finish(ledger, event("e-1", subject="Res-A1b2"))
    ledger.letters.archive([letter(event("e-2", subject="Res-A1b2"))])
    assert found(ledger, asked) == ["e-1"]
    (row,) = ledger.letters.page(LetterFilter(text=asked), Order.OLDEST, 10).rows
    assert row.new.event_id == "e-2"


def test_what_is_held_of_a_guest_under_other_references_is_found(ledger: Ledger) -> None:
    def stands(id_: str, reference: str, source: str = "crm", **client: str) -> None:
        asked = replace(event(id_, subject=reference, data={"client": client}), source=source)
        claimed = ledger.calling(take(ledger, asked), BOOK, None, LEASE)
        held = Booking(source, reference, "sb", (entry(id_),))
        assert ledger.settle([Settlement(claimed, asked, State.DONE, applies=True, booking=held)]) == []

    stands("e-1", "R-1", name="Ada Lee", email="ada@example.com")
    stands("e-2", "R-2", name="A. Lee", email="ADA@example.com")
    stands("e-3", "R-3", name="Ada Lee", email="other@example.com")
    stands("e-4", "R-4", "shop", name="Ada Lee", email="ada@example.com")
    guest = {"client": {"name": "Ada", "email": "Ada@Example.com"}}
    assert [one.reference for one in ledger.bookings_of_guest("crm", guest, but="R-1")] == ["R-2"]
    assert [one.reference for one in ledger.bookings_of_guest("crm", guest, but="R-9")] == ["R-2", "R-1"]
    assert ledger.bookings_of_guest("crm", {}, but="R-9") == []
