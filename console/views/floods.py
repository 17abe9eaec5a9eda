"""What the flood guard holds: release it, or discard it."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bellhop.console.context import parts, person
from bellhop.console.selection import clean_text
from bellhop.letters.serializers.floods import list_floods

blueprint = Blueprint("floods", __name__)

_STEPS: Final = ("release", "discard")


@blueprint.get("/floods")
def index() -> str:
    own = parts()
    return render_template("floods.html", floods=own.clean(list_floods(own.ledger, own.settings.venues)))


@blueprint.get("/floods/<int:number>/<step>")
def back(**_place: object) -> Response:
    """Where a reload may ask for what was posted to."""
    return redirect(url_for("floods.index"))


@blueprint.post("/floods/<int:number>/<step>")
def end(number: int, step: str) -> Response:
    own = parts()
    if step not in _STEPS:
        abort(404)
    here = redirect(url_for("floods.index"))
    why = clean_text(request.form.get("why", ""))
    if not why:
        flash("A reason is required.", "bad")
        return here
    act = own.ledger.floods.release if step == "release" else own.ledger.floods.discard
    count = act(number, person().name, why) if number < 2**63 else None
    if count is None:
        flash("It is not open any more.", "bad")
    else:
        done = "released: the vendors are called now" if step == "release" else "discarded: no vendor is called"
        flash(f"{count} event{'s' if count != 1 else ''} {done}.", "good")
    return here
