"""The console in a real browser, over real processes: each screen's main path, on both colours, and on a phone.

`SCREENSHOTS=docs/img pytest tests/acceptance/test_console.py` writes the pictures of the README anew.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.support.browser import browser
from tests.support.facts import salon_booking
from tests.support.service import SOURCE, Service, free_port, wait_for

__all__ = ["browser"]

PASSWORD = "a long pass phrase for the night"
SCREENS = ("/", "/letters", "/causes", "/jobs", "/edits", "/search?q=Ada", "/routes", "/audit")


class Console:
    """Bellhop with a console, an operator and an admin, and dead letters of two causes."""

    def __init__(self, service: Service, port: int) -> None:
        self.service = service
        self.url = f"http://127.0.0.1:{port}"
        self._known: dict[str, Any] = {}

    def open(self, browser: Browser, name: str = "ann", **more: Any) -> Page:
        """A page of a person who has signed in, once: the console counts how often somebody tries."""
        if name not in self._known:
            context = browser.new_context(base_url=self.url)
            page = context.new_page()
            sign_in(page, name)
            expect(page.get_by_role("navigation", name="Main")).to_be_visible()
            self._known[name] = context.storage_state()
            context.close()
        context = browser.new_context(base_url=self.url, storage_state=self._known[name], **more)
        context.set_default_timeout(15_000)
        return context.new_page()

    def kill_booking(self, reference: str, number: int, start: datetime) -> None:
        """A booking that the vendor refuses: its provider does not exist."""
        booking = salon_booking(reference, number, unit="999")
        booking["services"][0]["start"] = start.astimezone(UTC).isoformat()
        assert self.service.post(f"event-{reference}", "booking.requested", booking) == 202


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.goto("/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def soon(hours: float) -> datetime:
    """On the next quarter of an hour, so many hours from now."""
    at = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(hours=hours)
    return at + timedelta(minutes=-at.minute % 15)


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    port = free_port()
    folder: Path = tmp_path_factory.mktemp("console")
    with Service(folder, more=f"[console]\nport = {port}\n") as service:
        service.start_all()
        for name, role in (("ann", "operator"), ("ben", "admin"), ("vic", "viewer")):
            made = service.run("users", "add", name, "--role", role, "--password-stdin", input_=PASSWORD)
            assert made.returncode == 0, made.stderr
        service.start("console")
        http = urllib3.PoolManager(retries=False, timeout=2)

        def answers() -> bool:
            try:
                return http.request("GET", f"http://127.0.0.1:{port}/sign-in").status == 200
            except urllib3.exceptions.HTTPError:
                return False

        wait_for(answers, "the console answers")
        http.clear()
        made_ = Console(service, port)
        for number in range(4):
            assert service.post(f"lost-{number}", "member.updated", {"member_id": f"99999{number}"}) == 202
        made_.kill_booking("R-SOON", 1, soon(2))
        made_.kill_booking("R-LATER", 2, soon(30))
        assert service.post("well-1", "booking.requested", salon_booking("R-WELL", 3)) == 202
        service.wait_for_state("well-1", "done")
        wait_for(lambda: len(service.told("dead", "list")) == 6, "six dead letters")
        yield made_


@pytest.fixture
def page(console: Console, browser: Browser) -> Iterator[Page]:
    opened = console.open(browser)
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda told: problems.append(told.text) if _is_fault(told) else None)
    yield opened
    opened.context.close()
    assert problems == []


def _is_fault(told: ConsoleMessage) -> bool:
    """A script's own fault, or one of the content policy's; not an answer that says no."""
    return told.type == "error" and "Failed to load resource" not in told.text


def test_a_wrong_password_is_refused_and_a_right_one_opens_the_overview(console: Console, browser: Browser) -> None:
    context = browser.new_context(base_url=console.url)
    page = context.new_page()
    page.goto("/letters")
    expect(page.get_by_label("Password")).to_be_visible()
    sign_in(page, "ann", "not this one at all")
    expect(page.get_by_role("alert")).to_be_visible()
    sign_in(page, "ann")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    context.close()


def test_the_overview_shows_first_what_starts_soonest(page: Page) -> None:
    page.goto("/")
    urgent = page.get_by_role("region", name="Needs attention").locator("tbody tr")
    expect(urgent.first).to_contain_text("R-SOON")
    expect(urgent.nth(1)).to_contain_text("R-LATER")
    expect(page.locator("#routes")).to_contain_text("bookings.simplybook")
    expect(page.locator("#accounts")).to_contain_text("sb")


def test_letters_are_found_as_one_types_and_grouped_by_their_cause(page: Page) -> None:
    page.goto("/letters")
    rows = page.locator("#results tbody tr")
    expect(rows).to_have_count(6)
    page.get_by_label(re.compile("^Search")).fill("R-SOON")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile("k="))
    page.get_by_label(re.compile("^Search")).fill("nobody at all")
    expect(page.locator("#results")).to_contain_text("No matches")
    page.goto("/causes")
    causes = page.locator("#results tbody tr")
    expect(causes.first).to_contain_text("unit id is not available")  # its booking starts soonest
    lost = causes.filter(has_text="Member not found")
    expect(lost).to_contain_text("4")
    lost.get_by_role("link").click()
    expect(page.locator("#results tbody tr")).to_have_count(4)


def test_all_of_a_cause_are_replayed_in_steps_one_can_trust(console: Console, page: Page) -> None:
    for number in range(4):
        console.service.sandbox("POST", "members", id=f"99999{number}")
    page.goto("/causes")
    page.locator("#results tbody tr", has_text="Member not found").get_by_role("link").click()
    page.get_by_label(re.compile("All 4 matching")).check()
    page.get_by_role("button", name="Replay …").click()
    expect(page.get_by_text("will be retried").first).to_be_visible()
    replay = page.get_by_role("button", name="Replay", exact=True)
    replay.click()  # without a reason the browser itself stops it
    expect(page.get_by_label(re.compile("^Reason"))).to_be_focused()
    page.get_by_label(re.compile("^Reason")).fill("the club made them")
    replay.click()
    expect(page.get_by_text("4 of 4 finished")).to_be_visible(timeout=30_000)
    expect(page.locator("h1 + .pill")).to_have_text("done")
    for number in range(4):
        assert console.service.event(f"lost-{number}")["state"] == "done"


def test_a_letter_is_noted_upon_handed_over_and_revealed_for_the_audit(console: Console, page: Page) -> None:
    page.goto("/letters?q=R-LATER")
    page.get_by_role("link", name="R-LATER").click()
    expect(page.get_by_role("heading", name="R-LATER")).to_be_visible()
    expect(page.locator("#data")).not_to_contain_text("Ada Lee")
    page.get_by_role("button", name=re.compile("Reveal")).first.click()
    expect(page.locator("#data")).to_contain_text("Ada Lee")
    page.get_by_label("Add a note").fill("called the salon, they will call back")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#notes")).to_contain_text("called the salon")
    page.get_by_role("button", name="Assign to me").click()
    expect(page.get_by_label("Assign to")).to_have_value("ann")
    page.goto("/audit?who=ann")
    expect(page.locator("tbody tr", has_text="reveal").first).to_be_visible()
    expect(page.locator("tbody tr", has_text="assign").first).to_be_visible()


def test_a_letter_is_edited_checked_by_its_contract_and_replayed(console: Console, page: Page) -> None:
    console.kill_booking("R-EDIT", 4, soon(50))
    console.service.wait_for_state("event-R-EDIT", "dead")
    wait_for(lambda: "R-EDIT" in console.service.ask("dead", "list").stdout, "it is archived")
    page.goto("/letters?q=R-EDIT")
    page.get_by_role("link", name="R-EDIT").click()
    page.get_by_role("button", name="Edit and replay …").click()
    provider = page.get_by_label("services.0.provider_id")
    provider.fill("not a number")
    page.get_by_role("button", name="Review changes").click()
    expect(page.get_by_text("must be a whole number").first).to_be_visible()
    page.get_by_label("services.0.provider_id").fill("21")
    page.get_by_role("button", name="Review changes").click()
    row = page.get_by_role("row", name=re.compile("provider_id"))
    expect(row.locator("del")).to_have_text("999")
    expect(row.locator("ins")).to_have_text("21")
    page.get_by_label("Reason").fill("the provider's number was wrong")
    page.get_by_role("button", name="Replay with edit").click()
    console.service.wait_for_state("event-R-EDIT", "done")


def test_what_is_discarded_can_be_put_back(console: Console, page: Page) -> None:
    page.goto("/letters?q=R-LATER")
    page.get_by_label(re.compile(r"^letter \d+$")).check()
    page.get_by_role("button", name="Discard …").click()
    page.get_by_label(re.compile("^Reason")).fill("a test of ours")
    page.get_by_role("button", name="Discard", exact=True).click()
    expect(page.get_by_text("1 of 1 finished")).to_be_visible(timeout=30_000)
    assert console.service.event("event-R-LATER")["state"] == "discarded"
    page.goto("/letters?state=discarded&q=R-LATER")
    page.get_by_label(re.compile(r"^letter \d+$")).check()
    page.get_by_role("button", name="Restore …").click()
    page.get_by_label(re.compile("^Reason")).fill("it was none")
    page.get_by_role("button", name="Restore", exact=True).click()
    expect(page.get_by_text("restored").first).to_be_visible()
    assert console.service.event("event-R-LATER")["state"] == "dead"


def test_one_search_finds_a_booking_by_its_reference_its_guest_and_its_vendors_id(console: Console, page: Page) -> None:
    (vendor_id,) = console.service.event("well-1")["vendor_ids"]
    for words in ("R-WELL", vendor_id):
        page.goto("/")
        page.get_by_role("searchbox").fill(words)
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="well-1")).to_be_visible()
    page.goto("/search?q=R-SOON@example.test")
    expect(page.get_by_role("link", name="R-SOON", exact=True)).to_be_visible()


def test_an_events_whole_way_is_one_timeline(page: Page) -> None:
    page.goto(f"/event?source={SOURCE}&id=well-1")
    way = page.locator("#timeline")
    for step in ("book", "done"):
        expect(way).to_contain_text(step)
    expect(page.get_by_text("Vendor ids", exact=True)).to_be_visible()


def test_a_held_route_lets_nothing_through_until_it_is_let_go(console: Console, page: Page) -> None:
    page.goto("/routes")
    page.get_by_label("Route").select_option("members")
    page.get_by_label("Reason").fill("the vendor asked for an hour")
    page.get_by_role("button", name="Pause").click()
    held = page.get_by_role("row", name=re.compile("^members"))
    expect(held).to_contain_text("paused")
    page.wait_for_timeout(1500)  # workers look once a second
    assert console.service.post("while-held", "member.updated", {"member_id": 3125141}) == 202
    expect(held.locator("td").nth(1)).to_have_text("1", timeout=15_000)
    assert console.service.event("while-held")["state"] == "pending"
    page.get_by_label("Reason").fill("they are back")
    page.get_by_role("button", name="Resume").click()
    console.service.wait_for_state("while-held", "done")


def test_the_audit_says_who_did_what_and_can_be_taken_along(console: Console, page: Page) -> None:
    page.goto("/audit")
    expect(page.locator("tbody tr").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert rows
    assert {"ann"} <= {row["who"] for row in rows}


def test_a_viewer_sees_and_cannot_act(console: Console, browser: Browser) -> None:
    page = console.open(browser, "vic")
    page.goto("/letters")
    expect(page.locator("#results tbody tr").first).to_be_visible()
    expect(page.get_by_role("button", name="Replay …")).to_have_count(0)
    refused = page.request.post("/drafts", form={"act": "discard", "ids": "1"})
    assert refused.status == 403
    page.context.close()


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("g")
    page.keyboard.press("d")
    expect(page.get_by_role("heading", name="Dead letters")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_label(re.compile("^Search"))).to_be_focused()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/letters/\d+$"))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


@pytest.mark.parametrize("path", SCREENS)
def test_nothing_runs_over_the_edge_of_a_phone(console: Console, browser: Browser, path: str) -> None:
    page = console.open(browser, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    page.goto(path)
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_screen_has_a_serious_accessibility_fault(console: Console, browser: Browser, scheme: Any) -> None:
    page = console.open(browser, color_scheme=scheme)
    faults = []
    for path in (*SCREENS, "/letters/1", "/letters/5", f"/event?source={SOURCE}&id=well-1", "/jobs/1"):
        page.goto(path)
        expect(page.get_by_role("navigation", name="Main")).to_be_visible()  # not the page that asks to sign in
        found = Axe().run(page).response["violations"]
        faults += [
            f"{path}: {one['id']}: {[node['html'][:120] for node in one['nodes']][:3]}"
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
    page.context.close()
    assert faults == []


def test_what_is_not_there_and_what_is_not_allowed_say_so(page: Page) -> None:
    for path in ("/letters/99999", "/nowhere", "/jobs/4711"):
        answer = page.request.get(path)
        assert answer.status == 404
        assert "Not found" in answer.text()


@pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="writes pictures: SCREENSHOTS names the folder")
def test_pictures_of_the_screens(console: Console, browser: Browser) -> None:
    folder = Path(os.environ["SCREENSHOTS"])
    wide = {"width": 1280, "height": 800}
    light = (*SCREENS, f"/event?source={SOURCE}&id=well-1", "/letters/5", "/jobs/1")
    dark, people = ("/", "/letters"), ("/people",)
    for name, scheme, paths in (("ann", "light", light), ("ann", "dark", dark), ("ben", "light", people)):
        page = console.open(browser, name, color_scheme=scheme, viewport=wide)
        for path in paths:
            page.goto(path)
            page.wait_for_load_state("networkidle")
            for fold in page.get_by_text("Request and answer").all():
                fold.click()
            called = path.partition("?")[0].strip("/").replace("/", "-") or "overview"
            page.screenshot(path=folder / f"{called}{'' if scheme == 'light' else '-dark'}.png")
        page.context.close()
    small = console.open(browser, viewport={"width": 390, "height": 844})
    small.goto("/letters")
    small.screenshot(path=folder / "letters-phone.png")
    small.context.close()
