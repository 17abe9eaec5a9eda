"""The settings: one frozen object, built and checked once at the start of each process and passed in.

`build` takes the parsed TOML document with overrides already laid over it (`ops.config` reads files and the
environment). `bellhop.example.toml` documents every key. Durations are seconds here; in TOML they are numbers of
seconds or texts such as "30s", "2m", "1h", "90d".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from schemas.errors import SettingsError
from schemas.events import VenueFacts
from schemas.mapping import NO_MAP, FieldMap, MapError, compiled
from schemas.results import RESULTS_ROUTE, signing_key

ROUTE_OF_KIND: Final = {"peoplevine": "bookings.peoplevine", "simplybook": "bookings.simplybook"}
MEMBERS_ROUTE: Final = "members"
CALLBACKS_ROUTE: Final = "callbacks.simplybook"
PULLS_ROUTE: Final = "pulls"
ROUTES: Final = (MEMBERS_ROUTE, *ROUTE_OF_KIND.values(), CALLBACKS_ROUTE, PULLS_ROUTE, RESULTS_ROUTE)

PULLS: Final = ("profiles", "reservations", "services")
"""What Peoplevine can be told to pull: `sync_profiles` and so on."""
SYSTEMS: Final = ("sevenrooms", "book4time", "tripleseat")

FORMATS: Final = ("bellhop", "sevenrooms", "tripleseat", "mapped", "simplybook")
"""How an upstream's bodies are written: see `ingest.formats`."""
_TOLERANCES: Final = {"calendly": 180.0, "tripleseat": 180.0}
_ANSWERS: Final = {"tripleseat": 200}  # it takes any other for a failure

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_LONGEST_SECONDS: Final = 3650 * 86400
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


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

    format: one of `FORMATS`. map: where the fields stand in the upstream's own body. venues: its places, by its ids.
    account: a SimplyBook.me account, whose own callbacks these are. feed_venue: told of each booking in them.
    pull_account: a Peoplevine account that is pulled instead of booking anywhere. notification_url: the address as the
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


@dataclass(frozen=True, slots=True)
class PeoplevineAccount:
    """region is the vendor's `host` parameter: "1" (default) or "2" (UK); "" leaves it out.

    slots_hold_one: an offer's technician serves one booking at a time, so that a slot still offered proves that a
    call in doubt made no booking. Unless the club says so, every call in doubt goes to a person.
    system: what stands behind Peoplevine: "sevenrooms", "book4time", "tripleseat", "" where nobody said.
    attributes: SevenRooms' custom attribute labels, beside its ten default ones.
    pulls: a cron expression (in UTC) for each of `PULLS` that is pulled. pull_back_seconds: how far before now the
    first pull reaches. from_format: strftime's, for the vendor's `from`.
    """

    name: str
    base_url: str
    auth_id: str = field(repr=False)
    company: str = field(repr=False)
    user: str = field(repr=False)
    password: str = field(repr=False)
    region: str
    slots_hold_one: bool
    connect_seconds: float
    read_seconds: float
    kind: str = "peoplevine"
    system: str = ""
    attributes: tuple[str, ...] = ()
    pulls: Mapping[str, str] = field(default_factory=dict)
    pull_back_seconds: float = 86400.0
    from_format: str = "%Y-%m-%dT%H:%M:%SZ"
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class SimplybookAccount:
    """confirm: whether to call confirmBooking where the answer to `book` requires it (needs `secret_key`).

    batch: book the services of one booking as one batch (createBatch), confirmed together.
    discover: ask getServiceUrl, at `base_url`, where the company's API is.
    """

    name: str
    base_url: str
    company: str
    api_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    confirm: bool
    connect_seconds: float
    read_seconds: float
    kind: str = "simplybook"
    batch: bool = False
    discover: bool = False
    limits: Limits = Limits(5.0, 2, 5000)


