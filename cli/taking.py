"""What takes refused posts again, put together for the command and the console: ingest's, over this host's parts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bellhop.cli.common import App

if TYPE_CHECKING:
    from bellhop.broker.port import Publisher
    from bellhop.ingest.again import RefusedTaker
    from bellhop.ledger.store import Ledger
    from bellhop.schemas.settings import Settings


@contextmanager
def refused_taker(app: App, ledger: Ledger) -> Iterator[RefusedTaker]:
    """Connects to the broker when something is to be published."""
    from bellhop.ingest.again import RefusedTaker

    with app.broker() as broker:
        opened: list[Publisher] = []

        def publisher() -> Publisher:
            if not opened:
                broker.declare()
                opened.append(broker.publisher())
            return opened[0]

        try:
            yield RefusedTaker(lambda: app.settings, publisher, ledger.event)
        finally:
            for one in opened:
                one.close()


def digest_now(file: Path | None) -> Callable[[], str]:
    """The digest of the settings as the file has them, checked as at a start. Raises SettingsError."""

    def read() -> str:
        from bellhop.ingest.verify import credentials_problem
        from bellhop.vendors.settings import read_config

        return read_config(file, os.environ, credentials_problem).digest

    return read


def settings_now(file: Path | None) -> Callable[[], Settings]:
    """The settings, read anew each time: what was mended in the file counts at once."""

    def read() -> Settings:
        from bellhop.vendors.settings import read_config

        return read_config(file, os.environ).settings

    return read
