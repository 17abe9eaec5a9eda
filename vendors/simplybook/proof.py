"""Which call of ours in doubt made a booking that SimplyBook.me tells of: by our mark in it, or by service, provider,
start and guest together, and only where no other call can have been it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bellhop.ledger.records import Doubt
from bellhop.ledger.search_terms import numbers
from bellhop.vendors.simplybook.bookings import BOOK
from bellhop.vendors.simplybook.found import differences
from bellhop.vendors.simplybook.marks import has_mark, mark_of

_SLOT: Final = ("event_id", "unit_id", "start_date_time")
_EMAIL: Final = ("client_email", "email")
_PHONE: Final = ("client_phone", "phone")


@dataclass(frozen=True, slots=True)
class ProofMatch:
    """doubt: whose booking it certainly is, None for nobody's or where it cannot be told. marked: by our mark. unsure:
    it may be of one whose end nobody knows."""

    doubt: Doubt | None = None
    marked: bool = False
    unsure: Doubt | None = None


def match(candidates: Sequence[Doubt], details: Mapping[str, Any]) -> ProofMatch:
    """candidates: one for each service of an event whose call's end is, or was, not known."""
    able = [one for one in candidates if one.call.method == BOOK and not one.call.arguments.get("recurring")]
    marked = [one for one in able if has_mark(details, mark_of(one.source, one.event_id, one.call.line))]
    if len(marked) == 1:
        return ProofMatch(marked[0], marked=True)
    there = [one for one in able if not differences(one.call, details)]
    if not all(details.get(key) for key in _SLOT):
        return ProofMatch(unsure=_first_open(there)) if details.get("start_date_time") else ProofMatch()
    same = [one for one in there if is_guest(one, details) is True]
    if len(same) == 1:
        return ProofMatch(same[0])
    return ProofMatch(unsure=_first_open(same or [one for one in there if is_guest(one, details) is None]))


def _first_open(doubts: Sequence[Doubt]) -> Doubt | None:
    return next((one for one in doubts if one.is_open), None)


def is_guest(doubt: Doubt, details: Mapping[str, Any]) -> bool | None:
    """Whether the details' guest is the event's; None where they name no address and no telephone, or the event's
    guest is not known."""
    if not doubt.words:
        return None
    for keys in (_EMAIL, _PHONE):
        if told := _first_of(details, keys):
            return numbers(told)[0] in doubt.words
    return None


def _first_of(details: Mapping[str, Any], keys: Sequence[str]) -> str:
    client = details.get("client")
    inner = client if isinstance(client, Mapping) else {}
    return next((str(value).strip() for key in keys if (value := details.get(key) or inner.get(key))), "")
