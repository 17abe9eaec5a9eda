"""Both vendors as one WSGI application: Peoplevine at `/res/…`, SimplyBook.me at `/` and `/login`, control at
`/_sandbox/…`.

Faults that leave a caller without an answer need the server of `sandbox.server`, which puts a `Connection` into the
WSGI environment.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from flask import Flask, Response, request

from bellhop.sandbox.answers import Answer
from bellhop.sandbox.control import blueprint
from bellhop.sandbox.faults import Fault
from bellhop.sandbox.limits import Refusal
from bellhop.sandbox.peoplevine.app import CREDENTIALS
from bellhop.sandbox.seed import Seed
from bellhop.sandbox.simplybook.app import masked
from bellhop.sandbox.state import State
from bellhop.schemas.clock import utc_now
from bellhop.schemas.redact import MASK

CONNECTION: Final = "sandbox.connection"
"""The WSGI environment's key of the `Connection`."""

_HUNG_UP_SECONDS: Final = 0.25
_PAGE: Final = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>\n"


class Connection(Protocol):
    def hung_up(self) -> bool:
        """Whether the caller has closed its side."""
        ...

    def drop(self, *, reset: bool) -> None:
        """The answer will not be sent; the connection is closed, or reset."""
        ...


@dataclass(frozen=True, slots=True)
class _Vendor:
    """How a call of one vendor is carried out, and how that vendor says no."""

    perform: Callable[[], Answer]
    refuse: Callable[[Fault], Answer]


def create_app(seed: Seed | None = None, now: Callable[[], datetime] = utc_now) -> Flask:
    """now: the clock, aware UTC. The application's State is `app.extensions["sandbox"]`."""
    app = Flask("bellhop.sandbox")
    state = State(seed or Seed(), now)
    app.extensions["sandbox"] = state
    app.register_blueprint(blueprint(state), url_prefix="/_sandbox")

    @app.route("/res/<method>", methods=["GET", "POST"])
    def peoplevine(method: str) -> Response:
        query = {name: value for name, value in request.args.items() if isinstance(value, str)}
        body = _json()
        account = state.accounts.of(query)
        vendor = _Vendor(
            perform=lambda: state.accounts.of(query).call(request.method, method, query, body),
            refuse=lambda fault: account.failure(fault.message or "Internal error"),
        )
        shown = {name: MASK if name in CREDENTIALS else value for name, value in query.items()}
        return _answer(state, vendor, "peoplevine", method, query=shown, body=body, system=account.system)

    def simplybook(service: str) -> Response:
        body = _json()
        rpc = body if isinstance(body, dict) else {}
        method = str(rpc.get("method", ""))
        company, token = request.headers.get("X-Company-Login", ""), request.headers.get("X-Token", "")
        vendor = _Vendor(
            perform=lambda: state.simplybook.call(service, company, token, body, request.host_url),
            refuse=lambda fault: state.simplybook.failure(rpc.get("id"), fault.code, fault.message),
        )
        params = masked(service, rpc.get("params", []))
        limits = state.limits  # a reset puts others in their place
        if refusal := limits.enter(state.now(), state.switches.simplybook_limit):
            return _throttled(state, vendor, refusal, method, params)
        try:
            return _answer(state, vendor, "simplybook", method, params=params)
        finally:
            limits.leave()

    app.add_url_rule("/", "public", lambda: simplybook("public"), methods=["POST"])
    for rule in ("/login", "/login/"):
        app.add_url_rule(rule, rule, lambda: simplybook("login"), methods=["POST"])
    return app


def _answer(state: State, vendor: _Vendor, name: str, method: str, **shown: Any) -> Response:
    """Notes the call, carries it out, and fails it where a fault says so.

    Nothing waits while the lock is held: a held call must not keep the others waiting.
    """
    with state.lock:
        released = state.released
        call, fault = state.record(name, method, **shown)
        answer = vendor.perform() if fault is None or fault.after else Answer(None)
        call.effect, call.id = answer.effect or None, answer.id or None
        if fault and fault.kind == "error":
            answer = vendor.refuse(fault)
        call.refusal = answer.refusal or None
        call.answered = fault is None or fault.kind in ("error", "http", "slow")
    return _failed(fault, answer, released) if fault else _response(answer)


def _throttled(state: State, vendor: _Vendor, refusal: Refusal, method: str, params: Any) -> Response:
    """A call above SimplyBook.me's limits: noted, not carried out. No fault sees it."""
    with state.lock:
        call = state.note("simplybook", method, params=params)
        call.answered, call.refusal = True, f"too many requests: {refusal.why}"
        how = state.switches.simplybook_throttle_answer
        if how == "rpc":
            return _response(vendor.refuse(Fault(method, "error", message="Too many requests")))
    response = Response(_PAGE.format("Too many requests"), int(how), mimetype="text/html")
    if how == "429":
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def _failed(fault: Fault, answer: Answer, released: threading.Event) -> Response:
    if fault.kind == "http":
        response = Response(_PAGE.format(fault.status), fault.status, mimetype="text/html")
        if fault.retry_after:
            response.headers["Retry-After"] = fault.retry_after
        return response
    if fault.kind in ("timeout_before", "timeout_after", "slow"):
        _hold(fault.seconds, released)
    if fault.kind in ("timeout_before", "timeout_after", "reset"):
        _connection().drop(reset=fault.kind == "reset")
    return _response(answer)


def _hold(seconds: float, released: threading.Event) -> None:
    """Waits for the time, a reset, the end of the process, or the caller's hanging up."""
    connection = _connection()
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and not connection.hung_up():
        if released.wait(min(left, _HUNG_UP_SECONDS)):
            return


def _connection() -> Connection:
    connection: Connection = request.environ[CONNECTION]
    return connection


def _json() -> Any:
    try:
        return json.loads(request.get_data())
    except ValueError:
        return None


def _response(answer: Answer) -> Response:
    return Response(json.dumps(answer.body), answer.status, mimetype="application/json")
