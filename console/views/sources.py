"""The sources, for operators: how each is heard, the links to its own page, and what it asks for."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bellhop.console.access import source_links
from bellhop.console.context import parts, person
from bellhop.console.selection import clean_text
from bellhop.ledger.records import AskState, Role
from bellhop.letters.sources import end_ask, source_rows

blueprint = Blueprint("sources", __name__)

_LASTS: Final = {f"{days}d": timedelta(days=days) for days in (1, 7, 30, 90)}


@blueprint.get("/sources")
def index() -> str:
    return _page()


@blueprint.post("/sources/<name>/links")
def make(name: str) -> str | Response:
    """The link is in this answer alone."""
    own, why = parts(), _why()
    if name not in own.settings.sources or not why:
        flash("There is no such source." if why else "A reason is required: for whom the link is.", "bad")
        return redirect(url_for("sources.index"))
    expires = own.now() + _LASTS.get(request.form.get("lasts", ""), source_links.LASTS)
    made, url = source_links.make_link(
        own.ledger.source_links, own.settings.console, name, expires, who=person().name, why=why
    )
    return _page(fresh=url, made=made)


@blueprint.get("/sources/<name>/links")
@blueprint.get("/source-links/<name>/revoke")
@blueprint.get("/asks/<name>/<step>")
def back(**_place: object) -> Response:
    """Where a reload may ask for what was posted to."""
    return redirect(url_for("sources.index"))


@blueprint.post("/source-links/<int:number>/revoke")
def revoke(number: int) -> Response:
    own = parts()
    gone = own.ledger.source_links.revoke(number, who=person().name, why=_why()) if number < 2**63 else None
    flash(f"Revoked: {gone.name} opens nothing any more." if gone else "It is over already.", "good" if gone else "bad")
    return redirect(url_for("sources.index"))


@blueprint.post("/asks/<int:number>/<step>")
def end(number: int, step: str) -> Response:
    """Grants what a source asks for, and takes its posts, in one act; or declines it."""
    own, why = parts(), _why()
    here = redirect(url_for("sources.index"))
    state = {"grant": AskState.GRANTED, "decline": AskState.DECLINED}.get(step)
    ask = own.ledger.take_asks.one(number) if number < 2**63 else None
    if state is None or ask is None or ask.state is not AskState.OPEN:
        flash("It is not open any more.", "bad")
    elif state is AskState.DECLINED and not why:
        flash("A reason is required: its source reads it.", "bad")
    elif state is AskState.GRANTED and own.take_refused is None:
        flash("This process takes no posts: run bellhop refused take.", "bad")
    else:
        told, is_whole = end_ask(own.ledger, ask, state, own.take_refused, who=person().name, why=why)
        flash(own.redactor.text(told), "good" if is_whole else "bad")
    return here


def _page(**more: object) -> str:
    own = parts()
    return render_template(
        "sources.html",
        rows=own.clean(source_rows(own.settings, own.ledger, own.now())),
        lasts=list(_LASTS),
        may_link=person().may(Role.OPERATOR),
        **{"fresh": "", "made": None, **more},
    )


def _why() -> str:
    return clean_text(request.form.get("why", ""))
