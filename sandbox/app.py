"""Every pretended vendor as one WSGI application, with the sandbox's own control at `/_sandbox/…`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Flask

from bellhop.sandbox.control import control_blueprint
from bellhop.sandbox.front import Front
from bellhop.sandbox.registry import PRETENDED
from bellhop.sandbox.seed import Seed
from bellhop.sandbox.state import SandboxState
from bellhop.schemas.clock import utc_now


def create_sandbox(seed: Seed | None = None, now: Callable[[], datetime] = utc_now) -> Flask:
    """now: the clock, aware UTC. The application's State is `app.extensions["sandbox"]`."""
    app = Flask("bellhop.sandbox")
    state = SandboxState(seed or Seed(), now)
    app.extensions["sandbox"] = state

    @app.before_request
    def catch_up() -> None:
        with state.lock:
            state.catch_up()

    app.register_blueprint(control_blueprint(state), url_prefix="/_sandbox")
    front = Front(state)
    for vendor in PRETENDED:
        vendor.serve(app, front)
    return app
