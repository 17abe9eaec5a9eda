"""A source's own page, by its link: its events, what of it was refused, its secret. Every view asks for the source of
its link, and never for one that the request names."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
    send_from_directory,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from bellhop.console.access.source_links import COOKIE, PATH, hash_link_token, holder
from bellhop.console.context import parts
from bellhop.console.guard import for_sources, open_to_all
from bellhop.console.selection import clean_text
from bellhop.ledger.refusals import KEPT
from bellhop.letters.refused import take_refused
from bellhop.letters.serializers.refusals import refusal_cause_row, refused_row
from bellhop.letters.source_secrets import await_taken, in_use, rotate_secret
from bellhop.letters.upstream import upstream_event, upstream_row
from bellhop.schemas.rotations import OVERLAPS
from bellhop.schemas.settings import SourceSettings

blueprint = Blueprint("source_page", __name__, url_prefix=PATH)

_PAGE: Final = 50
_WORD: Final = 200


@blueprint.get("/enter")
@open_to_all
def enter() -> str:
    return render_template("source_enter.html", problem="")


@blueprint.post("/enter")
@open_to_all
def enter_now() -> AnyResponse | tuple[str, int]:
    own, token = parts(), request.form.get("token", "").strip()
    found = own.ledger.source_links.holder(hash_link_token(token)) if token else None
    if found is None or found.source not in own.settings.sources:
        own.observe("console.refused", how="source link")
        told = "This link has expired, was revoked, or is none. Ask the operator for another."
        return render_template("source_enter.html", problem=told), 403
    own.observe("console.signed_in", role="source", how="source link")
    answer = redirect(url_for("source_page.index"))
    seconds = int((found.expires - own.now()).total_seconds())
    answer.set_cookie(COOKIE, token, max_age=seconds, path=PATH, httponly=True, samesite="Lax", secure=_is_secure())
    return answer


@blueprint.post("/leave")
@for_sources
def leave() -> AnyResponse:
    answer = redirect(url_for("source_page.enter"))
    answer.delete_cookie(COOKIE, path=PATH, secure=_is_secure(), httponly=True)
    return answer


@blueprint.get("/static/<path:name>")
@open_to_all
def static_file(name: str) -> Response:
    """The console's own files, where a proxy passes these pages alone."""
    return send_from_directory(str(current_app.static_folder), name, max_age=86_400)


@blueprint.get("/")
@for_sources
def index() -> str:
    own, text = parts(), _word("q")
    before = _number(request.args.get("before", ""), 0)
    rows = own.ledger.events_of_source(holder().source, text=text, before=before, limit=_PAGE + 1)
    return _page(
        "source_events.html",
        rows=[upstream_row(view) for _, view in rows[:_PAGE]],
        text=text,
        is_first=not before,
        older=rows[_PAGE - 1][0] if len(rows) > _PAGE else 0,
        refused=sum(cause.posts for cause in own.ledger.refusals.causes(holder().source)),
    )


@blueprint.get("/event")
@for_sources
def event() -> str:
    own, source = parts(), holder().source
    view = own.ledger.event(source, _word("id", 500))
    if view is None or view.route == "results":
        abort(404, "None of your events has this id, or no worker has taken it yet.")
    results = own.ledger.results_of(source, view.id)
    return _page("source_event.html", event=upstream_event(view, results), is_told=bool(_settings().result_url))


@blueprint.get("/refused")
@for_sources
def refusals() -> str:
    own, source = parts(), holder().source
    asks: dict[str, Any] = {ask.cause: ask for ask in own.ledger.take_asks.of_source(source)}
    return _page(
        "source_refused.html",
        causes=[refusal_cause_row(cause) for cause in own.ledger.refusals.causes(source)],
        posts=[refused_row(post) for post in own.ledger.refusals.last(source, _PAGE)],
        asks=asks,
        days=KEPT.days,
        at_once=_settings().may_retake and own.take_refused is not None,
    )


@blueprint.post("/refused")
@for_sources
def ask() -> AnyResponse:
    """Asks that posts be taken again; where the settings allow it they are taken now."""
    own, source = parts(), holder().source
    cause, why = (clean_text(request.form.get(name, "")) for name in ("cause", "why"))
    posts = own.ledger.refusals.waiting(source, cause=cause) if cause else []
    if not posts:
        flash("None of these waits any more.", "bad")
    elif not why:
        flash("Say what has been mended.", "bad")
    elif _settings().may_retake and own.take_refused is not None:
        made = take_refused(own.ledger.refusals, posts, own.take_refused, who=holder().name, why=why)
        still = sum(one.verdict.value == "refused" for one in made)
        told = f"{len(made) - still} taken." + (f" {still} still break their contract." if still else "")
        flash(told, "bad" if still else "good")
    else:
        own.ledger.take_asks.ask(holder(), cause, why)
        flash("The operator has been asked.", "good")
    return redirect(url_for("source_page.refusals"))


@blueprint.get("/secret")
@for_sources
def secret() -> str:
    return _secret_page()


@blueprint.post("/secret")
@for_sources
def rotate() -> AnyResponse | str:
    """The new secret is in this answer alone."""
    own, form = parts(), request.form
    overlap = OVERLAPS.get(form.get("overlap", ""), timedelta(hours=24))
    made, new = rotate_secret(
        own.ledger.rotations,
        _settings(),
        now=own.now(),
        overlap=overlap,
        who=holder().name,
        why=clean_text(form.get("why", "")) or "asked for on the source's own page",
        last=_number(form.get("last", ""), -1),
    )
    own.observe("source.secret_rotated", source=holder().source)
    return make_response(_secret_page(new=new, is_taken=await_taken(own.ledger.rotations, made, own.sleep)))


def _secret_page(**more: Any) -> str:
    own = parts()
    known = own.ledger.rotations.of(holder().source)
    newest = known[-1] if known else None
    settings = _settings()
    return _page(
        "source_secret.html",
        newest=newest,
        waits=newest is not None and not in_use(own.ledger.rotations, newest),
        overlaps=list(OVERLAPS),
        verifier=settings.verifier,
        is_theirs=settings.makes_own_secrets,
        **{"new": "", "is_taken": False, **more},
    )


def _page(template: str, **more: Any) -> str:
    own = parts()
    told = {name: value if name == "new" else own.clean(value) for name, value in more.items()}
    return render_template(template, link=holder(), csrf=g.link_csrf, **told)


def _settings() -> SourceSettings:
    found = parts().read_settings().sources.get(holder().source)
    if found is None:
        abort(404, "This source is not in the settings any more.")
    return found


def _is_secure() -> bool:
    own = parts().settings.console
    return (own.source_url or own.public_url).startswith("https:")


def _word(name: str, most: int = _WORD) -> str:
    return clean_text(request.args.get(name, ""), most)


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else otherwise
