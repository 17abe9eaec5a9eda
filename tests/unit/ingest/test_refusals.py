"""What is kept of refused posts, and how little of it could be a guest's."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.ingest.app import create_app
from bellhop.ingest.body import Body
from bellhop.ingest.outline import outline
from bellhop.ingest.refusals import RefusedPosts
from bellhop.ledger.records import RefusedPost
from bellhop.schemas.clock import Clock
from bellhop.schemas.errors import LedgerUnavailable
from bellhop.schemas.problems import WEBHOOK_PROBLEMS
from tests.support.facts import salon_booking
from tests.support.ingress import NOW, MemoryEvents, MemoryPublisher, Told, bearing, body, settings, signed


class Kept:
    """A ledger's memory of refused posts. away: how often it cannot be reached."""

    def __init__(self, away: int = 0) -> None:
        self.posts: list[RefusedPost] = []
        self.away = away

    def __call__(self, posts: Sequence[RefusedPost]) -> None:
        if self.away:
            self.away -= 1
            raise LedgerUnavailable("away")
        self.posts += posts


class Ingress:
    def __init__(self, kept: Kept | None = None) -> None:
        self.kept, self.told, self.publisher, self.now = kept or Kept(), Told(), MemoryPublisher(), NOW
        clock = Clock(now=lambda: self.now)
        self.refused = RefusedPosts(self.kept, self.told, clock)
        app = create_app(
            settings(), self.publisher, MemoryEvents(), observe=self.told, clock=clock, note_refused=self.refused.note
        )
        self.client = app.test_client()

    def post(self, content: bytes, headers: dict[str, str], source: str = "static") -> int:
        return self.client.post(f"/webhooks/{source}", data=content, headers=headers).status_code

    def keep(self) -> list[RefusedPost]:
        self.refused.keep_waiting()
        return self.kept.posts


GUEST = {"name": "Ada Lovelace", "email": "ada.lee@example.test", "phone": "+442071234567"}
WRONG = body(
    "booking.requested", salon_booking("SB-77", 1) | {"venue": "elsewhere", "client": GUEST, "notes": "Nut allergy"}
)


def test_what_a_verified_source_is_refused_is_kept_with_why_and_masked() -> None:
    ingress = Ingress()
    assert ingress.post(WRONG, bearing()) == 422
    (post,) = ingress.keep()
    assert (post.source, post.status, post.reason, post.times) == ("static", 422, "invalid-event", 1)
    assert post.problems == (("data.venue", "is not a venue of this Bellhop"),)
    assert (post.media, post.size, post.first, post.last) == ("application/json", len(WRONG), NOW, NOW)
    shown = json.loads(post.body)
    assert shown["type"] == "booking.requested"
    assert (shown["data"]["booking_id"], shown["data"]["venue"]) == ("SB-77", "elsewhere")
    assert shown["data"]["client"] == {
        "name": "Aaa Aaaaaaaa",
        "email": "aaa.aaa@aaaaaaa.aaaa",
        "phone": "+999999999999",
    }
    for secret in ("Ada", "Lovelace", "ada.lee", "2071234567", "allergy"):
        assert secret not in post.body


@pytest.mark.parametrize(
    ("content", "headers", "status", "reason"),
    [
        (b"{", {}, 400, "malformed-json"),
        (b"[]", {"content-type": "text/html"}, 415, "media-type"),
        (b"[]", {"content-encoding": "br"}, 415, "content-encoding"),
        (b"[]", {"content-encoding": "gzip"}, 400, "body-broken"),
        (b"\xff\xfe", {}, 400, "malformed-json"),
    ],
)
def test_whatever_a_verified_body_is_refused_for_is_kept(
    content: bytes, headers: dict[str, str], status: int, reason: str
) -> None:
    ingress = Ingress()
    assert ingress.post(content, bearing() | headers) == status
    (post,) = ingress.keep()
    assert (post.status, post.reason, post.size) == (status, reason, len(content))


