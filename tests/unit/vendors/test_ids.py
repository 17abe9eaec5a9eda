"""What is an id, and which ids stand in an answer that nobody can read."""

from __future__ import annotations

import pytest

from bellhop.vendors.ids import ids_in, number_of, plain_id


@pytest.mark.parametrize(
    ("value", "id_"),
    [
        ("30396436", "30396436"),
        (30396436, "30396436"),
        (42.0, "42"),
        ("42.0", "42"),
        (" 77 ", "77"),
        ("0042", "0042"),
        ("6f9619ff-8b86-d011-b42d-00c04fc964ff", "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        ("9223372036854775807", "9223372036854775807"),
    ],
)
def test_an_id_is_read_in_each_form_that_is_safe(value: object, id_: str) -> None:
    assert plain_id(value) == id_


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "0", "000", "-1", "-0", "1.5", "Success", "OK", "null", "Reservation created", "2022-05-10"),
        *("Reservation 5 created", "00000000-0000-0000-0000-000000000000", "error 500"),
        *(0, -1, 1.5, 1e20, float("nan"), True, False, None, [], {}, ["5"], {"id": 5}),
    ],
)
def test_what_names_nothing_is_no_id(value: object) -> None:
    assert plain_id(value) is None
    assert number_of(value) is None


def test_where_ids_are_numbers_a_code_is_none() -> None:
    assert number_of("h8vc14ca") is None
    assert number_of("434") == "434"


@pytest.mark.parametrize(
    ("told", "ids"),
    [
        ({"bookings": {"1": {"Id": 434.0, "event_id": "7"}}}, ("434",)),
        ({"bookings": [5, "6"]}, ("5", "6")),
        ({"success": True, "message": "Reservation created: 30396436"}, ("30396436",)),
        ({"success": False, "message": "30396436"}, ("30396436",)),
        ({"data": {"reservationId": "R-7"}}, ("R-7",)),
        ("<p>Reservation #4711 created, your booking id: 99</p>", ("4711", "99")),
        ({"error": {"code": 500, "message": "booking on 2027-05-10 failed"}}, ()),
        ("<html><body>502 Bad Gateway</body></html>", ()),
        ([[[[[[[[[[[[["1"]]]]]]]]]]]]], ()),
        (None, ()),
    ],
)
def test_ids_of_bookings_are_found_for_a_person_to_look_for(told: object, ids: tuple[str, ...]) -> None:
    assert ids_in(told) == ids


def test_only_a_few_are_told() -> None:
    assert len(ids_in({"ids": list(range(1, 100))})) == 10
