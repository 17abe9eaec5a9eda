"""The sandbox's own control: what was called, what stands, faults, switches, members, reset."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.faults import parse_fault
from sandbox.state import State
from sandbox.switches import ControlError


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
            state.peoplevine.members.add(member)
        return jsonify(id=member)

    @control.delete("/members")
    def remove_member() -> Response:
        member = _member()
        with state.lock:
            state.peoplevine.members.discard(member)
        return jsonify(id=member)

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

    return control


def _object() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise ControlError("the body must be a JSON object")
    return body


def _member() -> str:
    member = _object().get("id")
    if isinstance(member, bool) or not isinstance(member, str | int) or not str(member):
        raise ControlError("id must be a member's id, a text or a whole number")
    return str(member)
