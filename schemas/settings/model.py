"""The settings' values: one frozen object, built and checked once at the start of each process and passed in.

Durations are seconds here; in TOML they are numbers of seconds or texts such as "30s", "2m", "1h", "90d".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import unquote, urlsplit

from bellhop.schemas.events import VenueFacts
from bellhop.schemas.mapping import NO_MAP, FieldMap


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    urls: tuple[str, ...] = field(repr=False)  # carries the broker's password
    ladder: tuple[float, ...]
    delivery_limit: int
    confirm_seconds: float
    heartbeat_seconds: float
    lease_seconds: float

    @property
    def embedded(self) -> bool:
        return self.urls[0].startswith("sqlite:")


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    url: str = field(repr=False)  # may carry a password
    keep_seconds: float


@dataclass(frozen=True, slots=True)
class IngestSettings:
    host: str
    port: int
    processes: int
    threads: int
    max_body_bytes: int
    body_seconds: float
    public_url: str


@dataclass(frozen=True, slots=True)
class WorkSettings:
    threads: int
    claim_seconds: float
    drain_seconds: float
    stall_seconds: float
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """A provider that people sign in at (OpenID Connect); none where `issuer` is "". role_claim: where a person's role
    stands in the ID token (dotted), as one of our roles or a list that has it."""

    issuer: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    role_claim: str = "bellhop_role"
    name_claim: str = "email"

    def __bool__(self) -> bool:
        return bool(self.issuer)


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """session_seconds: after so long people sign in again. second_approver: an edited letter is replayed only once
    another has approved it. public_url: as browsers reach it. sentry_url: a template, see the example."""

    host: str
    port: int
    session_seconds: float
    second_approver: bool
    public_url: str
    sentry_url: str
    oidc: OidcSettings

    @property
    def loopback(self) -> bool:
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


@dataclass(frozen=True, slots=True)
class SourceVenue:
    """One of an upstream's places, as a venue of ours, and the service its bookings are for; "" where not given.

    duration_seconds: of a booking that tells no end, 0 where not given.
    """

    venue: str
    service_id: str = ""
    provider_id: str = ""
    facility_id: str = ""
    duration_seconds: float = 0.0
    price: float | None = None


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """verifier: a row of `ingest.verify`'s table. answer: the status of an accepted webhook, 202 or 200.

    format: one of `FORMATS`, or a vendor that posts what happens there. map: where the fields stand in the upstream's
    own body. venues: its places, by its ids. account: whose own callbacks these are. feed_venue: told of each booking
    in them. pull_account: one that is pulled instead of booking anywhere. notification_url: the address as the
    upstream knows it, where its signature covers that. result_url: where it is told the end of its events, "" for
    nowhere; what is posted there is signed with each of result_secrets.
    """

    name: str
    verifier: str
    secrets: tuple[str, ...] = field(repr=False)
    tolerance_seconds: float
    answer: int
    member_account: str
    format: str = "bellhop"
    map: FieldMap = NO_MAP
    venues: Mapping[str, SourceVenue] = field(default_factory=dict)
    account: str = ""
    feed_venue: str = ""
    pull_account: str = ""
    notification_url: str = ""
    result_url: str = field(default="", repr=False)  # may hold a token
    result_secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a vendor allows one account, all workers together; 0 is no limit. A day is UTC's."""

    per_second: float = 0.0
    at_once: int = 0
    per_day: int = 0


class Account(Protocol):
    """What is asked of any vendor's account; each vendor's own has its own keys beside these.

    kind: the vendor's, as `vendors/registry.py` has it. system: what stands behind the vendor, "" where nobody said or
    nothing does. pulls: a cron expression (in UTC) for each thing that is pulled. shares_token: whether its
    workers share a session's token. secrets: what no log, error or screen may show.
    """

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def base_url(self) -> str: ...
    @property
    def connect_seconds(self) -> float: ...
    @property
    def read_seconds(self) -> float: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def system(self) -> str: ...
    @property
    def pulls(self) -> Mapping[str, str]: ...
    @property
    def shares_token(self) -> bool: ...
    @property
    def secrets(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class SentrySettings:
    dsn: str = field(repr=False)
    environment: str
    traces_sample_rate: float


@dataclass(frozen=True, slots=True)
class Settings:
    broker: BrokerSettings
    ledger: LedgerSettings
    ingest: IngestSettings
    work: WorkSettings
    archive: ArchiveSettings
    console: ConsoleSettings
    sentry: SentrySettings
    log_level: str
    sources: Mapping[str, SourceSettings]
    accounts: Mapping[str, Account]
    venues: Mapping[str, VenueFacts]

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
            found.update(secrets, (secret.removeprefix("whsec_") for secret in secrets))
        for account in self.accounts.values():
            found.update(account.secrets)
        passwords = [urlsplit(url).password or "" for url in (*self.broker.urls, self.ledger.url)]
        found.update(passwords, map(unquote, passwords))  # drivers and their errors know the decoded one
        found.add(self.console.oidc.client_secret)
        return frozenset(secret for secret in found if secret)
