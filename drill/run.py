"""One drill, from the first webhook to the record: load, a fault in each part of it, rest, record."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

from bellhop.drill.backends import Backends
from bellhop.drill.faults.fault import DrillFault
from bellhop.drill.faults.table import BY_NAME, UPGRADED, possible
from bellhop.drill.history import DrillRun, Record
from bellhop.drill.plan import first_day, plan
from bellhop.drill.receiver import Receiver
from bellhop.drill.recorder import await_rest, record_end
from bellhop.drill.site import SECRET, DrillError, Site
from bellhop.drill.turns import do_fault, do_faults
from bellhop.drill.upstream import Sender, portions

GAP_SECONDS: Final = 0.03
REST_SECONDS: Final = 180.0
_CALM: Final = DrillFault("none", "", "the last webhooks, and nothing happens", lambda _site, _upstream: None)


@dataclass(frozen=True, slots=True)
class Drill:
    """What is to be done. faults: in this order; they are spread over the load. at_once: so many at the same time,
    where they touch different parts."""

    seed: int
    events: int
    faults: Sequence[DrillFault]
    at_once: int = 1
    rest_seconds: float = REST_SECONDS


def choose_faults(seed: int, count: int, has: frozenset[str]) -> list[DrillFault]:
    """So many of the faults that are possible, by the seed, none again before all were chosen; -1: each once."""
    found, random = possible(has), Random(seed)  # noqa: S311  # to be repeated, not kept secret
    chosen: list[DrillFault] = []
    while len(chosen) < (len(found) if count < 0 else count):
        random.shuffle(found)
        chosen += found
    return _upgrade_first(chosen if count < 0 else chosen[:count], has)


def faults_by_name(names: Sequence[str], has: frozenset[str]) -> list[DrillFault]:
    """The faults of these names. Raises DrillError for one that is none, or not possible here."""
    for name in names:
        if name not in BY_NAME:
            raise DrillError(f"{name} is no fault: `bellhop drill faults` shows them all")
        if lacking := BY_NAME[name].needs - has:
            raise DrillError(f"{name} needs {', '.join(sorted(lacking))}, which this drill has not")
    return _upgrade_first([BY_NAME[name] for name in names], has)


def _upgrade_first(faults: Sequence[DrillFault], has: frozenset[str]) -> list[DrillFault]:
    """Where the parts begin as an older version, which cannot be started on a ledger that was upgraded."""
    upgrade = [BY_NAME[UPGRADED]] if BY_NAME[UPGRADED].needs <= has else []
    return [*upgrade, *(fault for fault in faults if fault.name != UPGRADED)]


def run(drill: Drill, on: Backends, folder: Path, tell: Callable[[str], None]) -> list[Record]:
    """The record. tell: is given a line for whoever watches. Raises DrillError where it cannot begin or be mended."""
    day = first_day(datetime.now(UTC).date())
    prefix = f"{drill.seed}-{int(time.time()):x}"
    parts = portions(plan(drill.seed, drill.events, day, prefix), len(drill.faults) + 1)
    records: list[Record] = []
    with Receiver() as receiver, Site(folder, on, receiver.url, Random(drill.seed)) as site:  # noqa: S311  # as above
        upstream = Sender(site.url, SECRET, parts, GAP_SECONDS)
        upstream.start()
        records += do_faults(drill.faults, drill.at_once, site, upstream, tell)
        upstream.release(len(drill.faults))
        records.append(do_fault(_CALM, len(drill.faults), site, upstream, tell))
        tell(f"{len(upstream.accepted)} accepted; waiting until all of it has ended")
        calm = await_rest(site, upstream.accepted, drill.rest_seconds)
        records += [*upstream.posts, *record_end(site, upstream.posts), *site.acts, *receiver.told]
    names = tuple(fault.name for fault in drill.faults)
    return [DrillRun(drill.seed, drill.events, *on.words, names, calm), *records]
