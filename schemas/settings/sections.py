"""The settings' sections as they stand in the file: each becomes one frozen object of `model.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from bellhop.schemas.events import CheckBooking
from bellhop.schemas.mapping import NO_MAP, FieldMap, MapError, compiled
from bellhop.schemas.results import signing_key
from bellhop.schemas.settings.fields import (
    HTTP,
    PORT,
    SECRET,
    Duration,
    TextList,
    Zone,
    check_complete,
    number,
    url_of,
    whole,
)
from bellhop.schemas.settings.model import (
    Account,
    ArchiveSettings,
    BrokerSettings,
    ConsoleSettings,
    IngestSettings,
    LedgerSettings,
    Limits,
    OidcSettings,
    SentrySettings,
    SourceVenue,
    WorkSettings,
)

FORMATS: Final = ("bellhop", "sevenrooms", "tripleseat", "mapped")
"""How an upstream's bodies are written: see `ingest.formats`. A vendor that posts itself is a format by its kind."""
_TOLERANCES: Final = {"calendly": 180.0, "tripleseat": 180.0}
_ANSWERS: Final = {"tripleseat": 200}  # it takes any other for a failure


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


class Section(Schema):
    """A section that becomes one frozen dataclass."""

    made: type | None = None

    class Meta:
        unknown = RAISE

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> Any:
        return self.made(**data) if self.made else data


class _Broker(Section):
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
            check_complete(url, "url")
        return BrokerSettings(**data)


class _Ledger(Section):
    made = LedgerSettings
    url = fields.String(
        load_default="sqlite:///var/ledger.db", validate=url_of("sqlite", "postgresql", "postgresql+psycopg")
    )
    keep_seconds = Duration(data_key="keep", minimum=2 * 86400, load_default=90 * 86400.0)


class _Ingest(Section):
    made = IngestSettings
    host = fields.String(load_default="127.0.0.1")
    port = fields.Integer(load_default=8080, validate=PORT)
    processes = fields.Integer(load_default=0, validate=validate.Range(min=0, max=64))
    threads = fields.Integer(load_default=16, validate=validate.Range(min=1, max=256))
    max_body_bytes = fields.Integer(load_default=1_048_576, validate=validate.Range(min=1024, max=16_777_216))
    body_seconds = Duration(data_key="body_timeout", minimum=1, load_default=10.0)
    public_url = fields.String(load_default="", validate=validate.Regexp(r"(https?://[^/]+.*)?$"))


class _Work(Section):
    made = WorkSettings
    threads = fields.Integer(load_default=16, validate=validate.Range(min=1, max=256))
    claim_seconds = Duration(data_key="claim", minimum=1, load_default=120.0)
    drain_seconds = Duration(data_key="drain", minimum=0, load_default=45.0)
    stall_seconds = Duration(data_key="stall", minimum=1, load_default=30.0)
    host = fields.String(load_default="127.0.0.1")
    port = fields.Integer(load_default=0, validate=PORT)


class _Archive(Section):
    made = ArchiveSettings
    host = fields.String(load_default="127.0.0.1")
    port = fields.Integer(load_default=0, validate=PORT)


