"""Who is measured, and with which commands: two processes to accept, 64 calls at once to finish."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.processes import ROOT
from bench.work import SECRET

_BIN: Final = Path(sys.executable).parent

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
    root: the checkout whose code it runs.
    """

    name: str
    queues: Sequence[str]
    accept: Callable[[Place], Command] | None
    preload: Callable[[Place, int], Command]
    work: Callable[[Place], Command]
    root: Path = ROOT


def _module(name: str, *words: str) -> Command:
    return [sys.executable, "-m", f"bench.{name}", *words]


def _script(name: str, *words: str) -> Command:
    return [str(_BIN / name), *words]


# --- Bellhop ----------------------------------------------------------------------------------------------------------


def _settings(root: Path, place: Place, broker: str) -> str:
    template = root / "bench" / "settings.toml"
    path = place.folder / "bellhop.toml"
    path.write_text(
        template.read_text().format(
            broker=broker, folder=place.folder, port=place.port, vendor=place.vendor, secret=SECRET
        )
    )
    return str(path)


def _bellhop(name: str, queues: Sequence[str], broker: Callable[[Place], str], root: Path = ROOT) -> Contender:
    """Another checkout runs with its own code and settings, on the same Python and the same libraries."""
    main = "ops.cli.main" if (root / "ops").is_dir() else "bellhop.cli.main"

    def command(place: Place, *words: str) -> Command:
        return [sys.executable, "-m", main, "--config", _settings(root, place, broker(place)), *words]

    return Contender(
        name=name,
        queues=queues,
        accept=lambda place: command(place, "ingest"),
        preload=lambda place, count: _module("preload", _settings(root, place, broker(place)), str(count)),
        work=lambda place: command(place, "work", "members"),
        root=root,
    )


def _over_rabbitmq(name: str, root: Path = ROOT) -> Contender:
    return _bellhop(
        name, ("bellhop.work.members", "bellhop.work.members:1", "bellhop.dead"), lambda place: place.broker, root
    )


def _over_sqlite(name: str, root: Path = ROOT) -> Contender:
    return _bellhop(name, (), lambda place: f"sqlite:///{place.folder}/broker.db", root)


BELLHOP: Final = _over_rabbitmq("Bellhop")
EMBEDDED: Final = _over_sqlite("Bellhop, embedded broker")


def before(root: Path) -> dict[str, Contender]:
    """The Bellhop of another checkout, by the name of the contender that it is the former state of."""
    return {
        BELLHOP.name: _over_rabbitmq("Bellhop, before", root),
        EMBEDDED.name: _over_sqlite("Bellhop, embedded broker, before", root),
    }


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
