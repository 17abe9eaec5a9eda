"""An event in its sender's words: how it stands, and whether to send it again. No guest's data, and nothing of how
Bellhop and its vendors look inside: a vendor's words may name a guest, and stay with the operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bellhop.ledger.records import EventView, State, describe_entries
from bellhop.letters.serializers import JsonObject
from bellhop.schemas.clock import iso
from bellhop.schemas.reasons import Reason
from bellhop.schemas.results import tells_of_an_act

_WAIT: Final = "No: it is on its way."
_PERSON: Final = (
    "No: an operator has it, and it may be done yet. What should be different is a new event, with a new id."
)
_DONE: Final = "No."

_WORDS: Final[Mapping[State, tuple[str, str]]] = {
    State.WORKING: ("It is being worked.", _WAIT),
    State.RETRYING: ("The vendor could not take it yet: it is tried again.", _WAIT),
    State.IN_DOUBT: ("It may be at the vendor already: that is being found out.", _WAIT),
    State.HELD: ("Held with many other cancels and changes, until an operator lets them through.", _WAIT),
    State.DONE: ("Done: it is at the vendor.", _DONE),
    State.RECORDED: ("Taken, and nothing is to be called for it.", _DONE),
    State.SUPERSEDED: ("A newer event of the same booking counts.", _DONE),
    State.DUPLICATE: ("The same fact came under another id, which counts.", _DONE),
    State.DEAD: ("It failed.", _PERSON),
    State.DISCARDED: (
        "An operator closed it without a call.",
        "Only what is still wanted: as a new event, with a new id.",
    ),
}
_REASONS: Final[Mapping[str, str]] = {
    Reason.REJECTED: "The vendor refused it.",
    Reason.AUTH: "The vendor did not let the operator in.",
    Reason.EXHAUSTED: "The vendor was away for too long.",
    Reason.TOO_LATE: "The booking's start came before it could be made.",
    Reason.IN_DOUBT: "It may have been booked: an operator is looking.",
    Reason.DOUBLED: "It stands twice at the vendor: an operator sees to it.",
    Reason.UNPAID: "It is booked, and the vendor cancels it where it is not paid in time.",
    Reason.CONFLICT: "The same id, or the same booking at the same time, had another content: the first one counts.",
    Reason.UNSUPPORTED: "The vendor has no call for it: an operator does it by hand.",
    Reason.MISCONFIGURED: "The operator's settings have no such venue or account any more.",
}


def upstream_row(view: EventView) -> JsonObject:
    """outcome: what became of it; again: whether to send it again."""
    outcome, again = _WORDS[view.state]
    if view.state is State.DEAD:
        outcome = _REASONS.get(view.reason, outcome)
    return {
        "id": view.id,
        "type": view.type,
        "subject": view.subject,
        "state": view.state.value,
        "outcome": outcome,
        "again": again,
        "time": iso(view.time),
        "received": iso(view.received),
        "updated": iso(view.updated),
        "next_at": iso(view.next_at),
    }


def upstream_event(view: EventView, results: Sequence[EventView]) -> JsonObject:
    """With its calls, each without what was asked and answered, and the posts that told its end."""
    return upstream_row(view) | {
        "calls": [{"method": one.method, "started": iso(one.started), "outcome": one.outcome} for one in view.attempts],
        **describe_entries(view.entries),
        "results": [
            {
                "state": result.state.value,
                "by_hand": tells_of_an_act(result.id),
                "updated": iso(result.updated),
                "next_at": iso(result.next_at),
                "posts": [{"at": iso(one.started), "outcome": one.outcome} for one in result.attempts],
            }
            for result in results
        ],
    }
