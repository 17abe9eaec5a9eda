"""An alert reaches a person, and a flood of cancels is stopped: whole processes, over both brokers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.facts import cancel, salon_booking, spa_booking
from tests.support.service import SOURCE, Service, free_port, wait_for
from tests.support.sink import Sink, serving

ALERTS = {
    **{"TEAM__KIND": "slack", "TEAM__WAIT": "500ms"},
    **{"DEAD__KIND": "slack", "DEAD__WAIT": "0s"},
}
CANCELS = 12
AT_MOST = 4


@pytest.fixture(scope="module", autouse=True)
def receiver() -> Iterator[Sink]:
    """Who is told by the shared Bellhop; beside it one that is away."""
    with serving(Sink()) as made, pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in ALERTS.items():
            monkeypatch.setenv(f"BELLHOP_ALERTS__{name}", value)
        monkeypatch.setenv("BELLHOP_ALERTS__TEAM__URL", made.url)
        monkeypatch.setenv("BELLHOP_ALERTS__DEAD__URL", f"http://127.0.0.1:{free_port()}/")
        monkeypatch.setenv("BELLHOP_SOURCES__CRM__FLOOD_CANCELS", str(AT_MOST))
        yield made


@pytest.fixture
def service(shared: Service, receiver: Sink) -> Service:
    receiver.posts.clear()
    return shared


def heads(receiver: Sink, word: str) -> list[str]:
    return [head for post in list(receiver.posts) if word in (head := post.json["text"].splitlines()[0])]


def test_a_vendor_that_refuses_is_one_message_and_its_end_another_also_after_a_restart(
    service: Service, receiver: Sink
) -> None:
    words = "Member not found: Jane Lee"
    service.sandbox("POST", "faults", method="create_service_reservation", kind="error", message=words, times=5)
    for number in range(5):
        assert service.post(f"dead-{number}", "booking.requested", spa_booking(f"D-{number}", number)) == 202
    for number in range(5):
        service.wait_for_state(f"dead-{number}", "dead")
    wait_for(lambda: bool(heads(receiver, "dead letter")), "somebody is told")
    wait_for(lambda: len(service.told("dead", "list")) == 5, "all of them are letters")  # an event is dead before
    service.kill("archive")
    service.start("archive")
    assert service.run("dead", "discard", "--reason", "rejected", "--why", "done by hand", "--yes").returncode == 0
    wait_for(lambda: bool(heads(receiver, "Over")), "its end is told", 60)
    opened, over = heads(receiver, "dead letter")
    assert "at pv: rejected" in opened
    assert over.startswith("*Over: ")
    assert not [post for post in receiver.posts if b"Jane" in post.body or b"Lee" in post.body]


def test_a_flood_of_cancels_is_held_told_once_and_ended_in_one_act(service: Service, receiver: Sink) -> None:
    bookings = [salon_booking(f"F-{number}", number) for number in range(CANCELS)]
    for number, booking in enumerate(bookings):
        assert service.post(f"book-{number}", "booking.requested", booking) == 202
    for number in range(CANCELS):
        service.wait_for_state(f"book-{number}", "done")
    for number, booking in enumerate(bookings):
        assert service.post(f"cancel-{number}", "booking.cancelled", cancel(booking)) == 202

    def held() -> list[str]:
        return [f"cancel-{n}" for n in range(CANCELS) if service.state_of(SOURCE, f"cancel-{n}") == "held"]

    wait_for(lambda: len(held()) == CANCELS - AT_MOST, "all beyond the limit are held", 60)
    service.kill("work-1")  # nothing of it is lost with a worker
    service.start("work-1")
    wait_for(lambda: bool(heads(receiver, "cancels and changes held")), "somebody is told")
    (item,) = [row for row in service.told("attention") if row["kind"] == "flood"]
    assert (item["severity"], item["count"]) == ("critical", CANCELS - AT_MOST)
    assert len(held()) == CANCELS - AT_MOST
    assert sum(not booking["cancelled"] for booking in service.bookings()) == CANCELS - AT_MOST
    done = service.run("floods", "release", item["name"], "--why", "the venue is closed")
    assert (done.returncode, done.stdout) == (0, "8 events released: the vendors are called now\n")
    wait_for(lambda: all(booking["cancelled"] for booking in service.bookings()), "all are cancelled", 60)
    for number in range(CANCELS):
        service.wait_for_state(f"cancel-{number}", "done")
    assert len(heads(receiver, "cancels and changes held")) - len(heads(receiver, "Over")) <= 1


def test_a_receiver_that_is_away_is_in_the_list_of_what_needs_a_person(service: Service) -> None:
    def told() -> list[str]:
        return [row["title"] for row in service.told("attention") if row["kind"] == "receiver"]

    service.sandbox("POST", "faults", method="create_service_reservation", kind="error", message="Closed", times=1)
    assert service.post("dead-9", "booking.requested", spa_booking("D-9", 9)) == 202  # there is something to tell
    wait_for(lambda: told() == ["Alerts do not reach dead"], "the dead receiver is shown", 90)
    tried = service.run("alerts", "test")
    assert tried.returncode == 1
    assert "dead: not reached: could not be reached (it refuses connections)" in tried.stderr
    assert tried.stdout == "team: slack took it\n"
