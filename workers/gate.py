"""The gate before an account's calls: its limits and its breaker, shared with all workers through the ledger.

An account without limits whose vendor is well costs nothing here: its state is read once a second at most, and
written only when a call finds the vendor away.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Protocol

from bellhop.ledger.accounts import MOMENT_SECONDS, permit_id
from bellhop.ledger.breaker import budget_denial
from bellhop.ledger.records.accounts import AccountView, Denied, Ended, LeaveAsked, Permit
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.errors import LedgerUnavailable
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.settings import Account, Limits
from bellhop.vendors.failure import VendorFailure
from bellhop.vendors.held import CallHeld
from bellhop.workers.ports import FREE, AccountLeave
from bellhop.workers.questions import NO_QUESTIONS, Questions, call_end

PATIENCE_SECONDS: Final = 5.0
"""How long a thread waits for its turn, once its event has begun: for a call after its first, or where workers
elsewhere use the account too. An event begins when its account has leave (`workers.lanes`)."""
DENIED_SECONDS: Final = 5.0
"""So long an account counts as held here after a call of it was denied, whatever the ledger says of it meanwhile."""

_FRESH_SECONDS: Final = 1.0
_POLL_SECONDS: Final = 0.1
_NO_LIMITS: Final = Limits()
_WELL: Final = (Ended.ANSWERED, Ended.UNUSED, Ended.LOGGED_IN)


class GateLedger(Protocol):
    """What the gate needs; `ledger.accounts.Accounts` has it. Every method may raise LedgerUnavailable."""

    def acquire(
        self, account: str, limits: Limits, *, last: bool, lease_seconds: float, patience_seconds: float
    ) -> Permit | Denied: ...

    def release(self, permit: Permit, ended: Ended, *, error: str = "", retry_after: float | None = None) -> float: ...

    def spend(self, permit: Permit) -> None: ...

    def count(self, account: str) -> None: ...

    def views(self) -> list[AccountView]: ...


@dataclass(slots=True)
class _Ahead:
    """A permit that a thread got before its call, for its next request to that account. After that its event is marked
    anew or settled: that commit gives back what was spent."""

    permit: Permit | None = None
    asked_at: float = 0.0


class AccountGate:
    """last: of the kind of work that waits when a day's budget runs short (members, pulls, callbacks). questions: by
    account, a question that passes no gate, asked before its breaker lets a call try; without one the call tries.

    Safe from any thread. Entering raises Held; and LedgerUnavailable, before anything is sent.
    """

    def __init__(
        self,
        ledger: GateLedger,
        accounts: Mapping[str, Account],
        *,
        last: bool,
        questions: Questions = NO_QUESTIONS,
        observe: Observe = silent,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._ledger = ledger
        self._questions = questions
        self._accounts = accounts
        self._last = last
        self._observe = observe
        self._clock = clock
        self._own: ContextVar[dict[str, _Ahead]] = ContextVar("held")
        self._lock = threading.Lock()
        self._views: Mapping[str, AccountView] = {}
        self._looked: float | None = None
        self._denied: dict[str, float] = {}
        self._next: dict[str, float] = {}  # when the account's rate allows the next call, as far as is known here

    def leave(self, account: str) -> AccountLeave:
        """See `workers.ports.Turns`. One that has left the settings is called no more: whatever held it holds nothing,
        and what waits for it is a person's."""
        if account not in self._accounts:
            return FREE
        limits = self._limits(account)
        try:
            view = self._looked_up().get(account)
        except LedgerUnavailable:
            view = self._views.get(account)
        now = self._clock.monotonic()
        held = self._denied.get(account, 0.0) - now
        if view is None and limits == _NO_LIMITS and held <= 0:
            return FREE
        is_open = view is not None and view.breaker != "closed"
        return AccountLeave(
            held=max(0.0, held, self._held_seconds(view, limits)),
            at_once=1 if is_open else limits.at_once or None,
            interval=1 / limits.per_second if limits.per_second else 0.0,
            next_at=self._next.get(account, 0.0),
            is_ill=is_open or held > 0 or (view is not None and view.held_until is not None),
        )

    def _held_seconds(self, view: AccountView | None, limits: Limits) -> float:
        """By what the ledger says of it."""
        if view is None:
            return 0.0
        now = self._clock.now()
        budget = budget_denial(limits, view.used, self._last, now)
        own = (view.held_until - now).total_seconds() if view.held_until is not None else 0.0
        return max(own, 0.0 if budget is None else budget.after)

    def ask(self, account: str) -> LeaveAsked | None:
        """See `workers.ports.Turns`."""
        limits = self._limits(account)
        held = self._held.get(account)
        if limits == _NO_LIMITS or self._is_ill(account) or (held is not None and held.permit is not None):
            return None
        # A little before its moment, for which the ledger has it wait: asked for late, it would push all that follow.
        begins = self._next.get(account, 0.0) - MOMENT_SECONDS / 2
        soonest = begins - self._clock.monotonic() if limits.per_second else 0.0
        if soonest > PATIENCE_SECONDS:
            return None
        if soonest > 0:
            self._clock.sleep(soonest)
        permit = Permit(account, permit_id() if limits.at_once else "", 0.0, False)
        self._held[account] = _Ahead(asked_at=self._clock.monotonic())
        return LeaveAsked(permit, limits, self._last, self._lease(account))

    def take(self, leave: LeaveAsked, wait: float) -> None:
        """See `workers.ports.Turns`."""
        held = self._held[leave.permit.account]
        held.permit = leave.permit
        # From when it was asked for, not from when it was committed: the next is not to be asked for late.
        self._note_rate(leave.permit.account, leave.limits, held.asked_at + wait)
        if wait > 0:
            self._clock.sleep(wait)

    def ahead(self, account: str) -> None:
        """Gets the permit for this thread's next request to the account, so that nothing need be waited for between
        the ledger's mark and the call. Raises Held. What is not used must be given back with `give_back`."""
        held = self._held.get(account)
        if held is None or held.permit is None:
            permit = self._permit(account)
            if permit.probe:
                self._ask_first(permit)
            self._held[account] = _Ahead(permit)

    def _ask_first(self, permit: Permit) -> None:
        """Raises CallHeld where the vendor is still away, ill or refusing: nothing is in doubt then."""
        if (ask := self._questions.get(permit.account)) is None:
            return
        try:
            ask()
        except VendorFailure as failure:
            ended = call_end(failure, is_marked=False)
            if ended not in _WELL:
                seconds = self._release(permit, ended, str(failure), failure.retry_after)
                why = f"asked whether it is well: {failure}"
                raise self._deny(permit.account, why, seconds, refused=ended is Ended.REFUSED) from None
        except BaseException:
            self._release(permit, Ended.UNUSED)
            raise
        self._ledger.count(permit.account)

    def give_back(self, account: str) -> None:
        """Returns a permit that was not used."""
        held = self._held.pop(account, None)
        if held is not None and held.permit is not None:
            self._release(held.permit, Ended.UNUSED)

    @contextmanager
    def turn(self, account: str, *, is_login: bool = False) -> Iterator[None]:
        """See `vendors.held.Gate`."""
        held = self._held.pop(account, None)
        is_ahead = held is not None and held.permit is not None
        permit = held.permit if held is not None and held.permit is not None else self._permit(account)
        well = Ended.LOGGED_IN if is_login else Ended.ANSWERED
        try:
            yield
        except VendorFailure as failure:
            ended = call_end(failure, is_marked=is_ahead)
            seconds = self._release(permit, ended, str(failure), failure.retry_after)
            if ended is Ended.REFUSED and seconds:
                # Nothing was done, and so it will be with every event until the credentials are right: none dies of it.
                raise self._deny(
                    account, f"its credentials are refused; last: {failure}", seconds, refused=True
                ) from None
            raise
        except BaseException:
            self._release(permit, well)
            raise
        if is_ahead and well is Ended.ANSWERED and not permit.probe and not self._seems_ill(account):
            self._ledger.spend(permit)
        else:
            self._release(permit, well)

    @property
    def _held(self) -> dict[str, _Ahead]:
        """This thread's or fibre's, by account: nothing stays between its events, or a thousand threads would each come
        to hold something of a thousand accounts."""
        if (held := self._own.get(None)) is None:
            self._own.set(held := {})
        return held

    def _limits(self, account: str) -> Limits:
        return self._accounts[account].limits if account in self._accounts else _NO_LIMITS

    def _permit(self, account: str) -> Permit:
        limits = self._limits(account)
        if limits == _NO_LIMITS and not self._is_ill(account):
            return Permit(account, "", 0.0, False)
        until = self._clock.monotonic() + PATIENCE_SECONDS
        while True:
            left = until - self._clock.monotonic()
            got = self._ledger.acquire(
                account,
                limits,
                last=self._last,
                lease_seconds=self._lease(account),
                patience_seconds=max(0.0, left),
            )
            if isinstance(got, Permit):
                self._note_rate(account, limits, self._clock.monotonic() + got.wait)
                if got.wait > 0:
                    self._clock.sleep(got.wait)
                return got
            if not got.crowded or left <= 0:
                raise self._deny(account, got.why, got.after)
            self._clock.sleep(_POLL_SECONDS * (0.5 + self._clock.chance()))

    def _note_rate(self, account: str, limits: Limits, start: float) -> None:
        """start: of a call that has leave, in monotonic seconds."""
        if limits.per_second:
            self._next[account] = start + 1 / limits.per_second

    def _deny(self, account: str, why: str, after: float, *, refused: bool = False) -> CallHeld:
        self._observe("account.held", account=account, why=why, after=after)
        self._denied[account] = self._clock.monotonic() + min(after, DENIED_SECONDS)
        with self._lock:
            self._looked = None
        return CallHeld(account, why, after, refused=refused)

    def _lease(self, account: str) -> float:
        """How long a call may be on its way."""
        known = self._accounts.get(account)
        return 60.0 if known is None else known.connect_seconds + 2 * known.read_seconds

    def _release(self, permit: Permit, ended: Ended, error: str = "", retry_after: float | None = None) -> float:
        """Enters the end, where it changes anything; for how many seconds the account is held. A ledger that is away
        must not turn a call's end into another: the permit's lease ends by itself."""
        account, seconds = permit.account, 0.0
        nothing_held = not permit.id and not permit.probe
        if nothing_held and ended in _WELL and not self._seems_ill(account):
            return seconds
        try:
            seconds = self._ledger.release(permit, ended, error=error, retry_after=retry_after)
        except Exception as problem:  # noqa: BLE001  # see above
            self._observe("account.unrecorded", account=account, error=type(problem).__name__)
        if ended is Ended.ANSWERED:
            self._denied.pop(account, None)
        if ended not in _WELL or permit.probe:
            with self._lock:
                self._looked = None  # this process knows at once; the others within a second
        return seconds

    def _seems_ill(self, account: str) -> bool:
        """As far as was seen last."""
        view = self._views.get(account)
        return view is not None and view.ill

    def _is_ill(self, account: str) -> bool:
        self._looked_up()
        return self._seems_ill(account)

    def _looked_up(self) -> Mapping[str, AccountView]:
        """What the ledger holds of accounts, as of a second ago at most."""
        now = self._clock.monotonic()
        with self._lock:
            if self._looked is not None and now - self._looked < _FRESH_SECONDS:
                return self._views
            self._looked = now
        views = {view.account: view for view in self._ledger.views()}
        with self._lock:
            self._views = views
        return views
