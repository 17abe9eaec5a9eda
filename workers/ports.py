"""What the executor needs of others: the ledger (`ledger.store.Ledger`) and the gate (`workers.gate.AccountGate`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from bellhop.ledger.records import Booking, Claim, Claimed, Settlement, VendorCall
from bellhop.ledger.records.accounts import LeaveAsked
from bellhop.schemas.envelope import Envelope


class WorkLedger(Protocol):
    """Every method may raise LedgerUnavailable: then nothing was committed."""

    def claim(self, envelopes: Sequence[Envelope], worker: str, lease_seconds: float) -> list[Claim]:
        """One claim for each envelope, in their order, in one commit."""
        ...

    def calling(
        self,
        claimed: Claimed,
        call: VendorCall,
        booking: Booking | None,
        lease_seconds: float,
        leave: LeaveAsked | None = None,
    ) -> Claimed:
        """Commits that `call` is about to be made, with the booking's progress so far, and with the account's leave
        where it is asked for; renews the claim.

        Raises ClaimLost, LeaveLater.
        """
        ...

    def settle(self, settlements: Sequence[Settlement]) -> list[int]:
        """Records the ends in one commit; the `event_pk`s whose claim was lost meanwhile."""
        ...


@dataclass(frozen=True, slots=True)
class AccountLeave:
    """What an account may have at work now. held: for so many seconds nothing. at_once: so many events, None for any
    number. interval: seconds from one to the next, 0 for none; next_at: monotonic seconds, when the next one is due.
    is_ill: its vendor was away, or it has been held, when somebody looked last."""

    held: float = 0.0
    at_once: int | None = None
    interval: float = 0.0
    next_at: float = 0.0
    is_ill: bool = False

    @property
    def most_in_hand(self) -> int:
        """By what it may have at work."""
        limits = [1 << 30]
        if self.at_once is not None:
            limits.append(2 * self.at_once if self.at_once > 1 else 1 if self.is_ill else 2)
        if self.interval:
            limits.append(max(2, math.ceil(2 / self.interval)))
        return min(limits)


FREE: Final = AccountLeave()


class Turns(Protocol):
    """Whose turn it is to call an account."""

    def leave(self, account: str) -> AccountLeave:
        """What is known of it here, a second old at most. Raises nothing."""
        ...

    def ask(self, account: str) -> LeaveAsked | None:
        """Waits until the account's rate may have room, and says what to ask the ledger for with the mark of this
        thread's next request. None where nothing need be asked, or more must be waited for: then `ahead` comes before
        the mark. Raises LedgerUnavailable."""
        ...

    def take(self, leave: LeaveAsked, wait: float) -> None:
        """The ledger has granted it: it is this thread's, for its next request to the account. wait: the moment until
        then, which is waited for here."""
        ...

    def ahead(self, account: str) -> None:
        """Gets leave for this thread's next request to the account. Raises Held, LedgerUnavailable."""
        ...

    def give_back(self, account: str) -> None:
        """Returns leave that was not used. Raises nothing."""
        ...


class NoTurns:
    """Where nobody is held."""

    def leave(self, account: str) -> AccountLeave:
        return FREE

    def ask(self, account: str) -> LeaveAsked | None:
        return None

    def take(self, leave: LeaveAsked, wait: float) -> None: ...

    def ahead(self, account: str) -> None: ...

    def give_back(self, account: str) -> None: ...
