"""The mark of a call that is about to be made, and leave to make it: in one commit where it is to be had at once."""

from __future__ import annotations

from datetime import datetime

from bellhop.ledger.records import Claimed, VendorCall
from bellhop.ledger.records.accounts import LeaveAsked
from bellhop.schemas.clock import Clock
from bellhop.schemas.errors import ClaimLost, LeaveLater
from bellhop.workers.delivery import ClaimedDelivery
from bellhop.workers.ports import Turns, WorkLedger


class Marker:
    """claim_seconds: how long a claim holds from its mark on."""

    def __init__(self, ledger: WorkLedger, turns: Turns, claim_seconds: float, clock: Clock) -> None:
        self._ledger = ledger
        self._turns = turns
        self._claim_seconds = claim_seconds
        self._clock = clock

    def mark(self, claimed: ClaimedDelivery, call: VendorCall) -> ClaimedDelivery:
        """With leave to call. Committed before the call: whoever finds this mark after our death knows that it may have
        happened."""
        if call.repeatable and not claimed.is_unsaved:
            self._turns.ahead(call.account)
            return claimed
        leave = self._turns.ask(call.account)
        since = self._clock.monotonic()
        claim = None if leave is None else self._mark_with(leave, claimed, call)
        if claim is None:
            # Before the mark: a worker that dies while it waits for its turn leaves nothing in doubt.
            self._turns.ahead(call.account)
            since = self._clock.monotonic()
            claim = self._ledger.calling(claimed.claim, call, claimed.stored_booking, self._claim_seconds)
        if not call.repeatable and self._stood_still(since, claim.until):
            raise ClaimLost("another worker may have taken the event, and made the call")
        return claimed.with_claim(claim)

    def _mark_with(self, leave: LeaveAsked, claimed: ClaimedDelivery, call: VendorCall) -> Claimed | None:
        """Both in one commit, where the account has leave at this moment; else None, and neither is there."""
        booking = claimed.stored_booking
        try:
            claim = self._ledger.calling(claimed.claim, call, booking, self._claim_seconds, leave)
        except LeaveLater:
            return None
        self._turns.take(leave, claim.wait)
        return claim

    def _stood_still(self, since: float, until: datetime) -> bool:
        """Whether its claim ran out. since: monotonic seconds, which stand still with a machine that sleeps."""
        return self._clock.monotonic() - since >= self._claim_seconds or self._clock.now() >= until
