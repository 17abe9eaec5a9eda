"""One body, read by the rules of a map: what they find, what they ignore, what cannot be made."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bellhop.schemas.errors import FieldProblem
from bellhop.schemas.expressions import Expression, Unreadable
from bellhop.schemas.map_rules import NO_VALUE, Rule

IGNORED: Final = "ignored"
"""What a rule may say: this event, or this one of its services, means nothing here."""

_FREE: Final = frozenset({"notes", "client", "profile", "attributes", "additional", "promo_code"})
"""Where a guest may have written the word `ignored`."""


@dataclass(frozen=True, slots=True)
class _Value:
    """What a rule gives for a body. says_ignored: it is the word. is_constant: it is the map's own."""

    value: Any
    says_ignored: bool = False
    is_constant: bool = True


@dataclass(frozen=True, slots=True)
class _Service:
    """made: None where a rule ignores it. is_found: something of it stands in the body."""

    made: dict[str, Any] | None
    is_found: bool


@dataclass(slots=True)
class Reading:
    """ignored: the fields whose rules say so. dropped: those by which a service is left out."""

    document: object
    made: dict[str, Any]
    ignore_unknown: Collection[str] = ()
    ignored: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    problems: list[FieldProblem] = field(default_factory=list)

    def read(self, rules: Sequence[Rule]) -> None:
        numbered: dict[int, list[Rule]] = {}
        for rule in rules:
            if rule.is_list:
                self._read_each(rule, [inner for inner in rules if inner.is_inner])
            elif rule.number is not None:
                numbered.setdefault(rule.number, []).append(rule)
            elif not rule.is_inner:
                self._read_one(rule)
        if numbered:
            self._read_numbered(numbered)

    def _read_one(self, rule: Rule) -> None:
        got = self._value(rule, rule.name, self.document)
        if got.says_ignored:
            self.ignored.append(rule.name)
        if got.value is NO_VALUE:
            return
        place = self.made
        for step in rule.field[:-1]:
            inner = place.get(str(step))
            place[str(step)] = place = inner if isinstance(inner, dict) else {}
        place[str(rule.field[-1])] = got.value

    def _read_each(self, rule: Rule, inner: Sequence[Rule]) -> None:
        found = self._value(rule, rule.name, self.document).value
        items = [found] if isinstance(found, Mapping) else [] if found is NO_VALUE else found
        if not isinstance(items, list):
            self.problems.append(FieldProblem("data.services", "must be found as a list"))
            return
        services = []
        for number, item in enumerate(items):
            document = {"item": item, "before": items[:number], "body": self.document}
            services.append(self._service(inner, f"data.services.{number}", document, {}))
        self._put_services([one.made for one in services])

    def _read_numbered(self, rules: Mapping[int, Sequence[Rule]]) -> None:
        """Where the body holds fewer services than the map has rules for, constants alone make none."""
        known = self._services()
        made: list[dict[str, Any] | None] = [*known, *({} for _ in range(max(rules) + 1 - len(known)))]
        for number in sorted(rules):
            one = self._service(rules[number], f"data.services.{number}", self.document, made[number] or {})
            is_there = one.is_found or number == 0 or number < len(known)
            made[number] = one.made if is_there else None
        self._put_services(made)

    def _service(self, rules: Sequence[Rule], place: str, document: object, base: Mapping[str, Any]) -> _Service:
        service, is_found, ignored = dict(base), False, ""
        for rule in rules:
            name = f"{place}.{rule.field[-1]}"
            got = self._value(rule, name, document)
            if got.value is NO_VALUE:
                continue
            ignored = ignored or (name if got.says_ignored else "")
            is_found = is_found or not got.is_constant
            service[str(rule.field[-1])] = got.value
        if ignored and (is_found or "services.0." in ignored):
            self.dropped.append(ignored)
        return _Service(None if ignored else service, is_found)

    def _services(self) -> list[dict[str, Any]]:
        data = self.made.get("data")
        services = data.get("services") if isinstance(data, dict) else None
        return [dict(one) for one in services] if isinstance(services, list) else []

    def _put_services(self, services: Sequence[dict[str, Any] | None]) -> None:
        data = self.made.get("data")
        self.made["data"] = data = data if isinstance(data, dict) else {}
        data["services"] = [one for one in services if one is not None]

    def _value(self, rule: Rule, name: str, document: object) -> _Value:
        try:
            found = None if rule.finder is None else rule.finder.find(document)
        except Unreadable as error:
            self.problems.append(FieldProblem(name, str(error)))
            return _Value(NO_VALUE)
        if found is None:
            # A list or table of the settings must not be shared between events.
            return _Value(copy.deepcopy(rule.default), rule.default == IGNORED)
        if rule.values is None:
            is_a_choice = isinstance(rule.finder, Expression) and rule.field[1:2] not in [(one,) for one in _FREE]
            return _Value(found, found == IGNORED and (is_a_choice or name == "type"), is_constant=False)
        word = _word(found)
        if word not in rule.values and rule.default is NO_VALUE:
            if rule.name in self.ignore_unknown:
                return _Value(IGNORED, says_ignored=True, is_constant=False)
            self.problems.append(FieldProblem(name, "has a value that its map's `values` do not name"))
            return _Value(NO_VALUE)
        ours = rule.values[word] if word in rule.values else copy.deepcopy(rule.default)
        return _Value(ours, ours == IGNORED, is_constant=False)


def _word(value: object) -> str:
    """A value as a key of TOML: JSON's spelling of what is no text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""
