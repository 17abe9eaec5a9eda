"""Gates for tools: one that holds nobody, and one that leaves half of an account's rate to the workers."""

from __future__ import annotations

from bellhop.schemas.clock import Clock
from bellhop.vendors.held import OpenGate, PacedGate


def test_a_tools_calls_are_spaced_to_half_the_accounts_rate() -> None:
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 6))
        now[0] += seconds

    gate = PacedGate(5.0, Clock(monotonic=lambda: now[0], sleep=sleep))
    for _ in range(3):
        with gate.turn("sb"):
            now[0] += 0.1
    now[0] += 10
    with gate.turn("sb"):
        pass
    assert slept == [0.3, 0.3]


def test_an_account_without_a_rate_is_not_paced() -> None:
    def sleep(seconds: float) -> None:
        raise AssertionError("it slept")

    for gate in (PacedGate(0.0, Clock(monotonic=lambda: 0.0, sleep=sleep)), OpenGate()):
        for _ in range(5):
            with gate.turn("sb"):
                pass
