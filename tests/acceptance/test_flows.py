"""What a person does at three in the morning, in a real browser: how many clicks, at each width, in both colours.

Over the console alone: what it shows and asks is of its ledger, and no vendor is called.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from bellhop.ledger.records import CauseState, LetterFilter, LetterState
from bellhop.schemas.reasons import Reason
from tests.support.browser import browser
from tests.support.ledger import conflict, die, die_in_doubt, event, letter
from tests.support.shown_console import WIDTHS, ShownConsole, clicks, look_at

__all__ = ["browser"]

ALL = tuple(LetterState)


class Night(ShownConsole):
    """A console with 40 letters of two causes, and one letter of each reason that is no replay's."""

    def fill(self) -> None:
        for number in range(1, 27):
            self.dead(f"b-{number}", Reason.REJECTED, "provider 999 does not exist (-32065)")
        for number in range(1, 15):
            self.dead(f"m-{number}", Reason.AUTH, "the key has no permission to book")

    def dead(self, id_: str, reason: Reason, error: str, **evidence: Any) -> None:
        start = {"service_id": "1", "provider_id": "2", "start": "2026-12-24T10:00:00+00:00", "count": 1}
        data = {"venue": "salon", "client": {"name": "Ada Lee", "email": "ada@example.com"}, "services": [start]}
        gone = event(id_, subject=f"R-{id_}", data=data)
        if reason is Reason.IN_DOUBT:
            die_in_doubt(self.console.ledger, gone)
        else:
            die(self.console.ledger, gone, reason)
        made = replace(letter(gone, reason), error=error, evidence=evidence)
        self.console.ledger.letters.archive([made])


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    made = Night(tmp_path_factory.mktemp("night"))
    made.fill()
    yield made
    made.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_26_letters_of_one_cause_are_replayed_from_the_overview_in_two_clicks(
    night: Night, browser: Browser, width: int
) -> None:
    page = night.open(browser, width)
    page.goto("/")
    row = page.locator("#causes tbody tr", has_text="provider 999")
    expect(row).to_contain_text("26")
    look_at(page)
    row.get_by_role("button", name="Replay 26 …").click()
    expect(page.get_by_role("heading", name="What is sent where")).to_be_visible()
    expect(page.locator("#draft")).to_contain_text("book")
    expect(page.locator("#draft")).not_to_contain_text("Ada Lee")
    look_at(page)
    page.keyboard.type("the salon has made the provider")  # the reason is where the cursor stands
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.get_by_role("heading", name="replay")).to_be_visible()
    assert clicks(page) == 2
    (job, *_) = night.console.ledger.jobs.page(1).rows
    assert (job.kind, job.total, job.why) == ("replay", 26, "the salon has made the provider")
    night.console.ledger.jobs.cancel(job.id, "ann", "the next width")
    page.context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_cause_is_assigned_and_snoozed_and_resolved_where_it_stands(
    night: Night, browser: Browser, width: int
) -> None:
    page = night.open(browser, width)
    page.goto("/")
    row = page.locator("#causes tbody tr", has_text="no permission")
    row.get_by_role("button", name="Assign …").click()
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_text("14 assigned to ann")).to_be_visible()
    assert clicks(page) == 2
    for button, state in (("Acknowledge", "acknowledged"), ("Snooze", "snoozed"), ("Resolve", "resolved")):
        page.goto("/causes")
        row = page.locator("#results tbody tr", has_text="no permission")
        row.locator("summary").click()
        row.get_by_role("button", name=button, exact=True).click()
        expect(page.locator(f"tr[data-state={state}]")).to_contain_text("no permission")
        assert clicks(page) == 2
    look_at(page)
    cause = next(one for one in night.console.ledger.causes.find(LetterFilter()) if one.reason == Reason.AUTH)
    assert (cause.life.state, cause.life.who) == (CauseState.RESOLVED, "ann")
    night.console.ledger.causes.say(cause.cause, None, "ann")
    page.context.close()


def test_a_search_acts_on_all_that_match_in_three_clicks(night: Night, browser: Browser) -> None:
    page = night.open(browser, 960)
    page.goto("/letters")
    page.get_by_label("Search").fill("R-b-1")
    expect(page.locator("#results tbody tr")).to_have_count(11)  # R-b-1, and R-b-10 to R-b-19
    page.get_by_role("button", name="Replay all 11 …").click()
    expect(page.get_by_role("heading", name="Replay 11 dead letters")).to_be_visible()
    page.keyboard.type("mended")
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.get_by_text("of 11 finished")).to_be_visible()
    assert clicks(page) <= 3
    page.context.close()


RIGHT = {
    Reason.UNSUPPORTED: "Done by hand …",
    Reason.TOO_LATE: "Done by hand …",
    Reason.DOUBLED: "Done by hand …",
    Reason.POISON: "Discard …",
    Reason.IN_DOUBT: "It is there",
    Reason.REJECTED: "Replay …",
}


def test_the_blue_button_of_a_letter_is_what_the_runbook_says(night: Night, browser: Browser) -> None:
    page = night.open(browser, 360)
    for reason, button in RIGHT.items():
        night.dead(f"one-{reason.value}", reason, f"it is {reason.value}")
        (number,) = night.console.ledger.letters.ids(LetterFilter(event_id=f"one-{reason.value}", states=ALL))
        page.goto(f"/letters/{number}")
        blue = page.locator("button.first, a.button.first")
        expect(blue).to_have_count(1)
        expect(blue).to_have_text(button)
        look_at(page)
    conflict(night.console.ledger)
    page.goto("/letters?reason=conflict")
    page.locator("#results tbody").get_by_role("link").click()
    expect(page.locator("button.first, a.button.first")).to_have_text("Compare both")
    look_at(page)
    clicks(page)
    page.goto(f"/letters?reason={Reason.UNSUPPORTED.value}")
    page.get_by_role("link", name="R-one-unsupported").click()
    page.get_by_role("button", name="Done by hand …").click()
    expect(page.get_by_role("heading", name="What the runbook says")).to_be_visible()
    page.keyboard.type("cancelled in their screens")
    page.get_by_role("button", name="Done by hand", exact=True).click()
    expect(page.get_by_text("of 1 finished")).to_be_visible()
    assert clicks(page) == 3
    page.context.close()


def test_what_has_died_meanwhile_is_seen_with_one_click(night: Night, browser: Browser) -> None:
    page = night.open(browser, 960)
    page.goto("/letters?account=sb")
    night.dead("late", Reason.REJECTED, "it is late")
    page.get_by_role("link", name="1 new").click()
    expect(page.locator("#results")).to_contain_text("R-late")
    assert clicks(page) == 1
    look_at(page)
    page.context.close()
