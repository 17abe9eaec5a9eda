"""A booking that names no provider takes one that is free.

Source: "getAvailableUnits" and "getAnyUnitData" of `simplybook-public-service-methods`.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bellhop.ledger.records import VendorCall
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from bellhop.vendors.outcome import Dead
from bellhop.vendors.simplybook.company_rules import CompanyRules
from bellhop.vendors.simplybook.slots import ANY_UNIT

_STARTS_TOLD: Final = 5


def choose_unit(call: VendorCall, event: Envelope, rules: CompanyRules) -> VendorCall | Dead:
    """The `book` with a provider, where it names none; or why there is none. Raises VendorFailure, Held.

    The mark has the choice before the call is made: in doubt, the same provider is asked about and booked again.
    """
    arguments = call.arguments
    if arguments["unit_id"] != ANY_UNIT:
        return call
    event_id, count = int(arguments["event_id"]), arguments["count"]
    free = rules.available_units(event_id, f"{arguments['date']} {arguments['time']}", count)
    at = f"services.{call.line}"
    if not free:
        starts = rules.free_starts(event_id, arguments["date"], count)
        text = (
            f"{at}: no provider is free at {arguments['date']} {arguments['time']}; agree another time with the guest"
        )
        instead = ", ".join(starts[:_STARTS_TOLD]) or "none"
        return Dead(Reason.REJECTED, f"{text}. Free that day: {instead}", {"free": starts[:_STARTS_TOLD]})
    unit = _one_of(free, event, call.line, at_random=rules.picks_at_random())
    told = f"data.{at}.provider_id: none was named: provider {unit}, who is free, was taken"
    chosen = {**arguments, "unit_id": unit, "took": f"provider {unit}"}
    return replace(call, arguments=chosen, warnings=(*call.warnings, told))


def _one_of(free: Sequence[str], event: Envelope, line: int, *, at_random: bool) -> str:
    """The first; where the company has them picked at random, one by the booking's reference, which spreads them as
    well and is the same when it is asked again."""
    place = zlib.crc32(f"{event.source}/{event.subject}/{line}".encode()) if at_random else 0
    return free[place % len(free)]
