"""The settings as a whole: one frozen object, built and checked once at the start of each process and passed in.

Durations are seconds here; in TOML they are numbers of seconds or texts such as "30s", "2m", "1h", "90d".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from bellhop.schemas.events import VenueFacts
from bellhop.schemas.results import RESULTS_ROUTE
from bellhop.schemas.routes import MEMBERS_ROUTE, PULLS_ROUTE, bookings_route, callbacks_route
from bellhop.schemas.settings.accounts import Account
from bellhop.schemas.settings.alerts import AlertReceiver
from bellhop.schemas.settings.console import ConsoleSettings
from bellhop.schemas.settings.keys import secret_values
from bellhop.schemas.settings.services import (
    ArchiveSettings,
    BrokerSettings,
    IngestSettings,
    LedgerSettings,
    OtelSettings,
    SentrySettings,
    WorkSettings,
)
from bellhop.schemas.settings.sources import RAW, SourceSettings


@dataclass(frozen=True, slots=True)
class Settings:
    broker: BrokerSettings
    ledger: LedgerSettings
    ingest: IngestSettings
    work: WorkSettings
    archive: ArchiveSettings
    console: ConsoleSettings
    sentry: SentrySettings
    otel: OtelSettings
    log_level: str
    log_fields: str
    sources: Mapping[str, SourceSettings]
    accounts: Mapping[str, Account]
    venues: Mapping[str, VenueFacts]
    alerts: Mapping[str, AlertReceiver] = field(default_factory=dict)

    @property
    def told(self) -> frozenset[str]:
        """The sources that are told the end of their events."""
        return frozenset(source.name for source in self.sources.values() if source.result_url)

    @property
    def secrets(self) -> frozenset[str]:
        """Every secret value, for the redactor."""
        found: set[str] = set()
        for source in self.sources.values():
            secrets = (*source.secrets, *source.result_secrets)
            found.update(secrets, (secret.removeprefix("whsec_").removeprefix(RAW) for secret in secrets))
        for account in self.accounts.values():
            found.update(account.secrets)
        for receiver in self.alerts.values():
            found.update(secret_values(receiver))
        urls = (*self.broker.urls, self.ledger.url, *(receiver.url for receiver in self.alerts.values()))
        passwords = [urlsplit(url).password or "" for url in urls]
        found.update(passwords, map(unquote, passwords))  # drivers and their errors know the decoded one
        found.add(self.console.oidc.client_secret)
        found.update(self.otel.secrets)
        return frozenset(secret for secret in found if secret)

    @property
    def names(self) -> frozenset[str]:
        """The words by which people and our own texts name things: no secret's text may mask them."""
        kinds = {account.kind for account in self.accounts.values()}
        routes = {bookings_route(kind) for kind in kinds} | {callbacks_route(kind) for kind in kinds}
        shared = {MEMBERS_ROUTE, PULLS_ROUTE, RESULTS_ROUTE, "bellhop"}
        return frozenset((*self.sources, *self.accounts, *self.venues, *self.alerts, *kinds, *routes, *shared))
