"""The parts that the console's views share: ledger, broker, sessions, drafts, trends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from flask import current_app, g

from bellhop.broker.port import Broker, Publisher
from bellhop.console.access.sessions import OneTimeLink, Person, Sessions
from bellhop.console.drafts import Drafts
from bellhop.console.searches import Asked
from bellhop.console.trends import Pulse
from bellhop.ledger.records import TakeRefused
from bellhop.ledger.store import Ledger
from bellhop.schemas.observe import Observe
from bellhop.schemas.redact import Redactor
from bellhop.schemas.settings import Settings

if TYPE_CHECKING:
    from bellhop.console.access.oidc import Provider

KEY: Final = "bellhop"


class ConsoleParts:
    """`ledger` and `broker` as opened by this process, after any fork. provider: where people may sign in beside the
    console itself. link: lets a guest in once, on loopback alone."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        broker: Broker,
        observe: Observe,
        now: Callable[[], datetime],
        *,
        provider: Provider | None,
        link: OneTimeLink | None,
        metrics: Callable[[], tuple[bytes, str]] | None,
    ) -> None:
        self.settings = settings
        self.ledger = ledger
        self.broker = broker
        self.observe = observe
        self.now = now
        self.provider = provider
        self.link = link
        self.take_refused: TakeRefused | None = None  # set by who put the process together
        self.read_settings: Callable[[], Settings] = lambda: self.settings  # likewise: of the file as it is now
        self.sleep: Callable[[float], object] = time.sleep
        self.metrics = metrics
        self.sessions = Sessions(ledger.people, settings.console.session_seconds, now)
        self.pulse = Pulse(broker, ledger, observe, now)
        self.drafts = Drafts(ledger, settings, observe, now)
        self.asked = Asked()
        self.redactor = Redactor(settings.secrets, settings.names)
        self._publishing = threading.Lock()

    def use(self, settings: Settings) -> None:
        """New settings, of what the console takes while it runs: sources, accounts, venues, alerts."""
        self.settings = settings
        self.redactor = Redactor(settings.secrets, settings.names)
        self.drafts.use(settings)

    @property
    def publisher(self) -> Publisher:
        """Raises BrokerError."""
        with self._publishing:
            return self._publisher

    @cached_property
    def _publisher(self) -> Publisher:
        self.broker.declare()  # a letter may be older than the queues
        return self.broker.publisher()

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by TLS."""
        return self.settings.console.public_url.startswith("https:")

    def zone_of(self, venue: str) -> tzinfo | None:
        """The zone that a venue lives by; None for one that is not in the settings."""
        known = self.settings.venues.get(venue)
        return known.zone if known else None

    def clean(self, value: Any) -> Any:
        """A JSON value without the settings' secrets."""
        return self.redactor.value(value)


def parts() -> ConsoleParts:
    return cast(ConsoleParts, current_app.extensions[KEY])


def person() -> Person:
    """Who makes the request; only where the guard lets nobody else in."""
    return cast(Person, g.person)
