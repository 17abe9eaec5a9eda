"""Whose turn it is to call an account: what a client asks before each request."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from schemas.errors import BellhopError


class Held(BellhopError):
    """Raised before a call that may not be made now: the account's breaker is open, or its limits are reached.
    Nothing was sent, and no attempt counts. after: in how many seconds it may be otherwise."""

    def __init__(self, account: str, why: str, after: float) -> None:
        super().__init__(f"account {account}: {why}")
        self.account = account
        self.why = why
        self.after = after


class Gate(Protocol):
    """What guards an account; `workers.gate.AccountGate` has the shared one."""

    def turn(self, account: str) -> AbstractContextManager[None]:
        """Around each request. Entering raises Held; leaving learns how it ended, from the exception if any."""
        ...


class OpenGate:
    """The gate that holds nobody: for tools and tests."""

    def turn(self, account: str) -> AbstractContextManager[None]:
        return nullcontext()
