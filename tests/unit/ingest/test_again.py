"""Refused posts, taken once what refused them is mended: as what they would have been when they came first."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bellhop.ingest.again import RefusedTaker
from bellhop.ingest.app import create_app
from bellhop.ingest.refusals import RefusedPosts
from bellhop.ledger.records import EventView, RefusedPost, TakenVerdict
from bellhop.schemas.clock import Clock
from bellhop.schemas.envelope import Envelope, decode
from bellhop.schemas.settings import Settings
from bellhop.vendors.settings import build
from tests.support.facts import salon_booking
from tests.support.ingress import DOCUMENT, NOW, SECRET, MemoryEvents, MemoryPublisher, body, signature

MAP = {"type": {"value": "member.updated"}, "data.member_id": "customer_no"}
STATIC = {"verifier": "bearer", "secrets": ["a-secret-of-twenty-characters"], "member_account": "club"}
BEARING = {"authorization": "Bearer a-secret-of-twenty-characters", "content-type": "application/json"}


def settings(**sources: Any) -> Settings:
    document = copy.deepcopy(DOCUMENT)
    document["sources"]["listed"] = {**STATIC, "format": "mapped", "map": MAP}
    document["sources"] |= sources.pop("more", {})
    document["venues"] |= sources
    return build(document)


class Bellhop:
    """An ingress, and whoever takes later what it refused."""

    def __init__(self, now: Settings) -> None:
        self.settings, self.publisher, self.time = now, MemoryPublisher(), NOW
        self.kept: list[RefusedPost] = []
        self.known: dict[tuple[str, str], EventView] = {}
        self.unique = iter(range(1000))

    def post(self, content: bytes, id_: str = "msg-1", source: str = "crm") -> int:
        clock = Clock(now=lambda: self.time)
        refused = RefusedPosts(self.kept.extend, clock=clock)
        app = create_app(self.settings, self.publisher, MemoryEvents(), clock=clock, note_refused=refused.note)
        at = str(int(self.time.timestamp()))
        proof = {"webhook-id": id_, "webhook-timestamp": at, "webhook-signature": signature(SECRET, id_, at, content)}
        headers = BEARING if source == "listed" else {"content-type": "application/json", **proof}
        status = app.test_client().post(f"/webhooks/{source}", data=content, headers=headers).status_code
        refused.keep_waiting()
        return status

    def take(self, *, publish: bool = True) -> list[tuple[TakenVerdict, tuple[str, ...]]]:
        taker = RefusedTaker(
            lambda: self.settings,
            lambda: self.publisher,
            lambda source, id_: self.known.get((source, id_)),
            Clock(now=lambda: self.time),
        )
        return [(one.verdict, tuple(one.event_ids)) for one in taker.take(self.kept, publish=publish)]

    @property
    def published(self) -> list[Envelope]:
        return [decode(message.body) for message, _ in self.publisher.published]


LATER = timedelta(hours=5)
WRONG = body("booking.requested", salon_booking("R-1", 1) | {"venue": "annexe"})


def test_once_it_is_mended_a_post_becomes_what_it_would_have_been_under_its_first_id() -> None:
    bellhop = Bellhop(settings())
    assert bellhop.post(WRONG) == 422
    bellhop.time += LATER
    assert bellhop.take() == [(TakenVerdict.REFUSED, ())]
    bellhop.settings = settings(annexe={"account": "salon", "timezone": "Europe/London"})
    assert bellhop.take(publish=False) == [(TakenVerdict.TAKEN, ("msg-1",))]
    assert bellhop.published == []
    assert bellhop.take() == [(TakenVerdict.TAKEN, ("msg-1",))]
    (taken,) = bellhop.published

    at_once = Bellhop(bellhop.settings)
    assert at_once.post(WRONG) == 202
    assert taken == at_once.published[0]
    assert taken.received == NOW


def test_a_list_and_events_that_take_the_receipt_s_time_become_what_they_would_have_been() -> None:
    bellhop = Bellhop(settings())
    content = json.dumps([{"customer_no": 1}, {"number": 2}]).encode()
    assert bellhop.post(content, source="listed") == 422
    (first,) = bellhop.published  # of a list the others are taken
    bellhop.time += LATER
    both = {**MAP, "data.member_id": {"expression": "not_null(customer_no, number)"}}
    bellhop.settings = settings(more={"listed": {**STATIC, "format": "mapped", "map": both}})
    ((verdict, ids),) = bellhop.take()
    assert (verdict, ids[0], len(ids)) == (TakenVerdict.TAKEN, first.id, 2)
    assert {one.id for one in bellhop.published} == set(ids)
    assert {one.time for one in bellhop.published} == {NOW}


def test_what_is_known_by_its_id_meanwhile_is_not_taken_twice() -> None:
    bellhop = Bellhop(settings())
    bellhop.post(WRONG)
    bellhop.settings = settings(annexe={"account": "salon", "timezone": "Europe/London"})
    bellhop.known["crm", "msg-1"] = object()  # type: ignore[assignment]  # any view
    assert bellhop.take() == [(TakenVerdict.KNOWN, ("msg-1",))]
    assert bellhop.published == []


def test_what_was_kept_without_its_body_or_of_a_source_that_is_gone_stays_refused() -> None:
    bellhop = Bellhop(settings())
    bellhop.post(WRONG)
    bellhop.kept = [replace(bellhop.kept[0], content=None), replace(bellhop.kept[0], source="gone")]
    assert [verdict for verdict, _ in bellhop.take()] == [TakenVerdict.REFUSED, TakenVerdict.REFUSED]


def test_a_post_that_is_ignored_by_now_is_done_with() -> None:
    bellhop = Bellhop(settings())
    assert bellhop.post(json.dumps({"no": 1}).encode(), source="listed") == 422
    ignoring = {**MAP, "type": {"path": "nothing", "default": "ignored"}}
    bellhop.settings = settings(more={"listed": {**STATIC, "format": "mapped", "map": ignoring}})
    assert bellhop.take() == [(TakenVerdict.NOTHING, ())]
