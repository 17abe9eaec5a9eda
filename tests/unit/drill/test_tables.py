"""What many drills came to is summed by fault, by place and by vendor."""

from __future__ import annotations

from bellhop.drill.history import DrillRun, EventEnd, FaultDone, Record, SeenCall, SentPost
from bellhop.drill.standings import reference_of
from bellhop.drill.tables import tables


def drill(seed: int, broker: str, ledger: str, state: str, failed: str = "") -> list[Record]:
    slots = ("s/1",)
    return [
        DrillRun(seed, 1, broker, ledger, ("worker_killed",), True),
        FaultDone("worker_killed", 10.0, 11.0, failed),
        SentPost("e", "booking.requested", "b", "2026-11-28T10:00:00+00:00", slots, 202, 10.5),
        EventEnd("e", "booking.requested", "b", state, ""),
        SeenCall("simplybook", "book", "booked", "77", "b", "reset"),
    ]


def test_each_fault_is_counted_where_it_was_done() -> None:
    told = tables(
        [
            drill(7, "embedded", "sqlite", "superseded"),
            drill(8, "embedded", "sqlite", "superseded"),
            drill(7, "rabbitmq", "postgresql", "working"),
        ]
    )
    assert "| worker_killed | 2 / 2 |  |  | 1 / 1 | 1 |" in told
    assert "| embedded, SQLite | 2: 7, 8 | 2 | 0 | 2 | 0 | 0 | 0 |" in told
    assert "| RabbitMQ, PostgreSQL | 1: 7 | 1 | 0 | 1 | 0 | 0 | 1 |" in told
    assert "| simplybook | 3 | 0 | 3 | 100.0 % |" in told


def test_a_fault_that_failed_is_not_counted_as_done() -> None:
    assert "| worker_killed |  |  |  |  | 0 |" in tables(
        [drill(7, "embedded", "sqlite", "superseded", failed="it is away")]
    )


def test_whose_booking_a_call_is_for_is_seen_by_what_was_sent_with_it() -> None:
    guest = {"name": "Ada Lee", "email": "b-7@example.test"}
    assert reference_of({"params": ["7", "65", "2027-05-10", "09:15:00", guest], "body": None}) == "b-7"
    assert reference_of({"params": None, "body": {"member_id": 1, "notes": "for b-8", "offers": []}}) == "b-8"
    assert reference_of({"params": ["77", "sign"], "body": None}) == ""
    assert reference_of({"params": {"id": 1}, "body": None}) == ""
