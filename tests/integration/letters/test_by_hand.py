"""Who discards the letter of a cancel by hand says that it is done, and the event's source is told that."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bellhop.ledger.records import TO_CANCEL, Booking, Entry, EntryState
from bellhop.ledger.store import Ledger
from bellhop.letters.by_hand import HandResults
from bellhop.schemas.envelope import decode
from bellhop.schemas.reasons import Reason
from tests.support.ingress import MemoryPublisher
from tests.support.ledger import die, event, letter, sqlite_ledger


def test_a_cancel_done_by_hand_is_told_and_so_is_that_it_was_not(tmp_path: Path) -> None:
    ledger, publisher = Ledger.open(sqlite_ledger(tmp_path), keep_seconds=90 * 86400), MemoryPublisher()
    try:
        cancel = event("c-1", "booking.cancelled", at=5)
        asked = Entry("77", 0, "e-1", EntryState.CONFIRMED, left_by=f"{TO_CANCEL}c-1")
        die(ledger, cancel, Reason.UNSUPPORTED, applies=True, booking=Booking("crm", "R-1", "sb", (asked,)))
        ledger.letters.archive([letter(cancel, Reason.UNSUPPORTED)])

        def told(results: HandResults) -> list[tuple[str, str, list[str]]]:
            before = len(publisher.published)
            results.step()
            made = [decode(message.body) for message, _ in publisher.published[before:]]
            return [(one.id, one.data["type"], one.data["data"]["vendor_ids"]) for one in made]

        results = HandResults(ledger, publisher, ["crm"], lambda: datetime.now(UTC))
        assert told(results) == []
        ledger.letters.discard([1], "ann", "cancelled there")
        (done,) = told(results)
        assert done[1:] == ("booking.cancelled", [])
        assert told(results) == []
        assert told(HandResults(ledger, publisher, ["crm"], lambda: datetime.now(UTC))) == [done]  # the next archive
        ledger.letters.restore([1], "ann", "it was another")
        ((again, *failed),) = told(results)
        assert failed == ["booking.failed", ["77"]]
        assert again != done[0]
    finally:
        ledger.close()
