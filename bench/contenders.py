"""Who is measured, and with which commands: two processes to accept, 64 calls at once to finish."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bench.processes import ROOT
from bench.work import SECRET

_BIN: Final = Path(sys.executable).parent

Command = list[str]


@dataclass(frozen=True)
class Place:
    """Where a round runs: a new folder, a free port for the ingress, the addresses of RabbitMQ and the vendor. ledger:
    a database on PostgreSQL, "" where there is none."""

    folder: Path
    port: int
    broker: str
    vendor: str
    ledger: str = ""


@dataclass(frozen=True)
class Contender:
    """accept: serves the webhook on the place's port. preload: queues so many events. work: drains them.

    queues: its queues on RabbitMQ, deleted after each round, and empty when everything was finished.
    root: the checkout whose code it runs. vendor: the module that answers it. needs_postgres: its ledger is there.
    """

    name: str
    queues: Sequence[str]
    accept: Callable[[Place], Command] | None
    preload: Callable[[Place, int], Command]
    work: Callable[[Place], Command]
    root: Path = ROOT
    vendor: str = "vendor"
    needs_postgres: bool = False


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
            broker=broker,
            folder=place.folder,
            ledger=place.ledger or f"sqlite:///{place.folder}/ledger.db",
            port=place.port,
            vendor=place.vendor,
            secret=SECRET,
        )
    )
    return str(path)


def _bellhop(
    name: str,
    root: Path = ROOT,
    *,
    what: str = "members",
    is_embedded: bool = False,
    needs_postgres: bool = False,
    processes: int = 1,
) -> Contender:
    """Another checkout runs with its own code and settings, on the same Python and the same libraries."""
    main = "ops.cli.main" if (root / "ops").is_dir() else "bellhop.cli.main"
    route = "members" if what == "members" else "bookings.simplybook"
    queues = (f"bellhop.work.{route}", f"bellhop.work.{route}:1", "bellhop.dead")

    def settings(place: Place) -> str:
        return _settings(root, place, f"sqlite:///{place.folder}/broker.db" if is_embedded else place.broker)

    def command(place: Place, *words: str) -> Command:
        return [sys.executable, "-m", main, "--config", settings(place), *words]

    def work(place: Place) -> Command:
        one = command(place, "work", route)
        return one if processes == 1 else _module("several", str(processes), *one)

    return Contender(
        name=name,
        queues=() if is_embedded else queues,
        accept=lambda place: command(place, "ingest"),
        preload=lambda place, count: _module("preload", settings(place), str(count), what),
        work=work,
        root=root,
        vendor="vendor" if what == "members" else "company",
        needs_postgres=needs_postgres,
    )


BELLHOP: Final = _bellhop("Bellhop")
EMBEDDED: Final = _bellhop("Bellhop, embedded broker", is_embedded=True)


def before(root: Path) -> dict[str, Contender]:
    """The Bellhop of another checkout, by the name of the contender that it is the former state of."""
    return {
        BELLHOP.name: _bellhop("Bellhop, before", root),
        EMBEDDED.name: _bellhop("Bellhop, embedded broker, before", root, is_embedded=True),
    }


def bookings_before(root: Path) -> dict[str, Contender]:
    """As `before`, of `BOOKINGS`."""
    names = {"bellhop": {}, "embedded": {"is_embedded": True}, "postgresql": {"needs_postgres": True}}
    return {
        BOOKINGS[key].name: _bellhop(f"{BOOKINGS[key].name}, before", root, what="bookings", **more)
        for key, more in names.items()
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

_CELERY_BOOKS: Final = _script(
    "celery",
    *("--app", "bench.peers.celery_bookings:celery", "worker", "--pool", "threads", "--concurrency", "64"),
    *("--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"),
)
CELERY_BOOKINGS: Final = Contender(
    name=CELERY.name,
    queues=("bench.celery.bookings",),
    accept=None,
    preload=lambda _place, count: _module("peers.celery_bookings", str(count)),
    work=lambda _place: _CELERY_BOOKS,
    vendor="company",
)
TWO_CELERY_BOOKINGS: Final = replace(
    CELERY_BOOKINGS,
    name="Celery, two processes",
    # Of two of one name only one takes anything.
    work=lambda _place: _module("several", "2", *_CELERY_BOOKS, "--hostname", "worker{}@%h"),
)

BASELINE: Final = CELERY
ALL: Final = {
    "bellhop": BELLHOP,
    "embedded": EMBEDDED,
    "two": _bellhop("Bellhop, two processes", processes=2),
    "postgresql": _bellhop("Bellhop, PostgreSQL", needs_postgres=True),
    "two-postgresql": _bellhop("Bellhop, two processes, PostgreSQL", needs_postgres=True, processes=2),
    "celery": CELERY,
    "faststream": FASTSTREAM,
    "dramatiq": DRAMATIQ,
}
BOOKINGS: Final = {
    "bellhop": _bellhop("Bellhop", what="bookings"),
    "embedded": _bellhop("Bellhop, embedded broker", what="bookings", is_embedded=True),
    "two": _bellhop("Bellhop, two processes", what="bookings", processes=2),
    "postgresql": _bellhop("Bellhop, PostgreSQL", what="bookings", needs_postgres=True),
    "two-postgresql": _bellhop("Bellhop, two processes, PostgreSQL", what="bookings", needs_postgres=True, processes=2),
    "celery": CELERY_BOOKINGS,
    "two-celery": TWO_CELERY_BOOKINGS,
}
"""Who books at SimplyBook.me: those that have a contender of this name, under the same names."""
