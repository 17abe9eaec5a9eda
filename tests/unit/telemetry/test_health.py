from __future__ import annotations

from bellhop.telemetry.health import Health


def test_what_is_well_is_no_problem_and_what_raises_is_one() -> None:
    health = Health(bytes)
    assert health.problems() == {"start": "it is starting"}
    health.check("members", lambda: None)
    assert health.problems() == {}
    health.check("ledger", lambda: "away")
    health.check("archive", lambda: str(1 // 0))
    assert health.problems() == {"ledger": "away", "archive": "cannot be told: ZeroDivisionError"}
