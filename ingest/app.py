"""Composes the ingress: the routes of one process."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Final

from flask import Flask, Request, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter

from bellhop.broker.port import Publisher
from bellhop.ingest import health
from bellhop.ingest.documents.published import Documents
from bellhop.ingest.limits import SourceLimits
from bellhop.ingest.problems import internal_error, respond
from bellhop.ingest.status import EventReader, EventStatus
from bellhop.ingest.verify import verifiers
from bellhop.ingest.webhooks import NoteRefused, Webhooks, forget
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.problems import Problem
from bellhop.schemas.settings import Settings
from bellhop.schemas.trace import UNTRACED, Tracer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["EventReader", "create_app"]

_WEBHOOK: Final = re.compile(r"/webhooks/([!-.0-~]+)(?:/([!-.0-~]+))?/?")
"""As the routes below, of ASCII alone: what else a name may hold, the router reads."""
_PUBLIC: Final = {"Cache-Control": "max-age=300", "Access-Control-Allow-Origin": "*"}
"""The documents hold nothing of anybody: also a page of another site, as editors of OpenAPI are, may read them."""


class _Id(BaseConverter):
    """An event's id is the sender's own, and may hold anything, a slash too."""

    regex = ".+"
    part_isolating = False


def create_app(
    settings: Settings,
    publisher: Publisher,
    events: EventReader,
    *,
    observe: Observe = silent,
    tracer: Tracer = UNTRACED,
    clock: Clock = SYSTEM_CLOCK,
    ready: health.Ready = dict,
    metrics: health.Metrics | None = None,
    waiting: Callable[[], bool | None] = lambda: True,
    place: Callable[[str], str] = lambda _key: "bellhop.toml",
    note_refused: NoteRefused = forget,
    limits: SourceLimits | None = None,
    secrets_known: Callable[[], bool] = lambda: True,
) -> Flask:
    """The ingress as a WSGI application. `ready` tells what is wrong with each part, "" where nothing is; `/metrics`
    is there when `metrics` is given. waiting: see `EventStatus`. `note_refused` is told of what verified sources are
    refused. limits: made before a fork, where several processes serve. secrets_known: whether the settings hold all
    secrets that sources may sign with; until then no post is refused for its signature, but asked for again.

    Tells `webhook.accepted`, `webhook.ignored` or `webhook.refused` once for each post (source, type, route, status,
    seconds, id; reason where it is not accepted; events where they are several: the rest is of the first), and
    `webhook.crashed` (error: the exception's type) for what nobody foresaw.
    Raises SettingsError where a source's verifier or secrets are wrong; `place` is as in `schemas.settings.build`.
    """
    known = verifiers(settings.sources, place)
    webhooks = Webhooks(
        settings,
        known,
        publisher,
        observe=observe,
        tracer=tracer,
        clock=clock,
        note_refused=note_refused,
        limits=limits,
        secrets_known=secrets_known,
    )
    status = EventStatus(known, events, clock.now, waiting)
    app = Flask("ingest", static_folder=None)
    app.url_map.merge_slashes = False  # a redirect would count as a failure for the sender
    app.url_map.converters["id"] = _Id

    def route(rule: str, view: Callable[..., Response], *methods: str) -> None:
        app.add_url_rule(rule, f"{methods[0]} {rule}", view, methods=methods, provide_automatic_options=False)

    for end in ("", "/"):  # some people's addresses end in a slash
        route(f"/webhooks/<source>{end}", lambda source: webhooks.post(request, source), "POST")
        route(
            f"/webhooks/<source>/<secret>{end}", lambda source, secret: webhooks.post(request, source, secret), "POST"
        )
        route(f"/webhooks/<source>{end}", webhooks.probe, "GET")
        route(f"/webhooks/<source>/<secret>{end}", webhooks.probe, "GET")
    route("/events/<source>/<id:id_>", lambda source, id_: status.get(request, source, id_), "GET")
    documents = Documents(settings)
    for rule in ("openapi.json", "asyncapi.json", "schemas.json"):
        route(f"/{rule}", partial(_document, documents, rule), "GET")
    route("/schemas/<name>", lambda name: _document(documents, f"schemas/{name}"), "GET")
    route("/healthz", health.healthz, "GET")
    route("/readyz", lambda: health.readyz(ready), "GET")
    if metrics is not None:
        route("/metrics", lambda: _metrics_response(metrics), "GET")

    @app.errorhandler(Problem)
    def _problem(problem: Problem) -> Response:
        return respond(problem, request.path)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        return respond(_of_http(error), request.path)

    @app.errorhandler(Exception)
    def _crash(error: Exception) -> Response:
        observe("webhook.crashed", error=type(error).__name__)
        return respond(internal_error(), request.path)

    if tracer is UNTRACED:  # traces are named by Flask's routes
        app.wsgi_app = _past_the_router(app.wsgi_app, webhooks)  # type: ignore[method-assign,assignment]
    return app


def _past_the_router(app: WSGIApplication, webhooks: Webhooks) -> WSGIApplication:
    """Takes what is posted to `/webhooks/…` by itself: Flask's router and contexts cost a quarter of a webhook, which
    needs none of them, and an answer of theirs cannot come later."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = _WEBHOOK.fullmatch(environ.get("PATH_INFO", ""))
        if path is None or environ["REQUEST_METHOD"] != "POST":
            return app(environ, start_response)
        return webhooks.begin(Request(environ), path[1], path[2] or "")(environ, start_response)

    return answer


def _document(documents: Documents, name: str) -> Response:
    return Response(documents.text(name), 200, _PUBLIC, content_type="application/json")


def _metrics_response(metrics: health.Metrics) -> Response:
    text, content_type = metrics()
    return Response(text, 200, content_type=content_type)


def _of_http(error: HTTPException) -> Problem:
    """What the router itself refuses: 404, 405 (with Allow)."""
    code = error.code or 500
    names = {404: "not-found", 405: "method-not-allowed"}
    kept = {name: value for name, value in error.get_headers() if name == "Allow"}
    details = {404: "There is nothing at this address.", 405: "This address does not take that method."}
    return Problem(
        code, names.get(code, "bad-request"), details.get(code, "The request is not understood."), headers=kept
    )
