"""Links to a source's page, what is asked for there, and rotated secrets, in the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bellhop.ledger.records import AskState, SourceLink, State
from bellhop.ledger.store import Ledger
from bellhop.schemas.reasons import Reason
from bellhop.schemas.results import tells_of_an_act
from bellhop.schemas.rotations import SecretRotation
from tests.support.ledger import NOON, Clock, die, end, event, finish, letter

DAY = timedelta(days=1)


def link(ledger: Ledger, source: str = "crm", sha256: str = "a" * 64) -> SourceLink:
    return ledger.source_links.add(source, sha256, NOON + DAY, who="ann", why="Mia of the CRM")


def rotation(nonce: str = "01", **more: object) -> SecretRotation:
    return SecretRotation("crm", nonce, "base", ["base"], NOON, NOON + DAY, "link 1", **more)  # type: ignore[arg-type]


def test_a_link_lets_in_until_it_ends_or_is_revoked(ledger: Ledger, clock: Clock) -> None:
    made = link(ledger)
    other = link(ledger, "pms", "b" * 64)
    held = ledger.source_links.holder("a" * 64)
    assert held is not None
    assert (held.number, held.source) == (made.number, "crm")
    assert ledger.source_links.holder("c" * 64) is None

    assert ledger.source_links.revoke(made.number, who="bob", why="lost") is not None
    assert ledger.source_links.revoke(made.number, who="bob", why="lost") is None
    assert ledger.source_links.holder("a" * 64) is None
    clock.advance(days=1)
    assert ledger.source_links.holder("b" * 64) is None
    assert ledger.source_links.revoke(other.number, who="bob", why="late") is None
    assert [(row.who, row.act) for row in ledger.audit(9)] == [
        ("bob", "revoke source link"), ("ann", "make source link"), ("ann", "make source link")
    ]  # fmt: skip


def test_that_a_link_is_used_is_noted(ledger: Ledger, clock: Clock) -> None:
    link(ledger)
    clock.advance(minutes=5)
    ledger.source_links.holder("a" * 64)
    (shown,) = ledger.source_links.all("crm")
    assert shown.last_used == clock()
    assert ledger.source_links.all("pms") == []


def test_a_source_asks_once_for_the_same_until_somebody_answers(ledger: Ledger) -> None:
    by = link(ledger)
    first = ledger.take_asks.ask(by, "c1", "the map is mended")
    assert ledger.take_asks.ask(by, "c1", "please") == first
    assert ledger.take_asks.open("pms") == []
    assert ledger.take_asks.open() == [first]

    ended = ledger.take_asks.end(first.number, AskState.DECLINED, who="ann", answer="not yet")
    assert ended is not None
    assert (ended.state, ended.answer) == (AskState.DECLINED, "not yet")
    assert ledger.take_asks.end(first.number, AskState.GRANTED, who="bob", answer="") is None
    again = ledger.take_asks.ask(by, "c1", "now")
    assert [ask.number for ask in ledger.take_asks.of_source("crm")] == [first.number, again.number]


def test_of_two_rotations_at_once_one_is_made(ledger: Ledger) -> None:
    first = ledger.rotations.add(rotation(), 0, "old")
    assert first is not None
    assert ledger.rotations.add(rotation("02"), 0, "old") is None
    second = ledger.rotations.add(rotation("02"), first.number, "older")
    assert second is not None
    assert [one.nonce for one in ledger.rotations.of("crm")] == ["01", "02"]

    ledger.rotations.note_taken([second.number])
    assert [one.taken for one in ledger.rotations.of("crm")] == [None, NOON]


def test_a_rotation_is_forgotten_once_its_successors_overlap_is_over(ledger: Ledger, clock: Clock) -> None:
    last = 0
    for nonce in ("01", "02", "03"):
        made = ledger.rotations.add(rotation(nonce), last, "")
        assert made is not None
        last = made.number
    clock.advance(days=2)
    ledger.rotations.add(rotation("04"), last, "")
    assert [one.nonce for one in ledger.rotations.of("crm")] == ["03", "04"]


def test_a_source_is_told_of_its_own_events_newest_first(ledger: Ledger) -> None:
    for number in range(5):
        finish(ledger, event(f"e-{number}", subject=f"R-{number}"))
    end(ledger, event("theirs", source="pms"), State.DONE)
    told = replace(event("e-0/0/result", "result.due", subject="e-0/0/result"), route="results")
    end(ledger, told, State.DONE)

    page = ledger.events_of_source("crm", limit=3)
    assert [view.id for _, view in page] == ["e-4", "e-3", "e-2"]
    assert [view.id for _, view in ledger.events_of_source("crm", before=page[-1][0])] == ["e-1", "e-0"]
    assert [view.id for _, view in ledger.events_of_source("crm", text="R-1")] == ["e-1"]
    assert ledger.events_of_source("crm", text="theirs") == []
    assert [view.id for view in ledger.results_of("crm", "e-0")] == ["e-0/0/result"]
    assert ledger.results_of("pms", "e-0") == []


def test_what_people_did_by_hand_is_among_the_results_of_an_event(ledger: Ledger) -> None:
    for number, id_ in enumerate(("other", "c-1"), 1):
        cancel = event(id_, "booking.cancelled", subject=f"R-{number}", at=5)
        die(ledger, cancel, Reason.UNSUPPORTED)
        ledger.letters.archive([letter(cancel, Reason.UNSUPPORTED)])
    ledger.letters.discard([1, 2], "ann", "cancelled there")
    ledger.letters.restore([2], "ann", "it was another")
    acts = [row.link.id for row in ledger.letters.audit_page(9, letter=2).rows]
    for id_ in ("c-1/0/result", *(f"c-1/0/act-{act}/result" for act in (*reversed(acts), 99))):
        end(ledger, replace(event(id_, "result.due", subject=id_), route="results"), State.DONE)
    told = [view.id for view in ledger.results_of("crm", "c-1")]
    assert told == ["c-1/0/result", f"c-1/0/act-{acts[1]}/result", f"c-1/0/act-{acts[0]}/result"]
    assert [tells_of_an_act(id_) for id_ in told] == [False, True, True]
