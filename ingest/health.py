"""`/healthz`, `/readyz`, `/metrics`: for whoever keeps the process running."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

from flask import Response

from bellhop.schemas import zones

Ready = Callable[[], Mapping[str, str]]
"""What is wrong with each part (`broker`, `ledger`, …), in a sentence; "" where nothing is."""

Metrics = Callable[[], tuple[bytes, str]]
"""The metrics' text and its content type."""

_NEEDED: Final = "broker"


def healthz() -> Response:
    """The process runs and answers."""
    return _json({"status": "ok"}, 200)


def readyz(ready: Ready) -> Response:
    """503 where webhooks would not be accepted: the broker cannot confirm. A ledger that is away is told, as degraded;
    webhooks are accepted without it."""
    wrong = {part: problem for part, problem in ready().items() if problem}
    status = "unready" if _NEEDED in wrong else "degraded" if wrong else "ready"
    told = {"status": status, "problems": wrong, "tzdata": zones.VERSION}
    return _json(told, 503 if status == "unready" else 200)


def _json(told: Mapping[str, object], status: int) -> Response:
    return Response(json.dumps(told), status, {"Cache-Control": "no-store"}, content_type="application/json")
