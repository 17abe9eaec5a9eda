"""`bellhop archive`: dead letters into the ledger, bulk jobs, alerts and measures; one process, until SIGTERM."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import click

from bellhop.cli.common import App, pass_app
from bellhop.cli.services import serve_process
from bellhop.schemas.process import process_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from bellhop.broker.port import Broker
    from bellhop.ledger.store import Ledger
    from bellhop.letters.alerts.run import Alerting
    from bellhop.letters.archive import Archiver
    from bellhop.schemas.observe import Observe
    from bellhop.schemas.settings import Settings
    from bellhop.telemetry.health import Health
    from bellhop.telemetry.logs import Telemetry


@click.command(short_help="Run the archive: dead letters and bulk jobs.")
@pass_app
def archive(app: App) -> None:
    """Run the archive: store dead letters in the ledger, run bulk jobs, tell people what needs them, measure queues and
    accounts, prune."""
    from bellhop.broker.topology import UNROUTABLE_QUEUE
    from bellhop.cli.clients import counted_gate
    from bellhop.letters.archive import LOST, Archiver, keep_house
    from bellhop.letters.bulk import JobRunner
    from bellhop.letters.buried import BuriedResults
    from bellhop.letters.by_hand import HandResults
    from bellhop.letters.floods import FloodEnds
    from bellhop.letters.resume import Resumer
    from bellhop.letters.shown import Lists, ListWatch
    from bellhop.letters.silence import SilentSources, lags_behind
    from bellhop.letters.vendor_access import VendorAccess
    from bellhop.schemas.clock import utc_now
    from bellhop.telemetry.traced_publisher import trace_publishes

    by = process_name()  # one for all rounds: a job that it leases stays its own

    def act(
        settings: Settings, broker: Broker, ledger: Ledger, observe: Telemetry, health: Health, stop: threading.Event
    ) -> None:
        broker.declare()
        tracer = observe.letters_tracer
        publisher = trace_publishes(broker.publisher(), tracer)
        tell = BuriedResults(publisher, settings.told, ledger, utc_now)
        archiver = Archiver(broker, ledger, observe, tell=tell, tracer=tracer)
        lost = Archiver(broker, ledger, observe, queue=UNROUTABLE_QUEUE, buried=LOST, tell=tell, tracer=tracer)
        _check(health, ledger, archiver, lost)
        more = {"more": _measures(settings, ledger, observe)}
        threading.Thread(target=keep_house, args=(broker, ledger, observe, stop), kwargs=more, daemon=True).start()
        strays = threading.Thread(target=_to_the_end, args=(lost, stop, observe), name="unroutable", daemon=True)
        strays.start()
        run_jobs = JobRunner(ledger, publisher, settings, by=by, observe=observe).run
        jobs = threading.Thread(target=run_jobs, args=(stop,), name="jobs", daemon=True)
        jobs.start()
        silences = SilentSources(ledger.habits, settings.sources, observe, lags=lambda: lags_behind(broker))
        by_hand = HandResults(ledger, publisher, settings.told, utc_now, observe)
        vendors = VendorAccess(ledger, settings, counted_gate(app, ledger, last=True))
        lists = ListWatch(ledger, Lists(vendors), observe)
        resumer, floods = Resumer(ledger, publisher, observe), FloodEnds(ledger, broker, observe)
        for helper in (resumer, floods, silences, by_hand, lists):
            threading.Thread(target=helper.run, args=(stop,), daemon=True).start()
        _alerting(settings, ledger, broker, observe).start(stop)
        archiver.run(stop)
        jobs.join(5)
        strays.join(5)
        publisher.close()

    serve_process("archive", app, lambda settings: settings.archive, act)


def _check(health: Health, ledger: Ledger, archiver: Archiver, lost: Archiver) -> None:
    from bellhop.ingest.standby import failure_of

    health.check("ledger", lambda: failure_of(ledger.ping))
    health.check("archive", lambda: archiver.problem or lost.problem)
    health.check("broker", lambda: None if archiver.connected else "it is not a consumer of the dead queue")


def _measures(settings: Settings, ledger: Ledger, observe: Observe) -> Callable[[], None]:
    from bellhop.letters.audit_watch import AuditWatch
    from bellhop.letters.floods import measure_floods
    from bellhop.letters.parts import measure_parts
    from bellhop.schemas.clock import utc_now
    from bellhop.telemetry.account_metrics import measure_accounts

    since, audit = utc_now(), AuditWatch(ledger.audit_chain, observe)

    def measure() -> None:
        measure_accounts(ledger.accounts, ledger.pulls, settings.accounts, observe, utc_now, since)
        measure_parts(ledger.parts, observe, utc_now())
        measure_floods(ledger.floods, observe)
        audit.look()

    return measure


def _alerting(settings: Settings, ledger: Ledger, broker: Broker, observe: Observe) -> Alerting:
    from bellhop.letters.alerts.post import AlertPosts
    from bellhop.letters.alerts.run import Alerting
    from bellhop.schemas.redact import Redactor

    post = AlertPosts(Redactor(settings.secrets, settings.names))
    by, url = process_name(), settings.console.public_url
    return Alerting(
        ledger, broker, settings.alerts, post, by=by, public_url=url, venues=settings.venues, observe=observe
    )


def _to_the_end(archiver: Archiver, stop: threading.Event, observe: Observe) -> None:
    """Archives until `stop`; dies with the whole process, to be started anew."""
    try:
        archiver.run(stop)
    except Exception as error:  # noqa: BLE001  # told, and the process ends: its queue would grow unseen
        observe("thread.crashed", thread="unroutable", error=type(error).__name__)
        stop.set()
