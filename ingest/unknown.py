"""What a source posts that nobody here knows, where `unknown = "warn"` says that such is taken and told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final

from bellhop.ingest.formats.parts import Event
from bellhop.schemas.contract import as_fit_text
from bellhop.schemas.errors import FieldProblem
from bellhop.schemas.events import BOOKING_FIELDS, DATA_FIELDS, MEMBER_FIELDS, MEMBER_TYPES

_HEAD_FIELDS: Final = ("id", "type", "timestamp", "data")
_MOST_WARNINGS: Final = 50
_UNKNOWN_RULES: Final = ("must be one of", "has a value that its map's `values` do not name")


def is_of_unknown_type(problem: FieldProblem) -> bool:
    """Whether it says that a type was told which nobody knows; one that is missing, or no text, is none."""
    return problem.field in ("type", "event_type") and problem.rule.startswith(_UNKNOWN_RULES)


def leave_out_unknown(made: Event) -> Event:
    """An event in our own words without the fields that events do not have, each told by its name."""
    body = made.body
    if not isinstance(body, Mapping):
        return made
    told: list[str] = []
    kept = _known_of(body, _HEAD_FIELDS, "", told)
    data = kept.get("data")
    if isinstance(data, Mapping):
        names = MEMBER_FIELDS if kept.get("type") in MEMBER_TYPES else BOOKING_FIELDS
        data = kept["data"] = _known_of(data, names, "data.", told)
        if isinstance(data.get("client"), Mapping):
            data["client"] = _known_of(data["client"], DATA_FIELDS["client"], "data.client.", told)
        if isinstance(data.get("services"), list):
            data["services"] = [
                _known_of(one, DATA_FIELDS["services"], f"data.services.{index}.", told)
                if isinstance(one, Mapping)
                else one
                for index, one in enumerate(data["services"])
            ]
    return replace(made, body=kept, warnings=(*made.warnings, *told[:_MOST_WARNINGS])) if told else made


def _known_of(table: Mapping[str, Any], names: Collection[str], place: str, told: list[str]) -> dict[str, Any]:
    told += [f"{place}{as_fit_text(name)[:100]}: is unknown: left out" for name in table if name not in names]
    return {name: value for name, value in table.items() if name in names}
