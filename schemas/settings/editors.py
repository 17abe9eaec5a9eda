"""What editors are told of the settings: a JSON Schema (draft 7, which Taplo and Even Better TOML read).

Nothing is required in it but an account's `kind`, by which its keys are known: any other key may come from the
environment. What only Bellhop can judge, such as whether a URL is whole, is left to `bellhop config check`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, Final

from bellhop.schemas.settings.accounts import AccountKind
from bellhop.schemas.settings.build import ALERT, NAME, SECTIONS, VENUE
from bellhop.schemas.settings.keys import MISSING, Key, Section, keys_of
from bellhop.schemas.settings.sections import SectionPart
from bellhop.schemas.settings.sources import SourceSettings, source_keys

ADDRESS: Final = "https://raw.githubusercontent.com/bellhop-bookings/bellhop/main/docs/settings.schema.json"
"""Where the newest version's schema is read."""

Schema = dict[str, Any]


def schema(kinds: Mapping[str, AccountKind], verifiers: Iterable[str]) -> Schema:
    """kinds: the vendors' accounts. verifiers: what a source's `verifier` may be."""
    source = _table(SourceSettings, source_keys(kinds))
    source["properties"]["verifier"]["enum"] = list(verifiers)
    accounts = [{**_table(kind.section, keys_of(kind.section)), "required": ["kind"]} for kind in kinds.values()]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": ADDRESS,
        "title": "Bellhop's settings",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **{name: _table(part.of, part.keys) for name, part in SECTIONS.items()},
            "sources": _by_name(source),
            "accounts": _by_name({"oneOf": accounts}),
            "venues": _by_name(_table(VENUE.of, VENUE.keys)),
            "alerts": _by_name(_table(ALERT.of, ALERT.keys)),
        },
    }


def _by_name(entry: Schema) -> Schema:
    return {
        "type": "object",
        "propertyNames": {"pattern": f"^{NAME.pattern}$"},
        "additionalProperties": entry,
    }


def _table(of: type[Section], keys: Mapping[str, Key]) -> Schema:
    return {
        "description": inspect.getdoc(of) or "",
        "type": "object",
        "additionalProperties": False,
        "properties": {key.name: _value(key) for key in keys.values()},
    }


def _value(key: Key) -> Schema:
    told: Schema = {"description": key.doc} if key.doc else {}
    if key.secret:
        told["writeOnly"] = True
    part = getattr(key.kind, "part", None)
    if isinstance(part, SectionPart):
        return {**told, "type": "object", "additionalProperties": _table(part.of, part.keys)}
    kind: Schema = key.kind.metadata["schema"]
    if not (key.required or key.secret or key.default in (MISSING, None) or kind.get("type") == "object"):
        told["default"] = key.kind.serialize("value", {"value": key.default})
    return {**told, **kind}
