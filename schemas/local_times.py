"""A venue's clock: the offset of each time that a booking tells without one, and the end of what lasts so long."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bellhop.schemas.errors import FieldProblem


def add_zones(booking: Mapping[str, Any], zone: ZoneInfo) -> list[FieldProblem]:
    """Gives every venue-local time its offset; tells those that the clock change makes impossible or ambiguous."""
    problems: list[FieldProblem] = []
    for index, service in enumerate(booking["services"]):
        for key in ("start", "end"):
            moment: datetime | None = service.get(key)
            if moment is None or moment.tzinfo is not None:
                continue
            field = f"data.services.{index}.{key}"
            early, late = moment.replace(tzinfo=zone, fold=0), moment.replace(tzinfo=zone, fold=1)
            if early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
                problems.append(FieldProblem(field, f"does not exist in {zone.key}: the clock skips it"))
            elif early.utcoffset() != late.utcoffset():
                problems.append(FieldProblem(field, f"happens twice in {zone.key}: give it with its offset"))
            service[key] = early
    return problems


def add_ends(booking: Mapping[str, Any], zone: ZoneInfo) -> None:
    """Makes an end of each duration. It lasts so long whatever the clock does meanwhile."""
    for service in booking["services"]:
        duration: timedelta | None = service.pop("duration", None)
        if duration is not None:
            start: datetime = service["start"]
            service["end"] = (start.astimezone(UTC) + duration).astimezone(start.tzinfo or zone)
