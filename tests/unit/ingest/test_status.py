from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from bellhop.broker.port import QueueStats
from bellhop.ingest.app import create_app
from bellhop.ingest.status import holds_messages
from bellhop.ledger.records import Attempt, Entry, EntryState, EventView, State
from bellhop.schemas.clock import Clock
from bellhop.schemas.errors import BrokerUnavailable
from tests.support.ingress import (
    NOW,
    SECRET,
    TOKEN,
    MemoryEvents,
    MemoryPublisher,
    Told,
    bearing,
    settings,
    signed,
)

SELF = {"authorization": f"Bearer {SECRET}"}


def view(id_: str = "msg-1", state: State = State.RETRYING) -> EventView:
    attempt = Attempt("book", NOW, 0.25, "transient", "the vendor is away", {"client": "Ada Lee"})
    return EventView(
        source="crm",
        id=id_,
        type="booking.requested",
        subject="SB-1",
        route="bookings.simplybook",
        account="salon",
        state=state,
        detail="tried once",
        reason="",
        generation=0,
        time=NOW,
        received=NOW,
        updated=NOW,
        next_at=NOW + timedelta(seconds=30),
        attempt_count=1,
        attempts=(attempt,),
        entries=(
            Entry("433", 0, "msg-0", EntryState.CANCELLED, "5ec2e7", cancelled_by="msg-1"),
            Entry("434", 0, "msg-1", EntryState.BOOKED, "5ec2e7"),
        ),
    )


@pytest.fixture
def events() -> MemoryEvents:
    return MemoryEvents({("crm", "msg-1"): view()})


@pytest.fixture
def client(events: MemoryEvents) -> FlaskClient:
    return create_app(settings(), MemoryPublisher(), events, clock=Clock(now=lambda: NOW)).test_client()


def test_an_event_is_told_with_its_attempts_and_the_vendors_ids_and_nothing_of_a_guest(client: FlaskClient) -> None:
    answer = client.get("/events/crm/msg-1", headers=SELF)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.get_json() == {
        "id": "msg-1",
        "source": "crm",
        "type": "booking.requested",
        "state": "retrying",
        "detail": "tried once",
        "reason": "",
        "received": "2026-11-20T12:00:00+00:00",
        "updated": "2026-11-20T12:00:00+00:00",
        "next_at": "2026-11-20T12:00:30+00:00",
        "attempts": [
            {
                "method": "book",
                "started": "2026-11-20T12:00:00+00:00",
                "seconds": 0.25,
                "outcome": "transient",
                "error": "the vendor is away",
            }
        ],
        "vendor_ids": ["434"],
        "cancelled_ids": ["433"],
        "vendor_bookings": [
            {"id": "433", "state": "cancelled", "service": 0, "made_by": "msg-0", "cancelled_by": "msg-1"},
            {"id": "434", "state": "booked", "service": 0, "made_by": "msg-1", "cancelled_by": None},
        ],
    }


def test_an_event_no_worker_has_taken_is_pending_and_neither_failed_nor_missing(client: FlaskClient) -> None:
    answer = client.get("/events/crm/msg-2", headers=SELF)
    assert answer.status_code == 200
    told = answer.get_json()
    assert (told["id"], told["source"], told["state"]) == ("msg-2", "crm", "pending")
    assert "never answered 2xx" in told["detail"]


def test_an_id_that_neither_the_ledger_nor_any_queue_can_have_is_unknown_and_not_pending_for_ever(
    events: MemoryEvents,
) -> None:
    app = create_app(settings(), MemoryPublisher(), events, clock=Clock(now=lambda: NOW), waiting=lambda: False)
    answer = app.test_client().get("/events/crm/never", headers=SELF)
    assert (answer.status_code, answer.get_json()["type"]) == (404, "urn:bellhop:problem:unknown-event")
    assert "ask again" in answer.get_json()["detail"]
    assert app.test_client().get("/events/crm/msg-1", headers=SELF).get_json()["state"] == "retrying"


