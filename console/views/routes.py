"""Routes: pause, resume, and retry now what waits for a retry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bellhop.broker.port import QueueStats
from bellhop.console.context import ConsoleParts, parts, person
from bellhop.console.selection import clean_text
from bellhop.letters.retry_now import retry_now
from bellhop.letters.serializers import JsonObject
from bellhop.letters.serializers.flow import queue_summary, route_rows
from bellhop.schemas.errors import BrokerError
from bellhop.vendors.registry import ROUTES

blueprint = Blueprint("routes", __name__)

ENDS: Final = {
    "": ("until resumed", None),
    "15m": ("for 15 minutes", timedelta(minutes=15)),
    "1h": ("for an hour", timedelta(hours=1)),
    "4h": ("for 4 hours", timedelta(hours=4)),
    "12h": ("for 12 hours", timedelta(hours=12)),
}


@blueprint.get("/routes")
def index() -> str:
    own = parts()
    template = "_routes.html" if request.headers.get("HX-Target") == "live" else "routes.html"
    problem, stats = "", None
    try:
        stats = own.broker.stats()
    except BrokerError as error:  # to pause a route needs the ledger alone
        problem = f"The broker cannot be reached: {own.redactor.text(str(error))}"
    ends = {key: words for key, (words, _) in ENDS.items()}
    return render_template(template, rows=_rows(own, stats or {}), problem=problem, routes=ROUTES, ends=ends)


@blueprint.post("/routes")
def steer() -> Response:
    own, who, form = parts(), person().name, request.form
    route, step = form.get("route", ""), form.get("step", "")
    if route not in ROUTES or step not in ("pause", "resume", "retry-now"):
        abort(400, "Unknown route or action.")
    here = redirect(url_for("routes.index"))
    why = clean_text(form.get("why", ""))
    if not why:
        flash("A reason is required.", "bad")
        return here
    if step == "pause":
        _, lasts = ENDS.get(form.get("for", ""), ENDS[""])
        own.ledger.pauses.pause(route, who, why, own.now() + lasts if lasts else None)
        flash(f"{route} is paused. Calls in progress will finish.", "good")
    elif step == "resume":
        was_paused = own.ledger.pauses.resume(route, who, why)
        flash(f"{route} is resumed." if was_paused else f"{route} was not paused.", "good" if was_paused else "bad")
    else:
        moved = retry_now(own.broker, own.ledger.letters, route, who=who, why=why)
        flash(f"Retrying {moved} on {route} now.", "good")
    return here


def _rows(own: ConsoleParts, stats: Mapping[str, QueueStats]) -> list[JsonObject]:
    """Every route with its queue and who has paused it."""
    queues, pauses = queue_summary(stats, own.ledger)["routes"], route_rows(own.ledger)
    return [queue | route for queue, route in zip(queues, pauses, strict=True)]
