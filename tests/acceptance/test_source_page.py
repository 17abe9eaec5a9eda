"""What the developer of an upstream does on their own page, and an operator for them, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.contract.ledger.test_refusals import post
from tests.integration.console.test_source_page import SOURCES, fill
from tests.support.browser import browser
from tests.support.ledger import flood
from tests.support.shown_console import WIDTHS, ShownConsole, clicks, look_at

__all__ = ["browser"]


class Desk(ShownConsole):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder, SOURCES)
        self.console.parts.sleep = lambda _seconds: None
        fill(self.console)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("desk"))
    yield made
    made.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_developer_comes_by_the_operators_link_and_sees_asks_and_rotates(
    desk: Desk, browser: Browser, width: int
) -> None:
    desk.console.ledger.refusals.enter([post(f"d-{width}", "crm", problems=((f"data.f{width}", "is unknown"),))])
    operator = desk.open(browser, width)
    operator.goto("/sources")
    look_at(operator)
    card = operator.locator("section", has=operator.get_by_role("heading", name="crm", exact=True))
    card.get_by_label("For whom").fill("Mia of the CRM")
    card.get_by_role("button", name="Make a link to its page").click()
    link = operator.locator("#link").inner_text()
    assert clicks(operator) == 1
    look_at(operator)

    developer = desk.open(browser, width, signed_in=False)
    asked: list[str] = []
    developer.on("request", lambda request: asked.append(request.url))
    developer.goto(desk.url + link[link.index("/source/") :])
    expect(developer.get_by_role("heading", name="Events")).to_be_visible()
    assert not any(link.partition("#")[2] in url.partition("#")[0] for url in asked)
    look_at(developer)
    developer.get_by_role("link", name="crm-event").click()
    expect(developer.get_by_text("Done: it is at the vendor.")).to_be_visible()
    look_at(developer)

    developer.get_by_role("link", name="Refused posts", exact=True).click()
    section = developer.locator("section", has_text=f"data.f{width}")
    section.get_by_label("What has been mended").fill("the field is gone")
    section.get_by_role("button", name="Ask the operator to take them").click()
    expect(section).to_contain_text("The operator was asked")
    look_at(developer)
    developer.get_by_role("link", name="Secret").click()
    look_at(developer)
    developer.get_by_role("button", name="Make a new secret").click()
    expect(developer.locator("#secret")).to_contain_text("whsec_")
    look_at(developer)
    assert clicks(developer) == 5

    operator.goto("/sources")
    look_at(operator)
    asks = operator.locator(".note", has_text="the field is gone")
    asks.first.get_by_label("Reason").fill("send it anew")
    asks.first.get_by_role("button", name="Decline").click()
    expect(operator.get_by_role("status")).to_contain_text("Declined")
    developer.goto("/source/refused")
    expect(developer.locator("section", has_text=f"data.f{width}")).to_contain_text("send it anew")
    for page in (operator, developer):
        page.context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_flood_is_found_in_the_navigation_and_released_or_discarded_by_one_button(
    desk: Desk, browser: Browser, width: int
) -> None:
    for source, button, told in (
        (f"till-{width}", "Release all: the vendors are called", "released"),
        (f"pos-{width}", "Discard all: nothing is called", "discarded"),
    ):
        flood(desk.console.ledger, source)
        page = desk.open(browser, width)
        page.goto("/")
        page.get_by_role("navigation", name="Main").get_by_role("link", name="Floods").click()
        card = page.locator("section", has_text=source)
        expect(card).to_contain_text("2 held")
        look_at(page)
        card.get_by_label("Reason").fill("the venue is closed")
        card.get_by_role("button", name=button).click()
        expect(page.get_by_role("status")).to_contain_text(f"2 events {told}")
        assert clicks(page) == 2
        page.context.close()
