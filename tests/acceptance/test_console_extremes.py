"""The console in a real browser with what real life has: nothing, thousands of letters, endless words, a ledger or a
broker that is away. In one process, so that a test can take things away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from bellhop.broker.port import Message
from bellhop.broker.topology import retry, work_queue
from bellhop.console.access.passwords import hash_password
from bellhop.console.access.sessions import Sessions
from bellhop.ledger.records import LetterFilter, LetterState, Role
from bellhop.schemas.errors import BrokerUnavailable, LedgerUnavailable
from bellhop.schemas.reasons import Reason
from tests.support.browser import browser
from tests.support.console import Console
from tests.support.ledger import NOON, die, event, letter
from tests.support.wsgi import served

__all__ = ["browser"]

LONG_ID = "evt-" + "x" * 180
LONG_WORDS = "The vendor's gateway answered with a page: " + "<html>refused/" * 700
SCREENS = (
    *("/", "/letters", "/causes", "/letters/1", "/jobs", "/jobs/1", "/edits", "/search?q=R", "/routes", "/audit"),
    *("/people", f"/event?source=crm&id={LONG_ID}", "/nowhere"),
)

_CUT = """[...document.querySelectorAll("table.dense .pill")].filter(
    (pill) => pill.getBoundingClientRect().right > pill.closest("td").getBoundingClientRect().right
).length"""
"""How many reasons stand beyond the edge of their cell."""


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    made = Console(tmp_path)
    yield made
    made.close()


@pytest.fixture
def url(console: Console) -> Iterator[str]:
    with served(console.app) as address:
        yield address


@pytest.fixture
def context(console: Console, url: str, browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(base_url=url)
    opened.set_default_timeout(15_000)
    key = Sessions(console.ledger.people, 36000, console.clock).open("ada", Role.ADMIN)
    opened.add_cookies([{"name": "bellhop", "value": key, "url": url}])
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    assert problems == []


def endless(console: Console) -> None:
    """Letters, jobs, users and acts with words longer than any screen."""
    for name, gone in ((LONG_ID, event(LONG_ID, subject="R-" + "9" * 190)), ("e-2", event("e-2", subject="R-2"))):
        die(console.ledger, gone)
        start = NOON + timedelta(hours=3) if name == "e-2" else None
        evidence = {"attempts": [{"method": "book", "outcome": "rejected", "error": LONG_WORDS, "answer": LONG_WORDS}]}
        long = replace(letter(gone), error=LONG_WORDS, message_id=name * 2, not_after=start, evidence=evidence)
        console.ledger.letters.archive([long])
    ids = console.ledger.letters.ids(LetterFilter(states=tuple(LetterState)))
    console.ledger.letters.note(ids[0], "ada", "n" * 2000)
    console.ledger.letters.assign(ids[:1], "w" * 200, "ada")
    console.ledger.letters.note_act("t" * 200, "retry now", "w" * 500, "route " + "r" * 200)
    console.ledger.people.add_user("u" * 100, Role.VIEWER, "", "ada")
    console.ledger.people.add_token("t" * 100, Role.VIEWER, "hash", "w" * 100)
    job = console.ledger.jobs.create("replay", [], "ada", "w" * 500, None)
    assert job.id == 1


def test_endless_words_run_over_no_edge(console: Console, page: Page) -> None:
    endless(console)
    for path in SCREENS:
        page.goto(path)
        for width in (360, 375, 769, 960, 1024, 1221, 1280, 1440, 1920):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)


def test_a_letters_reason_is_read_whole_on_every_screen(console: Console, page: Page) -> None:
    longest = max(Reason, key=len).value
    console.ledger.letters.archive([replace(letter(event("e-1")), reason=longest)])
    page.goto("/letters")
    for width in (769, 960, 1024, 1221, 1280, 1440, 1600, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(_CUT) == 0, width


def test_the_histogram_filters_by_dragging_and_by_keys(console: Console, page: Page) -> None:
    lot = [replace(letter(event(f"e-{n}", subject=f"R-{n}")), died=NOON - timedelta(minutes=n)) for n in range(60)]
    console.ledger.letters.archive(lot)
    page.goto("/letters?order=newest")
    page.locator(".deaths .bars").scroll_into_view_if_needed()
    box = page.locator(".deaths .bars").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.95, box["y"] + 20, steps=3)
    page.mouse.up()
    expect(page).to_have_url(re.compile("since=.*until="))
    expect(page.locator("#results tbody tr").first).to_be_visible()
    few = page.locator("#results tbody tr").count()
    assert 1 <= few < 10
    page.get_by_role("link", name="Any time").click()
    expect(page.locator("#results tbody tr")).to_have_count(50)
    page.get_by_label("Since, by bars").focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("since="))
    expect(page.locator(".count[data-count]")).to_have_text(re.compile("^60"))


def test_what_has_come_is_told_and_the_list_stays_until_it_is_asked_for(console: Console, page: Page) -> None:
    console.dead(2)
    page.goto("/letters")
    page.get_by_label("letter 1", exact=True).check()
    console.dead(1)
    expect(page.get_by_role("link", name="1 new")).to_be_visible(timeout=15_000)
    expect(page.locator("#results tbody tr")).to_have_count(2)
    expect(page.get_by_label("letter 1", exact=True)).to_be_checked()
    expect(page).to_have_title(re.compile(r"^\(3\) Dead letters"), timeout=15_000)
    page.get_by_role("link", name="1 new").click()
    expect(page.locator("#results tbody tr")).to_have_count(3)


def test_pages_with_endless_words_have_no_serious_accessibility_fault(console: Console, page: Page) -> None:
    endless(console)
    console.parts.pulse.beat()
    faults = []
    for path in SCREENS:
        page.goto(path)
        expect(page.get_by_role("navigation", name="Main")).to_be_visible()
        page.evaluate(Axe().axe_script)  # once for both colours: it is half a megabyte
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = page.evaluate("axe.run({resultTypes: ['violations']}).then((all) => all.violations)")
            serious = [one for one in found if one["impact"] in ("serious", "critical")]
            faults += [f"{path} {scheme}: {one['id']}: {one['nodes'][0]['html'][:120]}" for one in serious]
    assert faults == []


def test_five_thousand_letters_are_paged_and_chosen_as_one(console: Console, page: Page) -> None:
    lot = [replace(letter(event(f"e-{n}", subject=f"R-{n}")), message_id=f"m-{n}") for n in range(5000)]
    console.ledger.letters.archive(lot)
    page.goto("/letters?order=oldest")
    expect(page.locator("#results tbody tr")).to_have_count(50)
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_label("letter 51", exact=True)).to_be_visible()
    page.go_back()
    expect(page.get_by_label("letter 1", exact=True)).to_be_visible()
    page.get_by_label(re.compile("All 5,000 matching")).check()
    expect(page.locator("[data-ticked]")).to_have_text("5000 selected")
    page.get_by_role("button", name="Discard …").click()
    expect(page.get_by_role("heading", name="Discard 5,000 dead letters")).to_be_visible()
    expect(page.get_by_text("Exactly these letters")).to_be_visible()


def test_what_is_searched_for_shows_in_no_address_and_survives_going_back(console: Console, page: Page) -> None:
    console.dead(2)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url + str(request.headers.get("referer"))))
    page.goto("/letters")
    page.get_by_label(re.compile("^Search")).press_sequentially("ada@example.com")
    expect(page).to_have_url(re.compile(r"\?k="))
    page.get_by_label("Reason").select_option("too_late")
    expect(page.locator("#results")).to_contain_text("No matches")
    page.go_back()
    expect(page.locator("#results tbody tr")).to_have_count(2)
    expect(page.get_by_label(re.compile("^Search"))).to_have_value("ada@example.com")
    page.goto("/")
    page.get_by_role("searchbox").fill("Ada Lee")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="R-1", exact=True)).to_be_visible()
    assert not [url for url in asked if "ada" in url.lower()]


def _at(page: Page) -> str | None:
    return page.locator("[data-row].at a").get_attribute("id")


def test_a_live_part_keeps_the_row_and_the_focus_and_lets_text_be_marked(console: Console, page: Page) -> None:
    console.dead(3, not_after=NOON + timedelta(hours=2))
    page.goto("/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = _at(page)
    console.dead(1, not_after=NOON + timedelta(hours=1))  # it comes first
    expect(page.locator("tbody tr").first).to_contain_text("R-4", timeout=10_000)
    assert _at(page) == second
    assert page.evaluate("document.activeElement.id") == second
    page.get_by_role("link", name="4 open dead letters").focus()
    with page.expect_response("**/live"):
        pass
    expect(page.get_by_role("link", name="4 open dead letters")).to_be_focused()
    cell = page.locator("tbody tr").first.locator("td").nth(2)
    page.evaluate("cell => getSelection().selectAllChildren(cell)", cell.element_handle())
    page.wait_for_timeout(6000)  # a beat is five seconds
    assert "the vendor said no" in page.evaluate("getSelection().toString()")


def test_text_marked_while_a_live_part_is_under_way_stays_marked(console: Console, page: Page) -> None:
    console.dead(1)
    page.goto("/")
    mark = "getSelection().selectAllChildren(document.querySelectorAll('tbody td')[2])"

    def answered(route: Route) -> None:
        page.evaluate(mark)
        route.continue_()

    page.route("**/live", answered, times=1)
    with page.expect_response("**/live") as answer:
        pass
    answer.value.finished()
    page.wait_for_timeout(200)  # what comes of it is shown within a frame or two
    assert "the vendor said no" in page.evaluate("getSelection().toString()")


def test_keys_do_nothing_while_somebody_types(console: Console, page: Page) -> None:
    console.dead(2)
    page.goto("/letters")
    page.get_by_label(re.compile("^Search")).click()
    page.keyboard.type("grt?jx/")
    expect(page.get_by_label(re.compile("^Search"))).to_have_value("grt?jx/")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.goto("/letters/1")
    page.get_by_label("Add a note").click()
    page.keyboard.type("go r?")
    expect(page.get_by_label("Add a note")).to_have_value("go r?")
    expect(page).to_have_url(re.compile("/letters/1$"))


def test_every_key_there_is_stands_in_the_help(console: Console, page: Page) -> None:
    console.dead(1)
    page.goto("/")
    page.keyboard.press("?")
    told = page.get_by_role("dialog").locator("kbd").all_text_contents()
    for key in ("g", "o", "d", "c", "j", "e", "s", "r", "a", "p", "/", "k", "Enter", "x", "t", "?"):
        assert key in told, key
    page.keyboard.press("Escape")
    for key, heading in (("p", "People"), ("a", "Audit"), ("s", "Search"), ("c", "Dead letters"), ("o", "Overview")):
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page.get_by_role("heading", name=heading, exact=True, level=1)).to_be_visible()


def test_a_ledger_that_goes_away_is_told_and_comes_back_by_itself(
    console: Console, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    console.dead(1)
    page.goto("/")

    def away(*_: object, **__: object) -> None:
        raise LedgerUnavailable("unable to open database file")

    with monkeypatch.context() as patch:
        patch.setattr(console.ledger.letters, "by_reason", away)
        expect(page.locator("#lost")).to_contain_text("The console answered 503", timeout=10_000)
        expect(page.get_by_role("region", name="Needs attention")).to_contain_text("R-1")  # what was known stays
        other = page.context.new_page()
        other.goto("/")
        expect(other.get_by_role("heading", name="Unavailable")).to_be_visible()
        expect(other.get_by_text("unable to open database file")).to_contain_text("ledger.url")
    expect(page.locator("#lost")).to_be_hidden(timeout=10_000)
    other.get_by_role("link", name="Try again").click()
    expect(other.get_by_role("heading", name="Overview")).to_be_visible()


def test_a_broker_that_is_away_is_told_where_one_looks(
    console: Console, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise BrokerUnavailable("connection refused")

    monkeypatch.setattr(console.broker, "stats", away)
    console.parts.pulse.beat()
    page.goto("/")
    expect(page.get_by_text("The broker cannot be reached")).to_contain_text("broker.url")
    page.goto("/routes")
    expect(page.get_by_text("The broker cannot be reached")).to_be_visible()
    page.get_by_label("Reason").fill("it is away")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("members is paused")).to_be_visible()


def test_what_waits_for_a_retry_is_tried_now(console: Console, page: Page) -> None:
    sent = Message("m-1", b"{}", {})
    ladder = console.settings.broker.ladder
    console.broker.publisher().publish(sent, retry("members", ladder[-1])).result(10)
    page.goto("/routes")
    page.get_by_label("Route").select_option("members")
    page.get_by_role("button", name="Retry now").click()  # a reason is asked for first
    expect(page.get_by_label("Reason")).to_be_focused()
    page.get_by_label("Reason").fill("the vendor is back")
    page.get_by_role("button", name="Retry now").click()
    expect(page.get_by_text("Retrying 1 on members now")).to_be_visible()
    (delivery,) = console.broker.consumer(work_queue("members"), 1).take(1, 10)
    assert delivery.message.id == "m-1"
    page.goto("/audit?act=retry+now")
    expect(page.get_by_role("row", name=re.compile("the vendor is back"))).to_be_visible()


def test_what_is_being_typed_outlives_a_session_that_ends(console: Console, page: Page) -> None:
    console.ledger.people.add_user("zoe", Role.OPERATOR, hash_password("correct horse battery"), "ada")
    page.goto("/routes")
    page.get_by_label("Reason").fill("the vendor asked for an hour")
    console.ledger.people.end_sessions("ada", "root")
    expect(page.get_by_label("Password")).to_be_visible(timeout=10_000)
    page.get_by_label("Name").fill("zoe")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Routes")).to_be_visible()
    expect(page.get_by_label("Reason")).to_have_value("the vendor asked for an hour")


def test_an_admin_adds_somebody_who_signs_in_and_takes_it_back(console: Console, page: Page, browser: Browser) -> None:
    console.ledger.people.add_user("ada", Role.ADMIN, hash_password("correct horse battery"), "setup")
    page.goto("/people")
    page.get_by_label("Name", exact=True).fill("Zoe Lee")
    page.locator("#role").select_option("operator")
    page.get_by_role("button", name="Add user").click()
    password = page.locator("pre.once").inner_text()
    other = browser.new_context(base_url=page.url.removesuffix("/people"))
    zoe = other.new_page()
    zoe.goto("/sign-in")
    zoe.get_by_label("Name").fill("Zoe Lee")
    zoe.get_by_label("Password").fill(password)
    zoe.get_by_role("button", name="Sign in").click()
    expect(zoe.get_by_role("heading", name="Overview")).to_be_visible()
    expect(zoe.get_by_role("link", name="People")).to_have_count(0)
    page.goto("/people")
    expect(page.locator("pre.once")).to_have_count(0)
    page.get_by_text("Change Zoe Lee").click()
    page.get_by_role("button", name="Disable: Zoe Lee").click()
    expect(page.get_by_text("Zoe Lee is disabled")).to_be_visible()
    zoe.reload()
    expect(zoe.get_by_label("Password")).to_be_visible()
    page.get_by_text("Change Zoe Lee").click()
    page.get_by_role("button", name="Remove: Zoe Lee").click()
    expect(page.get_by_text("Zoe Lee is removed")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_label("Token name").fill("Grafana")
    page.get_by_role("button", name="Create token").click()
    expect(page.locator("pre.once")).to_contain_text("bh_")
    page.get_by_role("button", name="Revoke token 1 Grafana").click()
    expect(page.get_by_role("row", name=re.compile("Grafana"))).to_contain_text("revoked")
    other.close()
