from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import click
import pytest

from bellhop.cli.common import age, ask_reason, local_time, printable
from bellhop.cli.letter_tables import echo_letter
from bellhop.cli.replay import Rate
from bellhop.cli.selection import Selection, TimeParam
from bellhop.ledger.records import Attempt, Booking, Entry, EntryState, Letter, LetterState, NewLetter
from bellhop.letters.lost_ids import lost_ids
from bellhop.letters.masking import mask_data
from bellhop.letters.serializers.letters import letter_detail, letter_row
from bellhop.schemas.asked import asked_of
from bellhop.schemas.clock import iso
from bellhop.schemas.envelope import Envelope, content_hash, encode
from bellhop.schemas.events import VenueFacts
from bellhop.schemas.quantities import quantity

NOW = datetime(2026, 11, 1, 10, tzinfo=UTC)
DATA: dict[str, Any] = {
    "booking_id": "R-1",
    "venue": "salon",
    "client": {"name": "Ada Lee", "email": "ada@example.com", "phone": ""},
    "notes": "allergic to nuts",
    "services": [{"service_id": "1", "provider_id": "2", "start": "2027-01-01T10:00:00", "remark": "Ada"}],
    "additional": {"room": 12},
    "something_new": ["Ada"],
}


class Called:
    """A ledger with what its events called and booked."""

    def __init__(self, calls: Sequence[Attempt] = (), *entries: Entry) -> None:
        self._calls, self._entries = list(calls), entries

    def calls(self, _source: str, _id: str) -> list[Attempt]:
        return self._calls

    def booking(self, source: str, reference: str) -> Booking | None:
        return Booking(source, reference, "sb", self._entries) if self._entries else None


CALLED = Called()


def _letter(body: bytes | None = None) -> Letter:
    envelope = Envelope(
        *("e1", "crm", "booking.requested", "R-1", "bookings.simplybook", "sb"),
        *(NOW, NOW, DATA, content_hash("booking.requested", NOW, DATA), NOW),
    )
    evidence: dict[str, Any] = {
        "attempts": [
            {
                **{"method": "book", "error": "no", "answer": {"status": 200, "client": "Ada Lee"}},
                **{"request": {"unit_id": "77", "client": {"name": "Ada"}, "notes": "nuts"}, "unheard_of": "Ada"},
            }
        ],
        "answer": {"code": -32061, "client": "Ada Lee"},
    }
    new = NewLetter(
        *("crm/e1", body if body is not None else encode(envelope), "bookings.simplybook", "rejected", "no"),
        *(evidence, 1, NOW, "crm", "e1", "booking.requested", "R-1", "sb"),
    )
    return Letter(7, new, LetterState.OPEN, NOW)


@pytest.mark.parametrize("why", [None, "", " ", "…"])
def test_a_reason_that_is_none_is_asked_for(why: str | None) -> None:
    """Also the … of a command that was copied as it was told."""
    with pytest.raises(click.UsageError, match="--why is needed"):
        ask_reason(why)
    assert ask_reason(" the venue is closed ") == "the venue is closed"


def test_a_conflict_is_shown_with_both_contents_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    asked = asked_of("booking.requested", {**DATA, "client": {"name": "Ada Low"}}, [{"service_id": "7"}])
    standing = Entry("4711", 0, "e0", EntryState.CONFIRMED, slot="7", asked=asked)
    conflict = replace(_letter(), new=replace(_letter().new, reason="conflict"))
    echo_letter(letter_detail(conflict, Called((), standing), reveal=False))
    shown = capsys.readouterr().out
    assert "differs    client.name: stands ***, this asks ***" in shown
    assert "differs    services.0.service_id: stands 7, this asks 1" in shown
    assert "Ada" not in shown.partition("  data\n")[0]