Account = PeoplevineAccount | SimplybookAccount


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
            if isinstance(account, PeoplevineAccount):
                found.update((account.auth_id, account.user, account.password))
            else:
                found.update((account.api_key, account.secret_key))
        passwords = [urlsplit(url).password or "" for url in (*self.broker.urls, self.ledger.url)]
        found.update(passwords, map(unquote, passwords))  # drivers and their errors know the decoded one
        found.add(self.console.oidc.client_secret)
        return frozenset(secret for secret in found if secret)


class Duration(fields.Field[float]):
    """Seconds as a number, or a text with a unit: ms, s, m, h, d."""

    def __init__(self, *, minimum: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._minimum = minimum

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?", str(value).strip())
        if isinstance(value, bool) or not found:
            raise ValidationError('must be a duration such as 30, "30s", "2m", "1h" or "90d"')
        seconds = float(found[1]) * _UNITS[found[2] or "s"]
        if seconds < self._minimum:
            raise ValidationError(f"must be at least {self._minimum:g} seconds")
        if seconds > _LONGEST_SECONDS:
            raise ValidationError("must be at most 3650 days")
        return seconds


class TextList(fields.Field[tuple[str, ...]]):
    """A list of texts, or one text (from the environment: separated by commas)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:
        items = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
        if not isinstance(items, list) or not items or not all(isinstance(item, str) and item for item in items):
            raise ValidationError("must be a text or a list of texts, and not empty")
        return tuple(items)


class _ResultSecrets(TextList):
    """Secrets that sign results; "" for none."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:
        if value == "":
            return ()
        secrets = super()._deserialize(value, attr, data, **kwargs)
        try:
            for secret in secrets:
                signing_key(secret)
        except ValueError as error:
            raise ValidationError(str(error)) from None
        return secrets


class _Zone(fields.Field[ZoneInfo]):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> ZoneInfo:
        try:
            return ZoneInfo(value)
        except (ValueError, TypeError, KeyError, OSError):
            raise ValidationError('must be a time zone such as "Europe/London"') from None


class _Section(Schema):
    """A section that becomes one frozen dataclass."""

    made: type | None = None

    class Meta:
        unknown = RAISE

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> Any:
        return self.made(**data) if self.made else data


def _url(*schemes: str) -> Callable[[str], None]:
    def check(value: str) -> None:
        if not value.startswith(tuple(f"{scheme}:" for scheme in schemes)):
            raise ValidationError(f"must start with {' or '.join(f'{scheme}:' for scheme in schemes)}")
        _complete(value)

    return check


def _complete(url: str, field_name: str = "_schema") -> None:
    """A URL nobody can take apart would only be found out, and quoted, by the first connection."""
    try:
        parts = urlsplit(url)
        complete = parts.port != 0 and (bool(parts.hostname) or parts.scheme not in ("http", "https"))
    except ValueError:
        complete = False
    if not complete:
        raise ValidationError("is not a complete URL: its host or port is missing or wrong", field_name)


_PORT: Final = validate.Range(min=0, max=65535)
_SECRET: Final = validate.Length(min=1)
_HTTP: Final = _url("http", "https")


class _Broker(_Section):
    made = BrokerSettings
    urls = TextList(data_key="url", load_default=("sqlite:///var/broker.db",))
    ladder = fields.List(Duration(minimum=0.001), load_default=[5, 30, 120, 600, 3600, 21600])
    delivery_limit = fields.Integer(load_default=20, validate=validate.Range(min=2, max=1000))
    confirm_seconds = Duration(data_key="confirm", minimum=0.1, load_default=5.0)
    heartbeat_seconds = Duration(data_key="heartbeat", minimum=1, load_default=15.0)
    lease_seconds = Duration(data_key="lease", minimum=0.5, load_default=15.0)

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> Any:
        data["ladder"] = tuple(float(step) for step in data["ladder"])
        if not data["ladder"] or list(data["ladder"]) != sorted(set(data["ladder"])):
            raise ValidationError({"ladder": ["must be durations that rise"]})
        kinds = {url.split(":")[0] for url in data["urls"]}
        if not (kinds == {"sqlite"} and len(data["urls"]) == 1) and not kinds <= {"amqp", "amqps"}:
            raise ValidationError({"url": ["must be one sqlite: URL, or amqp: (amqps:) URLs"]})
        for url in data["urls"]:
            _complete(url, "url")
        return BrokerSettings(**data)


class _Ledger(_Section):
    made = LedgerSettings
    url = fields.String(
        load_default="sqlite:///var/ledger.db", validate=_url("sqlite", "postgresql", "postgresql+psycopg")
    )
    keep_seconds = Duration(data_key="keep", minimum=2 * 86400, load_default=90 * 86400.0)


class _Ingest(_Section):
    made = IngestSettings
    host = fields.String(load_default="127.0.0.1")
    port = fields.Integer(load_default=8080, validate=_PORT)
    processes = fields.Integer(load_default=0, validate=validate.Range(min=0, max=64))
    threads = fields.Integer(load_default=16, validate=validate.Range(min=1, max=256))
    max_body_bytes = fields.Integer(load_default=1_048_576, validate=validate.Range(min=1024, max=16_777_216))
    body_seconds = Duration(data_key="body_timeout", minimum=1, load_default=10.0)
    public_url = fields.String(load_default="", validate=validate.Regexp(r"(https?://[^/]+.*)?$"))


class _Work(_Section):
    made = WorkSettings
    threads = fields.Integer(load_default=16, validate=validate.Range(min=1, max=256))
    claim_seconds = Duration(data_key="claim", minimum=1, load_default=120.0)
    drain_seconds = Duration(data_key="drain", minimum=0, load_default=45.0)
    stall_seconds = Duration(data_key="stall", minimum=1, load_default=30.0)
    host = fields.String(load_default="127.0.0.1")
    port = fields.Integer(load_default=0, validate=_PORT)


class _Archive(_Section):
    made = ArchiveSettings
    host = fields.String(load_default="127.0.0.1")
    port = fields.Integer(load_default=0, validate=_PORT)


class _Console(_Section):
    host = fields.String(load_default="127.0.0.1", validate=validate.Length(min=1))
    port = fields.Integer(load_default=8070, validate=_PORT)
    session_seconds = Duration(data_key="session", minimum=60, load_default=12 * 3600.0)
    second_approver = fields.Boolean(load_default=False)
    public_url = fields.String(load_default="", validate=lambda value: _HTTP(value) if value else None)
    sentry_url = fields.String(load_default="", validate=lambda value: _HTTP(value) if value else None)
    oidc_issuer = fields.String(load_default="", validate=lambda value: _HTTP(value) if value else None)
    oidc_client_id = fields.String(load_default="")
    oidc_client_secret = fields.String(load_default="")
    oidc_role_claim = fields.String(load_default="bellhop_role", validate=_SECRET)
    oidc_name_claim = fields.String(load_default="email", validate=_SECRET)

    @validates_schema(skip_on_field_errors=True)
    def _whole_provider(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        for key in ("oidc_client_id", "oidc_client_secret", "public_url"):
            if data["oidc_issuer"] and not data[key]:
                raise ValidationError({key: ["is required where oidc_issuer is set"]})

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> Any:
        provider = {key.removeprefix("oidc_"): data.pop(key) for key in list(data) if key.startswith("oidc_")}
        return ConsoleSettings(**data, oidc=OidcSettings(**provider))


class _Sentry(_Section):
    made = SentrySettings
    dsn = fields.String(load_default="")
    environment = fields.String(load_default="production")
    traces_sample_rate = fields.Float(load_default=0.0, validate=validate.Range(min=0, max=1))


class _Map(fields.Field[FieldMap]):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> FieldMap:
        if not isinstance(value, Mapping):
            raise ValidationError("must be a table")
        try:
            return compiled(value)
        except MapError as error:
            raise ValidationError({error.key: [str(error)]}) from None


class _SourceVenue(_Section):
    made = SourceVenue
    venue = fields.String(required=True)
    service_id = fields.String(load_default="")
    provider_id = fields.String(load_default="")
    facility_id = fields.String(load_default="")
    duration_seconds = Duration(data_key="duration", load_default=0.0)
    price = fields.Float(load_default=None, validate=validate.Range(min=0, max=10_000_000))


class _SourceVenues(fields.Field[dict[str, SourceVenue]]):
    """By the upstream's own ids, which are any text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, SourceVenue]:
        if not isinstance(value, Mapping):
            raise ValidationError("must be a table")
        made = {}
        for key, venue in value.items():
            try:
                made[key] = _SOURCE_VENUE.load(venue)
            except ValidationError as error:
                raise ValidationError({key: error.messages}) from None
        return made


_SOURCE_VENUE: Final = _SourceVenue()


class _Source(_Section):
    """Which verifiers exist, and what a secret must look like for each, is `ingest.verify`'s to say at start."""

    verifier = fields.String(required=True, validate=validate.Length(min=1))
    secrets = TextList(required=True)
    tolerance_seconds = Duration(data_key="tolerance", minimum=1)
    answer = fields.Integer(validate=validate.OneOf((200, 202)))
    member_account = fields.String(load_default="")
    format = fields.String(load_default="bellhop", validate=validate.OneOf(FORMATS))
    map = _Map(load_default=NO_MAP)
    venues = _SourceVenues(load_default=dict)
    account = fields.String(load_default="")
    feed_venue = fields.String(load_default="")
    pull_account = fields.String(load_default="")
    notification_url = fields.String(load_default="", validate=lambda value: _HTTP(value) if value else None)
    result_url = fields.String(load_default="", validate=lambda value: _result_url(value) if value else None)
    result_secrets = _ResultSecrets(data_key="result_secret", load_default=())

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> Any:
        """What the upstream itself asks for, unless the settings say otherwise."""
        usual = {"tolerance_seconds": _TOLERANCES.get(data["verifier"], 300.0)}
        return {**usual, "answer": _ANSWERS.get(data["format"], 202), **data}


def _result_url(url: str) -> None:
    _HTTP(url)
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValidationError("must have neither a user nor a fragment")
    try:
        address = ip_address(parts.hostname or "")
    except ValueError:
        return  # a name: where it leads is looked at before each post
    if address.is_link_local or address.is_unspecified or address.is_multicast:
        raise ValidationError("must not be a link-local address: a cloud's own services answer there")


class _Labels(fields.Field[tuple[str, ...]]):
    """Labels, spelled as they are there. From the environment: separated by commas."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:
        items = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise ValidationError("must be a list of texts")
        return tuple(item for item in items if item)


class _Cron(fields.Field[str]):
    """A cron expression of five fields, "" for never."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if value == "":
            return ""
        try:
            CronSim(value, datetime(2026, 1, 1, tzinfo=UTC))
        except (CronSimError, TypeError, AttributeError):
            raise ValidationError('must be a cron expression such as "*/15 * * * *", or "" for never') from None
        return str(value)


def _number(default: float) -> fields.Float:
    return fields.Float(load_default=default, validate=validate.Range(min=0, max=100_000))


def _whole(default: int) -> fields.Integer:
    return fields.Integer(load_default=default, validate=validate.Range(min=0, max=100_000_000))


def _limited(data: dict[str, Any]) -> dict[str, Any]:
    """An account's data with its three limits as one."""
    limits = Limits(*(data.pop(f"limit_{name}") for name in ("per_second", "at_once", "per_day")))
    return {**data, "limits": limits}


class _Timed(_Section):
    limit_per_second = _number(0.0)
    limit_at_once = _whole(0)
    limit_per_day = _whole(0)
    connect_seconds = Duration(data_key="connect_timeout", minimum=0.05, load_default=5.0)
    read_seconds = Duration(data_key="read_timeout", minimum=0.05, load_default=30.0)


class _Peoplevine(_Timed):
    kind = fields.String(required=True, validate=validate.Equal("peoplevine"))
    base_url = fields.String(load_default="https://connect.peoplevine.com", validate=_HTTP)
    auth_id = fields.String(required=True, validate=_SECRET)
    company = fields.String(required=True, validate=_SECRET)
    user = fields.String(required=True, validate=_SECRET)
    password = fields.String(required=True, validate=_SECRET)
    region = fields.String(load_default="", validate=validate.OneOf(("", "1", "2")))
    slots_hold_one = fields.Boolean(load_default=False)
    system = fields.String(load_default="", validate=validate.OneOf(("", *SYSTEMS)))
    attributes = _Labels(load_default=())
    pull_profiles = _Cron(load_default="")
    pull_reservations = _Cron(load_default="")
    pull_services = _Cron(load_default="")
    pull_back_seconds = Duration(data_key="pull_back", minimum=60, load_default=86400.0)
    from_format = fields.String(load_default="%Y-%m-%dT%H:%M:%SZ", validate=validate.Length(min=2))

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> Any:
        crons = {what: data.pop(f"pull_{what}") for what in PULLS}
        return _limited({**data, "pulls": {what: cron for what, cron in crons.items() if cron}})


class _Simplybook(_Timed):
    kind = fields.String(required=True, validate=validate.Equal("simplybook"))
    base_url = fields.String(load_default="https://user-api.simplybook.me", validate=_HTTP)
    company = fields.String(required=True, validate=_SECRET)
    api_key = fields.String(required=True, validate=_SECRET)
    secret_key = fields.String(load_default="")
    confirm = fields.Boolean(load_default=True)
    batch = fields.Boolean(load_default=False)
    discover = fields.Boolean(load_default=False)
    # "Limits: 5 requests/s, 2 at once, 5,000 a day", as others report.
    limit_per_second = _number(5.0)
    limit_at_once = _whole(2)
    limit_per_day = _whole(5000)

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> Any:
        return _limited(data)

    @validates_schema(skip_on_field_errors=True)
    def _signs(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if not data["secret_key"]:
            raise ValidationError({"secret_key": ["is required: it signs confirmBooking and cancelBooking"]})


class _Venue(_Section):
    account = fields.String(required=True)
    zone = _Zone(data_key="timezone", required=True)


class _Log(_Section):
    level = fields.String(load_default="info", validate=validate.OneOf(("debug", "info", "warning", "error")))


_SECTIONS: Final[Mapping[str, Schema]] = {
    "broker": _Broker(),
    "ledger": _Ledger(),
    "ingest": _Ingest(),
    "work": _Work(),
    "archive": _Archive(),
    "console": _Console(),
    "sentry": _Sentry(),
    "log": _Log(),
}
_TABLES: Final = ("sources", "accounts", "venues")
_SOURCE: Final = _Source()
_VENUE: Final = _Venue()
_KINDS: Final[Mapping[str, tuple[Schema, type]]] = {
    "peoplevine": (_Peoplevine(), PeoplevineAccount),
    "simplybook": (_Simplybook(), SimplybookAccount),
}


def build(document: Mapping[str, Any], place: Callable[[str], str] = lambda _key: "bellhop.toml") -> Settings:
    """The settings in `document`. `place` tells where a dotted key's value came from, for the error's line.

    Raises SettingsError for the first thing that is wrong.
    """

    def load(schema: Schema, value: object, key: str) -> Any:
        if not isinstance(value, Mapping):
            raise SettingsError(key, "must be a table", place(key))
        try:
            return schema.load(value)
        except ValidationError as error:
            path, problem = _first(error.messages)
            full = f"{key}.{path}" if path else key
            raise SettingsError(full, problem, place(full)) from None

    def table(name: str) -> Mapping[str, Any]:
        value = document.get(name, {})
        if not isinstance(value, Mapping):
            raise SettingsError(name, "must be a table", place(name))
        for key in value:
            if not _NAME.fullmatch(key):
                problem = "must be 1 to 40 of a-z, 0-9, - and _, and start with a letter or digit"
                raise SettingsError(f"{name}.{key}", problem, place(f"{name}.{key}"))
        return value

    for key in document:
        if key not in _SECTIONS and key not in _TABLES:
            raise SettingsError(key, "is not a setting", place(key))
    made = {name: load(schema, document.get(name, {}), name) for name, schema in _SECTIONS.items()}
    accounts = {name: _account(name, value, load, place) for name, value in table("accounts").items()}
    settings = Settings(
        log_level=made.pop("log")["level"],
        accounts=accounts,
        sources={n: SourceSettings(name=n, **load(_SOURCE, v, f"sources.{n}")) for n, v in table("sources").items()},
        venues={n: _venue(n, load(_VENUE, v, f"venues.{n}"), accounts, place) for n, v in table("venues").items()},
        **made,
    )
    _check_whole(settings, place)
    return settings


def _account(name: str, value: Any, load: Callable[[Schema, object, str], Any], place: Callable[[str], str]) -> Account:
    key = f"accounts.{name}"
    kind = str(value.get("kind")) if isinstance(value, Mapping) else ""
    if kind not in _KINDS:
        raise SettingsError(f"{key}.kind", f"must be one of {', '.join(_KINDS)}", place(f"{key}.kind"))
    schema, made = _KINDS[kind]
    account: Account = made(name=name, **load(schema, value, key))
    return account


def _venue(
    name: str, data: Mapping[str, Any], accounts: Mapping[str, Account], place: Callable[[str], str]
) -> VenueFacts:
    account = accounts.get(data["account"])
    if account is None:
        key = f"venues.{name}.account"
        raise SettingsError(key, "is not one of the accounts", place(key))
    return VenueFacts(name=name, account=account.name, kind=account.kind, zone=data["zone"])


def _check_whole(settings: Settings, place: Callable[[str], str]) -> None:
    for source in settings.sources.values():
        _check_source(source, settings, place)
    for account in settings.accounts.values():
        # A claim that ends while its call is still on the way would let another worker call a second time. One call
        # is up to three requests: refused for its token, log in, again.
        if 3 * (account.connect_seconds + account.read_seconds) > settings.work.claim_seconds:
            problem = f"must be at least three times the time-outs of account {account.name} together"
            raise SettingsError("work.claim", problem, place("work.claim"))


def _check_source(source: SourceSettings, settings: Settings, place: Callable[[str], str]) -> None:
    def kind(account: str) -> str:
        return settings.accounts[account].kind if account in settings.accounts else ""

    fed = settings.venues.get(source.feed_venue)
    is_simplybook = source.format == "simplybook"
    wrong = [
        (key, "is not a Peoplevine account")
        for key in ("member_account", "pull_account")
        if (name := getattr(source, key)) and kind(name) != "peoplevine"
    ]
    wrong += [
        (f"venues.{key}.venue", "is not one of the venues")
        for key, venue in source.venues.items()
        if venue.venue not in settings.venues
    ]
    checks = {
        ("account", "is required: the SimplyBook.me account whose callbacks these are"): is_simplybook
        and not source.account,
        ("account", "is not a SimplyBook.me account"): source.account and kind(source.account) != "simplybook",
        ("account", "is for the format simplybook"): source.account and not is_simplybook,
        ("feed_venue", "is not one of the venues"): source.feed_venue and fed is None,
        ("feed_venue", "is for the format simplybook"): source.feed_venue and not is_simplybook,
        ("feed_venue", "must be of another account than the callbacks"): fed and fed.account == source.account,
        ("feed_venue", "needs a map: where the details have what the venue's account needs"): fed and not source.map,
        ("map", "is required: the format mapped reads nothing else"): source.format == "mapped" and not source.map,
        ("map", "is not for the format bellhop"): source.format == "bellhop" and source.map,
        ("result_secret", "is required: it signs what is posted to result_url"): source.result_url
        and not source.result_secrets,
    }
    wrong += [told for told, is_wrong in checks.items() if is_wrong]
    for key, problem in wrong:
        full = f"sources.{source.name}.{key}"
        raise SettingsError(full, problem, place(full))


def _first(messages: object) -> tuple[str, str]:
    """The first problem in marshmallow's messages, as dotted path and rule."""
    if isinstance(messages, Mapping):
        key, inner = next(iter(messages.items()))
        path, problem = _first(inner)
        return ".".join(part for part in (("" if key == "_schema" else str(key)), path) if part), problem
    text = str(messages[0] if isinstance(messages, list) else messages).rstrip(".")
    if text == "Unknown field":
        return "", "is not a setting"
    return "", text[:1].lower() + text[1:]
