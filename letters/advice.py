"""What a person does about a letter: the runbook's own words, where the decision is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bellhop.ledger.records import Letter
from bellhop.schemas.reasons import Reason
from bellhop.schemas.results import RESULTS_ROUTE


class RightAct(StrEnum):
    """What the first button does."""

    REPLAY = "replay"
    DISCARD = "discard"
    """What is to be done is done elsewhere, by hand."""
    LOOK = "look"
    """Neither, before somebody has looked."""


REPLAY: Final = "Replay"
BY_HAND: Final = "Done by hand"


@dataclass(frozen=True, slots=True)
class Advice:
    """label: what the first button says."""

    do: str
    do_not: str
    act: RightAct
    label: str = REPLAY


_OF_REASON: Final[Mapping[str, Advice]] = {
    Reason.REJECTED: Advice(
        "Fix the cause at the vendor (create the member, open the slot) or at the upstream, then replay. If a rule has "
        "changed at SimplyBook.me within the last five minutes, replay.",
        "Replay without a fix: it is refused again.",
        RightAct.REPLAY,
    ),
    Reason.AUTH: Advice(
        "Correct the permissions at the vendor, or the account's settings and have them taken (`bellhop reload`); then "
        "replay all of the account: `bellhop dead replay --reason auth --account A`.",
        "Replay before `bellhop doctor A` passes.",
        RightAct.REPLAY,
    ),
    Reason.EXHAUSTED: Advice(
        "When it is back, replay by route with a `--rate`.",
        "Replay at full speed into a vendor that has just come back.",
        RightAct.REPLAY,
    ),
    Reason.TOO_LATE: Advice(
        "Call the venue, who may still have room; then discard with what they said.",
        "Replay: the start stays passed.",
        RightAct.DISCARD,
        BY_HAND,
    ),
    Reason.IN_DOUBT: Advice(
        "It is there: `bellhop dead there N --as ID --hash HASH`. It is not there: `bellhop dead absent N`, and it is "
        "booked. Either way what waited for it goes on by itself.",
        "Discard: what it booked would be forgotten.",
        RightAct.LOOK,
        "It is there",
    ),
    Reason.DOUBLED: Advice(
        "Cancel the one that is too many there (the ledger knows the other), tell the guest, then discard.",
        "Cancel before looking at both: where too long a time lies between them the guest may have made one.",
        RightAct.DISCARD,
        BY_HAND,
    ),
    Reason.UNPAID: Advice(
        "See to it that the guest pays, or agree there that they pay later; then replay: SimplyBook.me is asked again, "
        "and the upstream told `booking.confirmed`. Where it was cancelled meanwhile, the letter comes back as "
        "`rejected`.",
        "Leave it until the time is over: the slot is then free for others.",
        RightAct.REPLAY,
    ),
    Reason.CONFLICT: Advice(
        "Compare both; if the second is right, replay it, or edit it (`bellhop dead edit`, or in the console): that "
        "wins.",
        "Discard in bulk: one of them may be a real change.",
        RightAct.LOOK,
        "Compare both",
    ),
    Reason.UNSUPPORTED: Advice(
        "Do it by hand in the vendor's screens, then discard.",
        "Replay: there is still no such call.",
        RightAct.DISCARD,
        BY_HAND,
    ),
    Reason.MISCONFIGURED: Advice(
        "Restore it in the settings, have them taken (`bellhop reload`), replay.",
        "Give its name to another account: what is replayed would be booked there.",
        RightAct.REPLAY,
    ),
    Reason.POISON: Advice(
        "Look who else publishes to the queues; run the version that wrote it; ask the upstream to send it again.",
        "Wait for a replay to help: it cannot be replayed. Discard it once its sender has been found.",
        RightAct.DISCARD,
        "Discard",
    ),
    Reason.DELIVERY_LIMIT: Advice("Fix that, then replay one and watch.", "Replay many at once.", RightAct.REPLAY),
}
_OF_RESULTS: Final = Advice(
    "Fix the receiver and replay by `bellhop dead replay --route results --reason exhausted`; one that knows the "
    "webhook-id by then loses nothing.",
    "Discard in bulk: somebody may wait for just that confirmation.",
    RightAct.REPLAY,
)


def advise(letter: Letter) -> Advice | None:
    """None for a reason of a newer Bellhop."""
    return advise_on(letter.new.reason, letter.new.route)


def advise_on(reason: str, route: str) -> Advice | None:
    """Of the letters of one reason and route."""
    if route == RESULTS_ROUTE and reason in (Reason.EXHAUSTED, Reason.REJECTED):
        return _OF_RESULTS
    return next((advice for known, advice in _OF_REASON.items() if known == reason), None)