def test_what_a_worker_takes_while_the_queues_are_looked_at_is_not_unknown(events: MemoryEvents) -> None:
    def taken() -> bool:
        events.views["crm", "late"] = view("late")
        return False

    app = create_app(settings(), MemoryPublisher(), events, clock=Clock(now=lambda: NOW), waiting=taken)
    assert app.test_client().get("/events/crm/late", headers=SELF).get_json()["state"] == "retrying"


def test_where_the_broker_does_not_tell_what_workers_hold_an_id_is_given_a_minute(events: MemoryEvents) -> None:
    now = [NOW]
    app = create_app(settings(), MemoryPublisher(), events, clock=Clock(now=lambda: now[0]), waiting=lambda: None)
    for seconds, status in ((0, 200), (60, 200), (61, 404)):
        now[0] = NOW + timedelta(seconds=seconds)
        assert app.test_client().get("/events/crm/never", headers=SELF).status_code == status


@pytest.mark.parametrize(
    ("queues", "holds"),
    [
        ({"members": QueueStats(0, 0, None), "dead": QueueStats(3, None, None)}, False),
        ({"members": QueueStats(0, None, None), "retry": QueueStats(0, None, None)}, None),
        ({"members": QueueStats(1, 0, 1.0)}, True),
        ({"members": QueueStats(0, 1, None)}, True),
        ({"retry": QueueStats(2, None, None)}, True),
        ({"unroutable": QueueStats(1, None, None)}, True),
        (None, True),
    ],
)
def test_an_event_may_wait_in_any_queue_but_the_dead_ones(
    queues: dict[str, QueueStats] | None, holds: bool | None
) -> None:
    class Broker:
        def stats(self) -> dict[str, QueueStats]:
            if queues is None:
                raise BrokerUnavailable("away")
            return queues

    assert holds_messages(Broker()) is holds


def test_the_source_may_ask_by_a_signature_over_an_empty_body(client: FlaskClient) -> None:
    assert client.get("/events/crm/msg-1", headers=signed(b"", "msg-1")).get_json()["state"] == "retrying"
    assert client.get("/events/static/msg-1", headers=bearing()).get_json()["state"] == "pending"


@pytest.mark.parametrize("headers", [{}, {"authorization": f"Bearer {TOKEN}"}, signed(b"", "msg-2")])
def test_nobody_else_is_told(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.get("/events/crm/msg-1", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("id_", ["a/b", "/a", "a//b", "a b", "ä", "50%", "a?b", "x" * 200])
def test_any_id_a_sender_may_use_can_be_asked_for(client: FlaskClient, events: MemoryEvents, id_: str) -> None:
    events.views["crm", id_] = view(id_)
    told = client.get(f"/events/crm/{quote(id_, safe='')}", headers=SELF).get_json()
    assert (told["id"], told["state"]) == (id_, "retrying")


@pytest.mark.parametrize("id_", ["x" * 201, "a%00b"])
def test_what_cannot_be_an_id_is_not_looked_for(client: FlaskClient, id_: str) -> None:
    assert client.get(f"/events/crm/{id_}", headers=SELF).status_code == 404


def test_an_unknown_source_is_404(client: FlaskClient) -> None:
    assert client.get("/events/nobody/msg-1", headers=SELF).status_code == 404


def test_while_the_ledger_is_away_the_sender_is_asked_to_come_again(client: FlaskClient, events: MemoryEvents) -> None:
    events.away = True
    answer = client.get("/events/crm/msg-1", headers=SELF)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.get_json(force=True)["type"] == "urn:bellhop:problem:ledger-away"


def test_what_nobody_foresaw_is_500_without_its_words() -> None:
    class Failing:
        def event(self, source: str, id_: str) -> EventView | None:
            raise RuntimeError("SELECT secret FROM guests")

    told = Told()
    client = create_app(
        settings(), MemoryPublisher(), Failing(), observe=told, clock=Clock(now=lambda: NOW)
    ).test_client()
    answer = client.get("/events/crm/msg-1", headers=SELF)
    assert answer.status_code == 500
    assert "SELECT" not in answer.text
    assert told.calls == [("webhook.crashed", {"error": "RuntimeError"})]
