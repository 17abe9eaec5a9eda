"""What each process of the ingress is made of.

Imported once `PROMETHEUS_MULTIPROC_DIR` is set, which prometheus_client reads as it is imported, and before the server
forks: each child would take a second for these imports while it answers its first webhooks.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import TYPE_CHECKING

import bellhop.ledger.store
import bellhop.ledger.upgrade  # noqa: F401
from bellhop.cli.common import open_ledger, settle_memory
from bellhop.ingest.app import create_app
from bellhop.ingest.health import HealthProbe
from bellhop.ingest.limits import SourceLimits
from bellhop.ingest.refusals import RefusedPosts
from bellhop.ingest.standby import Declaring, StandbyLedger, WatchedPublisher
from bellhop.ingest.status import holds_messages
from bellhop.ingest.unseen import Unseen
from bellhop.schemas.settings import Settings
from bellhop.telemetry.heart import Heart, part_of
from bellhop.telemetry.logs import Telemetry
from bellhop.telemetry.measured_broker import MeasuredBroker
from bellhop.telemetry.metrics import CONTENT_TYPE, Metrics
from bellhop.telemetry.tally import Tally
from bellhop.vendors.registry import connect_broker

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def prepare_fork(settings: Settings) -> None:
    """To be called before the fork."""
    connect_broker(settings).close()  # connects nothing, but imports the broker's driver
    if settings.otel.endpoint:
        import bellhop.telemetry.otel.export  # noqa: F401
    settle_memory()


def make_app(
    settings: Settings, place: Callable[[str], str], limits: SourceLimits, tell: Callable[[Tally], Telemetry]
) -> WSGIApplication:
    """To be called in each process after its fork: it starts threads. place: where a setting was written. limits:
    shared by all. tell: makes what the process tells itself by, with its metrics."""
    metrics = Tally(Metrics(settings, "ingest"))
    metrics.start()
    observe = tell(metrics)
    broker = MeasuredBroker(connect_broker(settings, observe), observe)
    events = StandbyLedger(lambda: open_ledger(settings))
    unseen = Unseen(events.unknown, broker, observe)
    unseen.start()
    publisher = WatchedPublisher(broker.publisher(), confirmed=unseen.note)
    declaring = Declaring(broker, publisher, observe)
    declaring.start()
    refused = RefusedPosts(events.keep_refused, observe)
    refused.start()
    heart = Heart(part_of(settings, "ingest"), events, observe)
    heart.start()
    atexit.register(heart.stop)  # of the child that serves: it is told to stop by its server
    probes = {"broker": HealthProbe(declaring.problem), "ledger": HealthProbe(events.problem)}
    for probe in probes.values():
        probe.start()
    app = create_app(
        settings,
        publisher,
        events,
        observe=observe,
        tracer=observe.tracer,
        ready=lambda: {part: probe.problem() for part, probe in probes.items()},
        metrics=lambda: (metrics.exposition(), CONTENT_TYPE),
        waiting=lambda: holds_messages(broker),
        place=place,
        note_refused=refused.note,
        limits=limits,
    )
    settle_memory()
    return observe.tracer.ingress(app)
