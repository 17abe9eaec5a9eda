"""A person's word on a dead letter in doubt: it is there, as this booking; or it is not there.

Where the vendor can be asked, it is asked first, and a word against its own is refused unless it is said with force.
The ledger takes the word in one commit, and the letters that go on are published then. What if the process dies here?
They are marked as being replayed, and `letters.resume` publishes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bellhop.broker.port import Publisher
from bellhop.ledger.proofs import WordRefused
from bellhop.ledger.records import RESTORED, Doubt, Letter, ProofResult, Proven
from bellhop.ledger.store import Ledger
from bellhop.letters.looks import Looks, Unasked
from bellhop.letters.replay import Replayed, replay
from bellhop.letters.serializers import JsonObject
from bellhop.letters.vendor_access import VendorAccess
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.envelope import decode_recordable
from bellhop.schemas.errors import BrokerError
from bellhop.schemas.settings import Settings
from bellhop.vendors.registry import vendor_of
from bellhop.vendors.vendor import FoundBookings, FoundWrong, Said

if TYPE_CHECKING:
    from bellhop.vendors.held import Gate

LONGEST_ID: Final = 200
AT_WORK: Final = "an event of its booking is being worked: say it again when that has ended"


@dataclass(frozen=True, slots=True)
class Answered:
    """A word that was taken. note: what could not be checked of it, "" where all was. replayed: what became of the
    letters that go on."""

    letters: tuple[int, ...]
    note: str
    replayed: Replayed


class Words:
    """publisher: asked for when letters go on; it may raise BrokerError: they go on by themselves, then. gate: before
    the calls that check a word; None for one that holds nobody and counts nothing."""

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        publisher: Callable[[], Publisher],
        gate: Gate | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._ledger = ledger
        self._publisher = publisher
        self._clock = clock
        self._vendors = VendorAccess(ledger, settings, gate, clock)
        self._looks = Looks(self._vendors)

    def there(
        self,
        number: int,
        said: Sequence[Said],
        *,
        who: str,
        why: str,
        rest_absent: bool = False,
        force: bool = False,
    ) -> Answered:
        """The call of this letter made these bookings. They are held against the vendor first, where it can be asked.
        rest_absent: of an event that a ledger put back may have forgotten: what else it wants is not there. force:
        although the vendor offers their slots, or has none for the rest.

        Raises WordRefused, LedgerUnavailable.
        """
        letter = self._letter(number)
        doubt = self._ledger.proofs.of_letter(letter)
        found = self._find(doubt, said, letter, rest_absent)
        if not force:
            self._looks.check_there(doubt, letter, found, rest_absent=rest_absent)
        ids = ", ".join(one.vendor_id for one in said)
        proven = self._ledger.proofs.prove(doubt, found.entries, who, f"{why} (it is there, as {ids})")
        if proven.result is ProofResult.AT_WORK:
            raise WordRefused(f"event {doubt.event_id}: {AT_WORK}")
        if proven.result is ProofResult.KNOWN:
            raise WordRefused(f"event {doubt.event_id} was answered by somebody else meanwhile")
        doubled = (
            f"booking {ids} is one too many: cancel it at the vendor" if proven.result is ProofResult.SURPLUS else ""
        )
        return self._go_on(proven, "; ".join(filter(None, (found.note, doubled))), who, why)

    def absent(self, number: int, *, who: str, why: str, force: bool = False) -> Answered:
        """The call of this letter made nothing. force: whatever the vendor says. Raises WordRefused,
        LedgerUnavailable."""
        letter = self._letter(number)
        try:
            note = "" if force else self._looks.check_absent(letter)
        except Unasked as unasked:
            note = str(unasked)
        proven = self._ledger.proofs.deny(letter, who, f"{why} (it is not there)")
        return self._go_on(proven, note, who, why)

    def _letter(self, number: int) -> Letter:
        letter = self._ledger.letters.get(number)
        if letter is None:
            raise WordRefused(f"there is no dead letter {number}")
        return letter

    def _find(self, doubt: Doubt, said: Sequence[Said], letter: Letter, rest_absent: bool) -> FoundBookings:
        account = self._vendors.account(doubt.call.account)
        if account is None:
            raise WordRefused(f"the settings have no account {doubt.call.account}")
        if not said or any(not one.vendor_id or len(one.vendor_id) > LONGEST_ID for one in said):
            raise WordRefused("say the vendor's id of the booking")
        if len({one.vendor_id for one in said}) < len(said):
            raise WordRefused("the same id is said twice")
        for one in said:
            other = self._ledger.booking_of(account.name, one.vendor_id)
            if other is not None:
                is_own = (other.source, other.reference) == (doubt.source, doubt.subject)
                hint = "; say only what of it is not known yet, or replay the letter" if is_own else ""
                of = f"{other.source}'s {other.reference}"
                raise WordRefused(f"booking {one.vendor_id} is known already: of {of}{hint}")
        try:
            if doubt.call.method == RESTORED:
                event = decode_recordable(letter.new.body)
                return self._vendors.restored_events(account).find(event, said, rest_absent=rest_absent)
            client = self._vendors.client(account)
            return vendor_of(account).find_said(account, client, doubt.call, doubt.event_id, said)
        except FoundWrong as wrong:
            raise WordRefused(str(wrong)) from None

    def _go_on(self, proven: Proven, note: str, who: str, why: str) -> Answered:
        done = Replayed()
        try:
            publisher = self._publisher()
        except BrokerError as error:
            return Answered(proven.letters, note, Replayed(unconfirmed=len(proven.letters), error=str(error)))
        for number in proven.letters:  # in this order: the newest event first
            one = replay(self._ledger.letters, publisher, [number], who=who, why=why, clock=self._clock)
            done = done.plus(one)
            if done.error:
                break
        return Answered(proven.letters, note, done)


def answered_row(answered: Answered) -> JsonObject:
    """As the command line and the API tell it. problem: why some were not published, "" where all were."""
    done = answered.replayed
    return {"letters": list(answered.letters), "note": answered.note, "problem": done.error or "; ".join(done.unready)}
