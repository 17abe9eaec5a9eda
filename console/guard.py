"""Access control: every request passes here before its view.

A view needs a session and, to be read, the role viewer; to be posted to, operator. `needs` asks for another role,
`open_to_all` for none.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from bellhop.console.access.sessions import same
from bellhop.console.access.source_links import admit_source
from bellhop.console.context import ConsoleParts
from bellhop.console.context import parts as current_parts
from bellhop.ledger.records import Role

View = TypeVar("View", bound=Callable[..., Any])

HEADER: Final = "X-CSRF"
FIELD: Final = "csrf"
PROBES: Final = ("entry.healthz", "entry.readyz", "entry.metrics")
"""Asked by what knows this process by another name, and telling nothing of anybody."""

_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_CONTENT: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _CONTENT,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send `Origin: null` with our own forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


def needs(role: Role) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.__dict__["needs"] = role
        return view

    return mark


def open_to_all(view: View) -> View:
    view.__dict__["open_to_all"] = True
    return view


def for_sources(view: View) -> View:
    """Asked for by a source's own link, which lets in nowhere else."""
    view.__dict__["for_sources"] = True
    return view


def install_guard(app: Flask, parts: ConsoleParts) -> None:
    app.before_request(lambda: _admit(app, parts))
    app.after_request(lambda response: _protect(response, parts))


def cookie_name(parts: ConsoleParts) -> str:
    """With TLS one that no neighbour's subdomain can set."""
    return "__Host-bellhop" if parts.is_secure else "bellhop"


def address(parts: ConsoleParts) -> str:
    """Whom a try to sign in is counted to. Behind a proxy (public_url) it is whom the proxy saw, its last word. A proxy
    is on this host or in its network: who comes from elsewhere could say anything."""
    peer = request.remote_addr or "unknown"
    seen = request.headers.get("X-Forwarded-For", "") if parts.settings.console.public_url and _near(peer) else ""
    return seen.rpartition(",")[2].strip()[:64] or peer


def _near(peer: str) -> bool:
    try:
        found = ip_address(peer)
    except ValueError:
        return False
    return found.is_private or found.is_loopback


def _is_ours(parts: ConsoleParts) -> bool:
    """Whether the name that the request asks for is one of this console's. On loopback another one is a site whose name
    was made to lead here (DNS rebinding); elsewhere the proxy or the firewall knows."""
    own = parts.settings.console
    name = _host(f"//{request.host}")
    if not own.loopback or name in ("localhost", own.host.lower(), _host(own.public_url), _host(own.source_url)):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _admit(app: Flask, parts: ConsoleParts) -> AnyResponse | None:
    g.person = None
    if request.endpoint not in PROBES and not _is_ours(parts):
        abort(403, "On this machine the console answers only to localhost, 127.0.0.1 and the host in public_url.")
    if request.method not in _SAFE and not _from_here(parts):
        abort(403, "The request came from another site.")
    if request.endpoint is None or request.endpoint == "static":
        return None  # a 404 or 405 tells nothing; the scripts hold nothing
    view = app.view_functions[request.endpoint]
    if getattr(view, "open_to_all", False):
        return None
    if getattr(view, "for_sources", False):
        return admit_source(parts)
    g.person = parts.sessions.person(request.cookies.get(cookie_name(parts), ""))
    if g.person is None:
        return _to_sign_in()
    role = getattr(view, "needs", Role.VIEWER if request.method in _SAFE else Role.OPERATOR)
    if not g.person.may(role):
        abort(403, f"This requires the role {role.value}; yours is {g.person.role.value}.")
    if request.method not in _SAFE:
        given = request.headers.get(HEADER) or request.form.get(FIELD, "")
        if not same(given, g.person.csrf):
            abort(403, "This form belongs to another session. Reload the page.")
    return None


def _from_here(parts: ConsoleParts) -> bool:
    """Whether a request that acts comes from a page of ours, as far as the browser tells. It holds where no session
    could: for signing in."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    own = parts.settings.console
    ours = {_origin(request.host_url), _origin(own.public_url), _origin(own.source_url)}
    return origin is None or _origin(origin) in ours - {""}


def _origin(url: str) -> str:
    try:
        found = urlsplit(url)
    except ValueError:
        return ""
    return f"{found.scheme}://{found.netloc}" if found.netloc else ""


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def inside(where: str) -> str:
    """A path of ours, whatever was given: never another site."""
    try:
        found = urlsplit(where)
    except ValueError:
        return "/"
    safe = where.startswith("/") and not where.startswith(("//", "/\\")) and not found.scheme and not found.netloc
    return where if safe and "\\" not in where and where.isprintable() else "/"


def came_from(url: str) -> str:
    """The path of ours that a browser's header names as where it is; "/" for another site's."""
    if _origin(url) not in {_origin(request.host_url), _origin(current_parts().settings.console.public_url)} - {""}:
        return "/"
    found = urlsplit(url)
    return inside(found.path + (f"?{found.query}" if found.query else ""))


def _to_sign_in() -> AnyResponse:
    if request.headers.get("HX-Request"):
        answer = Response(status=401)  # htmx goes there with the whole page
        back = came_from(request.headers.get("HX-Current-URL", ""))
        answer.headers["HX-Redirect"] = url_for("entry.sign_in", next=back if back != "/" else None)
        return answer
    back = request.full_path.rstrip("?") if request.method == "GET" else came_from(request.referrer or "")
    return redirect(url_for("entry.sign_in", next=back if back != "/" else None))


def _protect(response: Response, parts: ConsoleParts) -> Response:
    if request.endpoint not in (*PROBES, "static"):
        parts.observe("console.answered", status=response.status_code)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if parts.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint not in ("static", "source_page.static_file"):
        response.headers["Cache-Control"] = "no-store"
        response.headers.add("Vary", "HX-Request")
    return response
