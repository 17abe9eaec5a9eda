"""Who is measured, and with which commands: two processes to accept, 64 calls at once to finish."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.work import SECRET

_BIN: Final = Path(sys.executable).parent
_TEMPLATE: Final = Path(__file__).with_name("settings.toml")

Command = list[str]


@dataclass(frozen=True)
class Place:
    """Where a round runs: a new folder, a free port for the ingress, the addresses of RabbitMQ and the vendor."""

    folder: Path
    port: int
    broker: str
    vendor: str


@dataclass(frozen=True)
class Contender:
    """accept: serves the webhook on the place's port. preload: queues so many events. work: drains them.

    queues: its queues on RabbitMQ, deleted after each round, and empty when everything was finished.
    """

    name: str
    queues: Sequence[str]
    accept: Callable[[Place], Command] | None
    preload: Callable[[Place, int], Command]
    work: Callable[[Place], Command]


def _module(name: str, *words: str) -> Command:
    return [sys.executable, "-m", f"bench.{name}", *words]


def _script(name: str, *words: str) -> Command:
    return [str(_BIN / name), *words]


# --- Bellhop ----------------------------------------------------------------------------------------------------------


def _settings(place: Place, broker: str) -> str:
    path = place.folder / "bellhop.toml"
    path.write_text(
        _TEMPLATE.read_text().format(
            broker=broker, folder=place.folder, port=place.port, vendor=place.vendor, secret=SECRET
        )
    )
    return str(path)


def _bellhop(name: str, queues: Sequence[str], broker: Callable[[Place], str]) -> Contender:
    def command(place: Place, *words: str) -> Command:
        return _script("bellhop", "--config", _settings(place, broker(place)), *words)

    return Contender(
        name=name,
        queues=queues,
        accept=lambda place: command(place, "ingest"),
        preload=lambda place, count: _module("preload", _settings(place, broker(place)), str(count)),
        work=lambda place: command(place, "work", "members"),
    )


BELLHOP: Final = _bellhop("Bellhop", ("bellhop.work.members", "bellhop.dead"), lambda place: place.broker)
EMBEDDED: Final = _bellhop("Bellhop, embedded broker", (), lambda place: f"sqlite:///{place.folder}/broker.db")

# --- peers ------------------------------------------------------------------------------------------------------------

CELERY: Final = Contender(
    name="Flask + Celery",
    queues=("bench.celery",),
    accept=lambda place: _script(
        "gunicorn",
        *("--worker-class", "gthread", "--workers", "2", "--threads", "16", "--log-level", "warning"),
        *("--bind", f"127.0.0.1:{place.port}", "bench.peers.flask_celery:app"),
    ),
    preload=lambda _place, count: _module("peers.flask_celery", str(count)),
    work=lambda _place: _script(
        "celery",
        *("--app", "bench.peers.flask_celery:celery", "worker", "--pool", "threads", "--concurrency", "64"),
        *("--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"),
    ),
)
FASTSTREAM: Final = Contender(
    name="FastAPI + FastStream",
    queues=("bench.faststream",),
    accept=lambda place: _script(
        "uvicorn",
        *("--workers", "2", "--no-access-log", "--log-level", "warning", "--host", "127.0.0.1"),
        *("--port", str(place.port), "bench.peers.fastapi_faststream:app"),
    ),
    preload=lambda _place, count: _module("peers.fastapi_faststream", str(count)),
    work=lambda _place: _script("faststream", "run", "bench.peers.fastapi_faststream:worker", "--workers", "2"),
)
DRAMATIQ: Final = Contender(
    name="Dramatiq",
    queues=("bench.dramatiq", "bench.dramatiq.DQ", "bench.dramatiq.XQ"),
    accept=None,
    preload=lambda _place, count: _module("peers.dramatiq_worker", str(count)),
    work=lambda _place: _script("dramatiq", "--processes", "2", "--threads", "32", "bench.peers.dramatiq_worker"),
)

BASELINE: Final = CELERY
ALL: Final = {
    "bellhop": BELLHOP,
    "embedded": EMBEDDED,
    "celery": CELERY,
    "faststream": FASTSTREAM,
    "dramatiq": DRAMATIQ,
}
