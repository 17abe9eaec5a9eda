"""Whose turn it is to call an account: what a client asks before each request."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.errors import BellhopError


class CallHeld(BellhopError):
    """Raised before a call that may not be made now: the account's breaker is open, or its limits are reached.
    Nothing was sent, and no attempt counts. after: in how many seconds it may be otherwise. refused: the call was made,
    and its credentials refused."""

    def __init__(self, account: str, why: str, after: float, *, refused: bool = False) -> None:
        super().__init__(f"account {account}: {why}")
        self.account = account
        self.why = why
        self.after = after
        self.refused = refused


class Gate(Protocol):
    """What guards an account; `workers.gate.AccountGate` has the shared one."""

    def turn(self, account: str, *, is_login: bool = False) -> AbstractContextManager[None]:
        """Around each request. Entering raises Held; leaving learns how it ended, from the exception if any, and may
        raise Held in its place, where the account is held from now on and the request was certainly not carried out.

        is_login: that it goes well does not tell yet that the account does.
        """
        ...


class OpenGate:
    """The gate that holds nobody: for tools and tests."""

    def turn(self, account: str, *, is_login: bool = False) -> AbstractContextManager[None]:
        return nullcontext()


class PacedGate:
    """Holds nobody, and spaces its own calls to half an account's rate, whose other half is the workers'. For a single
    thread. per_second: the account's, 0 for none."""

    def __init__(self, per_second: float, clock: Clock = SYSTEM_CLOCK) -> None:
        self._seconds = 2 / per_second if per_second else 0.0
        self._clock = clock
        self._next = 0.0

    def turn(self, account: str, *, is_login: bool = False) -> AbstractContextManager[None]:
        now = self._clock.monotonic()
        if self._next > now:
            self._clock.sleep(self._next - now)
        self._next = max(self._next, now) + self._seconds
        return nullcontext()
