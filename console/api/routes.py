"""A route of the API as data, and how one becomes a view: token, role, body, then the work."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final, NoReturn

from flask import request
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge

from bellhop.broker.port import Broker, Publisher
from bellhop.console.api.problems import invalid, not_found
from bellhop.console.api.requests import NoArguments
from bellhop.console.api.tokens import hash_token, is_well_formed
from bellhop.console.trends import Pulse
from bellhop.ledger.pages import CursorInvalid
from bellhop.ledger.people import token_name
from bellhop.ledger.records import ApiToken, Role, TakeRefused
from bellhop.ledger.store import Ledger
from bellhop.schemas.contract import unfit
from bellhop.schemas.errors import FieldProblem
from bellhop.schemas.observe import Observe
from bellhop.schemas.problems import Problem
from bellhop.schemas.redact import Redactor
from bellhop.schemas.settings import Settings

MAX_BODY: Final = 1024 * 1024

_CONVERTER: Final = re.compile(r"<\w+:")
_NOT_OF_THE_LIST: Final = ("cursor", "limit")
_MAX_NAME: Final = 100
_UNSTORABLE: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class ApiParts:
    """What the views work with. `ledger` and `broker` as opened by the process, after any fork. pulse: the console's,
    which measures; without one nothing is measured."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        broker: Broker,
        observe: Observe,
        now: Callable[[], datetime],
        pulse: Pulse | None = None,
        take_refused: TakeRefused | None = None,
        read_settings: Callable[[], Settings] | None = None,
    ) -> None:
        self.settings = settings
        self.ledger = ledger
        self.broker = broker
        self.observe = observe
        self.now = now
        self.take_refused = take_refused
        self.read_settings = read_settings or (lambda: self.settings)
        self.digest_now: Callable[[], str] = lambda: ""
        self.pulse = pulse or Pulse(broker, ledger, observe, now)
        self.redactor = Redactor(settings.secrets, settings.names)
        self._publishing = threading.Lock()

    def use(self, settings: Settings) -> None:
        """New settings, of what the process takes while it runs."""
        self.settings = settings
        self.redactor = Redactor(settings.secrets, settings.names)

    @property
    def publisher(self) -> Publisher:
        """Raises BrokerError."""
        with self._publishing:
            return self._publisher

    @cached_property
    def _publisher(self) -> Publisher:
        self.broker.declare()  # a letter may be older than the queues
        return self.broker.publisher()


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request that may be answered. who: for the audit. query, headers and body: as their schemas have loaded
    them."""

    token: ApiToken
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def who(self) -> str:
        return who_of(self.token)

    @property
    def after(self) -> str:
        """The ledger's cursor, "" for the first page. Raises CursorInvalid for one of another list or filter."""
        given = str(self.params.get("cursor", ""))
        cursor, _, list_ = given.rpartition(".")
        if given and list_ != self._list:
            raise CursorInvalid("the cursor is not one of this list's")
        return cursor

    def next(self, cursor: str) -> str | None:
        """The ledger's cursor as it leaves: bound to this list with this filter, whose place it is."""
        return f"{cursor}.{self._list}" if cursor else None

    @property
    def params(self) -> Mapping[str, Any]:
        """Wherever it stood: in the address, or, what names a guest, in the body."""
        return {**self.query, **self.body}

    @property
    def _list(self) -> str:
        chosen = {name: value for name, value in self.params.items() if name not in _NOT_OF_THE_LIST}
        text = json.dumps([request.path, chosen], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def needs(self, role: Role) -> None:
        """Raises Problem."""
        if not self.token.role.covers(role):
            raise Problem(403, "forbidden", f"This needs a token of the role {role.value}.")


def who_of(token: ApiToken) -> str:
    return token_name(token.id, token.name)


View = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Route:
    """view: called with a Call and the path's values by name; what it returns, `answer` makes JSON of. refuses: whether
    it may be 409."""

    method: str
    rule: str
    view: View
    summary: str
    answer: type[Schema]
    role: Role = Role.VIEWER
    query: type[Schema] = NoArguments
    headers: type[Schema] | None = None
    body: type[Schema] | None = None
    status: int = 200
    refuses: bool = False

    @property
    def name(self) -> str:
        """The operation's, for whoever generates a client: of its method and address alone."""
        return re.sub(r"\W+", "_", f"{self.method} {_CONVERTER.sub('<', self.rule)}".lower()).strip("_")

    @property
    def _has_pages(self) -> bool:
        return "cursor" in self.query().fields or (self.body is not None and "cursor" in self.body().fields)

    @property
    def failures(self) -> Sequence[HTTPStatus]:
        """The problems that may be its answer, beside 500."""
        status = HTTPStatus
        may = {
            status.BAD_REQUEST: self.body is not None,
            status.UNAUTHORIZED: True,
            status.FORBIDDEN: self.role is not Role.VIEWER or "reveal" in self.query().fields,
            status.NOT_FOUND: "<" in self.rule,
            status.CONFLICT: self.refuses or self._has_pages,
            status.REQUEST_ENTITY_TOO_LARGE: self.body is not None,
            status.UNSUPPORTED_MEDIA_TYPE: self.body is not None,
            status.UNPROCESSABLE_ENTITY: True,
            status.SERVICE_UNAVAILABLE: True,
        }
        return [one for one, is_ in may.items() if is_]


@dataclass(frozen=True, slots=True)
class ApiSection:
    name: str
    description: str
    routes: Sequence[Route]


class _Parser(FlaskParser):
    DEFAULT_UNKNOWN_BY_LOCATION = {"json": RAISE, "query": RAISE}  # noqa: RUF012


class _Blueprint(Blueprint):  # type: ignore[misc]  # flask-smorest has no types
    ARGUMENTS_PARSER = _Parser()


def section_blueprint(section: ApiSection, parts: ApiParts) -> Any:
    """A section's routes, with their documentation."""
    made = _Blueprint(section.name, __name__, description=section.description)
    for route in section.routes:
        view = made.response(route.status, route.answer)(_working(route))
        for failure in route.failures:
            view = made.alt_response(failure, failure.name)(view)
        if route.body is not None:
            view = made.arguments(route.body)(view)
        if route.headers is not None:
            view = made.arguments(route.headers, location="headers")(view)
        view = made.arguments(route.query, location="query")(view)
        told = {"summary": route.summary, "operationId": route.name, "x-role": route.role.value}
        view = _guard(made.doc(**told)(view), route, parts)
        # Not Flask's own answer to OPTIONS: it would come without a token.
        view.provide_automatic_options = False
        made.add_url_rule(route.rule, route.name, view, methods=[route.method])
    return made


def _working(route: Route) -> View:
    named = [name for name, is_ in (("query", True), ("headers", route.headers), ("body", route.body)) if is_]

    def view(*loaded: Mapping[str, Any], **path: Any) -> Any:
        """loaded: from the outermost decorator to the innermost."""
        call = ApiCall(request.environ["bellhop.token"], **dict(zip(named, loaded, strict=True)))
        return route.view(call, **path)

    return view


def _guard(inner: View, route: Route, parts: ApiParts) -> Any:
    @functools.wraps(inner)
    def view(**path: Any) -> Any:
        token = _authenticate(parts)
        ApiCall(token).needs(route.role)
        for value in path.values():
            if isinstance(value, str) and _UNSTORABLE.search(value):
                raise not_found("such thing")
        if wrong := [name for name, value in request.args.items(multi=True) if _UNSTORABLE.search(name + value)]:
            raise invalid(*(FieldProblem(name, "must not hold control characters") for name in wrong))
        if route.body is not None:
            _check_body()
        request.environ["bellhop.token"] = token
        return inner(**path)

    return view


def _authenticate(parts: ApiParts) -> ApiToken:
    """Raises Problem 401; LedgerUnavailable."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    token = (
        parts.ledger.people.token(hash_token(given)) if scheme.lower() == "bearer" and is_well_formed(given) else None
    )
    if token is None:
        parts.observe("api.refused", status=401, how="token")
        detail = "This needs an API token: Authorization: Bearer bh_… (`bellhop tokens add`)."
        if scheme.lower() == "bearer":
            detail = "This API token is none, is revoked or has ended: `bellhop tokens list` shows those there are."
        raise Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": 'Bearer realm="bellhop"'})
    return token


def _check_body() -> None:
    """What the parser would read without a word, or fail at. Raises Problem; RequestEntityTooLarge."""
    if request.mimetype != "application/json":
        raise Problem(415, "media-type", "The body must be JSON: Content-Type: application/json.")
    data = request.get_data()
    if request.content_length is None and len(data) >= MAX_BODY:  # of one sent in chunks the rest was left unread
        raise RequestEntityTooLarge
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_once)
    except _Twice as twice:
        raise Problem(400, "malformed", f"The body names {str(twice)[:_MAX_NAME]!r} twice.") from None
    except (ValueError, RecursionError):
        raise Problem(400, "malformed", "The body is not JSON.") from None
    if not isinstance(value, dict):
        raise invalid(FieldProblem("body", "must be a JSON object"))
    if wrong := list(unfit(value, "body", 0)):
        raise invalid(*wrong)


class _Twice(ValueError):
    """A name that stands twice in one object: one reader takes the first, another the last."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _Twice(Counter(name for name, _ in pairs).most_common(1)[0][0])
    return made


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
