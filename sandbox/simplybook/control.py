"""SimplyBook.me's own control: its Custom Features and its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify

from bellhop.sandbox.front import control_object
from bellhop.sandbox.simplybook.callbacks import Callbacks
from bellhop.sandbox.simplybook.switches import PLUGINS

if TYPE_CHECKING:
    from bellhop.sandbox.state import SandboxState


def _callbacks(state: SandboxState) -> Callbacks:
    made: Callbacks = state.vendors["simplybook"].callbacks
    return made


def add_control(control: Blueprint, state: SandboxState) -> None:
    @control.get("/plugins")
    def plugins() -> Response:
        """SimplyBook.me's Custom Features, each on or off."""
        return jsonify({name: state.switches.plugin(name) for name in PLUGINS})

    @control.route("/plugins", methods=["POST", "PUT"])
    def change_plugins() -> Response:
        values = control_object()
        with state.lock:
            state.switches = state.switches.with_values(state.switches.plugins(values))
        return plugins()

    @control.get("/callbacks")
    def callbacks() -> Response:
        """What was posted, and to be posted, to simplybook_callback_url: body, tries, the last answer's status."""
        return jsonify(callbacks=_callbacks(state).posts())

    @control.post("/callbacks")
    def post_again() -> Response:
        return jsonify(posted=_callbacks(state).again(control_object()))

    @control.get("/limits")
    def limits() -> Response:
        """How many of SimplyBook.me's calls are in progress, and how many were let in today."""
        return jsonify(state.vendors["simplybook"].limits.counts())
