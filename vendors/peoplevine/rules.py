"""What Peoplevine needs of a booking beyond the contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bellhop.schemas.errors import FieldProblem
from bellhop.schemas.events import required_field
from bellhop.schemas.patterns import DIGITS

_MEMBER_ID: Final = {"anyOf": [{"type": "string", "pattern": DIGITS}, {"type": "integer", "minimum": 0}]}
_NO_TABLE: Final = {"anyOf": [{"type": "null"}, {"type": "object", "maxProperties": 0}]}
_GIVEN: Final = {"not": {"type": "null"}}

BOOKING_DEMANDS: Final[Mapping[str, Any]] = {
    "required": ["member_id"],
    "properties": {
        "member_id": _MEMBER_ID,
        "additional": _NO_TABLE,
        "recurring": _NO_TABLE,
        "promo_code": {"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 0}]},
        "services": {
            "items": {
                "properties": {"count": {"enum": [None, 1]}},
                "anyOf": [{"required": [name], "properties": {name: _GIVEN}} for name in ("end", "duration")],
            }
        },
    },
}
"""The same as `check_booking`, as JSON Schema."""


def check_booking(booking: Mapping[str, Any]) -> list[FieldProblem]:
    """See `schemas.events.CheckBooking`."""
    problems = []
    member = booking.get("member_id", "")
    if not member:
        problems.append(required_field("data.member_id", "Peoplevine books for a member"))
    elif not (member.isascii() and member.isdigit()):
        problems.append(FieldProblem("data.member_id", "must be a whole number: Peoplevine's member id"))
    problems += _without_place(booking)
    problems += [
        required_field(f"data.services.{index}.end", "with start it is the window of a Peoplevine offer")
        for index, service in enumerate(booking["services"])
        if "end" not in service
    ]
    return problems


def _without_place(booking: Mapping[str, Any]) -> list[FieldProblem]:
    """What its API has no place for: taken and dropped, nobody would ever know."""
    problems = [
        FieldProblem(f"data.{name}", "must be left out: Peoplevine's API takes none")
        for name in ("additional", "promo_code", "recurring")
        if booking.get(name)
    ]
    problems += [
        FieldProblem(f"data.services.{index}.count", "must be 1: name the service as often as it is booked")
        for index, service in enumerate(booking["services"])
        if service["count"] > 1
    ]
    return problems
