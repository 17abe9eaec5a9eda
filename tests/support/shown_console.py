"""A console that people look at with a browser, each of whose clicks counts."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from bellhop.console.access.sessions import Sessions
from bellhop.ledger.records import Role
from tests.support.console import Console
from tests.support.wsgi import served

WIDTHS = (360, 960, 1440)
_COUNTS = """
    addEventListener('click', event => {
        if (event.detail) sessionStorage.n = 1 + Number(sessionStorage.n || 0);
    }, true)
"""


class ShownConsole:
    def __init__(self, folder: Path, more: str = "") -> None:
        """more: settings, as TOML."""
        self.console = Console(folder, more)
        self._open = ExitStack()
        self._open.callback(self.console.close)
        self.url = self._open.enter_context(served(self.console.app))
        self._key = Sessions(self.console.ledger.people, 3600, self.console.clock).open("ann", Role.OPERATOR)

    def close(self) -> None:
        self._open.close()

    def open(self, browser: Browser, width: int, *, signed_in: bool = True) -> Page:
        """In a window of its own, `width` pixels wide; signed in as an operator."""
        context = browser.new_context(base_url=self.url, viewport={"width": width, "height": 800})
        if signed_in:
            context.add_cookies([{"name": "bellhop", "value": self._key, "url": self.url}])
        context.add_init_script(_COUNTS)
        context.set_default_timeout(15_000)
        return context.new_page()


def clicks(page: Page) -> int:
    """Since it was asked last."""
    return int(page.evaluate("(n => { sessionStorage.n = 0; return n; })(sessionStorage.n || 0)"))


def look_at(page: Page) -> None:
    """Nothing runs over the edge, and axe has nothing to say, in both colours."""
    for theme in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = {theme!r}")
        found = Axe().run(page).response["violations"]
        told = [f"{one['id']}: {[node['html'][:160] for node in one['nodes']][:3]}" for one in found]
        assert (page.url, theme, told) == (page.url, theme, [])
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width, (page.url, width)
