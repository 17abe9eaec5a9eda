"""What every process answers at /healthz and /readyz: the same form from ingress, workers, archive and console."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from bellhop.schemas import zones

HEALTHY: Final[Mapping[str, Any]] = {"status": "ok"}
"""The process runs and answers."""


def readiness(problems: Mapping[str, str], bearable: Collection[str] = ()) -> tuple[dict[str, Any], int]:
    """The answer and its HTTP status. problems: by part, each a sentence, "" for none. bearable: parts without which
    the process still does its work; it is then `degraded`, and 200."""
    wrong = {part: problem for part, problem in problems.items() if problem}
    status = "ready" if not wrong else "degraded" if set(wrong) <= set(bearable) else "unready"
    return {"status": status, "problems": wrong, "tzdata": zones.VERSION}, 503 if status == "unready" else 200