def test_a_letter_is_shown_without_its_guest_unless_it_is_revealed() -> None:
    told = json.dumps(letter_detail(_letter(), CALLED, reveal=False))
    for private in ("Ada", "ada@", "nuts", "12}"):
        assert private not in told
    for needed in (
        "R-1",
        "salon",
        "2027-01-01T10:00:00",
        "-32061",
        '"status": 200',
        '"method": "book"',
        '"unit_id": "77"',
    ):
        assert needed in told
    revealed = json.dumps(letter_detail(_letter(), CALLED, reveal=True))
    for private in ("Ada Lee", "ada@example.com", "nuts"):
        assert private in revealed


def test_a_letter_shows_every_call_of_the_ledger_and_what_stands_and_not_only_its_last_delivery(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = {"unit_id": "77", "client": {"name": "Ada Lee"}}
    answer = {"status": 200, "body": {"bookings": [{"booking_id": 4711, "client": "Ada Lee"}]}}
    lost = Attempt("book", NOW, 2.5, "unknown", "an answer of unknown form", answer, asked)
    stood = Entry("12", 0, "e0", EntryState.CANCELLED, "5ec2e7", cancelled_by="e1")
    told = letter_detail(_letter(), Called([lost], stood), reveal=False)
    (call,) = told["calls"]
    assert (call["method"], call["outcome"]) == ("book", "unknown")
    assert call["request"] == asked | {"client": {"name": "***"}}
    assert "attempts" not in told["evidence"]
    assert (told["vendor_ids"], told["cancelled_ids"], told["look_for"]) == ([], ["12"], ["4711"])
    assert not [secret for secret in ("Ada", "5ec2e7") if secret in json.dumps(told)]
    echo_letter(told)
    shown = capsys.readouterr().out
    for words in ("look for   4711", "at vendor  12  cancelled, made by e0, cancelled by e1", "unknown in 2.50 s"):
        assert words in shown


def test_what_the_ledger_has_pruned_is_shown_as_the_letter_brought_it_along() -> None:
    (call,) = letter_detail(_letter(), CALLED, reveal=True)["calls"]
    assert (call["method"], call["request"]["notes"]) == ("book", "nuts")


@pytest.mark.parametrize(
    ("answer", "ids"),
    [
        ({"status": 200, "body": {"bookings": [{"id": "9"}, {"id": 10}]}}, ["9", "10"]),
        ({"status": 200, "body": {"jsonrpc": "2.0", "id": 3, "result": 4711}}, ["4711"]),
        ({"status": 200, "body": {"result": {"reservation_id": "PV-1", "client": {"id": "5"}}}}, ["PV-1"]),
        ({"status": 200, "body": '{"reservationId": "PV-1", "service_id": "5"}'}, ["PV-1"]),
        ({"status": 200, "body": '[{"booking_id":"77","note":"cut o'}, ["77"]),
        ({"status": 502, "body": "<booking><id>77</id></booking>"}, ["77"]),
        ({"status": 500, "body": {"error": {"code": -32603, "message": "no id"}}}, []),
        ({"status": 200, "body": "The booking is done, id or no id"}, []),
        (None, []),
    ],
)
def test_an_id_in_an_answer_of_unknown_form_is_a_booking_to_look_for(answer: Any, ids: list[str]) -> None:
    assert lost_ids([Attempt("book", NOW, 1.0, "unknown", "", answer)], ()) == ids
    assert lost_ids([Attempt("book", NOW, 1.0, "rejected", "", answer)], ()) == []
    held = [Entry(id_, 0, "e-1", EntryState.CONFIRMED) for id_ in ids]
    assert lost_ids([Attempt("book", NOW, 1.0, "unknown", "", answer)], held) == []


def test_a_list_holds_nothing_of_the_data() -> None:
    told = letter_row(_letter())
    assert "Ada" not in json.dumps(told)
    assert (told["id"], told["event_id"], told["died"]) == (7, "e1", "2026-11-01T10:00:00Z")


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("America/New_York", "2026-11-01 05:00 EST (10:00 UTC)"),
        ("Pacific/Auckland", "2026-11-01 23:00 NZDT (10:00 UTC)"),
        ("Pacific/Kiritimati", "2026-11-02 00:00 +14 (2026-11-01 10:00 UTC)"),
    ],
)
def test_a_letters_times_are_told_by_the_clock_of_its_venue_beside_utc(zone: str, told: str) -> None:
    venue = VenueFacts("salon", "sb", "simplybook", ZoneInfo(zone), lambda _data: ())
    row = letter_row(_letter(), {"salon": venue})
    assert (row["zone"], local_time(row, "died"), local_time(row, "not_after")) == (zone, told, "")
    elsewhere = letter_row(_letter(), {"spa": venue})
    assert (elsewhere["zone"], local_time(elsewhere, "died")) == (None, "2026-11-01 10:00 UTC")
    del elsewhere["zone"]  # as a server of an older version tells it
    assert local_time(elsewhere, "died") == "2026-11-01 10:00 UTC"


