"""What is asked and filled in before a `book`: the company's rules, its intake form, the end that the service has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bellhop.ledger.records import VendorCall
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from bellhop.vendors.outcome import Dead
from bellhop.vendors.simplybook.company_rules import (
    CompanyRules,
    fill_fields,
    missing_fields,
    off_timeframe,
    place_notes,
    unknown_fields,
    with_promo,
)
from bellhop.vendors.simplybook.marks import mark_field, mark_of
from bellhop.vendors.simplybook.settings import SimplybookAccount
from bellhop.vendors.simplybook.units import choose_unit


def prepare_book(
    call: VendorCall, event: Envelope, rules: CompanyRules, account: SimplybookAccount
) -> VendorCall | Dead:
    """The `book` with its intake fields and with warnings of what of the event it leaves out; or why it cannot be made.

    Raises VendorFailure, Held.
    """
    chosen = choose_unit(call, event, rules)
    if isinstance(chosen, Dead):
        return chosen
    call, arguments = chosen, dict(chosen.arguments)
    event_id = int(arguments["event_id"])
    fields = rules.ask_together(event_id)
    given, warnings = event.data.get("additional", {}), []
    warnings += [
        f"data.additional: the form of service {event_id} has no field {name}: passed on as it is"
        for name in unknown_fields(given, fields)
    ]
    notes = event.data.get("notes", "")
    if notes and account.notes_field:
        given, left = place_notes(notes, account.notes_field, given, fields)
        warnings += [f"data.notes: {left} of service {event_id}"] if left else []
    given = mark_field(account.mark, given, fields, mark_of(event.source, event.id, call.line))
    additional, unfit = fill_fields(given, fields)
    problems = _broken_rules(call, event, rules) + unfit
    if problems:
        return Dead(Reason.REJECTED, "the company would refuse it: " + "; ".join(problems), {"broken": problems})
    if other := _other_end(arguments, rules):
        text = (
            f"services.{call.line}.end: it asks to end at {arguments['end']}, but service {event_id} that starts then"
        )
        return Dead(
            Reason.REJECTED,
            f"{text} ends at {other} (calculateEndTime): send that end, or none",
            {"asked": arguments["end"], "calculated": other},
        )
    arguments["additional"] = with_promo(additional, event.data.get("promo_code"))
    if payment := rules.due_payment(event_id):
        arguments["payment"] = payment
    return replace(call, arguments=arguments, warnings=(*call.warnings, *warnings))


def _broken_rules(call: VendorCall, event: Envelope, rules: CompanyRules) -> list[str]:
    problems = missing_fields(event.data["client"], rules.required_fields())
    start = datetime.fromisoformat(f"{call.arguments['date']}T{call.arguments['time']}")
    timeframe = rules.timeframe()
    if timeframe and (rule := off_timeframe(start, timeframe)):
        problems.append(f"services.{call.line}: {rule}")
    return problems


def _other_end(arguments: Mapping[str, Any], rules: CompanyRules) -> str:
    """The end that the service has, where another is asked for; "" where that fits, or the vendor does not say: what
    is not free has no end, and whether it is free, `book` tells."""
    if "end" not in arguments:
        return ""
    start = f"{arguments['date']} {arguments['time']}"
    end = rules.end_time(start, int(arguments["event_id"]), int(arguments["unit_id"]), arguments["end"])
    return end if end and end != arguments["end"] else ""
