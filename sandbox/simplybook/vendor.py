"""SimplyBook.me, as a row of the sandbox's registry: at `/`, `/login` and `/admin`."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, Response, request

from bellhop.sandbox.answers import Reply
from bellhop.sandbox.faults import Fault
from bellhop.sandbox.front import Counter, Front, page, response
from bellhop.sandbox.limits import LimitRefusal
from bellhop.sandbox.pretended import Pretended
from bellhop.sandbox.simplybook.app import SimplyBook, mask_params
from bellhop.sandbox.simplybook.control import add_control
from bellhop.sandbox.simplybook.seed import SimplybookSeed
from bellhop.sandbox.simplybook.switches import SimplybookSwitches
from bellhop.sandbox.simplybook.wire import RpcRequest, ScriptError, read_batch, read_request

_NAME: Final = "simplybook"


def _serve(app: Flask, front: Front) -> None:
    def simplybook(service: str) -> Response:
        if request.method != "POST":
            return _service_map(front, service)
        body = request.get_data()
        if _switches(front).simplybook_batch_requests == "answered" and (several := read_batch(body)):
            answers = [one(service, single).get_data() for single in several]
            return response(Reply(b"[" + b",".join(filter(None, answers)) + b"]"))
        return one(service, body)

    def one(service: str, body: bytes) -> Response:
        try:
            asked = read_request(body)
        except ScriptError:
            asked = None
        method = asked.method if asked else ""
        url, address = request.host_url, request.remote_addr or ""
        company = request.headers.get("X-Company-Login", "")
        token = request.headers.get("X-User-Token" if service == "admin" else "X-Token", "")
        counter = Counter(
            _NAME,
            perform=lambda: _company(front).call(service, company, token, asked, url, address),
            refuse=lambda fault: _company(front).failure(asked or RpcRequest(), fault.code, fault.message),
        )
        params = mask_params(service, asked.params if asked else None)
        limits, limit = _company(front).limits, _switches(front).simplybook_limit  # a reset puts others in their place
        if refusal := limits.enter(front.state.now(), limit):
            return _throttle(front, counter, refusal, method, params)
        try:
            return front.answer(counter, method, params=params)
        finally:
            limits.leave()

    app.add_url_rule("/", "public", lambda: simplybook("public"), methods=["GET", "POST"])
    for rule in ("/login", "/login/"):
        app.add_url_rule(rule, rule, lambda: simplybook("login"), methods=["GET", "POST"])
    for rule in ("/admin", "/admin/"):
        app.add_url_rule(rule, rule, lambda: simplybook("admin"), methods=["GET", "POST"])


def _service_map(front: Front, service: str) -> Response:
    """Not a call: none is noted."""
    if not _switches(front).simplybook_service_map:
        return page("Method Not Allowed", 405)
    return response(Reply(_company(front).service_map(service, request.path)))


def _throttle(front: Front, counter: Counter, refusal: LimitRefusal, method: str, params: Any) -> Response:
    """A call above the limits: noted, not carried out. No fault sees it."""
    with front.state.lock:
        call = front.state.note(_NAME, method, params=params)
        call.answered, call.refusal = True, f"too many requests: {refusal.why}"
        how, words = _switches(front).simplybook_throttle_answer, _switches(front).simplybook_throttle_words
        if how == "rpc":
            return response(counter.refuse(Fault(method, "error", message=words)))
    answered = page(words, int(how))
    if how == "429":
        answered.headers["Retry-After"] = str(refusal.retry_after)
    return answered


def _company(front: Front) -> SimplyBook:
    company: SimplyBook = front.state.vendors[_NAME]
    return company


def _switches(front: Front) -> SimplybookSwitches:
    switches: SimplybookSwitches = front.state.switches.of(_NAME)
    return switches


_TOLD: Final = """At `/`, `/login` and `/admin`, as Zend's JSON-RPC server answers, which the vendor probably runs. Its
control: `GET plugins`, and `POST plugins` or `PUT plugins` `{"NAME": true, …}`, the Custom Features; `GET limits`, the
calls in progress and those let in today; `GET callbacks`, what was posted to `simplybook_callback_url` with the last
answer's status, and `POST callbacks` `{"booking_id", "notification_type"}`, which posts those, or all with `{}`, once
more."""

SIMPLYBOOK: Final = Pretended(
    _NAME,
    switches=SimplybookSwitches,
    seed=SimplybookSeed,
    open=SimplyBook,
    serve=_serve,
    control=add_control,
    told=_TOLD,
)
