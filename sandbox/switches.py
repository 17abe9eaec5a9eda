"""The switches of every vendor, together: names are unlike each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from bellhop.sandbox.registry import PRETENDED
from bellhop.sandbox.switch import ControlError, check_value, read_value


class Switches:
    """Never changed: others are put in its place. parts: each vendor's, by its name; those left out are at default."""

    def __init__(self, parts: Mapping[str, Any] | None = None) -> None:
        self._parts = {row.name: (parts or {}).get(row.name) or row.switches() for row in PRETENDED}

    def of(self, vendor: str) -> Any:
        return self._parts[vendor]

    def __getattr__(self, name: str) -> Any:
        """A switch, or what a vendor's part makes of its switches."""
        for part in self.__dict__.get("_parts", {}).values():
            if hasattr(part, name):
                return getattr(part, name)
        raise AttributeError(name)

    def with_values(self, values: Mapping[str, object]) -> Switches:
        """These switches with `values` laid over them. Raises ControlError for an unknown name or a wrong value."""
        known = {item.name: item for part in self._parts.values() for item in fields(part)}
        for name, value in values.items():
            if name not in known:
                raise ControlError(f"{name} is not a switch; the switches are {', '.join(known)}")
            check_value(name, known[name].default, known[name].metadata, value)
        return Switches(
            {
                vendor: replace(part, **{item.name: values[item.name] for item in fields(part) if item.name in values})
                for vendor, part in self._parts.items()
            }
        )

    def with_texts(self, pairs: Iterable[str]) -> Switches:
        """These switches with NAME=VALUE texts laid over them. Raises ControlError."""
        defaults = {item.name: item.default for part in self._parts.values() for item in fields(part)}
        values: dict[str, object] = {}
        for pair in pairs:
            name, equals, value = pair.partition("=")
            if not equals:
                raise ControlError(f"{pair} must be written NAME=VALUE")
            values[name] = read_value(value, type(defaults.get(name, "")))
        return self.with_values(values)

    def describe(self) -> dict[str, dict[str, object]]:
        """Value, grade and meaning by name; what a value may be, where there are few."""
        return {
            item.name: {
                "value": getattr(part, item.name),
                "grade": item.metadata["grade"],
                "means": item.metadata["means"],
                **({"one_of": list(item.metadata["allowed"])} if item.metadata["allowed"] else {}),
            }
            for part in self._parts.values()
            for item in fields(part)
        }
