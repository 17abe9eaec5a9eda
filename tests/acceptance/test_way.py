"""From the webhook to the vendor, with real processes, on both brokers."""

from __future__ import annotations

import json

import pytest

from tests.support.facts import cancel, salon_booking, slot, spa_booking
from tests.support.service import SOURCE, Service, wait_for


@pytest.fixture
def service(shared: Service) -> Service:
    return shared


def test_each_of_the_four_calls_reaches_the_vendor_once_with_its_arguments(service: Service) -> None:
    salon = salon_booking("SB-1", 0)

    assert service.post("member-1", "member.updated", {"member_id": 3125141}) == 202
    assert service.post("spa-1", "booking.requested", spa_booking("PV-1", 0)) == 202
    assert service.post("salon-1", "booking.requested", salon) == 202
    booked = service.wait_for_state("salon-1", "done")
    assert service.post("salon-2", "booking.cancelled", cancel(salon)) == 202
    for id_ in ("member-1", "spa-1", "salon-2"):
        service.wait_for_state(id_, "done")

    (synced,) = service.calls("sync_member")
    assert synced["query"]["member_id"] == "3125141"
    (created,) = service.calls("create_service_reservation")
    assert created["body"] == {
        "member_id": 3125141,
        "notes": "for PV-1",
        "offers": [
            {
                "start": "2027-03-01T00:00:00",
                "end": "2027-03-01T00:15:00",
                "price": 100.0,
                "technician_id": "100",
                "service_id": "7",
                "facility_id": "24422054",
            }
        ],
    }
    (book,) = service.calls("book")
    event_id, unit_id, date, time, client = book["params"][:5]
    assert (str(event_id), str(unit_id), f"{date} {time}") == ("7", "1", slot(0).replace("T", " "))
    assert client["name"] == "Ada Lee"
    (cancelled,) = service.calls("cancelBooking")
    assert [str(cancelled["params"][0])] == booked["vendor_ids"]

    told = service.run("events", "show", SOURCE, "spa-1", "--json")
    assert told.returncode == 0, told.stderr
    shown = json.loads(told.stdout)
    assert shown["state"] == "done"
    assert shown["vendor_ids"]


def test_a_webhook_sent_three_times_reaches_the_vendor_once(service: Service) -> None:
    body = json.dumps(
        {"type": "booking.requested", "timestamp": "2026-11-01T10:00:00Z", "data": salon_booking("SB-2", 1)}
    )
    assert [service.post_raw("again-1", body) for _ in range(3)] == [202, 202, 202]
    # The same fact under another delivery id: the business key knows it.
    assert service.post_raw("again-2", body) == 202
    service.wait_for_state("again-1", "done")
    service.wait_for_state("again-2", "duplicate")
    assert len(service.calls("book")) == 1


def test_the_same_id_with_another_body_stands_in_front_of_a_person(service: Service) -> None:
    assert service.post("twice", "booking.requested", salon_booking("SB-3", 2)) == 202
    service.wait_for_state("twice", "done")
    assert service.post("twice", "booking.requested", salon_booking("SB-3", 3)) == 202
    letters = _letters_when(service, 1, "--reason", "conflict")
    assert letters[0]["event_id"] == "twice"
    assert len(service.calls("book")) == 1


def test_an_accepted_event_that_no_worker_has_taken_is_pending_and_not_failed(alone: Service) -> None:
    alone.start("ingest")
    alone.wait_for_ingest()
    assert alone.post("early", "member.updated", {"member_id": "3125141"}) == 202
    assert alone.event("early")["state"] == "pending"
    alone.start("sandbox")
    alone.start("work-1", "members")
    alone.wait_for_state("early", "done")


