"""The formats, by the names that the settings know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bellhop.ingest.formats import mapped, sevenrooms, tripleseat
from bellhop.ingest.formats.parts import Adapt, Context, Event
from bellhop.vendors.registry import VENDORS
from bellhop.vendors.vendor import CallbackFacts, Notice


@dataclass(frozen=True, slots=True)
class Format:
    """is_listed: a body may be a list of items, too."""

    adapt: Adapt
    is_listed: bool = False


def _bellhop(item: Any, _context: Context) -> Event:
    return Event(item)


def _callback(facts: CallbackFacts[Any]) -> Adapt:
    def adapt(item: Any, context: Context) -> Notice:
        return facts.read(item, context.account, context.receipt.received, context.receipt.own_id)

    return adapt


TABLE: Final[Mapping[str, Format]] = {
    "bellhop": Format(_bellhop),
    "sevenrooms": Format(sevenrooms.adapt, is_listed=True),
    "tripleseat": Format(tripleseat.adapt),
    "mapped": Format(mapped.adapt, is_listed=True),
    **{vendor.kind: Format(_callback(vendor.callbacks)) for vendor in VENDORS if vendor.callbacks},
}
