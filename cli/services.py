"""`bellhop ingest`, `work`, `archive`, `sandbox`: one process each, until SIGTERM."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from bellhop.cli.common import App, Failed, allow_files, open_ledger, pass_app, settle_memory
from bellhop.cli.reload import LiveSettings, Rounds
from bellhop.cli.signals import on_signals
from bellhop.cli.tell import telemetry, telemetry_of_child
from bellhop.schemas import zones
from bellhop.telemetry.metrics_folder import shared_folder
from bellhop.vendors.registry import ROUTES, connect_broker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bellhop.broker.port import Broker
    from bellhop.ledger.store import Ledger
    from bellhop.schemas.observe import Observe
    from bellhop.schemas.settings import Settings
    from bellhop.schemas.settings.services import ArchiveSettings, WorkSettings
    from bellhop.telemetry.health import Health
    from bellhop.telemetry.logs import Telemetry


class _WrongUsage(Failed):
    exit_code = 2


@click.command(short_help="Run the ingress: accept webhooks.")
@pass_app
def ingest(app: App) -> None:
    """Run the ingress: verify, check and queue webhooks; answer 2xx once the broker has confirmed."""
    from bellhop.ingest.server import processes, serve
    from bellhop.ingest.verify import verifiers

    live = LiveSettings(app.file, app.config)
    settings, place = live.settings, live.place
    first = telemetry("ingest", settings, forks=True)
    tell_zones(first)
    verifiers(settings.sources, place)  # here and not in each child: the operator is to see one line
    folder, parent = None, os.getpid()
    if processes(settings) > 1:
        # Before prometheus_client is imported, which reads it then; and empty, or dead processes' numbers would count.
        folder = os.environ["PROMETHEUS_MULTIPROC_DIR"] = shared_folder(Path(tempfile.gettempdir()))

    from bellhop.cli import ingress
    from bellhop.ingest.limits import SourceLimits

    ingress.prepare_fork(settings)
    limits = SourceLimits(settings.sources)

    def make_app() -> Any:
        return ingress.make_app(
            live, limits, lambda metrics: telemetry_of_child("ingest", live.settings, first, metrics)
        )

    def reread() -> bool:
        """Of this process, for those that it forks later: the others read for themselves."""
        is_new = live.reread(first)
        limits.change(live.settings.sources)
        return is_new

    try:
        serve(settings, make_app, observe=first, reread=reread)
    finally:
        if folder is not None and os.getpid() == parent:  # the server's children pass here too
            shutil.rmtree(folder, ignore_errors=True)


@click.command(short_help="Run a worker: call the vendors.")
@click.argument("routes", metavar="[ROUTE]...", nargs=-1, type=click.Choice(ROUTES))
@pass_app
def work(app: App, routes: tuple[str, ...]) -> None:
    """Run a worker for these routes (default: all): take events, call the vendors, record outcomes.

    Example: bellhop work members pulls
    """
    from bellhop.ingest.standby import failure_of
    from bellhop.workers.run import run_workers

    worked = tuple(dict.fromkeys(routes)) or ROUTES

    def act(
        settings: Settings, broker: Broker, ledger: Ledger, observe: Telemetry, health: Health, stop: threading.Event
    ) -> None:
        health.check("ledger", lambda: failure_of(ledger.ping))
        run_workers(
            settings,
            worked,
            broker=broker,
            ledger=ledger,
            observe=observe,
            health=health,
            stop=stop,
            tracer=observe.tracer,
        )

    serve_process("work", app, lambda settings: settings.work, act, worked)


@click.command(short_help="Run sandbox vendors, for demo and tests.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8090, show_default=True, help="Port to listen on.")
@click.option("--switch", "pairs", metavar="NAME=VALUE", multiple=True, help="Set a switch at start. Repeatable.")
def sandbox(host: str, port: int, pairs: tuple[str, ...]) -> None:
    """Run the vendors as a sandbox, for demos, tests and drills.

    GET /_sandbox/switches lists the switches, with their values and what they mean; docs/sandbox.md has them all.
    """
    from bellhop.sandbox.seed import Seed
    from bellhop.sandbox.server import run_sandbox
    from bellhop.sandbox.switch import ControlError
    from bellhop.sandbox.switches import Switches

    try:
        run_sandbox(host, port, Seed(switches=Switches().with_texts(pairs)))
    except ControlError as error:
        raise _WrongUsage(f"--switch {error}") from None
    except OSError as error:
        raise Failed(f"the sandbox cannot listen on {host}:{port}: {error.strerror}") from None


def serve_process(
    process: str,
    app: App,
    section: Callable[[Settings], WorkSettings | ArchiveSettings],
    act: Callable[[Settings, Broker, Ledger, Telemetry, Health, threading.Event], None],
    routes: Sequence[str] = (),
) -> NoReturn:
    """Opens what a service needs, runs `act` until SIGTERM or SIGINT, and ends the process. On SIGHUP, with settings
    that are well and new, what is at work is drained and `act` begins anew. section: where it tells its health."""
    from bellhop.telemetry.health import Health
    from bellhop.telemetry.heart import Heart, part_of
    from bellhop.telemetry.measured_broker import MeasuredBroker
    from bellhop.telemetry.metrics import Metrics

    live, rounds = LiveSettings(app.file, app.config), Rounds()
    settings = live.settings
    on_signals(rounds.stop, rounds.hang_up)
    metrics = Metrics(settings, process)
    observe = telemetry(process, settings, metrics)
    tell_zones(observe)
    ledger = open_ledger(settings, observe)
    health = Health(metrics.exposition)
    host, port = section(settings).host, section(settings).port
    observe("health.listening", host=host, port=_listen(health, host, port))
    observe("settings.loaded", digest=live.digest)
    heart = Heart(part_of(settings, process, routes), ledger.parts, observe, settings=live, hang_up=rounds.hang_up)
    heart.start()
    allow_files()
    settle_memory()

    rounds.watch(lambda: live.take(process, observe, metrics.know, ledger.letters.note_act))
    for stop in rounds.all():
        live.tell_at_work(observe)  # the round before has ended: no event meets the settings before any more
        broker = MeasuredBroker(connect_broker(live.settings, observe), observe)
        act(live.settings, broker, ledger, observe, health, stop)
        broker.close()
    heart.stop()
    health.close()
    ledger.close()
    _end(observe)


def _end(observe: Telemetry) -> NoReturn:
    """Not sys.exit: it would wait for calls that outlived the drain time. They are in the ledger as `calling`."""
    observe("process.stopped")
    observe.close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _listen(health: Health, host: str, port: int) -> int:
    try:
        return health.serve(host, port)
    except OSError as error:
        raise Failed(f"/healthz cannot listen on {host}:{port}: {error.strerror}") from None


def tell_zones(observe: Observe) -> None:
    if problem := zones.difference(zones.host_version()):
        observe("tzdata.differs", problem=problem)
