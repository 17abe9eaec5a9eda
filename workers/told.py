"""What is told of a delivery: to the ledger, to the log, to people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bellhop.ledger.records import Booking, Call, Entry, Json, State
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from bellhop.vendors.outcome import Dead, Done, InDoubt, Outcome, Recorded, Retry, Wait

WORDS: Final[Mapping[type, str]] = {
    Done: "done",
    Recorded: "recorded",
    Retry: "retry",
    InDoubt: "in_doubt",
    Dead: "dead",
    Wait: "busy",
}


_GUEST: Final = ("member_id", "client", "notes", "additional")


def asked(call: Call, envelope: Envelope) -> Json:
    """A call as people are shown it. What books is sent with its guest, which the mark of the call leaves out."""
    if call.repeatable:
        return call.arguments
    return {key: envelope.data[key] for key in _GUEST if envelope.data.get(key)} | dict(call.arguments)


def came_of_it(before: Booking | None, result: Booking | Outcome) -> Json:
    """What a call that went well came to: the vendor's bookings that are new or other than before."""
    if not isinstance(result, Booking):
        return {"detail": text_of(result)}
    old = set(before.entries) if before else set()
    moved = [entry for entry in result.entries if entry not in old]
    return {"bookings": [_told(entry) for entry in moved]}


def _told(entry: Entry) -> Json:
    told = {"id": entry.vendor_id, "state": entry.state.value, "code": entry.code, "batch": entry.batch}
    return {key: value for key, value in told.items() if value} | ({"took": entry.took} if entry.took else {})


def tags_of(envelope: Envelope) -> dict[str, str]:
    """By which errors and traces are found."""
    return {"route": envelope.route, "account": envelope.account, "source": envelope.source, "id": envelope.id}


def text_of(outcome: Outcome | None) -> str:
    match outcome:
        case Done(detail) | Recorded(detail) | Wait(detail):
            return detail
        case Retry(error) | InDoubt(_, error) | Dead(_, error):
            return error
    return ""


def recorded(outcome: Outcome) -> tuple[State, str, Reason | None, bool, Call | None]:
    """State, text, reason, tombstone and call in doubt."""
    match outcome:
        case Done(detail, tombstone, _):
            return State.DONE, detail, None, tombstone, None
        case Recorded(detail):
            return State.RECORDED, detail, None, False, None
        case InDoubt(call, error):
            return State.IN_DOUBT, error, None, False, call
        case Dead(reason, error, _, tombstone):
            return State.DEAD, error, reason, tombstone, None
        case Retry(error):
            return State.RETRYING, error, None, False, None
        case Wait(detail):
            return State.RETRYING, detail, None, False, None
