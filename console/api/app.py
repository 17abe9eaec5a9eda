"""Composes the API as a WSGI application of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from functools import cache
from http import HTTPStatus
from typing import Final

from flask import Flask, Response
from flask_smorest import Api
from marshmallow import Schema
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.routing import BaseConverter

from bellhop.broker.port import Broker
from bellhop.console.api import (
    edits,
    events,
    floods,
    guests,
    jobs,
    letters,
    operations,
    overview,
    people,
    refusals,
    requests,
    responses,
    sources,
    times,
)
from bellhop.console.api.description import complete
from bellhop.console.api.problems import handle_errors
from bellhop.console.api.routes import MAX_BODY, ApiCall, ApiParts, ApiSection, Route, section_blueprint
from bellhop.console.trends import Pulse
from bellhop.ledger.records import Role, TakeRefused
from bellhop.ledger.store import Ledger
from bellhop.schemas.clock import utc_now
from bellhop.schemas.contract import Moment
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.problems import CONTENT_TYPE
from bellhop.schemas.settings import Settings
from bellhop.schemas.version import LICENSE, VERSION

PREFIX: Final = "/api/v1"
KEY: Final = "bellhop.api"
_SECTIONS: Final = (*(overview, letters, jobs, edits, events, floods, operations, refusals, sources, people, guests),)


class _Number(BaseConverter):
    """A record's number. By its form alone: what a converter refuses later, the router takes for a wrong method."""

    regex = r"[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:
        return int(value)


class _Id(BaseConverter):
    """An event's id is the sender's own, and may hold anything, a slash too."""

    regex = ".+"
    part_isolating = False


class _Api(Api):  # type: ignore[misc]  # flask-smorest has no types
    """As flask-smorest has it, but all errors are problems, and it leaves answering them to the application."""

    ERROR_SCHEMA = responses.ProblemDetails

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            self._problem(status.name, status.phrase)
        self._problem("DEFAULT_ERROR", "Any other problem")

    def _problem(self, name: str, description: str) -> None:
        content = {CONTENT_TYPE: {"schema": responses.ProblemDetails}}
        self.spec.components.response(name, {"description": description, "content": content}, lazy=True)

    def _register_error_handlers(self) -> None:
        pass


def create_api_app(
    settings: Settings,
    ledger: Ledger,
    broker: Broker,
    observe: Observe = silent,
    *,
    now: Callable[[], datetime] = utc_now,
    pulse: Pulse | None = None,
    take_refused: TakeRefused | None = None,
    read_settings: Callable[[], Settings] | None = None,
    digest_now: Callable[[], str] = lambda: "",
) -> Flask:
    """The API; `ledger` and `broker` as opened by this process, after any fork. pulse: the console's.
    take_refused: None where this process takes none. read_settings: as the file has them
    now; digest_now: their digest, once they were checked.

    Tells `console.answered` (status), `api.refused` (status) where there is no valid token, and `api.crashed` (error,
    where) for what nobody foresaw.
    """
    parts = ApiParts(settings, ledger, broker, observe, now, pulse, take_refused, read_settings)
    parts.digest_now = digest_now
    app = Flask("bellhop.console.api", static_folder=None)
    app.extensions[KEY] = parts
    app.url_map.merge_slashes = False  # an event's id may hold several, and a redirect would lose a POST's body
    app.url_map.converters |= {"number": _Number, "id": _Id}
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's own provider has it
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.config["API_SPEC_OPTIONS"] = {
        "info": {"description": "Everything that Bellhop's console does, for programs.", "license": LICENSE},
        "servers": [{"url": PREFIX}],
        "security": [{"token": []}],
    }
    api = _Api(app, spec_kwargs={"title": "Bellhop", "version": VERSION, "openapi_version": "3.1.0"})
    api.spec.components.schemas.pop("PaginationMetadata")  # flask-smorest's own way to page, which nothing here takes
    _describe(api)
    for section in (*(module.section(parts) for module in _SECTIONS), _document(api)):
        api.register_blueprint(section_blueprint(section, parts))
    handle_errors(app, observe)
    app.after_request(lambda response: _finish(response, observe))
    return app


def _describe(api: _Api) -> None:
    """What the document says of our own fields and converters, and of the tokens."""
    api.register_converter(_Id, lambda _: {"type": "string"})
    api.register_converter(_Number, lambda _: {"type": "integer", "minimum": 1, "maximum": requests.BIGGEST_ID})
    api.register_field(Moment, "string", "date-time")
    api.register_field(times.Instant, "string", None)  # by its pattern, which takes more than RFC 3339
    api.register_field(times.AskedTime, None, None)
    scheme = {"type": "http", "scheme": "bearer", "description": "An API token: `bellhop tokens add`."}
    api.spec.components.security_scheme("token", scheme)


def mount(outer: Flask, api: Flask) -> None:
    """Lets `outer` answer under /api/v1 with the API: for the console, which is one process with it."""
    outer.wsgi_app = DispatcherMiddleware(outer.wsgi_app, {PREFIX: api})  # type: ignore[method-assign]


def _document(api: _Api) -> ApiSection:
    @cache
    def text() -> str:
        return json.dumps(complete(api.spec.to_dict()))

    def view(_call: ApiCall) -> Response:
        return Response(text(), content_type="application/json")

    answer: type[Schema] = responses.OpenApi
    route = Route("GET", "/openapi.json", view, "This document", answer, Role.VIEWER)
    return ApiSection("document", "The API's description.", (route,))


def _finish(response: Response, observe: Observe) -> Response:
    observe("console.answered", status=response.status_code)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
