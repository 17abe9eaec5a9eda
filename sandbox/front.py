"""What every pretended vendor answers through: calls are noted, faults hit them, and the connection is held or dropped.

Faults that leave a caller without an answer need the server of `sandbox.server`, which puts a `Connection` into the
WSGI environment.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from flask import Response, request

from bellhop.sandbox.answers import Reply
from bellhop.sandbox.faults import TIMEOUTS, Fault
from bellhop.sandbox.switch import ControlError

if TYPE_CHECKING:
    from bellhop.sandbox.state import SandboxState

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
class Counter:
    """One vendor's: how a call is carried out, and how that vendor says no."""

    vendor: str
    perform: Callable[[], Reply]
    refuse: Callable[[Fault], Reply]


class Front:
    def __init__(self, state: SandboxState) -> None:
        self.state = state

    def answer(self, counter: Counter, method: str, **shown: Any) -> Response:
        """Notes the call, carries it out, and fails it where a fault says so.

        Nothing waits while the lock is held: a held call must not keep the others waiting.
        """
        state = self.state
        with state.lock:
            released = state.released
            call, fault = state.record(counter.vendor, method, **shown)
            answer = Reply(None)
            if fault is None or fault.when == "after":
                answer = counter.perform()
                call.came_to(answer)
            elif fault.when == "late":
                state.put_off(fault.late, lambda: call.came_to(counter.perform()))
            if fault and fault.kind == "error":
                answer = counter.refuse(fault)
                call.refusal = answer.refusal
            call.answered = fault is None or fault.kind in ("error", "http", "slow")
        return _fault_answer(fault, answer, released) if fault else response(answer)


def page(words: object, status: int) -> Response:
    """What answers in a vendor's place: a page of HTML."""
    return Response(_PAGE.format(words), status, mimetype="text/html")


def json_body() -> Any:
    """The request's JSON; None where it is none."""
    try:
        return json.loads(request.get_data())
    except ValueError:
        return None


def control_object() -> dict[str, Any]:
    """A control request's body. Raises ControlError."""
    found = request.get_json(force=True, silent=True)
    if not isinstance(found, dict):
        raise ControlError("the body must be a JSON object")
    return found


def _fault_answer(fault: Fault, answer: Reply, released: threading.Event) -> Response:
    if fault.kind == "http":
        answered = page(fault.status, fault.status)
        if fault.retry_after:
            answered.headers["Retry-After"] = fault.retry_after
        return answered
    if fault.kind in (*TIMEOUTS, "slow"):
        _hold(fault.seconds, released)
    if fault.kind in (*TIMEOUTS, "reset"):
        _connection().drop(reset=fault.kind == "reset")
    return response(answer)


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


def response(answer: Reply) -> Response:
    body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body)
    return Response(body, answer.status, mimetype=answer.mimetype)
