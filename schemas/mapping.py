"""A source's map: where in an upstream's own body each field of an event stands. No I/O, and no code in settings.

A rule is a path, `"payload.uid"` or `"items.0.id"`; or a table of `path` or `expression` (JMESPath), optionally with
`values` (their word → ours) and `default` (where it leads nowhere); or `{ value = … }`, the same for every event. What
is found is taken as it is; nothing, or null, leaves the field out, and the event's contract says what is then missing.

`data.services.*` says where a list of services stands; the rules of its fields, `data.services.*.start`, are read once
for each of its items, of `{"item": …, "before": [the items before it], "body": the whole body}`.

Any rule may say `ignored`. Nothing of a list is left out in silence: of one whose items are read by their place, those
that no rule reads are told of.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bellhop.schemas.errors import EventInvalid, FieldProblem
from bellhop.schemas.expressions import IndexedList
from bellhop.schemas.map_reading import IGNORED, Reading
from bellhop.schemas.map_rules import MapError, Rule, compile_rules
from bellhop.schemas.statuses import is_cancel

__all__ = ["IGNORED", "NO_MAP", "FieldMap", "MapError", "Mapped", "compile_map"]

_NAMING: Final = ("type", "data.booking_id")
"""Of a cancel nothing else may refuse, and beside these only what tells its kind or place may say `ignored`."""
_PLACE: Final = "data.venue"
_KINDS: Final = (*_NAMING, _PLACE, "id", "timestamp", "data.status")


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a map makes of a body. ignored: the field whose rule says that it means nothing here, "" for none.
    is_elsewhere: that is said of its place, or of all its services, and of nothing else."""

    body: dict[str, Any]
    ignored: str = ""
    warnings: tuple[str, ...] = ()
    is_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class FieldMap:
    """A map, checked once. Empty, it leaves everything as it is."""

    rules: tuple[Rule, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rules)

    def apply(self, document: object, base: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """An event's fields alone: see `read`."""
        return self.read(document, base).body

    def read(
        self, document: object, base: Mapping[str, Any] | None = None, *, ignore_unknown: Collection[str] = ()
    ) -> Mapped:
        """An event's fields, as the rules find them in `document`, laid over `base` (which stays as it is).

        ignore_unknown: the fields of which a value that `values` does not name is ignored. Raises EventInvalid where
        such a value stands elsewhere (it is never guessed), where a value cannot be made, where services are left that
        no rule reads. Of what cancels none of that matters but for the fields that say which booking it is.
        """
        reading = Reading(document, copy.deepcopy(dict(base or {})), ignore_unknown)
        reading.read(self.rules)
        cancels = is_cancel(reading.made)
        if ignored := [name for name in reading.ignored if name in _KINDS or not cancels]:
            return Mapped(reading.made, ignored[0], is_elsewhere=set(ignored) == {_PLACE})
        problems = [one for one in reading.problems if not cancels or one.field in _NAMING]
        left_over = () if cancels else tuple(_left_over(self.rules, document))
        problems += [FieldProblem("data.services", text) for text, is_of_services in left_over if is_of_services]
        if problems:
            raise EventInvalid(tuple(problems))
        if cancels:
            return Mapped(reading.made)
        if reading.dropped and not reading.made["data"]["services"]:
            return Mapped(reading.made, reading.dropped[0], is_elsewhere=True)
        dropped = [f"{name} is {IGNORED}, as the map says: that service is left out" for name in reading.dropped]
        return Mapped(reading.made, "", (*(text for text, _ in left_over), *dropped))

    def names(self, field: str) -> bool:
        """Whether there is a rule for the field."""
        return any(rule.name == field for rule in self.rules)

    @property
    def takes_lists(self) -> bool:
        """Whether its rules are for a body that is itself a list, and not for each of its items."""
        return any(rule.finder is not None and rule.finder.takes_lists for rule in self.rules)


NO_MAP: Final = FieldMap()


def compile_map(table: Mapping[str, Any]) -> FieldMap:
    """The map that a table of the settings says. Raises MapError for the first rule that is wrong."""
    return FieldMap(compile_rules(table))


def _left_over(rules: Sequence[Rule], document: object) -> Iterator[tuple[str, bool]]:
    """Of each list whose items are read by their place: what is not read, and whether that is of services."""
    lists: dict[str, list[tuple[IndexedList, bool]]] = {}
    for rule in rules:
        if rule.finder is not None and not rule.is_inner:
            for one in rule.finder.lists_by_place(document):
                lists.setdefault(one.name, []).append((one, "services" in rule.field))
    for name, found in lists.items():
        read = {one.index for one, _ in found}
        items = found[0][0].items
        unread = [number for number, item in enumerate(items) if number not in read and item not in (None, "", {}, [])]
        if unread:
            where = ", ".join(f"{name}.{number}" for number in unread[:10])
            yield (
                f"{len(unread)} of the {len(items)} items of {name} are read by no rule: {where}",
                any(is_of_services for _, is_of_services in found),
            )
