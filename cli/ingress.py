"""What each process of the ingress is made of.

Imported once `PROMETHEUS_MULTIPROC_DIR` is set, which prometheus_client reads as it is imported, and before the server
forks: each child would take a second for these imports while it answers its first webhooks.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

import bellhop.ledger.store
import bellhop.ledger.upgrade  # noqa: F401
from bellhop.cli.common import open_ledger, settle_memory
from bellhop.cli.reload import LiveSettings
from bellhop.cli.signals import hang_up_parent
from bellhop.ingest.app import create_app
from bellhop.ingest.health import HealthProbe
from bellhop.ingest.limits import SourceLimits
from bellhop.ingest.refusals import RefusedPosts
from bellhop.ingest.reloaded_app import ReloadedApp
from bellhop.ingest.rotated import RotatedSecrets
from bellhop.ingest.standby import Declaring, StandbyLedger, WatchedPublisher
from bellhop.ingest.status import holds_messages
from bellhop.ingest.unseen import Unseen
from bellhop.schemas.settings import Settings
from bellhop.schemas.trace import UNTRACED
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


def make_app(live: LiveSettings, limits: SourceLimits, tell: Callable[[Tally], Telemetry]) -> ReloadedApp:
    """To be called in each process after its fork: it starts threads. limits: shared by all. tell: makes what the
    process tells itself by, with its metrics."""
    settings = live.settings
    metrics = Tally(counts := Metrics(settings, "ingest"))
    metrics.start()
    observe = tell(metrics)
    observe("settings.loaded", digest=live.digest)
    broker = MeasuredBroker(connect_broker(settings, observe), observe)
    events = StandbyLedger(lambda: open_ledger(settings))
    unseen = Unseen(events.unknown, broker, observe)
    publisher = WatchedPublisher(broker.publisher(), confirmed=unseen.note)
    declaring, refused = Declaring(broker, observe), RefusedPosts(events.keep_refused, observe)
    rotated = RotatedSecrets(events, observe)
    # Each by itself: asking the queues of a node that is cut off takes as long as the publisher's own question.
    queues, confirms, read = map(HealthProbe, (declaring.problem, publisher.problem, events.problem))
    _start(_heart(live, events, observe), (unseen, declaring, refused, queues, confirms, read))

    def make() -> WSGIApplication:
        app = create_app(
            rotated.over(live.settings),
            publisher,
            events,
            observe=observe,
            tracer=observe.tracer,
            ready=lambda: {"broker": queues.problem() or confirms.problem(), "ledger": read.problem()},
            metrics=lambda: (metrics.exposition(), CONTENT_TYPE),
            waiting=lambda: holds_messages(broker),
            place=live.place,
            note_refused=refused.note,
            limits=limits,
            secrets_known=lambda: rotated.is_known,
        )
        return observe.tracer.ingress(app)

    take = partial(live.take, "ingest", observe, partial(_use, limits, counts), events.note_act)
    made = ReloadedApp(make, take, gather=publisher.gather if observe.tracer is UNTRACED else None)
    rotated.start(lambda: live.settings, made.make_anew)
    settle_memory()
    return made


def _heart(live: LiveSettings, events: StandbyLedger, observe: Telemetry) -> Heart:
    """Settings that are asked for are taken here two beats after all others have heard of it: of an account that is new
    a worker must know before its first event comes."""
    part = part_of(live.settings, "ingest")
    return Heart(part, events, observe, settings=live, hang_up=hang_up_parent(), patience=2)


def _use(limits: SourceLimits, counts: Metrics, settings: Settings) -> None:
    limits.change(settings.sources)
    counts.know(settings)


def _start(heart: Heart, threads: Iterable[Unseen | Declaring | RefusedPosts | HealthProbe]) -> None:
    for thread in (*threads, heart):
        thread.start()
    atexit.register(heart.stop)  # of the child that serves: it is told to stop by its server
