"""A pull: from the last watermark, one at a time, and the watermark moves after a success alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bellhop.ledger.pulls import Watermark
from bellhop.ledger.records import Booking, VendorCall
from bellhop.schemas.reasons import Reason
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.held import CallHeld
from bellhop.vendors.outcome import Dead, Done, Outcome, Wait
from bellhop.vendors.peoplevine.pulls import OVERLAP, Pulls
from bellhop.vendors.peoplevine.settings import PeoplevineAccount
from bellhop.vendors.scheduler import pull_event

NO_BOOKING = Booking("schedule", "pv/profiles", "pv")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ACCOUNT = PeoplevineAccount("pv", "http://x", "a", "c", "u", "p", "", True, 1.0, 1.0, pull_back_seconds=3600.0)


@dataclass
class Vendor:
    failure: Exception | None = None
    calls: list[tuple[str, datetime | None]] = field(default_factory=list)

    def _sync(self, what: str, since: datetime | None) -> int:
        self.calls.append((what, since))
        if self.failure:
            raise self.failure
        return 4

    def sync_profiles(self, since: datetime) -> int:
        return self._sync("profiles", since)

    def sync_reservations(self, since: datetime) -> int:
        return self._sync("reservations", since)

    def sync_services(self) -> int:
        return self._sync("services", None)


@dataclass
class Ledger:
    known: Watermark | None = None
    busy: bool = False
    running: list[str] = field(default_factory=list)
    moved: list[Watermark | None] = field(default_factory=list)

    def begin(self, account: str, by: str, lease_seconds: float) -> bool:
        self.running.append(by)
        return not self.busy

    def end(self, account: str, by: str, moved: Watermark | None) -> None:
        self.running.remove(by)
        self.moved.append(moved)
        self.known = moved or self.known

    def watermark(self, account: str, what: str) -> Watermark | None:
        return self.known if self.known and self.known.what == what else None


def mark(minutes: float, what: str = "profiles") -> Watermark:
    return Watermark("pv", what, NOON + timedelta(minutes=minutes), NOON + timedelta(minutes=minutes) + OVERLAP)


def pull(vendor: Vendor, ledger: Ledger, what: str = "profiles", account: str = "pv", **more: Any) -> Outcome:
    """As the executor does."""
    handler = Pulls({"pv": vendor}, {"pv": ACCOUNT}, ledger, lambda: NOON)  # type: ignore[dict-item]
    event = pull_event(account, what, source="cli", id_="p-1", at=NOON, **more)
    step = handler.translate(event, NO_BOOKING)
    ready = handler.prepare(step, event, NO_BOOKING) if isinstance(step, VendorCall) else step
    outcome = handler.perform(ready, event, NO_BOOKING) if isinstance(ready, VendorCall) else ready
    assert not hasattr(outcome, "entries")
    return outcome  # type: ignore[return-value]


def test_the_first_pull_reaches_back_as_far_as_the_settings_say() -> None:
    vendor, ledger = Vendor(), Ledger()
    outcome = pull(vendor, ledger)
    assert outcome == Done("profiles since 2026-11-21T11:00:00+00:00: 4")
    assert vendor.calls == [("profiles", NOON - timedelta(hours=1))]
    assert ledger.moved == [Watermark("pv", "profiles", NOON - OVERLAP, NOON)]


def test_the_next_begins_where_the_last_success_reached() -> None:
    vendor, ledger = Vendor(), Ledger(mark(-10))
    pull(vendor, ledger)
    assert vendor.calls == [("profiles", NOON - timedelta(minutes=10))]


@pytest.mark.parametrize(
    "failure",
    [
        VendorFailure(Kind.UNKNOWN, vendor="pv", method="sync_profiles", message="no answer in time"),
        CallHeld("pv", "its breaker is open", 5.0),
        KeyError("nobody foresaw this"),
    ],
    ids=["unknown", "held", "crash"],
)
def test_a_pull_that_fails_moves_nothing_and_gives_its_turn_back(failure: Exception) -> None:
    ledger = Ledger(mark(-10))
    with pytest.raises(type(failure)):
        pull(Vendor(failure), ledger)
    assert (ledger.moved, ledger.running) == ([None], [])
    assert ledger.known == mark(-10)


def test_a_pull_of_an_account_that_is_being_pulled_waits() -> None:
    vendor = Vendor()
    assert pull(vendor, Ledger(busy=True)) == Wait("another pull of the account is running")
    assert vendor.calls == []


def test_a_pull_asked_for_before_the_last_one_began_is_had_by_that() -> None:
    vendor = Vendor()
    outcome = pull(vendor, Ledger(mark(1)))
    assert isinstance(outcome, Done)
    assert vendor.calls == []


def test_one_by_hand_from_further_back_is_made_and_moves_the_watermark_on() -> None:
    vendor, ledger = Vendor(), Ledger(mark(1))
    pull(vendor, ledger, from_=NOON - timedelta(days=3))
    assert vendor.calls == [("profiles", NOON - timedelta(days=3))]
    assert ledger.moved[0] is not None


def test_one_by_hand_that_leaves_a_gap_does_not_move_the_watermark_over_it() -> None:
    ledger = Ledger(mark(-100))
    pull(Vendor(), ledger, from_=NOON - timedelta(minutes=5))
    assert ledger.moved == [None]


def test_services_have_no_time() -> None:
    vendor, ledger = Vendor(), Ledger()
    assert pull(vendor, ledger, "services") == Done("services: 4")
    assert vendor.calls == [("services", None)]
    assert ledger.moved[0] is not None


@pytest.mark.parametrize(("what", "account"), [("everything", "pv"), ("profiles", "gone")])
def test_what_the_settings_do_not_know_is_a_persons(what: str, account: str) -> None:
    outcome = pull(Vendor(), Ledger(), what, account)
    assert isinstance(outcome, Dead)
    assert outcome.reason is Reason.MISCONFIGURED
