from __future__ import annotations

from bellhop.ledger.records import AlertMessage, AlertRow
from bellhop.ledger.store import Ledger
from tests.support.ledger import NOON, Clock

FACTS = {"count": 3, "severity": "warning", "title": "3 dead letters"}


def due(receiver: str = "team", key: str = "letters/a", pending: AlertMessage = AlertMessage.OPEN) -> AlertRow:
    return AlertRow(receiver, key, f"i-{receiver}-{key}", FACTS, NOON, pending=pending, next_at=NOON)


def store(ledger: Ledger, *rows: AlertRow) -> None:
    ledger.alerts.revise(lambda _known: (rows, ()))


def test_of_several_processes_one_looks_until_it_is_gone(ledger: Ledger, clock: Clock) -> None:
    assert ledger.alerts.lead("a", 30)
    assert not ledger.alerts.lead("b", 30)
    clock.advance(seconds=20)
    assert ledger.alerts.lead("a", 30)
    clock.advance(seconds=29)
    assert not ledger.alerts.lead("b", 30)
    clock.advance(seconds=2)
    assert ledger.alerts.lead("b", 30)
    assert not ledger.alerts.lead("a", 30)
    assert ledger.alerts.all() == []


def test_a_message_is_given_out_once_and_again_when_whoever_has_it_is_gone(ledger: Ledger, clock: Clock) -> None:
    store(ledger, due(), due("other"))
    (taken,) = ledger.alerts.claim("team")
    assert (taken.pending, taken.tries, taken.facts) == ("open", 1, FACTS)
    assert ledger.alerts.claim("team") == []
    clock.advance(seconds=61)
    (again,) = ledger.alerts.claim("team")
    assert (again.incident, again.tries) == (taken.incident, 2)


def test_what_was_sent_is_known_by_what_was_told_and_given_out_no_more(ledger: Ledger, clock: Clock) -> None:
    store(ledger, due())
    ledger.alerts.note_sent(ledger.alerts.claim("team")[0])
    (row,) = ledger.alerts.all()
    assert (row.told, row.told_count, row.told_severity, row.pending, row.tries) == (NOON, 3, "warning", "", 0)
    clock.advance(days=1)
    assert ledger.alerts.claim("team") == []


def test_what_was_told_to_be_over_is_forgotten(ledger: Ledger) -> None:
    store(ledger, due(pending=AlertMessage.OVER))
    ledger.alerts.note_sent(ledger.alerts.claim("team")[0])
    assert ledger.alerts.all() == []


def test_what_failed_waits_its_time_and_a_receiver_that_fails_on_is_told_of(ledger: Ledger, clock: Clock) -> None:
    store(ledger, due(), due("well"))
    ledger.alerts.note_sent(ledger.alerts.claim("well")[0])
    for _ in range(3):
        assert ledger.alerts.dead_receivers() == []
        (row,) = ledger.alerts.claim("team")
        ledger.alerts.note_failed(row, "HTTP 404", 60)
        assert ledger.alerts.claim("team") == []
        clock.advance(seconds=60)
    (dead,) = ledger.alerts.dead_receivers()
    assert (dead.receiver, dead.waiting, dead.since, dead.error) == ("team", 1, NOON, "HTTP 404")
    ledger.alerts.note_sent(ledger.alerts.claim("team")[0])
    assert ledger.alerts.dead_receivers() == []


def test_a_receiver_that_nobody_tries_any_more_is_not_told_of(ledger: Ledger, clock: Clock) -> None:
    store(ledger, due())
    for _ in range(3):
        ledger.alerts.note_failed(ledger.alerts.claim("team")[0], "HTTP 404", 60)
        clock.advance(seconds=60)
    clock.advance(hours=2)
    assert ledger.alerts.dead_receivers() == []


def test_rows_go_only_as_the_incident_they_were_read_as(ledger: Ledger) -> None:
    store(ledger, due())
    (row,) = ledger.alerts.all()
    ledger.alerts.revise(lambda known: ((), known))
    assert ledger.alerts.all() == []
    store(ledger, due())
    ledger.alerts.note_failed(row, "HTTP 500", 1)
    assert ledger.alerts.all()[0].error == "HTTP 500"
