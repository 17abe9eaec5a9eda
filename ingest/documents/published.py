"""`/openapi.json`, `/asyncapi.json` and `/schemas/…`: the documents by their addresses, each made when it is first
asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from bellhop.schemas.problems import Problem
from bellhop.schemas.settings import Settings

if TYPE_CHECKING:
    from bellhop.ingest.documents.json_schemas import JsonSchema


class Documents:
    """Safe from any thread: made twice, a document is the same."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[str, str] = {}

    def text(self, name: str) -> str:
        """One as JSON. Raises Problem 404."""
        if name not in self._made:
            make = self._makers().get(name)
            if make is None:
                raise Problem(404, "not-found", "There is no such document: /schemas.json lists the schemas.")
            self._made[name] = json.dumps(make())
        return self._made[name]

    def _makers(self) -> Mapping[str, Callable[[], JsonSchema]]:
        # Not before they are asked for: what makes them takes a while to load, and nobody may ever ask.
        from bellhop.ingest.documents.asyncapi import asyncapi
        from bellhop.ingest.documents.openapi import openapi

        kinds = {name: facts.kind for name, facts in self._settings.venues.items()}
        schemas = published_schemas()
        return {
            "openapi.json": lambda: openapi(kinds, self._settings.ingest.public_url.rstrip("/")),
            "asyncapi.json": lambda: asyncapi(self._settings.broker.ladder),
            "schemas.json": lambda: {"schemas": [f"/schemas/{name}.json" for name in schemas]},
            **{f"schemas/{name}.json": make for name, make in schemas.items()},
        }


def published_schemas() -> Mapping[str, Callable[[], JsonSchema]]:
    """By name: of each event type, the same with what each kind of venue asks, and of each result."""
    from bellhop.ingest.documents.answers import RESULT_TYPES
    from bellhop.ingest.documents.events import TYPES, event_schema
    from bellhop.vendors.registry import BY_KIND

    made: dict[str, Callable[[], JsonSchema]] = {}
    for type_ in TYPES:
        made[type_] = partial(event_schema, type_)
        if type_ in ("booking.requested", "booking.changed"):
            made |= {f"{type_}.{kind}": partial(event_schema, type_, kinds=(kind,)) for kind in BY_KIND}
    for type_ in RESULT_TYPES:
        made[f"result.{type_}"] = partial(_result_document, type_)
    return made


def _result_document(type_: str) -> JsonSchema:
    from bellhop.ingest.documents.answers import result_schema
    from bellhop.ingest.documents.json_schemas import DIALECT

    return {"$schema": DIALECT, "title": type_, **result_schema(type_)}