class _Console(Section):
    host = fields.String(load_default="127.0.0.1", validate=validate.Length(min=1))
    port = fields.Integer(load_default=8070, validate=PORT)
    session_seconds = Duration(data_key="session", minimum=60, load_default=12 * 3600.0)
    second_approver = fields.Boolean(load_default=False)
    public_url = fields.String(load_default="", validate=lambda value: HTTP(value) if value else None)
    sentry_url = fields.String(load_default="", validate=lambda value: HTTP(value) if value else None)
    oidc_issuer = fields.String(load_default="", validate=lambda value: HTTP(value) if value else None)
    oidc_client_id = fields.String(load_default="")
    oidc_client_secret = fields.String(load_default="")
    oidc_role_claim = fields.String(load_default="bellhop_role", validate=SECRET)
    oidc_name_claim = fields.String(load_default="email", validate=SECRET)

    @validates_schema(skip_on_field_errors=True)
    def _whole_provider(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        for key in ("oidc_client_id", "oidc_client_secret", "public_url"):
            if data["oidc_issuer"] and not data[key]:
                raise ValidationError({key: ["is required where oidc_issuer is set"]})

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> Any:
        provider = {key.removeprefix("oidc_"): data.pop(key) for key in list(data) if key.startswith("oidc_")}
        return ConsoleSettings(**data, oidc=OidcSettings(**provider))


class _Sentry(Section):
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


class _SourceVenue(Section):
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


class _Source(Section):
    """Which verifiers exist, and what a secret must look like for each, is `ingest.verify`'s to say at start."""

    verifier = fields.String(required=True, validate=validate.Length(min=1))
    secrets = TextList(required=True)
    tolerance_seconds = Duration(data_key="tolerance", minimum=1)
    answer = fields.Integer(validate=validate.OneOf((200, 202)))
    member_account = fields.String(load_default="")
    format = fields.String(load_default="bellhop")
    map = _Map(load_default=NO_MAP)
    venues = _SourceVenues(load_default=dict)
    account = fields.String(load_default="")
    feed_venue = fields.String(load_default="")
    pull_account = fields.String(load_default="")
    notification_url = fields.String(load_default="", validate=lambda value: HTTP(value) if value else None)
    result_url = fields.String(load_default="", validate=lambda value: _resulturl_of(value) if value else None)
    result_secrets = _ResultSecrets(data_key="result_secret", load_default=())

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> Any:
        """What the upstream itself asks for, unless the settings say otherwise."""
        usual = {"tolerance_seconds": _TOLERANCES.get(data["verifier"], 300.0)}
        return {**usual, "answer": _ANSWERS.get(data["format"], 202), **data}


def _resulturl_of(url: str) -> None:
    HTTP(url)
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValidationError("must have neither a user nor a fragment")
    try:
        address = ip_address(parts.hostname or "")
    except ValueError:
        return  # a name: where it leads is looked at before each post
    if address.is_link_local or address.is_unspecified or address.is_multicast:
        raise ValidationError("must not be a link-local address: a cloud's own services answer there")


def with_limits(data: dict[str, Any]) -> dict[str, Any]:
    """An account's data with its three limits as one."""
    limits = Limits(*(data.pop(f"limit_{name}") for name in ("per_second", "at_once", "per_day")))
    return {**data, "limits": limits}


class AccountSection(Section):
    """What every vendor's accounts have; a vendor's own adds to it."""

    limit_per_second = number(0.0)
    limit_at_once = whole(0)
    limit_per_day = whole(0)
    connect_seconds = Duration(data_key="connect_timeout", minimum=0.05, load_default=5.0)
    read_seconds = Duration(data_key="read_timeout", minimum=0.05, load_default=30.0)


@dataclass(frozen=True, slots=True)
class AccountKind:
    """A vendor's kind of account: what its section is, what becomes of it, and what its bookings must have.

    title: the vendor's, for people. takes_members, takes_pulls: whether member events, and wishes to pull, can go to
    it. posts: whether the vendor itself tells what happens there. These four are as the vendor's row has them.
    """

    section: Schema
    made: Callable[..., Account]
    check_booking: CheckBooking
    title: str = ""
    takes_members: bool = False
    takes_pulls: bool = False
    posts: bool = False


class _Venue(Section):
    account = fields.String(required=True)
    zone = Zone(data_key="timezone", required=True)


class _Log(Section):
    level = fields.String(load_default="info", validate=validate.OneOf(("debug", "info", "warning", "error")))


SECTIONS: Final[Mapping[str, Schema]] = {
    "broker": _Broker(),
    "ledger": _Ledger(),
    "ingest": _Ingest(),
    "work": _Work(),
    "archive": _Archive(),
    "console": _Console(),
    "sentry": _Sentry(),
    "log": _Log(),
}
TABLES: Final = ("sources", "accounts", "venues")
SOURCE: Final = _Source()
VENUE: Final = _Venue()
