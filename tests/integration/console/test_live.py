"""What the console tells without being asked again: what is new, how much is open; and the list's times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bellhop.ledger.records import Part, Role
from bellhop.schemas.reasons import Reason
from tests.support.console import Console, Person
from tests.support.ledger import NOON


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    made = Console(tmp_path)
    yield made
    made.close()


def test_the_list_tells_how_many_have_come_and_is_left_as_it_is(console: Console) -> None:
    console.dead(2)
    page = console.ann.get("/letters?reason=rejected")
    (fresh,) = re.findall(r'hx-get="(/letters/fresh\?[^"]+)"', page)
    asked = fresh.replace("&amp;", "&")
    assert console.ann.get(asked).strip() == ""
    console.dead(1, Reason.EXHAUSTED)  # not of this filter
    assert console.ann.get(asked).strip() == ""
    console.dead(1)
    told = console.ann.get(asked)
    assert "1 new" in told
    assert 'href="/letters?reason=rejected"' in told


def test_badge_title_and_page_count_the_same_at_the_same_moment(console: Console) -> None:
    numbers = console.dead(3)
    page = console.ann.get("/")
    assert "<title>(3) Overview" in page
    assert 'data-count="3"' in page
    assert "3 open dead letters" in page
    console.ledger.letters.discard(numbers[:1], "ann", "done by hand")
    assert 'data-count="2"' in console.ann.get("/letters/count")
    assert "(2) Dead letters" in console.ann.get("/letters")


def test_the_list_is_asked_since_a_time_of_day_with_its_zone_and_a_time_that_is_none_chooses_nothing(
    console: Console,
) -> None:
    console.dead(1)
    assert "R-1" in console.ann.get("/letters?since=11:00")
    assert "R-1" in console.ann.get("/letters?since=11:00 Europe/London")
    assert "R-1" not in console.ann.get("/letters?since=11:59&until=11:59:30")
    wrong = console.ann.get("/letters?since=yesteryear")
    assert "must be 02:10" in wrong
    assert "R-1" not in wrong
    # What a link or a bulk act carries on means the same moment later.
    assert "since=2026-11-21T11%3A00%3A00Z" in console.ann.get("/letters?since=11:00")


def test_a_start_is_told_in_the_venues_zone_beside_utc(console: Console) -> None:
    console.dead(1)
    console.clock.time = NOON
    page = console.ann.get("/letters/1")
    assert "GMT" in page
    assert "UTC" in page


@pytest.mark.parametrize(
    ("act", "page"),
    [
        ("/letters/1/notes", "/letters/1"),
        ("/letters/1/reveal", "/letters/1"),
        ("/letters/1/assign", "/letters/1"),
        ("/letters/1/edit", "/letters/1"),
        ("/jobs/7/pause", "/jobs/7"),
        ("/causes/life", "/causes"),
        ("/event/reveal", "/event"),
        ("/drafts", "/"),
        ("/sign-out", "/"),
        ("/people/tokens/1/revoke", "/people"),
    ],
)
def test_who_loads_an_acts_address_anew_comes_to_its_page(console: Console, act: str, page: str) -> None:
    console.dead(1)
    answer = Person(console, "ada", Role.ADMIN).client.get(act)
    assert (answer.status_code, answer.headers["Location"]) == (303, page)


def test_the_overview_shows_which_parts_run_and_says_in_red_what_is_missing(console: Console) -> None:
    needs = ("ingest", "archive", "bookings.simplybook")
    work = Part("h:1:a", "work", "host-1", "0.1.0", ("bookings.simplybook",), needs, NOON, NOON, NOON)
    console.ledger.parts.beat(work)
    console.clock.advance(seconds=20)
    console.ledger.parts.beat(work)
    console.clock.advance(seconds=11)
    page = console.ann.get("/")
    assert "host-1" in page
    assert "No ingress runs" in page
    assert "No archive runs" in page
    assert "No worker for bookings.simplybook" not in page
    console.ledger.parts.own = ""  # as a command sees it, which is no part
    console.clock.advance(seconds=40)
    assert "No worker for bookings.simplybook" in console.ann.get("/")


def test_metrics_are_for_who_asks_the_process_itself(console: Console) -> None:
    console.parts.metrics = lambda: (b"bellhop_parts 1\n", "text/plain")
    client = console.nobody().client
    assert client.get("/metrics").data == b"bellhop_parts 1\n"
    for name in ("X-Forwarded-For", "Forwarded"):
        assert client.get("/metrics", headers={name: "for=192.0.2.1"}).status_code == 404