def test_what_is_taken_or_not_verified_or_refused_for_our_own_sake_is_not_kept() -> None:
    ingress = Ingress()
    assert ingress.post(body("booking.requested", salon_booking("SB-1", 1)), bearing()) == 200
    assert ingress.post(WRONG, {"content-type": "application/json"}) == 401
    assert ingress.post(b"x" * 70_000, bearing()) == 413
    assert ingress.post(WRONG, bearing(), "nobody") == 404
    ingress.publisher.fail = LedgerUnavailable("x")  # type: ignore[assignment]
    assert ingress.post(body("booking.requested", salon_booking("SB-1", 1)), bearing()) == 500
    assert ingress.keep() == []
    assert [fields["reason"] for name, fields in ingress.told.calls if name == "webhook.refused"] == [
        *("not-verified", "body-too-large", "unknown-source", "internal"),
    ]


def test_a_post_that_comes_again_is_kept_as_one_with_its_times() -> None:
    ingress = Ingress()
    for _ in range(3):
        ingress.post(WRONG, bearing())
        ingress.now += timedelta(minutes=1)
    ingress.post(b"{", bearing())
    first, second = ingress.keep()
    assert (first.times, first.first, first.last) == (3, NOW, NOW + timedelta(minutes=2))
    assert (second.reason, second.times) == ("malformed-json", 1)


def test_while_the_ledger_is_away_they_wait_in_their_order_and_the_oldest_go_first() -> None:
    ingress = Ingress(Kept(away=1))
    for number in range(320):
        ingress.post(b'{"n": %d}' % number, bearing())
    assert not ingress.refused.keep_waiting()
    assert ingress.refused.keep_waiting()
    assert [json.loads(post.body) for post in ingress.kept.posts[:1]] == [{"n": "99"}]
    assert len(ingress.kept.posts) == 300


def test_a_long_body_is_cut() -> None:
    ingress = Ingress()
    ingress.post(json.dumps({f"k{number}": "x" * 1000 for number in range(60)}).encode(), signed(b"") | bearing())
    (post,) = ingress.keep()
    assert len(post.body) <= 4000
    assert len(post.problems) <= 20


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"eventTypeId": 702, "event_type": "updated"}, {"eventTypeId": 702, "event_type": "updated"}),
        ({"customer_id": "ada.lee", "client_id": 7}, {"customer_id": "aaa.aaa", "client_id": "9"}),
        ({"id": "ada@example.test", "uid": "Ada Lee"}, {"id": "aaa@aaaaaaa.aaaa", "uid": "Aaa Aaa"}),
        (
            {"start": "2027-05-10T09:15:00Z", "day": "12/28/2027"},
            {"start": "2027-05-10T09:15:00Z", "day": "99/99/9999"},
        ),
        ({"ok": True, "no": None, "n": 12.5}, {"ok": True, "no": None, "n": "99.9"}),
        ({"ada@example.test": 1}, {"aaa@aaaaaaa.aaaa": "9"}),
        ({"n": "é\n\x00x"}, {"n": "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}a"}),
        ([["x" * 50]], [["a" * 40 + "… (50 characters)"]]),
    ],
)
def test_a_body_is_shown_by_its_form(value: object, shown: object) -> None:
    content = json.dumps(value).encode()
    assert json.loads(outline(Body(content, content))) == shown


@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_body_whatever_is_too_much_for_the_form(value: Any) -> None:
    content = json.dumps(value).encode()
    assert len(outline(Body(content, content))) <= 4000


def test_every_problem_of_a_webhook_is_known_to_the_metrics() -> None:
    files = (Path(__file__).parents[3] / "ingest").rglob("*.py")
    named = {name for file in files for name in re.findall(r'Problem\(\s*\d+,\s*"([a-z-]+)"', file.read_text())}
    assert named - {"unknown-event", "ledger-away"} <= set(WEBHOOK_PROBLEMS)
    assert {"not-verified", "invalid-event", "media-type"} <= named
