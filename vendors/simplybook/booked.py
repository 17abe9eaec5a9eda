"""What `book` answered, as the entries it made, and held against what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from bellhop.ledger.records import Entry, EntryState, VendorCall
from bellhop.schemas.asked import asked_of
from bellhop.schemas.envelope import Envelope
from bellhop.vendors.fates import field_warnings
from bellhop.vendors.simplybook.book_answer import BookAnswer, BookedRow
from bellhop.vendors.simplybook.fates import FATES
from bellhop.vendors.simplybook.settings import ACCOUNT, SimplybookAccount
from bellhop.vendors.simplybook.slots import slot_of, without_count

BATCH_TYPE: Final = "batch_booking"
"""The type of a batch made by createBatch, or by a count above 1."""


def entries_of(
    answer: BookAnswer, call: VendorCall, event: Envelope, account: SimplybookAccount, unpaid_until: str | None
) -> list[Entry]:
    """unpaid_until: when the vendor cancels what is not paid, "" where nobody knows; None where nothing is to be paid.

    Where the account leaves confirming to the venue, no more is called.
    """
    to_confirm = answer.require_confirm and account.confirm
    # An answer may leave out the id of a batch we named. Without any id its hash signs nothing.
    batch = answer.batch_id or call.arguments.get("batch_id", "")
    asked = asked_of(event.type, event.data, [event.data["services"][call.line]])
    is_turns = bool(event.data.get("recurring")) or len({row.start for row in answer.bookings}) > 1
    left_out = field_warnings(ACCOUNT.title, FATES, account, event.type, event.data)
    made = []
    for turn, row in enumerate(answer.bookings):
        state = EntryState.BOOKED if to_confirm and not row.confirmed else EntryState.CONFIRMED
        waits = [] if unpaid_until is not None or state is EntryState.BOOKED else _awaits(answer, row)
        made.append(
            Entry(
                vendor_id=row.id,
                line=call.line,
                made_by=event.id,
                state=state if unpaid_until is None else EntryState.UNPAID,
                secret_hash=row.hash,
                slot=slot_of(call.arguments),
                code=row.code,
                batch=f"{answer.batch_type or BATCH_TYPE}:{batch}" if batch else "",
                batch_hash=answer.batch_hash if batch else "",
                took=call.arguments.get("took", ""),
                account=call.account,
                start=row.start,
                end=row.end,
                asked=asked if is_turns else without_count(asked),
                warnings=(*left_out, *call.warnings, *waits),
                unpaid_until=unpaid_until or "",
                differs="" if is_turns and turn else describe_difference(row, call.arguments),
            )
        )
    return made


def describe_difference(row: BookedRow, asked: Mapping[str, Any]) -> str:
    """What the answer tells otherwise than it was asked, "" for nothing. What it does not tell does not differ.

    asked: the arguments of `book`. A guest of another zone may be answered in theirs: which of the two the vendor tells
    is not documented.
    """
    shift = timedelta(minutes=asked.get("client_time_offset", 0))
    told = [("service", row.event_id, asked["event_id"]), ("provider", row.unit_id, asked["unit_id"])]
    found = [f"{what} {one} where {other} was asked" for what, one, other in told if one and one != other]
    times = [("start", row.start, f"{asked['date']} {asked['time']}"), ("end", row.end, asked.get("end", ""))]
    for what, one, other in times:
        at, wanted = _wall_clock(one), _wall_clock(other)
        if at and wanted and at not in (wanted, wanted + shift):
            found.append(f"{what} {at} where {wanted} was asked")
    return ", ".join(found)


def _awaits(answer: BookAnswer, row: BookedRow) -> list[str]:
    """Words for a booking that is not confirmed, and that no call of ours confirms."""
    if row.confirmed is not False:
        return []
    if answer.require_confirm:
        why = "confirm is off in the account's settings"
    else:
        why = "the answer asks for no confirmation"
    return [f"SimplyBook.me has booking {row.id} as not confirmed, and {why}: look there whether it waits for approval"]


def _wall_clock(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
