"""A real Chromium, headless, for the console's tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.require import missing

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def executable() -> str | None:
    """Debian's package, or what CHROMIUM names: Playwright's own download does not work everywhere."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed with its module: its event loop runs in this thread, and no test after it could run one."""
    path = executable()
    if path is None:
        missing("Chromium", "apt-get install chromium")
    with sync_playwright() as playwright:
        # Root may not use the sandbox, and what is opened here is our own console alone.
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()
