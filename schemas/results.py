"""Results: what a source is told of the end of its events, where it names a URL for that.

A result is an event of its own, on the route `results`. Its id is made of the event's, so that however often the end
is told, the ledger knows it. Its data is the body that is posted.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from bellhop.schemas.envelope import Envelope, content_hash
from bellhop.schemas.events import BOOKING_TYPES, MEMBER_TYPES
from bellhop.schemas.reasons import Reason
from bellhop.schemas.statuses import cancels

RESULTS_ROUTE: Final = "results"
RESULT_TYPE: Final = "result.due"
ACCOUNT: Final = "results"
"""Stands where other events name a vendor's account: a result is called to none."""

_NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MESSAGE_ID_BYTES: Final = 255  # see `Envelope.message_id`
_DETAIL_CHARACTERS: Final = 2000
_CONTENT_CHARACTERS: Final = 12
_ACT: Final = "act-"
"""Before the number of a person's act, where the content's hash stands in the id of another result."""
_KEY_BYTES: Final = range(24, 65)


def result_type(event: Envelope, reason: str, *, stands: bool = False, by_hand: bool = False) -> str:
    """The result's type; "" where the end of such an event is not told. reason: of its dead letter, "" for none.
    stands: whether anything of its booking does. What one guest of several cancelled leaves the booking standing.
    by_hand: a person says that what was to be cancelled is."""
    if event.type in MEMBER_TYPES:
        return "member.failed" if reason else "member.synchronised"
    if event.type not in BOOKING_TYPES:
        return ""
    if reason:
        return "booking.unpaid" if reason == Reason.UNPAID else "booking.failed"
    is_over = (by_hand or cancels(event.type, event.data.get("status"))) and not stands
    return "booking.cancelled" if is_over else "booking.confirmed"


def result(
    event: Envelope,
    *,
    detail: str,
    reason: str = "",
    booking: Mapping[str, Any] | None = None,
    warnings: Sequence[str] = (),
    now: datetime,
    act: int = 0,
) -> Envelope | None:
    """The event that tells of another's end; None where that is not told.

    detail: for people, without secrets. booking: what its booking has at the vendor. warnings: what of the event is not
    there as it was sent. now: the end's time. act: the number of the person's, in the audit, that ended it.
    """
    type_ = result_type(event, reason, stands=bool((booking or {}).get("vendor_ids")), by_hand=bool(act))
    if not type_:
        return None
    told: dict[str, Any] = {"event_id": event.id, "detail": detail[:_DETAIL_CHARACTERS]}
    if event.type in MEMBER_TYPES:
        told["member_id"] = event.subject
    else:
        told |= {"booking_id": event.subject, "venue": event.data.get("venue", ""), **(booking or {})}
    told |= {"reason": reason} if reason else {}
    told |= {"warnings": list(warnings)} if warnings else {}
    id_ = _id_of(event.source, event.id, event.generation, f"{_ACT}{act}") if act else _id(event, reason)
    return Envelope(
        id=id_,
        source=event.source,
        type=RESULT_TYPE,
        subject=id_,  # not the booking: two of its events may bear the same time, and each is told of
        route=RESULTS_ROUTE,
        account=ACCOUNT,
        time=event.time,
        received=now,
        data={"type": type_, "timestamp": now.astimezone(UTC).isoformat(), "data": told},
        # Not of the words: told again after a crash they may differ, and the first told stand.
        content_hash=content_hash(RESULT_TYPE, _NO_TIME, {"id": id_}),
        trace=event.trace,
    )


def _id(event: Envelope, reason: str) -> str:
    """`<event id>/0/result`; of a replay and of a conflict `<event id>/<generation>/<content>/result`, as several
    contents may bear one id, and each is replayed from generation 0 on: its end must not be taken for another's."""
    is_first = event.generation == 0 and reason != Reason.CONFLICT
    return _id_of(
        event.source, event.id, event.generation, "" if is_first else event.content_hash[:_CONTENT_CHARACTERS]
    )


def result_ids(source: str, id_: str, contents: Mapping[str, int], acts: Sequence[tuple[int, int]] = ()) -> list[str]:
    """The ids that the results of an event may have. contents: the hash of each, and the latest replay of it. acts: of
    people on its letters, each by the letter's replay and the act's number."""
    told = [
        _id_of(source, id_, number, one[:_CONTENT_CHARACTERS])
        for one, last in contents.items()
        for number in range(last + 1)
    ]
    by_hand = [_id_of(source, id_, generation, f"{_ACT}{act}") for generation, act in acts]
    return [_id_of(source, id_, 0, ""), *told, *by_hand]


def tells_of_an_act(result_id: str) -> bool:
    """Whether it tells what a person did by hand."""
    return result_id.split("/")[-2].startswith(_ACT)


def _id_of(source: str, id_: str, generation: int, content: str) -> str:
    rest = f"/{generation}{'/' if content else ''}{content}/result"
    if len(f"{source}/{id_}{rest}".encode()) > _MESSAGE_ID_BYTES:
        return f"sha256-{hashlib.sha256(id_.encode()).hexdigest()}{rest}"
    return id_ + rest


def signing_key(secret: str) -> bytes:
    """The key in a Standard Webhooks secret. Raises ValueError, which quotes nothing of it."""
    text = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith("whsec_") or len(key) not in _KEY_BYTES:
        raise ValueError('must be "whsec_" and 24 to 64 bytes in base64')
    return key
