"""Users and API tokens, for admins. A new password or token is shown once, on the page that made it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bellhop.console.access.passwords import hash_password
from bellhop.console.access.people import NameUnfit, fit_name, new_password
from bellhop.console.api.tokens import hash_token, new_token
from bellhop.console.context import parts, person
from bellhop.console.guard import needs
from bellhop.ledger.records import Role
from bellhop.letters.serializers.people import token_row, user_row

blueprint = Blueprint("people", __name__)

_OWN: Final = "You cannot do this to yourself: ask another admin, or use `bellhop users` on Bellhop's host."
_STEPS: Final = ("role", "password", "sessions", "disable", "enable", "remove")
_NOT_ONESELF: Final = ("role", "disable", "remove")
"""An admin who did this to themselves by a slip would be locked out."""
_LASTS: Final = {"30": timedelta(days=30), "90": timedelta(days=90), "365": timedelta(days=365)}


@blueprint.get("/people")
@needs(Role.ADMIN)
def index() -> str:
    return _page()


@blueprint.post("/people")
@needs(Role.ADMIN)
def add() -> str | Response:
    """Shows the new password; not by a redirect, which would have to keep it somewhere."""
    people, form = parts().ledger.people, request.form
    name, role = _fit(form.get("name", "")), _role(form.get("role", ""))
    if not name:
        return redirect(url_for("people.index"))
    password = "" if form.get("by") == "provider" else new_password()
    people.add_user(name, role, hash_password(password) if password else "", person().name)
    if not password:
        flash(f"{name} is added and signs in with your organisation.", "good")
        return redirect(url_for("people.index"))
    return _page({"of": name, "what": "password", "secret": password})


@blueprint.post("/people/change")
@needs(Role.ADMIN)
def change() -> str | Response:
    """name: a field of the form, as it may hold anything."""
    people, form, who = parts().ledger.people, request.form, person().name
    name, step = form.get("name", ""), form.get("step", "")
    if step not in _STEPS:
        abort(400, "Unknown action.")
    if step in _NOT_ONESELF and name == who:
        flash(_OWN, "bad")
    elif step == "password":
        password = new_password()
        people.change_user(name, who, password_hash=hash_password(password))
        return _page({"of": name, "what": "password", "secret": password})
    elif step == "sessions":
        ended = people.end_sessions(name, who)
        flash(f"{name} is signed out of {ended} sessions." if ended != 1 else f"{name} is signed out.", "good")
    elif step == "remove":
        people.remove_user(name, who)
        flash(f"{name} is removed. API tokens made by {name} stay valid until revoked.", "good")
    elif step == "role":
        role = _role(form.get("role", ""))
        people.change_user(name, who, role=role)
        flash(f"{name} is now {role.value} and must sign in again.", "good")
    else:
        people.change_user(name, who, disabled=step == "disable")
        flash(f"{name} is disabled." if step == "disable" else f"{name} is enabled.", "good")
    return redirect(url_for("people.index"))


@blueprint.post("/people/tokens")
@needs(Role.ADMIN)
def add_token() -> str | Response:
    name, role = _fit(request.form.get("name", "")), _role(request.form.get("role", ""))
    if not name:
        return redirect(url_for("people.index", _anchor="tokens"))
    own, token, lasts = parts(), new_token(), _LASTS.get(request.form.get("lasts", ""))
    own.ledger.people.add_token(name, role, hash_token(token), person().name, own.now() + lasts if lasts else None)
    return _page({"of": name, "what": "API token", "secret": token})


@blueprint.post("/people/tokens/<int:number>/revoke")
@needs(Role.ADMIN)
def revoke(number: int) -> Response:
    if number >= 2**63:
        abort(404, f"There is no token {number}.")
    gone = parts().ledger.people.revoke_token(number, person().name)
    flash(f"Token {gone.id} of {gone.name} is revoked.", "good")
    return redirect(url_for("people.index", _anchor="tokens"))


def _page(made: dict[str, Any] | None = None) -> str:
    own = parts()
    people, signed_in = own.ledger.people, own.ledger.people.count_sessions()
    users = people.users()
    known = {user.name for user in users}
    return render_template(
        "people.html",
        users=[user_row(user) for user in users],
        others=sorted(name for name in signed_in if name and name not in known),
        signed_in=signed_in,
        tokens=[token_row(token) for token in people.tokens()],
        roles=[role.value for role in Role],
        has_provider=own.provider is not None,
        made=made,
    )


def _fit(name: str) -> str:
    """ "" for one that is told to be unfit."""
    try:
        return fit_name(name)
    except NameUnfit as error:
        flash(f"{str(error)[:1].upper()}{str(error)[1:]}.", "bad")
        return ""


def _role(text: str) -> Role:
    if text not in list(Role):
        abort(400, "Unknown role.")
    return Role(text)
