"""The sections of Bellhop's own parts: what each key is, what it may be, and what is said of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bellhop.schemas.settings.fields import (
    INCOMPLETE,
    Duration,
    Durations,
    TextList,
    choice,
    is_complete,
    matching,
    number,
    string,
    url_of,
    web,
    whole_number,
)
from bellhop.schemas.settings.keys import Section, key, settings_section

_PORT = (0, 65535)


@settings_section
class BrokerSettings(Section):
    """Where events wait between the ingress and the workers."""

    urls: tuple[str, ...] = key(
        TextList(),
        """One sqlite: URL is the embedded broker: a file, for all processes of one user on one host.
        amqp: (amqps:) URLs are the nodes of a RabbitMQ cluster:
          ["amqp://bellhop:password@rabbit-1/", "amqp://bellhop:password@rabbit-2/"]""",
        name="url",
        default=("sqlite:///var/broker.db",),
        secret=True,  # carries the broker's password
    )
    ladder: tuple[float, ...] = key(
        Durations(minimum=0.001),
        """The delays after which a failed event is tried again, rising. What fails after the last is a dead letter.
        Changing it makes new queues; let the old ones run empty first.""",
        default=(5.0, 30.0, 120.0, 600.0, 3600.0, 21600.0),
    )
    delivery_limit: int = key(
        whole_number(2, 1000),
        "A message that is delivered so often without ever being settled kills its workers: it becomes a dead letter.",
        default=20,
    )
    confirm_seconds: float = key(
        Duration(minimum=0.1),
        "How long a publish may wait for the broker's confirm before the webhook is answered 503.",
        name="confirm",
        default=5.0,
    )
    heartbeat_seconds: float = key(
        Duration(minimum=1),
        "RabbitMQ: after two of these without a sign of life the connection counts as lost.",
        name="heartbeat",
        default=15.0,
    )
    lease_seconds: float = key(
        Duration(minimum=0.5),
        "Embedded: how long a worker that hangs keeps what it holds.",
        name="lease",
        default=15.0,
    )

    @property
    def embedded(self) -> bool:
        return self.urls[0].startswith("sqlite:")

    def conflicts(self) -> Iterator[tuple[str, str]]:
        kinds = {one.split(":")[0] for one in self.urls}
        if not (kinds == {"sqlite"} and len(self.urls) == 1) and not kinds <= {"amqp", "amqps"}:
            yield "url", "must be one sqlite: URL, or amqp: (amqps:) URLs"
        elif not all(map(is_complete, self.urls)):
            yield "url", INCOMPLETE


@settings_section
class LedgerSettings(Section):
    """What is known of each event: what was called for it, and how it ended."""

    url: str = key(
        url_of("sqlite", "postgresql", "postgresql+psycopg"),
        "SQLite on a local disk, or postgresql://user:password@host/database where workers run on several hosts.",
        default="sqlite:///var/ledger.db",
        secret=True,  # may carry a password
    )
    keep_seconds: float = key(
        Duration(minimum=2 * 86400),
        """How long finished events and closed dead letters are kept. At least 2 days: duplicates are known by them.""",
        name="keep",
        default=90 * 86400.0,
    )
    keep_payload_seconds: float = key(
        Duration(minimum=3600),
        """How long what names a guest is kept after its event has ended: calls and answers, search terms, closed dead
        letters' contents. At least 1h. Longer where it is still needed: until so long after a booking's last start
        while it stands, and while an event of it is at work or a dead letter is open.""",
        name="keep_payload",
        default=7 * 86400.0,
    )
    keep_audit_seconds: float = key(
        Duration(),
        """How long the audit is kept. 0: for ever. Older rows go; `bellhop audit verify` then begins after them.""",
        name="keep_audit",
        default=0.0,
    )
    connections: int = key(
        whole_number(2, 256),
        """How many connections to PostgreSQL each process has open at most; a thread that needs one more waits. All
        processes' together must stay below the server's max_connections, 100 unless it says otherwise.""",
        default=16,
    )


@settings_section
class IngestSettings(Section):
    """`bellhop ingest`: takes the webhooks."""

    host: str = key(string(), "Where the ingress listens: an address of this machine.", default="127.0.0.1")
    port: int = key(whole_number(*_PORT), "", default=8080)
    processes: int = key(whole_number(0, 64), "0: one with the embedded broker, two with RabbitMQ.", default=0)
    threads: int = key(
        whole_number(1, 256),
        "For each process: how many requests may be waited for at once. A webhook that has come whole needs none.",
        default=16,
    )
    max_body_bytes: int = key(whole_number(1024, 16_777_216), "The largest webhook, in bytes.", default=1_048_576)
    body_seconds: float = key(
        Duration(minimum=1), "How long a request may take to arrive.", name="body_timeout", default=10.0
    )
    public_url: str = key(
        matching(r"(https?://[^/]+.*)?$", 'write an address such as "https://bookings.example.com", or ""'),
        """The address under which upstreams reach Bellhop, where a proxy stands before it: status addresses are made
        with it.""",
        default="",
    )


@settings_section
class WorkSettings(Section):
    """`bellhop work`: calls the vendors."""

    threads: int = key(
        whole_number(1, 1000),
        "Calls at once of one account, for each route; all accounts together may have twice as many.",
        default=16,
    )
    claim_seconds: float = key(
        Duration(minimum=1),
        "How long a claim on an event holds. At least three times an account's time-outs together.",
        name="claim",
        default=120.0,
    )
    drain_seconds: float = key(
        Duration(),
        "How long running calls may take to end when the worker is told to stop.",
        name="drain",
        default=45.0,
    )
    stall_seconds: float = key(
        Duration(minimum=1),
        "A worker that stands still for so long while messages wait is not ready (/readyz).",
        name="stall",
        default=30.0,
    )
    host: str = key(
        string(),
        """Where /healthz, /readyz and /metrics of a worker are. Port 0: a free one, told in the log as
        health.listening.""",
        default="127.0.0.1",
    )
    port: int = key(whole_number(*_PORT), "", default=0)


@settings_section
class ArchiveSettings(Section):
    """`bellhop archive`: keeps the dead letters, and replays what people tell it to."""

    host: str = key(
        string(),
        """Where /healthz, /readyz and /metrics of the archive are. Its /metrics also has the queues' and the archive's
        sizes.""",
        default="127.0.0.1",
    )
    port: int = key(whole_number(*_PORT), "", default=0)


@settings_section
class SentrySettings(Section):
    """Errors and traces, in Sentry."""

    dsn: str = key(string(), "Empty: no Sentry.", default="", secret=True)
    environment: str = key(string(), "What Sentry is told that this is.", default="production")
    traces_sample_rate: float = key(number(0, 1), "The share of events that is traced, 0 to 1.", default=0.0)


def _check_header(text: str) -> None:
    name, equals, value = text.partition("=")
    if not (re.fullmatch(r"[A-Za-z0-9-]+", name.strip()) and equals and value.strip()):
        raise ValueError('must be headers as name=value, such as "authorization=Bearer …"')


SIGNALS: Final = ("traces", "metrics", "logs")


def _check_signal(word: str) -> None:
    if word not in SIGNALS:
        raise ValueError(f"must be among {', '.join(SIGNALS)}")


@settings_section
class OtelSettings(Section):
    """Traces, metrics and logs by OpenTelemetry, beside Sentry and /metrics. Needs bellhop-bookings[otel]."""

    endpoint: str = key(
        web(may_be_empty=True),
        """Where the collector takes OTLP over HTTP, as in "http://collector:4318": /v1/traces, /v1/metrics and /v1/logs
        follow. Empty: nothing is sent.""",
        default="",
    )
    headers: tuple[str, ...] = key(
        TextList(may_be_empty=True, each=_check_header),
        'What it is to be sent with, as name=value: ["authorization=Bearer …"].',
        default=(),
        secret=True,
        needs="endpoint",
    )
    signals: tuple[str, ...] = key(
        TextList(each=_check_signal), "What is sent: some of traces, metrics and logs.", default=SIGNALS
    )
    environment: str = key(string(), "deployment.environment.name.", default="production")
    traces_sample_rate: float = key(number(0, 1), "The share of events that is traced, 0 to 1.", default=1.0)
    metrics_every_seconds: float = key(
        Duration(minimum=1), "How often metrics are sent.", name="metrics_every", default=60.0
    )

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(header.partition("=")[2] for header in self.headers)


LOG_FIELDS: Final = ("bellhop", "ecs", "otel")


@settings_section
class LogSettings(Section):
    """What is written to the log."""

    level: str = key(
        choice("debug", "info", "warning", "error"),
        "debug, info, warning or error",
        default="info",
    )
    fields: str = key(
        choice(*LOG_FIELDS),
        """The names of a line's fields: bellhop, ecs (Elastic Common Schema) or otel (OpenTelemetry's data model).""",
        default="bellhop",
    )
