"""Composes the console's Flask application and its error pages."""

from __future__ import annotations

import functools
import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, flash, g, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import RoutingException
from werkzeug.wrappers import Response

from bellhop.broker.port import Broker
from bellhop.console import filters, guard
from bellhop.console.access.sessions import OneTimeLink
from bellhop.console.access.source_links import PATH as SOURCE_PATH
from bellhop.console.context import KEY, ConsoleParts
from bellhop.console.searches import SearchForgotten
from bellhop.console.views import (
    audit,
    bulk,
    edits,
    entry,
    events,
    floods,
    jobs,
    letters,
    overview,
    people,
    refused,
    routes,
    source_page,
    sources,
)
from bellhop.ledger.pages import CursorInvalid
from bellhop.ledger.records import LetterFilter, LetterState, Role
from bellhop.ledger.store import Ledger
from bellhop.schemas.clock import utc_now
from bellhop.schemas.errors import BellhopError, BrokerError, LedgerError, LedgerUnavailable
from bellhop.schemas.observe import Observe, silent, where
from bellhop.schemas.settings import Settings

if TYPE_CHECKING:
    from bellhop.console.access.oidc import Provider

MAX_BODY: Final = 2 * 1024 * 1024
"""Bytes of a request: 100,000 ticked letters, and room."""

_VIEWS: Final = (
    *(
        entry,
        overview,
        letters,
        bulk,
        jobs,
        edits,
        events,
        routes,
        floods,
        refused,
        sources,
        source_page,
        audit,
        people,
    ),
)
_TITLES: Final = {
    400: "Bad request",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "Expired",
    413: "Too large",
    429: "Too many requests",
    503: "Unavailable",
}


def create_console(
    settings: Settings,
    ledger: Ledger,
    broker: Broker,
    observe: Observe = silent,
    *,
    provider: Provider | None = None,
    link: OneTimeLink | None = None,
    metrics: Callable[[], tuple[bytes, str]] | None = None,
    now: Callable[[], datetime] = utc_now,
) -> Flask:
    """The console. Its pulse is to be started by the caller: `app.extensions["bellhop"].pulse.start(stop)`.

    `/metrics` is there when `metrics`, their text and its content type, is given.
    Tells `console.answered` (status), `console.signed_in` (role, how), `console.refused` (how) and `console.crashed`
    (error, where).
    """
    app = Flask("bellhop.console", static_url_path="/static")
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_PARTS=MAX_BODY // 8,
        MAX_FORM_MEMORY_SIZE=MAX_BODY,
        SECRET_KEY=secrets.token_bytes(32),  # signs what is said once after an act; a restart may forget it
        SESSION_COOKIE_NAME="bellhop_said",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.console.public_url.startswith("https:"),
        SEND_FILE_MAX_AGE_DEFAULT=86_400,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    parts = ConsoleParts(settings, ledger, broker, observe, now, provider=provider, link=link, metrics=metrics)
    app.extensions[KEY] = parts
    filters.install_filters(app, now)
    app.jinja_env.filters["clean"] = parts.clean
    for module in _VIEWS:
        app.register_blueprint(module.blueprint)
    app.context_processor(_context(app, parts))
    guard.install_guard(app, parts)
    _handle_errors(app, parts)
    return app


def _context(app: Flask, parts: ConsoleParts) -> Callable[[], dict[str, Any]]:
    digests: dict[str, str] = {}

    def static(name: str) -> str:
        """A file's address, with what changes when the file does."""
        if name not in digests:
            content = Path(str(app.static_folder), name).read_bytes()
            digests[name] = hashlib.sha256(content).hexdigest()[:12]
        return url_for("static", filename=name, v=digests[name])

    def source_static(name: str) -> str:
        """Likewise, among the sources' own pages."""
        return f"{SOURCE_PATH}{static(name)}"

    def context() -> dict[str, Any]:
        person = g.get("person")
        return {
            "person": person,
            "may_act": person is not None and person.may(Role.OPERATOR),
            "is_admin": person is not None and person.may(Role.ADMIN),
            "csrf": person.csrf if person else g.get("link_csrf", ""),
            "static": static,
            "source_static": source_static,
            "link": g.get("link"),
            "open_letters": functools.cache(lambda: count_open(parts)),
            "zone_of": parts.zone_of,
            "now": parts.now(),
            "snoozes": letters.SNOOZES,
        }

    return context


def count_open(parts: ConsoleParts) -> int:
    """As the pages beside it count them, at the same moment; as it was last known where the ledger is away."""
    try:
        return parts.ledger.letters.count(LetterFilter(states=(LetterState.OPEN,)))
    except LedgerError:
        return parts.pulse.open_letters


def _handle_errors(app: Flask, parts: ConsoleParts) -> None:
    def error_page(status: int, text: str) -> tuple[str, int]:
        title = _TITLES.get(status, "Something went wrong")
        page = "source_error.html" if request.path.startswith(f"{SOURCE_PATH}/") else "error.html"
        return render_template(page, title=title, text=parts.redactor.text(text), status=status), status

    def away(part: str, error: BellhopError, hint: str) -> tuple[str, int]:
        return error_page(503, f"The {part} cannot be reached: {error}. {hint}")

    def http(error: HTTPException) -> Response | tuple[str, int]:
        if isinstance(error, MethodNotAllowed) and request.method in ("GET", "HEAD") and (page := page_above(app)):
            return redirect(page, 303)
        if error.code is not None and error.code < 400:
            return error.get_response()
        return error_page(error.code or 500, error.description or "")

    def on_refusal(error: LedgerError) -> Response | tuple[str, int]:
        """What cannot be done as it stands is told where the person was."""
        if request.method != "POST":
            return error_page(409, str(error))
        flash(parts.redactor.text(str(error)), "bad")
        return redirect(request.path if request.path.startswith(f"{SOURCE_PATH}/") else back())

    def on_crash(error: Exception) -> tuple[str, int]:
        parts.observe("console.crashed", error=type(error).__name__, where=where(error))
        return error_page(500, "Unexpected error. The log says where it happened.")

    app.register_error_handler(HTTPException, http)
    app.register_error_handler(
        SearchForgotten, lambda error: error_page(410, f"{error} Search again: nothing was changed.")
    )
    app.register_error_handler(CursorInvalid, lambda error: error_page(400, str(error)))
    app.register_error_handler(LedgerUnavailable, lambda error: away("ledger", error, filters.AWAY_LEDGER))
    app.register_error_handler(BrokerError, lambda error: away("broker", error, filters.AWAY_BROKER))
    app.register_error_handler(BellhopError, on_refusal)
    app.register_error_handler(Exception, on_crash)


def page_above(app: Flask) -> str:
    """The page on which an act stands, for who loads the act's address anew: the nearest above it that can be read, ""
    where there is none."""
    adapter, path = app.create_url_adapter(request), request.path
    while adapter is not None and (path := path.rpartition("/")[0]):
        try:
            adapter.match(path, method="GET")
        except (HTTPException, RoutingException):
            continue
        return path
    return "/"


def back() -> str:
    """The page of ours that the form, or the browser, says it stood on."""
    return guard.inside(request.form.get("back", "") or guard.came_from(request.referrer or ""))
