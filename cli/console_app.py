"""What the process of the console is made of: its pages, the API beside them, its pulse and its heart.

Imported in the process that serves, after its fork.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bellhop.cli.common import open_ledger
from bellhop.cli.reload import LiveSettings
from bellhop.cli.signals import hang_up_parent
from bellhop.cli.taking import digest_now, settings_now
from bellhop.console.api.app import KEY as API_KEY
from bellhop.console.api.app import create_api_app, mount
from bellhop.console.app import create_console
from bellhop.console.context import KEY
from bellhop.ingest.again import RefusedTaker
from bellhop.ingest.reloaded_app import ReloadedApp
from bellhop.letters.parts import measure_parts
from bellhop.schemas.clock import utc_now
from bellhop.schemas.settings import Settings
from bellhop.telemetry.heart import Heart, part_of
from bellhop.telemetry.logs import Telemetry
from bellhop.telemetry.metrics import CONTENT_TYPE, Metrics
from bellhop.telemetry.traced_publisher import trace_broker
from bellhop.vendors.registry import connect_broker

if TYPE_CHECKING:
    from bellhop.console.access.oidc import Provider
    from bellhop.console.access.sessions import OneTimeLink


def make_console(
    live: LiveSettings,
    file: Path | None,
    tell: Callable[[Metrics], Telemetry],
    provider: Provider | None,
    once: OneTimeLink | None,
) -> ReloadedApp:
    """file: the settings'. tell: makes what the process tells itself by, with its metrics. once: lets in by a link."""
    settings = live.settings
    metrics = Metrics(settings, "console")
    observe = tell(metrics)
    observe("settings.loaded", digest=live.digest)
    broker = trace_broker(connect_broker(settings, observe), observe.letters_tracer)
    ledger = open_ledger(settings)

    def expose() -> tuple[bytes, str]:
        measure_parts(ledger.parts, observe, utc_now())
        return metrics.exposition(), CONTENT_TYPE

    made = create_console(settings, ledger, broker, observe, provider=provider, link=once, metrics=expose)
    parts = made.extensions[KEY]
    parts.read_settings = settings_now(file)
    parts.take_refused = RefusedTaker(parts.read_settings, lambda: parts.publisher, ledger.event).take
    more: dict[str, Any] = {"take_refused": parts.take_refused, "read_settings": parts.read_settings}
    api = create_api_app(settings, ledger, broker, observe, pulse=parts.pulse, digest_now=digest_now(file), **more)
    mount(made, api)
    parts.pulse.start(threading.Event())
    heart = Heart(part_of(settings, "console"), ledger.parts, observe, settings=live, hang_up=hang_up_parent())
    heart.start()
    atexit.register(heart.stop)

    def use(new: Settings) -> None:
        metrics.know(new)
        for one in (parts, api.extensions[API_KEY]):
            one.use(new)
        live.tell_at_work(observe)

    return ReloadedApp(lambda: made, lambda: live.take("console", observe, use, ledger.letters.note_act))
