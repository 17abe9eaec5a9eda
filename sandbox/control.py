"""The sandbox's own control: what was called, what stands, faults, switches, reset, and what each vendor adds."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response, jsonify, request

from bellhop.sandbox.faults import parse_fault
from bellhop.sandbox.front import control_object
from bellhop.sandbox.registry import NAMES, PRETENDED
from bellhop.sandbox.state import SandboxState
from bellhop.sandbox.switch import ControlError


def control_blueprint(state: SandboxState) -> Blueprint:
    """The control's routes. Input that cannot be followed is answered 400 with `{"error": text}`."""
    control = Blueprint("control", "sandbox")

    @control.errorhandler(ControlError)
    def refuse(error: ControlError) -> tuple[Response, int]:
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
        return jsonify(asdict(state.order(parse_fault(control_object(), NAMES))))

    @control.delete("/faults")
    @control.delete("/faults/<int:number>")
    def take_back_faults(number: int | None = None) -> tuple[Response, int]:
        """Ends one fault, or all; switches and what stands stay as they are."""
        gone = state.take_back(number)
        if number is not None and not gone:
            return jsonify(error=f"there is no fault {number}; GET /_sandbox/faults lists them"), 404
        return jsonify(faults=[asdict(fault) for fault in gone]), 200

    @control.post("/reset")
    def reset() -> Response:
        state.reset()
        return jsonify({})

    @control.get("/switches")
    def switches() -> Response:
        with state.lock:
            return jsonify(state.switches.describe())

    @control.post("/switches")
    def change_switches() -> Response:
        values = control_object()
        with state.lock:
            state.switches = state.switches.with_values(values)
            return jsonify(state.switches.describe())

    for vendor in PRETENDED:
        vendor.control(control, state)
    return control
