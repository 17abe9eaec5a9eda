"""What SimplyBook.me needs of a booking beyond the contract."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final

from bellhop.schemas.errors import FieldProblem
from bellhop.schemas.events import required_field
from bellhop.schemas.patterns import DIGITS

_ID_FORMS: Final[list[Mapping[str, Any]]] = [{"type": "string", "pattern": DIGITS}, {"type": "integer", "minimum": 0}]

BOOKING_DEMANDS: Final[Mapping[str, Any]] = {
    "required": ["client"],
    "properties": {
        "client": {"type": "object"},
        "services": {
            "items": {
                "properties": {
                    "service_id": {"anyOf": _ID_FORMS},
                    "provider_id": {"anyOf": [*_ID_FORMS, {"type": "null"}]},
                }
            }
        },
    },
}
"""The same as `check_booking`, as JSON Schema, but for services that are the same slot."""


def check_booking(booking: Mapping[str, Any]) -> list[FieldProblem]:
    """See `schemas.events.CheckBooking`."""
    problems = []
    if not booking.get("client"):
        problems.append(required_field("data.client", "SimplyBook.me books for a client"))
    problems += _same_slots(booking)
    for index, service in enumerate(booking["services"]):
        at = f"data.services.{index}"
        for key in ("service_id", "provider_id"):
            value = service.get(key, "0")
            if not (value.isascii() and value.isdigit()):
                problems.append(FieldProblem(f"{at}.{key}", "must be a whole number: SimplyBook.me's id"))
    return problems


def _same_slots(booking: Mapping[str, Any]) -> list[FieldProblem]:
    """Services that are the same slot would be taken for one."""
    seen: set[tuple[object, ...]] = set()
    problems = []
    for index, service in enumerate(booking["services"]):
        slot = (service["service_id"], service.get("provider_id"), service["start"].astimezone(UTC))
        if slot in seen:
            problems.append(FieldProblem(f"data.services.{index}", "is the same slot as one before it: use count"))
        seen.add(slot)
    return problems
