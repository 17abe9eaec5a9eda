"""Sign-in and sign-out: password, one-time link, OpenID Connect."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, unquote

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from bellhop.console.access.login import LoginRefused, TooManyTries, sign_in, stronger_hash
from bellhop.console.context import ConsoleParts, parts
from bellhop.console.guard import address, cookie_name, inside, needs, open_to_all
from bellhop.ledger.records import Role
from bellhop.schemas.errors import LedgerUnavailable
from bellhop.schemas.readiness import HEALTHY, readiness

blueprint = Blueprint("entry", __name__)

_ON_THE_WAY: Final = "bellhop_oidc"
_WHERE_TO: Final = "bellhop_next"


@blueprint.get("/sign-in", endpoint="sign_in")
@open_to_all
def sign_in_page() -> str:
    return _page("")


@blueprint.post("/sign-in")
@open_to_all
def sign_in_now() -> AnyResponse | tuple[str, int]:
    own = parts()
    name, password = request.form.get("name", ""), request.form.get("password", "")
    try:
        user = sign_in(own.ledger.people, name, password, address(own))
    except LoginRefused as refused:
        own.observe("console.refused", how="password")
        return _page(str(refused), name), 429 if isinstance(refused, TooManyTries) else 401
    if stronger := stronger_hash(user, password):
        user = own.ledger.people.change_user(user.name, user.name, password_hash=stronger)
    answer, key = _let_in(own, user.name, user.role, "password", request.form.get("next", "/"))
    if own.ledger.people.user(user.name) != user:
        # Changed while the password was looked at, and before there was a session to end.
        own.sessions.close(key)
        own.observe("console.refused", how="password")
        return _page("Your account has just been changed. Sign in again.", name), 401
    return answer


@blueprint.get("/enter/<secret>")
@open_to_all
def enter(secret: str) -> AnyResponse | tuple[str, int]:
    """The one-time link."""
    own = parts()
    if own.sessions.person(request.cookies.get(cookie_name(own), "")) is not None:
        return redirect("/")
    is_first = own.link is not None and request.method != "HEAD" and own.link.use(secret)
    if not is_first and not _is_fresh(own, secret):
        own.observe("console.refused", how="link")
        told = "This link was used, has expired, or belongs to another console."
        return _page(f"{told} `bellhop console link` prints a fresh one."), 403
    try:
        return _let_in(own, "", Role.ADMIN, "link")[0]
    except LedgerUnavailable:
        if is_first and own.link is not None:
            own.link.give_back()
        raise


@blueprint.get("/oidc/begin")
@open_to_all
def oidc_begin() -> AnyResponse | tuple[str, int]:
    own = parts()
    if own.provider is None:
        abort(404)
    try:
        url, browser = own.provider.begin()
    except LoginRefused as refused:
        return _page(str(refused)), 503
    answer = redirect(url)
    for name, value in ((_ON_THE_WAY, browser), (_WHERE_TO, quote(inside(request.args.get("next", "/"))))):
        answer.set_cookie(name, value, max_age=600, path="/oidc", httponly=True, samesite="Lax", secure=own.is_secure)
    return answer


@blueprint.get("/oidc/back")
@open_to_all
def oidc_back() -> AnyResponse | tuple[str, int]:
    own = parts()
    if own.provider is None:
        abort(404)
    given = request.args
    try:
        name, role = own.provider.finish(
            given.get("state", ""), given.get("code", ""), request.cookies.get(_ON_THE_WAY, "")
        )
    except LoginRefused as refused:
        own.observe("console.refused", how="oidc")
        return _page(str(refused)), 403
    answer, key = _let_in(own, name, role, "oidc", unquote(request.cookies.get(_WHERE_TO, "/")))
    known = own.ledger.people.user(name)
    if known is not None and known.disabled:
        own.sessions.close(key)
        own.observe("console.refused", how="oidc")
        return _page("Your account is disabled. Ask an admin."), 403
    for cookie in (_ON_THE_WAY, _WHERE_TO):
        answer.delete_cookie(cookie, path="/oidc")
    return answer


@blueprint.post("/sign-out")
@needs(Role.VIEWER)
def sign_out() -> AnyResponse:
    own = parts()
    own.sessions.close(request.cookies.get(cookie_name(own), ""))
    answer = redirect(url_for("entry.sign_in"))
    answer.delete_cookie(cookie_name(own), path="/", secure=own.is_secure, httponly=True)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@blueprint.get("/healthz")
@open_to_all
def healthz() -> Response:
    return jsonify(HEALTHY)


@blueprint.get("/readyz")
@open_to_all
def readyz() -> Response:
    # Anybody may ask: what is wrong with broker or ledger is told to who is signed in.
    told, status = readiness({"state": "the broker or the ledger is away" if parts().pulse.problem else ""})
    answer = jsonify(told)
    answer.status_code = status
    return answer


@blueprint.get("/metrics")
@open_to_all
def metrics() -> Response:
    """Counts alone; for who asks this process itself, and not for what a proxy lets in."""
    own = parts()
    if own.metrics is None or "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        abort(404)
    text, content_type = own.metrics()
    return Response(text, content_type=content_type)


def _is_fresh(own: ConsoleParts, secret: str) -> bool:
    """Whether it is a link of `bellhop console link`; on this machine's own address alone."""
    return request.method != "HEAD" and own.settings.console.loopback and own.sessions.use_link(secret)


def _let_in(own: ConsoleParts, user: str, role: Role, how: str, where_to: str = "/") -> tuple[AnyResponse, str]:
    """The answer, and the new session's key. The session that the browser had ends."""
    if old := request.cookies.get(cookie_name(own), ""):
        own.sessions.close(old)
    key = own.sessions.open(user, role)
    own.observe("console.signed_in", role=role.value, how=how)
    answer = redirect(inside(where_to))
    seconds = int(own.settings.console.session_seconds)
    answer.set_cookie(
        cookie_name(own), key, max_age=seconds, path="/", httponly=True, samesite="Lax", secure=own.is_secure
    )
    return answer, key


def _page(problem: str, name: str = "") -> str:
    own = parts()
    return render_template(
        "sign_in.html",
        problem=problem,
        name=name,
        next=inside(request.values.get("next", "/")),
        has_provider=own.provider is not None,
        has_users=any(user.password_hash and not user.disabled for user in own.ledger.people.users()),
    )
