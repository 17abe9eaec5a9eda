"""Errors for Sentry, where a DSN is set: their type, place and tags, without bodies, variables or personal data."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from bellhop.ledger.causes import shape_of
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.redact import Redactor
from bellhop.schemas.settings import SentrySettings
from bellhop.schemas.version import PACKAGE, VERSION

_TAGS: Final = ("route", "account", "source", "method", "outcome", "reason", "code", "thread")
_CAUSE: Final = ("error", "where", "reason", "route", "account", "method", "code")
"""What errors are grouped by: their cause, not their words. Of a vendor's words only the shape counts, as in the list
of dead letters."""
_TITLE: Final = ("reason", "method", "code", "error", "where")
FIELDS: Final = (
    *_TAGS,
    *("id", "error", "errno", "where", "problem", "type", "generation", "attempt", "seconds", "lag_seconds"),
)
"""What is told of an event's fields. Not its `detail`: a vendor's words may name the guest."""
EVENT_ID: Final = "event"
"""The tag with the event's id; `id` and `event_id` are Sentry's own."""
_REQUEST_KEYS: Final = ("method", "url")
_WEBHOOK: Final = re.compile(r"(/webhooks/[^/]+)/.*")
_SPAN_DATA: Final = (
    *("messaging.message.id", "messaging.destination.name", "messaging.message.body.size"),
    *("messaging.message.receive.latency", "messaging.message.retry.count", "outcome"),
    *("http.request.method", "http.response.status_code", "server.address", "thread.id", "thread.name"),
)
"""What is kept of a span's data: neither queries nor addresses."""
_CRUMB_DATA: Final = ("method", "http.method", "status_code", "reason")


def start(settings: SentrySettings, process: str, redactor: Redactor) -> Observe:
    """Starts Sentry where there is a DSN. The Observe turns an event of level error into one of Sentry's."""
    if not settings.dsn:
        return silent
    import sentry_sdk
    from sentry_sdk.integrations.stdlib import StdlibIntegration

    sentry_sdk.init(
        dsn=settings.dsn,
        release=release(),
        environment=settings.environment,
        traces_sample_rate=settings.traces_sample_rate or None,
        send_default_pii=False,
        include_local_variables=False,  # a frame's variables hold guests and credentials
        max_request_body_size="never",
        disabled_integrations=[StdlibIntegration],  # its spans hold vendors' URLs; `telemetry.tracing` has ours
        trace_propagation_targets=[],  # vendors and receivers are told nothing of our traces
        before_send=lambda event, _hint: scrub(event, redactor),
        before_send_transaction=lambda event, _hint: scrub(event, redactor),
        before_breadcrumb=lambda crumb, _hint: scrubbed_crumb(crumb, redactor),
    )
    sentry_sdk.set_tag("process", process)

    def alarm(event: str, /, **fields: object) -> None:
        with sentry_sdk.new_scope() as scope:
            for name in _TAGS:
                if fields.get(name):
                    scope.set_tag(name, str(fields[name]))
            if fields.get("id"):
                scope.set_tag(EVENT_ID, str(fields["id"]))
            if fields.get("trace") and sentry_sdk.get_current_span() is None:
                # Told by another thread than the one that worked it: it belongs to its event's trace all the same.
                trace, _, span = str(fields["trace"]).partition("-")
                scope.set_context("trace", {"trace_id": trace, "span_id": span})
            scope.set_context("fields", {name: str(fields[name]) for name in FIELDS if name in fields})
            scope.fingerprint = fingerprint(event, fields)
            scope.capture_message(title_of(event, fields), level="error")

    return alarm


def fingerprint(event: str, fields: Mapping[str, object]) -> list[str]:
    """The same for events of one cause. The shape of the words goes as a digest: what is left of them may be a name."""
    shape = hashlib.sha256(shape_of(str(fields.get("detail") or "")).encode()).hexdigest()[:16]
    return [event, *(str(fields.get(name, "")) for name in _CAUSE), shape]


def title_of(event: str, fields: Mapping[str, object]) -> str:
    """What a list of errors shows of it: `event.settled: rejected book -32080`."""
    return f"{event}: {' '.join(str(fields[name]) for name in _TITLE if fields.get(name))}".rstrip(": ")


def release() -> str | None:
    return f"{PACKAGE}@{VERSION}" if VERSION else None


def scrub(event: Any, redactor: Redactor) -> Any:
    """Sentry's event without what it must not know. Of exceptions that are not Bellhop's the text goes: it may quote
    what a guest wrote."""
    ours = {key: event[key] for key in ("release",) if key in event}  # a secret may be a word of it
    event = {**redactor.value(event), **ours}
    request = event.get("request")
    if isinstance(request, dict):
        event["request"] = {key: request[key] for key in _REQUEST_KEYS if key in request}
        if "url" in event["request"]:
            event["request"]["url"] = _public(str(event["request"]["url"]))
    for key in ("user", "extra", "modules"):
        event.pop(key, None)
    if "logentry" in event:  # a library's line: it may quote an address, or what a guest wrote
        event["logentry"] = {"message": f"{event.get('logger', 'a library')} logged an error"}
    for error in (event.get("exception") or {}).get("values", ()):
        if error.get("module") != "bellhop.schemas.errors":
            error["value"] = ""
    for span in event.get("spans") or ():
        _scrub_span(span)
        span["description"] = _without_query(str(span.get("description", "")))
    if isinstance(root := (event.get("contexts") or {}).get("trace"), dict):
        _scrub_span(root)
    if isinstance(event.get("breadcrumbs"), dict):
        event["breadcrumbs"]["values"] = [scrubbed_crumb(c, redactor) for c in event["breadcrumbs"].get("values", ())]
    return event


def scrubbed_crumb(crumb: Any, redactor: Redactor) -> Any:
    """A breadcrumb without URLs, whose queries name members, and without what libraries log."""
    crumb = redactor.value(crumb)
    if crumb.get("type") == "log":
        crumb.pop("message", None)
    data = crumb.get("data")
    if isinstance(data, dict):
        crumb["data"] = {key: value for key, value in data.items() if key in _CRUMB_DATA}
    if "message" in crumb:
        crumb["message"] = _without_query(str(crumb["message"]))
    return crumb


def _scrub_span(span: dict[str, Any]) -> None:
    data = span.pop("data", None) or {}
    if kept := {key: data[key] for key in _SPAN_DATA if key in data}:
        span["data"] = kept


def _public(url: str) -> str:
    """Without what may be a secret: what stands after a source's name, and the query. The redactor knows only those
    of the settings, not one that is mistyped, or was good yesterday."""
    return _WEBHOOK.sub(r"\1", _without_query(url))


def _without_query(text: str) -> str:
    return text.partition("?")[0]
