"""The sandbox's own control: what was called, what stands, faults, switches, members, what
changed elsewhere, reset."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request

from bellhop.sandbox.faults import parse_fault
from bellhop.sandbox.peoplevine.answers import id_of
from bellhop.sandbox.peoplevine.app import CHANGES, Peoplevine
from bellhop.sandbox.peoplevine.seed import Change
from bellhop.sandbox.state import State
from bellhop.sandbox.switches import PLUGINS, ControlError


def blueprint(state: State) -> Blueprint:
    """The control's routes. Input that cannot be followed is answered 400 with `{"error": text}`."""
    control = Blueprint("control", "sandbox")

    @control.errorhandler(ControlError)
    def refused(error: ControlError) -> tuple[Response, int]:
        return jsonify(error=str(error)), 400

    @control.get("/calls")
    def calls() -> Response:
        """Every call received; with `?after=n` those later than number n."""
        after = request.args.get("after", "0")
        if not after.isascii() or not after.isdigit():
            raise ControlError("after must be a whole number")
        return jsonify(calls=state.calls_after(int(after)))

    @control.get("/state")
    def snapshot() -> Response:
        return jsonify(state.snapshot())

    @control.get("/faults")
    def faults() -> Response:
        with state.lock:
            return jsonify(faults=[asdict(fault) for fault in state.faults])

    @control.post("/faults")
    def add_fault() -> Response:
        fault = parse_fault(_object())
        with state.lock:
            state.faults.append(fault)
        return jsonify(asdict(fault))

    @control.post("/reset")
    def reset() -> Response:
        state.reset()
        return jsonify({})

    @control.post("/members")
    def add_member() -> Response:
        member = _member()
        with state.lock:
            _account(state).members.add(member)
        return jsonify(id=member)

    @control.delete("/members")
    def remove_member() -> Response:
        member = _member()
        with state.lock:
            _account(state).members.discard(member)
        return jsonify(id=member)

    @control.post("/changes")
    def add_change() -> Response:
        """A profile or reservation was created or updated behind Peoplevine: `{"what", "id", "at", "auth_id"}`."""
        change = _change(state.now())
        with state.lock:
            _account(state).changes.append(change)
        return jsonify(what=change.what, id=change.id, at=change.at.isoformat())

    @control.get("/switches")
    def switches() -> Response:
        with state.lock:
            return jsonify(state.switches.described())

    @control.post("/switches")
    def change_switches() -> Response:
        values = _object()
        with state.lock:
            state.switches = state.switches.changed(values)
            return jsonify(state.switches.described())

    @control.get("/plugins")
    def plugins() -> Response:
        """SimplyBook.me's Custom Features, each on or off."""
        return jsonify({name: state.switches.plugin(name) for name in PLUGINS})

    @control.route("/plugins", methods=["POST", "PUT"])
    def change_plugins() -> Response:
        values = _object()
        with state.lock:
            state.switches = state.switches.plugins(values)
        return plugins()

    @control.get("/limits")
    def limits() -> Response:
        """How many of SimplyBook.me's calls are in progress, and how many were let in today."""
        return jsonify(state.limits.counted())

    return control


def _object() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise ControlError("the body must be a JSON object")
    return body


def _member() -> str:
    member = id_of(_object().get("id"))
    if not member:
        raise ControlError("id must be a member's id, a text or a whole number")
    return member


def _account(state: State) -> Peoplevine:
    """The account of the body's auth_id; the first where it has none."""
    account = state.accounts.named(_object().get("auth_id"))
    if account is None:
        raise ControlError("auth_id must be that of an account")
    return account


def _change(now: datetime) -> Change:
    given = _object()
    what, id_, at = given.get("what"), id_of(given.get("id")), given.get("at", now.isoformat())
    if not isinstance(what, str) or what not in CHANGES:
        raise ControlError(f"what must be one of {', '.join(CHANGES)}")
    if not id_:
        raise ControlError("id must be a text or a whole number")
    try:
        moment = datetime.fromisoformat(at)
    except (TypeError, ValueError):
        raise ControlError("at must be an ISO 8601 time") from None
    if moment.tzinfo is None:
        raise ControlError("at must have an offset")
    return Change(what, id_, moment)