def test_what_the_vendor_rejects_is_a_dead_letter_and_replayed_once_after_it_is_mended(service: Service) -> None:
    assert service.post("lost-member", "member.updated", {"member_id": "9999999"}) == 202
    letter = _letters_when(service, 1, "--reason", "rejected")[0]
    assert "Member not found" in letter["error"]
    assert service.event("lost-member")["state"] == "dead"

    service.sandbox("POST", "members", id="9999999")
    number = str(letter["id"])
    dry = service.run("dead", "replay", number, "--why", "member was created", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    replayed = service.run("dead", "replay", number, "--why", "member was created", "--yes")
    assert replayed.returncode == 0, replayed.stderr
    service.wait_for_state("lost-member", "done")
    again = service.run("dead", "replay", number, "--why", "a slip of the hand", "--yes")
    assert "Traceback" not in again.stderr
    answered = [call for call in service.calls("sync_member") if call["query"]["member_id"] == "9999999"]
    assert len(answered) == 2  # refused once, taken once
    assert _letters_when(service, 0, "--id", "lost-member") == []


def test_a_cancel_that_overtakes_its_booking_stops_it(service: Service) -> None:
    salon = salon_booking("SB-9", 9)
    assert service.post_raw("cancel-first", _body("booking.cancelled", "2026-11-01T12:00:00Z", cancel(salon))) == 202
    service.wait_for_state("cancel-first", "done")
    assert service.post_raw("late-request", _body("booking.requested", "2026-11-01T11:00:00Z", salon)) == 202
    service.wait_for_state("late-request", "superseded")
    assert service.calls("book") == []


def test_a_change_books_the_new_slot_before_it_cancels_the_old(service: Service) -> None:
    assert service.post("first", "booking.requested", salon_booking("SB-10", 10)) == 202
    old = service.wait_for_state("first", "done")["vendor_ids"]
    assert service.post("moved", "booking.changed", salon_booking("SB-10", 11)) == 202
    service.wait_for_state("moved", "done")
    calls = [call["method"] for call in service.calls("book", "cancelBooking")]
    assert calls == ["book", "book", "cancelBooking"]
    assert [str(service.calls("cancelBooking")[0]["params"][0])] == old


def test_a_peoplevine_cancel_tells_a_person_what_to_do(service: Service) -> None:
    spa = spa_booking("PV-7", 7)
    assert service.post("spa-7", "booking.requested", spa) == 202
    reservation = service.wait_for_state("spa-7", "done")["vendor_ids"][0]
    assert service.post("spa-8", "booking.cancelled", cancel(spa)) == 202
    letter = _letters_when(service, 1, "--reason", "unsupported")[0]
    assert reservation in letter["error"]
    assert "by hand" in letter["error"]


def test_a_worker_told_to_stop_finishes_its_calls_and_leaves(alone: Service) -> None:
    alone.start_all()
    alone.sandbox("POST", "faults", method="sync_member", kind="slow", seconds=0.7, times=1)
    assert alone.post("slow-1", "member.updated", {"member_id": "3125141"}) == 202
    wait_for(lambda: len(alone.calls("sync_member")) == 1, "the call is on its way")
    import signal

    assert alone.kill("work-1", signal.SIGTERM) == 0
    assert alone.event("slow-1")["state"] == "done"
    assert len(alone.calls("sync_member")) == 1


def test_no_secret_and_no_guest_reaches_a_log(service: Service) -> None:
    service.sandbox("POST", "faults", method="create_service_reservation", kind="reset", times=1, when="before")
    assert service.post("quiet-1", "booking.requested", spa_booking("PV-20", 20)) == 202
    assert service.post("quiet-2", "booking.requested", salon_booking("SB-20", 20)) == 202
    service.wait_for_state("quiet-2", "done")
    wait_for(lambda: service.event("quiet-1")["state"] in ("done", "dead"), "quiet-1 has ended")
    logs = service.logs()
    assert "quiet-1" in logs
    for secret in ("sandbox-password", "sandbox-api-key", "sandbox-secret-key", "Ada Lee", "example.test", "whsec_"):
        assert secret not in logs


def _letters_when(service: Service, count: int, *words: str) -> list[dict[str, object]]:
    """The open dead letters, once there are `count`."""
    found: list[list[dict[str, object]]] = [[]]

    def there() -> bool:
        found[0] = service.told("dead", "list", *words)
        return len(found[0]) == count

    wait_for(there, f"{count} dead letters", 20)
    return found[0]


def _body(type_: str, timestamp: str, data: dict[str, object]) -> str:
    return json.dumps({"type": type_, "timestamp": timestamp, "data": data})
