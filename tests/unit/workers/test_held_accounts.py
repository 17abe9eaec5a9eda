"""Accounts that are held: who asks whether credentials are taken again, and what goes on once it is over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import pytest

from bellhop.ledger.records.accounts import AccountView
from bellhop.schemas.errors import BrokerError
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.workers.held_accounts import WELL_SECONDS, HeldAccounts, Holdable
from tests.support.ingress import Told


def view(account: str, breaker: str, *, refused: bool = True) -> AccountView:
    return AccountView(account, breaker, 0 if breaker == "closed" else 5, None, "", "2026-11-21", 0, 0, True, refused)


@dataclass
class Bench:
    """Two accounts. right: whose credentials are taken."""

    states: dict[str, AccountView]
    right: set[str] = field(default_factory=set)
    acts: list[str] = field(default_factory=list)
    is_broker_away: bool = False
    seconds: float = 0.0

    def held(self) -> HeldAccounts:
        accounts = {name: Holdable(lambda name=name: self.ask(name), (f"r-{name}", "members")) for name in ("a", "b")}  # type: ignore[misc]
        return HeldAccounts(self, accounts, self.hasten, Told(), lambda: self.seconds)

    def views(self) -> list[AccountView]:
        return list(self.states.values())

    def try_now(self, account: str) -> None:
        self.acts.append(f"try {account} now")
        self.states[account] = replace(self.states[account], breaker="probing")

    def ask(self, account: str) -> None:
        self.acts.append(f"ask {account}")
        if account not in self.right:
            self.states[account] = replace(self.states[account], breaker="open")
            raise VendorFailure(Kind.AUTH, vendor="v", method="m", message="no")
        self.states[account] = replace(self.states[account], breaker="closed", failures=0, refused=False)

    def hasten(self, route: str, accounts: Collection[str]) -> int:
        if self.is_broker_away:
            raise BrokerError("away")
        self.acts.append(f"hasten {route} of {', '.join(accounts)}")
        return 1


def test_one_that_is_taken_again_has_what_waits_for_it_go_on_and_no_other() -> None:
    bench = Bench({"a": view("a", "probing"), "b": view("b", "probing")}, right={"a"})
    held = bench.held()
    held.look()
    assert bench.acts == ["ask a", "ask b", "hasten members of a", "hasten r-a of a"]
    held.look()
    assert len(bench.acts) == 4


def test_one_that_an_event_or_another_process_found_taken_again_goes_on_too() -> None:
    bench = Bench({"a": view("a", "open")})
    held = bench.held()
    held.look()
    assert bench.acts == []
    bench.states["a"] = view("a", "closed", refused=False)
    held.look()
    assert bench.acts == ["hasten members of a", "hasten r-a of a"]


def test_the_start_of_a_process_tries_at_once() -> None:
    bench = Bench({"a": view("a", "open")}, right={"a"})
    bench.held().look(at_once=True)
    assert bench.acts == ["try a now", "ask a", "hasten members of a", "hasten r-a of a"]


def test_what_could_not_be_moved_is_moved_at_the_next_look() -> None:
    bench = Bench({"a": view("a", "probing")}, right={"a"}, is_broker_away=True)
    held = bench.held()
    with pytest.raises(BrokerError):
        held.look()
    bench.is_broker_away = False
    held.look()
    assert bench.acts == ["ask a", "hasten members of a", "hasten r-a of a"]


def test_what_a_vendors_absence_has_put_on_the_ladder_goes_on_once_it_is_well_again() -> None:
    bench = Bench({name: view(name, "open", refused=False) for name in ("a", "b")})
    held = bench.held()
    held.look()
    bench.states = {name: replace(view(name, "closed", refused=False), failures=0) for name in ("a", "b")}
    held.look()
    assert bench.acts == []
    bench.seconds += WELL_SECONDS
    held.look()
    assert bench.acts == ["hasten members of a, b", "hasten r-a of a", "hasten r-b of b"]
    held.look()
    assert len(bench.acts) == 3


def test_of_one_that_comes_and_goes_no_return_uses_up_a_try_of_all_that_waits() -> None:
    bench = Bench({"a": view("a", "open", refused=False)})
    held = bench.held()
    for failures in (0, 2, 0, 1):
        held.look()
        bench.states["a"] = replace(view("a", "closed", refused=False), failures=failures)
        held.look()
        bench.seconds += WELL_SECONDS / 2
    assert bench.acts == []


@pytest.mark.parametrize("other", [view("a", "open", refused=False), view("a", "closed"), view("gone", "probing")])
def test_nothing_is_asked_of_any_other_account(other: AccountView) -> None:
    bench = Bench({other.account: other})
    bench.held().look(at_once=True)
    assert bench.acts == []
