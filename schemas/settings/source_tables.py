"""What a source's settings hold beside plain values: its map, where its list of events stands, its venues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields

from bellhop.schemas.expressions import Finder
from bellhop.schemas.map_rules import compile_rule, find_rule
from bellhop.schemas.mapping import FieldMap, MapError, compile_map
from bellhop.schemas.settings.fields import Duration, maybe_number, string
from bellhop.schemas.settings.keys import Section, key, settings_section
from bellhop.schemas.settings.sections import SectionPart


class MapTable(fields.Field[FieldMap]):
    def __init__(self) -> None:
        super().__init__(metadata={"schema": {"type": "object"}})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> FieldMap:
        if not isinstance(value, Mapping):
            raise ValidationError("must be a table")
        wrong: dict[str, list[str]] = {}
        for name, rule in value.items():
            try:
                compile_rule(name, rule)
            except MapError as error:
                wrong[error.key] = [str(error)]
        if wrong:
            raise ValidationError(wrong)
        try:
            return compile_map(value)
        except MapError as error:
            raise ValidationError({error.key: [str(error)]}) from None

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> dict[str, Any]:
        return {}


class ListPlace(fields.Field["Finder | None"]):
    def __init__(self) -> None:
        super().__init__(metadata={"schema": {"anyOf": [{"type": "string"}, {"type": "object"}]}})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Finder | None:
        try:
            return None if value == "" else find_rule("items", value)
        except MapError as error:
            raise ValidationError(str(error)) from None

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str:
        return ""


@settings_section
class SourceVenue(Section):
    """One of an upstream's places, as a venue of ours, and the service its bookings are for; "" where not given."""

    venue: str = key(string(), "The venue of ours that it is.", example="mayfair-spa")
    service_id: str = key(string(), "The service its bookings are for.", default="", example="7")
    provider_id: str = key(string(), "", default="", example="100")
    facility_id: str = key(string(), "", default="", example="24422054")
    duration_seconds: float = key(
        Duration(),
        "Of a booking that tells none, where its vendor does not know it itself.",
        name="duration",
        default=0.0,
        example="90m",
    )
    price: float | None = key(maybe_number(0, 10_000_000), "", default=None, example=100.0)


class SourceVenues(fields.Field[Mapping[str, SourceVenue]]):
    """By the upstream's own ids, which are any text."""

    part: Final = SectionPart(SourceVenue)

    def __init__(self) -> None:
        super().__init__(metadata={"schema": {"type": "object"}})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, SourceVenue]:
        if not isinstance(value, Mapping):
            raise ValidationError("must be a table")
        made, wrong = {}, {}
        for name, venue in value.items():
            try:
                made[name] = self.part.load(venue)
            except ValidationError as error:
                wrong[name] = error.messages
        if wrong:
            raise ValidationError(wrong)
        return made

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> dict[str, Any]:
        return {}
