"""An account whose credentials are refused, with real processes: no letters, and all goes on once they are taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.facts import salon_booking, spa_booking
from tests.support.service import Service, wait_for

EVENTS = 8
LADDER = "100ms, 15m"
"""What is held waits for its last step: only who is told to go on at once is done before the test gives up."""


def test_refused_credentials_hold_the_account_make_no_letter_and_all_goes_on_at_once_when_they_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLHOP_BROKER__LADDER", LADDER)
    with Service(tmp_path) as service:
        service.start_all()
        refused = {"kind": "error", "times": None, "method": "*"}
        service.sandbox("POST", "faults", **refused, vendor="simplybook", code=-33002, message="Wrong API key")
        service.sandbox("POST", "faults", **refused, vendor="peoplevine", message="Invalid user or password")
        for number in range(EVENTS):
            assert service.post(f"sb-{number}", "booking.requested", salon_booking(f"R-{number}", number)) == 202
            assert service.post(f"pv-{number}", "booking.requested", spa_booking(f"P-{number}", number)) == 202
        wait_for(lambda: held(service) == {"sb", "pv"}, "both accounts are held", 60)
        service.sandbox("POST", "reset")
        for number in range(EVENTS):
            service.wait_for_state(f"sb-{number}", "done", 90)
            service.wait_for_state(f"pv-{number}", "done", 90)
        assert held(service) == set()
        assert service.run("dead", "list", "--json").stdout.strip() == "[]"
        # By effect: one may have been on its way, and refused, when the credentials ceased to be taken.
        assert [effects(service, method) for method in ("book", "create_service_reservation")] == [EVENTS, EVENTS]


def effects(service: Service, method: str) -> int:
    return sum(bool(call["effect"]) for call in service.calls(method))


def held(service: Service) -> set[str]:
    told = json.loads(service.run("accounts", "--json").stdout)
    return {one["account"] for one in told if one["refused"] and one["breaker"] != "closed"}
