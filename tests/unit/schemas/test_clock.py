"""The host's clock is set now and then; spans of time are not."""

from __future__ import annotations

import pytest

from bellhop.schemas.clock import PATIENCE_SECONDS, SteadyTime


class Host:
    def __init__(self) -> None:
        self.boot, self.wall = 100.0, 1_000_000.0
        self.time = SteadyTime(lambda: self.wall, lambda: self.boot)

    def passes(self, seconds: float) -> float:
        self.boot += seconds
        self.wall += seconds
        return self.time()


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 2.0])
def test_a_clock_that_jumps_does_not_move_the_time_at_once(jump: float) -> None:
    host = Host()
    host.wall += jump
    assert host.passes(5) == pytest.approx(1_000_005)
    host.wall -= jump
    assert host.passes(5) == pytest.approx(1_000_010)


def test_a_clock_that_stands_by_its_jump_is_believed_in_the_end() -> None:
    """It was wrong when the process started, say."""
    host = Host()
    host.wall += 3600
    host.passes(1)
    assert host.passes(PATIENCE_SECONDS + 1) == pytest.approx(host.wall)


def test_a_jump_that_is_taken_back_starts_the_patience_anew() -> None:
    host = Host()
    for _ in range(3):
        host.wall += 3600
        host.passes(PATIENCE_SECONDS / 2)
        host.wall -= 3600
        host.passes(PATIENCE_SECONDS / 2)
    host.wall += 3600
    assert host.passes(5) == pytest.approx(host.wall - 3600)


def test_drift_and_its_slow_correction_are_followed() -> None:
    host = Host()
    for _ in range(100):
        host.wall += 0.05
        host.passes(60)
    assert host.time() == pytest.approx(host.wall)
