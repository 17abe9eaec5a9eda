"""The gate before an account's calls: its limits and its breaker, shared with all workers through the ledger.

An account without limits whose vendor is well costs nothing here: its state is read once a second at most, and
written only when a call finds the vendor away.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from bellhop.ledger.accounts import AccountView, Denied, Ended, Permit
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.settings import Account, Limits
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.held import CallHeld

PATIENCE_SECONDS: Final = 5.0
"""How long a thread waits for its turn. Longer would keep other accounts' messages from being worked; shorter would
send messages round the retry ladder that could have gone in a moment."""

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

    def views(self) -> list[AccountView]: ...


@dataclass(slots=True)
class _Ahead:
    """A permit that a thread got before its call, for its next request to that account."""

    permit: Permit | None = None


class AccountGate:
    """last: of the kind of work that waits when a day's budget runs short (members, pulls, callbacks).

    Safe from any thread. Entering raises Held; and LedgerUnavailable, before anything is sent.
    """

    def __init__(
        self,
        ledger: GateLedger,
        accounts: Mapping[str, Account],
        *,
        last: bool,
        observe: Observe = silent,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._ledger = ledger
        self._accounts = accounts
        self._last = last
        self._observe = observe
        self._clock = clock
        self._local = threading.local()
        self._lock = threading.Lock()
        self._ill: frozenset[str] = frozenset()
        self._looked: float | None = None

    def ahead(self, account: str) -> None:
        """Gets the permit for this thread's next request to the account, so that nothing need be waited for between
        the ledger's mark and the call. Raises Held. What is not used must be given back with `give_back`."""
        held = self._turns_of(account)
        if held.permit is None:
            held.permit = self._permit(account)

    def give_back(self, account: str) -> None:
        """Returns a permit that was not used."""
        held = self._turns_of(account)
        if held.permit is not None:
            permit, held.permit = held.permit, None
            self._release(permit, Ended.UNUSED)

    @contextmanager
    def turn(self, account: str, *, is_login: bool = False) -> Iterator[None]:
        """See `vendors.held.Gate`."""
        held = self._turns_of(account)
        permit, held.permit = held.permit or self._permit(account), None
        well = Ended.LOGGED_IN if is_login else Ended.ANSWERED
        try:
            yield
        except VendorFailure as failure:
            ended = call_end(failure)
            seconds = self._release(permit, ended, str(failure), failure.retry_after)
            if ended is Ended.REFUSED and seconds:
                # Nothing was done, and so it will be with every event until the credentials are right: none dies of it.
                self._observe("account.held", account=account, why=str(failure), after=seconds)
                raise CallHeld(
                    account, f"its credentials are refused; last: {failure}", seconds, refused=True
                ) from None
            raise
        except BaseException:
            self._release(permit, well)
            raise
        self._release(permit, well)

    def _turns_of(self, account: str) -> _Ahead:
        held: dict[str, _Ahead] | None = getattr(self._local, "held", None)
        if held is None:
            held = self._local.held = {}
        return held.setdefault(account, _Ahead())

    def _permit(self, account: str) -> Permit:
        limits = self._accounts[account].limits if account in self._accounts else _NO_LIMITS
        if limits == _NO_LIMITS and account not in self._looked_up():
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
                if got.wait > 0:
                    self._clock.sleep(got.wait)
                return got
            if not got.crowded or left <= 0:
                self._observe("account.held", account=account, why=got.why, after=got.after)
                raise CallHeld(account, got.why, got.after)
            self._clock.sleep(_POLL_SECONDS * (0.5 + self._clock.chance()))

    def _lease(self, account: str) -> float:
        """How long a call may be on its way."""
        known = self._accounts.get(account)
        return 60.0 if known is None else known.connect_seconds + 2 * known.read_seconds

    def _release(self, permit: Permit, ended: Ended, error: str = "", retry_after: float | None = None) -> float:
        """Enters the end, where it changes anything; for how many seconds the account is held. A ledger that is away
        must not turn a call's end into another: the permit's lease ends by itself."""
        account, seconds = permit.account, 0.0
        nothing_held = not permit.id and not permit.probe
        if nothing_held and ended in _WELL and account not in self._ill:
            return seconds
        try:
            seconds = self._ledger.release(permit, ended, error=error, retry_after=retry_after)
        except Exception as problem:  # noqa: BLE001  # see above
            self._observe("account.unrecorded", account=account, error=type(problem).__name__)
        if ended not in _WELL or permit.probe:
            with self._lock:
                self._looked = None  # this process knows at once; the others within a second
        return seconds

    def _looked_up(self) -> frozenset[str]:
        """The accounts whose vendor is not well, as of a second ago at most."""
        now = self._clock.monotonic()
        with self._lock:
            if self._looked is not None and now - self._looked < _FRESH_SECONDS:
                return self._ill
            self._looked = now
        ill = frozenset(view.account for view in self._ledger.views() if view.ill)
        with self._lock:
            self._ill = ill
        return ill


def call_end(failure: VendorFailure) -> Ended:
    if failure.kind is Kind.THROTTLED:
        return Ended.THROTTLED
    if failure.tells_nothing:
        return Ended.LOGGED_IN
    if failure.kind is Kind.AUTH:
        return Ended.REFUSED
    return Ended.AWAY if failure.is_away else Ended.ANSWERED
