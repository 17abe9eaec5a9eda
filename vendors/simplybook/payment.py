"""Bookings that are to be paid: until when, and whether they are.

Source: "isPaymentRequired" and "Accept Payments Custom Feature params" of `simplybook-public-service-methods`; the
`require_payment` of an answer is seen on the live service. The vendor cancels what is not paid within
`payment_timeout`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bellhop.ledger.records import Booking, Entry, EntryState, VendorCall
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from bellhop.vendors.failure import VendorFailure
from bellhop.vendors.held import CallHeld
from bellhop.vendors.outcome import Dead
from bellhop.vendors.simplybook.book_answer import BookAnswer
from bellhop.vendors.simplybook.client import SimplybookClient
from bellhop.vendors.simplybook.company_rules import CompanyRules
from bellhop.vendors.standing import with_entries

NOT_FOUND: Final = "-32080"
_TIMEOUT: Final = re.compile(r"\s*(\d{1,6})\s*(minute|hour|day|week)s?\s*", re.IGNORECASE)
_PAID: Final = ("paid", "free", "1", "true")
_NOTHING: Final = ("", "0", "false", "none")


def payment_deadline(answer: BookAnswer, call: VendorCall, rules: CompanyRules, now: datetime) -> str | None:
    """Until when what was just booked is to be paid, ISO 8601 in UTC; "" where the company does not tell; None where
    nothing is to be paid. What the answer says counts; where it says nothing, what was said of the service before."""
    terms = call.arguments.get("payment")
    is_due = answer.require_payment if answer.require_payment is not None else terms is not None
    if not is_due:
        return None
    if terms is None:
        try:
            terms = rules.payment_terms()
        except (VendorFailure, CallHeld):  # it is booked, and must be kept whatever is still to be known
            terms = {}
    seconds = timeout_seconds(str(terms.get("timeout", "")))
    return (now + timedelta(seconds=seconds)).astimezone(UTC).isoformat(timespec="seconds") if seconds else ""


def timeout_seconds(text: str) -> int:
    """ "5 minutes", "1 hour", …; 0 for what is none."""
    found = _TIMEOUT.fullmatch(text)
    return int(timedelta(**{f"{found[2].lower()}s": int(found[1])}).total_seconds()) if found else 0


def is_paid(details: Mapping[str, Any]) -> bool:
    """Whether a booking's details say that it is paid. Which fields come is not documented; these are read where they
    are there, and without any of them it is not known to be paid."""
    for name in ("payment_status", "is_paid", "paid"):
        if details.get(name) is not None:
            return str(details[name]).strip().lower() in _PAID
    told = details.get("require_payment")
    return told is not None and str(told).lower() in _NOTHING


def end_unpaid(booking: Booking, entries: Sequence[Entry], why: str = "") -> Dead:
    """What is booked and not paid: a person's, before the vendor cancels it. why: it could not be asked, or nothing."""
    which = ", ".join(entry.vendor_id for entry in entries)
    untils = [entry.unpaid_until for entry in entries if entry.unpaid_until]
    until = min(untils, default="")
    when = f"by {until}" if until else "in time (payment_timeout is not told)"
    text = f"booked as {which}, but not paid: SimplyBook.me cancels it where it is not paid {when}"
    stands = [entry.vendor_id for entry in booking.entries if entry.stands and entry not in entries]
    text += f"; {', '.join(stands)} of its booking stands beside it" if stands else ""
    text += ". See to it that the guest pays, or pays later by an agreement there; then replay this: it is asked again"
    text += f". {why}" if why else ""
    return Dead(Reason.UNPAID, text, {"unpaid": which, "unpaid_until": until or None}, applies=True)


def ask_for_payment(client: SimplybookClient, event: Envelope, booking: Booking, entry: Entry) -> Booking | Dead:
    """Whether a booking that is to be paid is. What is not is a person's before the vendor cancels it, so whatever
    keeps it from being asked must not hold that up."""
    unpaid = [one for one in booking.entries if one.state is EntryState.UNPAID]
    try:
        details = client.get_booking_details(entry.vendor_id, entry.secret_hash)
    except VendorFailure as failure:
        if failure.code != NOT_FOUND:
            return end_unpaid(booking, unpaid, f"Whether it is paid could not be asked: {failure}")
        gone = with_entries(booking, event, replace(entry, state=EntryState.CANCELLED))
        text = f"SimplyBook.me does not have booking {entry.vendor_id} any more: not paid in time, it was cancelled"
        return Dead(Reason.REJECTED, f"{text}. Replay this to book it anew", applies=True, booking=gone)
    if is_paid(details):
        return with_entries(booking, event, replace(entry, state=EntryState.CONFIRMED, unpaid_until=""))
    return end_unpaid(booking, unpaid)
