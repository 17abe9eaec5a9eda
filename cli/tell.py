"""What a process tells itself by: its log, metrics, Sentry and OpenTelemetry, as the settings say."""

from __future__ import annotations

import atexit
import importlib.util
from typing import TYPE_CHECKING, Final

from bellhop.schemas.errors import SettingsError

if TYPE_CHECKING:
    from bellhop.schemas.settings import Settings
    from bellhop.telemetry.logs import Telemetry
    from bellhop.telemetry.metrics import Metrics
    from bellhop.telemetry.tally import Tally

    Counts = Metrics | Tally

_MISSING: Final = "needs OpenTelemetry: pip install 'bellhop-bookings[otel]'"


def telemetry(process: str, settings: Settings, metrics: Counts | None = None, *, forks: bool = False) -> Telemetry:
    """What the process tells itself by, installed. forks: it only starts others, each of which has its own: what
    OpenTelemetry runs would not live in them. Raises SettingsError."""
    from bellhop.schemas.redact import Redactor
    from bellhop.telemetry import sentry, tracing
    from bellhop.telemetry.log_names import NAMINGS
    from bellhop.telemetry.logs import Telemetry

    require_otel(settings)
    redactor = Redactor(settings.secrets, settings.names)
    alarm = sentry.start(settings.sentry, process, redactor)
    naming = NAMINGS[settings.log_fields]
    telemetry = Telemetry(process, redactor, level=settings.log_level, count=metrics, alarm=alarm, naming=naming)
    telemetry.install()
    telemetry.tracer = tracing.tracer(settings.sentry)
    if settings.otel.endpoint and not forks:
        from bellhop.telemetry.otel.export import Export

        export = Export(process, settings, metrics)
        export.tell_failures(telemetry)
        telemetry.lines.export, telemetry.close = export.log, export.close
        telemetry.tracer = tracing.both(telemetry.tracer, export.tracer)
        telemetry.letters_tracer = export.tracer
    return telemetry


def telemetry_of_child(process: str, settings: Settings, first: Telemetry, metrics: Counts | None = None) -> Telemetry:
    """That of a process which a server has forked. first: the server's own, which tells in the child too."""
    made = telemetry(process, settings, metrics)
    first.lines.export = made.lines.export
    atexit.register(made.close)
    return made


def require_otel(settings: Settings) -> None:
    """Raises SettingsError where it is asked for and not installed."""
    needed = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
    if settings.otel.endpoint and not all(map(_is_installed, needed)):
        raise SettingsError(
            "otel.endpoint", "needs OpenTelemetry: pip install 'bellhop-bookings[otel]'", "the settings"
        )


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of the package it is in
        return False
