"""Why an event is not worked before a person has said what is at the vendor. No SQL, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bellhop.ledger.records import RESTORED, Refused, VendorCall
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason

CLOCKS_APART: Final = timedelta(minutes=5)
"""So far an upstream's clock may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class LastRestore:
    """The ledger was put back as it was at `as_of`; that was said at `said`."""

    as_of: datetime
    said: datetime

    def is_older(self, envelope: Envelope) -> bool:
        """Whether an event that is not known here may have been worked by what was forgotten."""
        return envelope.time < self.said + CLOCKS_APART

    @property
    def _words(self) -> str:
        return f"the ledger was put back as of {self.as_of:%Y-%m-%d %H:%M:%S} UTC"

    def is_hold(self, error: str) -> bool:
        """Whether these are the words of `refuse`."""
        return error.startswith(self._words)

    def refuse(self, envelope: Envelope, calling: VendorCall | None) -> Refused:
        """calling: the call of it that was under way when the copy was made."""
        is_all = calling is not None and not calling.repeatable and len(envelope.data.get("services", ())) <= 1
        # Of several services others may have been booked after it: what is known of that call says nothing of those.
        doubt = calling if is_all else VendorCall(envelope.account, RESTORED, {}, repeatable=False)
        text = f"{self._words}, and may have forgotten what this made: look at the vendor, and say whether its booking"
        return Refused(Reason.IN_DOUBT, f"{text} is there", doubt=doubt)


def refuse_for_doubt(event_id: str, type_: str, *, is_discarded: bool) -> Refused:
    """Another event of the same booking (or member) stands in the way, and what to do."""
    kind = type_.split(".", maxsplit=1)[0]
    what = f"event {event_id} of the same {kind} is in doubt: what it made at the vendor is not known here"
    if is_discarded:
        what += "; its dead letter was discarded without a word of that: restore it"
    text = f"{what}; say of its dead letter whether the {kind} is there, and this one goes on by itself"
    return Refused(Reason.IN_DOUBT, text)
