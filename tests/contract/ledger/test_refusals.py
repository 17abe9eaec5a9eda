from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bellhop.ledger.records import RefusedPost
from bellhop.ledger.refusals import KEPT, Refusals
from bellhop.ledger.store import Ledger
from tests.support.ledger import NOON, Clock, event, finish

MOST = 20


def post(digest: str = "d1", source: str = "crm", **more: Any) -> RefusedPost:
    known = RefusedPost(
        source=source,
        digest=digest,
        status=422,
        reason="invalid-event",
        detail="The event breaks its contract.",
        problems=(("data.venue", "is not a venue of this Bellhop"),),
        media="application/json",
        size=120,
        body='{"a": "Aaa"}',
        first=NOON,
        last=NOON,
        content=b'{"a": "Ada"}',
        signed_id="msg-1",
        salt="s1",
    )
    return replace(known, **more)


def test_a_refused_post_is_told_as_it_was_entered(ledger: Ledger) -> None:
    ledger.refusals.enter([post()])
    (shown,) = ledger.refusals.last()
    assert shown == post(number=shown.number, content=None)
    assert ledger.refusals.waiting("crm") == [post(number=shown.number)]
    assert ledger.refusals.last("other") == []
    ledger.refusals.enter([])


def test_a_post_that_comes_again_counts_once_more_and_has_its_last_answer(ledger: Ledger) -> None:
    refusals = ledger.refusals
    later = NOON + timedelta(minutes=10)
    refusals.enter([post(), post("d1", "other")])
    refusals.enter([post(reason="media-type", problems=(), first=later, last=later, times=2)])
    mine, other = refusals.last("crm")[0], refusals.last("other")[0]
    assert (mine.times, mine.first, mine.last, mine.reason, mine.problems) == (3, NOON, later, "media-type", ())
    assert other.times == 1


def test_of_each_source_the_last_are_kept(ledger: Ledger) -> None:
    refusals = Refusals(ledger._database, lambda: NOON, most=MOST)
    refusals.enter([post("first", "other")])
    for number in range(MOST + 7):
        at = NOON + timedelta(seconds=number)
        refusals.enter([post(f"d{number}", first=at, last=at)])
    kept = refusals.last("crm", 1000)
    assert [one.digest for one in kept] == [f"d{number}" for number in range(MOST + 6, 6, -1)]
    assert [one.digest for one in refusals.last("crm", 2)] == [f"d{MOST + 6}", f"d{MOST + 5}"]
    assert len(refusals.last("other")) == 1


def test_what_is_old_is_neither_told_nor_kept(ledger: Ledger, clock: Clock) -> None:
    refusals = ledger.refusals
    refusals.enter([post("old", last=NOON - timedelta(days=1)), post("new")])
    clock.time = NOON + KEPT - timedelta(hours=1)
    assert [one.digest for one in refusals.last()] == ["new"]
    assert ledger.prune() == 1
    clock.time = NOON + KEPT + timedelta(hours=1)
    assert ledger.prune() == 1


def test_they_are_counted_by_source_and_reason(ledger: Ledger) -> None:
    refusals = ledger.refusals
    early = NOON - timedelta(hours=30)
    refusals.enter(
        [post("d1", times=4), post("d2", reason="malformed-json"), post("d3", "other", first=early, last=early)]
    )
    (count,) = refusals.counts(NOON - timedelta(hours=24))
    assert (count.source, count.posts, count.attempts, count.first, count.last) == ("crm", 2, 5, NOON, NOON)
    assert count.reasons == {"invalid-event": 1, "malformed-json": 1}
    assert [one.source for one in refusals.counts(early)] == ["crm", "other"]


def test_what_waits_is_grouped_by_source_and_cause_wherever_in_a_list_it_stood(ledger: Ledger) -> None:
    refusals = ledger.refusals
    listed = (("3.data.venue", "is not a venue of this Bellhop"),)
    slot = [((f"data.services.{number}.start", "is wrong"),) for number in (0, 11)]
    refusals.enter([post("d1"), post("d2", problems=listed, times=3), post("d3", "other")])
    refusals.enter([post("d4", problems=slot[0]), post("d5", problems=slot[1]), post("d6", reason="malformed-json")])
    causes = refusals.causes("crm")
    assert [(one.posts, one.attempts) for one in causes] == [(2, 4), (2, 2), (1, 1)]
    assert len({one.cause for one in refusals.causes()}) == 4
    assert [one.digest for one in refusals.waiting(cause=causes[0].cause)] == ["d1", "d2"]
    (number,) = (one.number for one in refusals.last() if one.digest == "d4")
    assert [one.digest for one in refusals.waiting(numbers=[number])] == ["d4"]


def test_what_was_taken_waits_no_more_until_it_is_refused_again(ledger: Ledger) -> None:
    refusals = ledger.refusals
    refusals.enter([post()])
    (one,) = refusals.waiting()
    refusals.note_taken({one.number: "msg-1"}, "ann", "the map is mended")
    assert (refusals.waiting(), refusals.causes(), refusals.counts(NOON)) == ([], [], [])
    (taken,) = refusals.last()
    assert (taken.taken, taken.became) == (NOON, "msg-1")
    assert ledger.letters.audit_page(1).rows[0].act == "take refused"
    refusals.enter([post(signed_id="msg-2", salt="s2", last=NOON + timedelta(minutes=1))])
    (again,) = refusals.waiting()
    assert (again.taken, again.signed_id, again.salt, again.times) == (None, "msg-1", "s1", 2)


def test_what_the_upstream_sent_again_with_success_waits_no_more(ledger: Ledger) -> None:
    early = NOON - timedelta(hours=1)
    ledger.refusals.enter([post(first=early), post("d2", signed_id="msg-2", first=early)])
    finish(ledger, event("msg-1"))
    assert [one.digest for one in ledger.refusals.waiting()] == ["d2"]