def test_masking_keeps_the_shape_and_hides_what_it_does_not_know() -> None:
    assert mask_data(DATA) == {
        "booking_id": "R-1",
        "venue": "salon",
        "client": {"name": "***", "email": "***", "phone": ""},
        "notes": "***",
        "services": [{"service_id": "1", "provider_id": "2", "start": "2027-01-01T10:00:00", "remark": "***"}],
        "additional": {"room": "***"},
        "something_new": ["***"],
    }


def test_what_cannot_be_read_is_shown_as_such_and_its_bytes_only_when_revealed() -> None:
    letter = _letter(b"\xffAda")
    assert "Ada" not in json.dumps(letter_detail(letter, CALLED, reveal=False)["data"])
    assert "body" not in letter_detail(letter, CALLED, reveal=False)
    assert letter_detail(letter, CALLED, reveal=False)["unreadable"].startswith("not JSON")
    assert letter_detail(letter, CALLED, reveal=True)["body"] == "\\xffAda"


def test_what_others_wrote_cannot_rewrite_the_terminal() -> None:
    assert printable("a\x1b[2Jb\rc\n\u202e") == "a\ufffd[2Jb\ufffdc\ufffd\ufffd"
    assert printable("Zoë £5") == "Zoë £5"


def test_times_and_ages_for_people_and_machines() -> None:
    assert iso(datetime(2026, 11, 1, 12, tzinfo=timezone(timedelta(hours=2)))) == "2026-11-01T10:00:00Z"
    assert [age(seconds) for seconds in (None, -1, 59, 90, 7200, 200_000)] == ["", "0s", "59s", "2m", "2h", "2d"]
    assert (quantity(1, "letter"), quantity(0, "letter")) == ("1 letter", "0 letters")


def test_a_time_is_given_with_its_zone_without_or_as_how_long_ago() -> None:
    moment = TimeParam(lambda: NOW)
    assert moment.convert("2026-11-01T10:00:00+01:00", None, None) == NOW - timedelta(hours=1)
    assert moment.convert("2026-11-01", None, None) == datetime(2026, 11, 1, tzinfo=UTC)
    assert moment.convert("2h", None, None) == NOW - timedelta(hours=2)
    assert moment.convert("1.5d", None, None) == NOW - timedelta(hours=36)
    with pytest.raises(click.BadParameter):
        moment.convert("yesterday", None, None)


def test_a_rate_is_letters_a_second() -> None:
    assert [Rate().convert(text, None, None) for text in ("5", "0.5", "5/s")] == [5, 0.5, 5]
    for wrong in ("0", "-1", "fast", "5/m"):
        with pytest.raises(click.BadParameter):
            Rate().convert(wrong, None, None)


def test_only_a_selection_that_nothing_narrows_is_everything() -> None:
    nothing = Selection((), None, None, None, None, None, None, None)
    assert nothing.everything
    assert not Selection((1,), None, None, None, None, None, None, None).everything
    assert not Selection((), None, None, "sb", None, None, None, None).everything
    chosen = Selection((1, 2), "auth", "members", "pv", "crm", "e1", NOW, NOW).filter([LetterState.OPEN])
    assert (chosen.ids, chosen.reason, chosen.event_id, chosen.states) == ((1, 2), "auth", "e1", (LetterState.OPEN,))
