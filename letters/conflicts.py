"""Both contents of a conflict, side by side: what stands of the booking, and what the letter asks."""

from __future__ import annotations

from typing import Any, Protocol

from bellhop.ledger.records import Booking, Letter
from bellhop.schemas.asked import Asked, asked_of, compare_asked
from bellhop.schemas.envelope import decode_recordable
from bellhop.schemas.errors import EnvelopeError
from bellhop.schemas.events import BOOKING_TYPES
from bellhop.schemas.reasons import Reason
from bellhop.schemas.redact import MASK


class StandingLedger(Protocol):
    def booking(self, source: str, reference: str) -> Booking | None:
        """Raises LedgerUnavailable."""
        ...


def conflict_rows(letter: Letter, ledger: StandingLedger, *, reveal: bool) -> list[dict[str, Any]] | None:
    """Each field that the two ask otherwise: `field`, `stands`, `letter`, None for nothing. None where the letter is of
    no such conflict, or what stands is not known. reveal: without masking what is a guest's own.

    Raises LedgerUnavailable.
    """
    if letter.new.reason != Reason.CONFLICT or letter.new.type not in BOOKING_TYPES:
        return None
    held = ledger.booking(letter.new.source, letter.new.subject)
    try:
        data = decode_recordable(letter.new.body).data
    except EnvelopeError:
        return None
    standing = [entry for entry in held.entries if entry.stands] if held else []
    known = [entry.asked for entry in standing if entry.asked is not None]
    if len(known) < len(standing):
        return None
    stands: Asked = {**known[0], "services": _services(known)} if known else {}
    found = compare_asked(stands, asked_of(letter.new.type, data, data.get("services", ())))
    return [
        {
            "field": one.field,
            "stands": one.before if reveal or one.is_plain else _mask(one.before),
            "letter": one.after if reveal or one.is_plain else _mask(one.after),
        }
        for one in found
    ]


def _services(known: list[Asked]) -> list[Any]:
    """Of all that stands, each once: a group's seats are of one service."""
    services: list[Any] = []
    for asked in known:
        services += [one for one in asked.get("services", ()) if one not in services]
    return services


def _mask(value: Any) -> Any:
    return None if value in (None, "", [], {}) else MASK
