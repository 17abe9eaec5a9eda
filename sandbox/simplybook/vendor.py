"""SimplyBook.me, as a row of the sandbox's registry: at `/` and `/login`."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, Response, request

from bellhop.sandbox.faults import Fault
from bellhop.sandbox.front import Counter, Front, json_body, page, response
from bellhop.sandbox.limits import Refusal
from bellhop.sandbox.pretended import Pretended
from bellhop.sandbox.simplybook.app import SimplyBook, mask_params
from bellhop.sandbox.simplybook.control import add_control
from bellhop.sandbox.simplybook.seed import SimplybookSeed
from bellhop.sandbox.simplybook.switches import SimplybookSwitches

_NAME: Final = "simplybook"


def _serve(app: Flask, front: Front) -> None:
    def simplybook(service: str) -> Response:
        asked = json_body()
        rpc = asked if isinstance(asked, dict) else {}
        method = str(rpc.get("method", ""))
        url = request.host_url
        company, token = request.headers.get("X-Company-Login", ""), request.headers.get("X-Token", "")
        counter = Counter(
            _NAME,
            perform=lambda: _company(front).call(service, company, token, asked, url),
            refuse=lambda fault: _company(front).failure(rpc.get("id"), fault.code, fault.message),
        )
        params = mask_params(service, rpc.get("params", []))
        limits, limit = _company(front).limits, _switches(front).simplybook_limit  # a reset puts others in their place
        if refusal := limits.enter(front.state.now(), limit):
            return _throttle(front, counter, refusal, method, params)
        try:
            return front.answer(counter, method, params=params)
        finally:
            limits.leave()

    app.add_url_rule("/", "public", lambda: simplybook("public"), methods=["POST"])
    for rule in ("/login", "/login/"):
        app.add_url_rule(rule, rule, lambda: simplybook("login"), methods=["POST"])


def _throttle(front: Front, counter: Counter, refusal: Refusal, method: str, params: Any) -> Response:
    """A call above the limits: noted, not carried out. No fault sees it."""
    with front.state.lock:
        call = front.state.note(_NAME, method, params=params)
        call.answered, call.refusal = True, f"too many requests: {refusal.why}"
        how = _switches(front).simplybook_throttle_answer
        if how == "rpc":
            return response(counter.refuse(Fault(method, "error", message="Too many requests")))
    answered = page("Too many requests", int(how))
    if how == "429":
        answered.headers["Retry-After"] = str(refusal.retry_after)
    return answered


def _company(front: Front) -> SimplyBook:
    company: SimplyBook = front.state.vendors[_NAME]
    return company


def _switches(front: Front) -> SimplybookSwitches:
    switches: SimplybookSwitches = front.state.switches.of(_NAME)
    return switches


SIMPLYBOOK: Final = Pretended(
    _NAME, switches=SimplybookSwitches, seed=SimplybookSeed, open=SimplyBook, serve=_serve, control=add_control
)
