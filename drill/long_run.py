"""Drill after drill, until each fault has struck often enough on each broker and ledger: `make drill-long`.

    make drill-long ARGS="--folder /var/tmp/drills --each 50"

It goes on from the records in the folder: what they have is not done again. Each drill is a process of its own, which
leaves its record and its output there; its settings, data and logs stay only where the promise was broken or a fault
could not be done.
"""

from __future__ import annotations

import argparse
import math
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Final

import click

from bellhop.drill.faults.table import possible
from bellhop.drill.history import DrillRun, FaultDone, Record, read_history

Place = tuple[str, str]
PLACES: Final[Mapping[Place, frozenset[str]]] = {
    ("embedded", "sqlite"): frozenset({"embedded", "sqlite", "libfaketime"}),
    ("embedded", "postgresql"): frozenset({"embedded", "postgresql", "postgresql node", "libfaketime"}),
    ("rabbitmq", "sqlite"): frozenset({"amqp", "rabbitmq node", "sqlite", "libfaketime"}),
    ("rabbitmq", "postgresql"): frozenset({"amqp", "rabbitmq node", "postgresql", "postgresql node", "libfaketime"}),
}
"""Broker and ledger, and what a drill on them has: all of `Backends.has()` but what is chosen by hand."""
_DRILL_SECONDS: Final = 600.0
_LOOK_SECONDS: Final = 2.0


@dataclass
class Strikes:
    """Of one place. struck: by fault, how often it struck; done: how many times it was done to its end."""

    struck: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)

    def add(self, records: Iterable[Record]) -> None:
        for one in records:
            if isinstance(one, FaultDone) and not one.failed:
                self.struck[one.name] += one.times
                self.done[one.name] += 1

    def lacking(self, names: Sequence[str], each: int) -> Counter[str]:
        """By fault, how many times more it is to be done, as it struck so far."""
        wanted = Counter[str]()
        for name in names:
            if (left := each - self.struck[name]) > 0:
                usual = self.struck[name] / self.done[name] if self.done[name] else 1
                wanted[name] = math.ceil(left / max(usual, 0.5))
        return wanted


def choose_lacking(wanted: Mapping[str, int], count: int, random: Random) -> list[str]:
    """At most so many, each fault as many times as is wanted; none again before all others."""
    left, chosen = Counter(wanted), list[str]()
    while len(chosen) < count and (names := sorted(left)):
        random.shuffle(names)
        chosen += names
        left.subtract(names)
        left = +left
    return chosen[:count]


def strikes_by_place(folder: Path) -> dict[Place, Strikes]:
    found: dict[Place, Strikes] = defaultdict(Strikes)
    for file in sorted(folder.glob("*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            records = list(read_history(lines))
        for run in (one for one in records if isinstance(one, DrillRun)):
            found[run.broker, run.ledger].add(records)
    return found


@dataclass(frozen=True)
class LongRunPlan:
    """events: posted in a drill for each of its faults. pause_file: while it exists, no drill is begun."""

    folder: Path
    each: int
    faults: int
    events: int
    at_once: int
    only: Sequence[str]
    places: Sequence[Place]
    pause_file: Path | None
    until: datetime | None

    def names(self, place: Place) -> list[str]:
        return [one.name for one in possible(PLACES[place]) if one.name in (self.only or (one.name,))]


class LongRun:
    def __init__(self, plan: LongRunPlan) -> None:
        self._plan = plan
        self._choosing = threading.Lock()
        self._busy: set[Place] = set()
        self._seed = 1000 + len(list(plan.folder.glob("*.log")))

    def work(self) -> None:
        """Drill after drill, until nothing is lacking, or the time has come."""
        while (chosen := self._choose()) is not None:
            place, seed, names = chosen
            try:
                self._drill(place, seed, names)
            finally:
                self._busy.discard(place)

    def _choose(self) -> tuple[Place, int, list[str]] | None:
        """A place with the most lacking, of those where no other drill is."""
        plan = self._plan
        while plan.pause_file is not None and plan.pause_file.exists():
            time.sleep(_LOOK_SECONDS)
        if plan.until is not None and datetime.now() > plan.until:  # noqa: DTZ005  # as the machine's clock shows
            return None
        with self._choosing:
            have = strikes_by_place(plan.folder)
            free = [place for place in plan.places if place not in self._busy]
            lacking = {place: have[place].lacking(plan.names(place), plan.each) for place in free}
            place = max(free, key=lambda one: lacking[one].total(), default=None)
            if place is None or not lacking[place]:
                return None
            self._busy.add(place)
            self._seed += 1
            return place, self._seed, choose_lacking(lacking[place], plan.faults, Random(self._seed))  # noqa: S311  # repeated

    def _drill(self, place: Place, seed: int, names: Sequence[str]) -> None:
        plan, name = self._plan, f"{'-'.join(place)}-{seed}"
        site, record = plan.folder / name, plan.folder / f"{name}.jsonl"
        command = [sys.executable, "-m", "bellhop.cli.main", "drill", "run", "--seed", str(seed)]
        command += ["--events", str(len(names) * plan.events), "--at-once", str(plan.at_once)]
        command += ["--broker", place[0], "--ledger", place[1], "--folder", str(site), "--record", str(record)]
        command += [word for fault in names for word in ("--fault", fault)]
        with (plan.folder / f"{name}.log").open("w", encoding="utf-8") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)  # noqa: S603  # ours
            try:
                code: int | None = process.wait(_DRILL_SECONDS)
            except subprocess.TimeoutExpired:
                process.terminate()
                process.wait()
                code = None
        if code == 0:
            shutil.rmtree(site, ignore_errors=True)
        last = (plan.folder / f"{name}.log").read_text(encoding="utf-8").strip().rpartition("\n")[2]
        click.echo(f"{datetime.now():%H:%M:%S} {name}: {code} {last}")  # noqa: DTZ005  # as above


def go_on(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="of the records")
    parser.add_argument("--each", type=int, default=50, help="how often each fault is to strike, on each place")
    parser.add_argument("--faults", type=int, default=40, help="of one drill")
    parser.add_argument("--events", type=int, default=8, help="posted for each fault of a drill")
    parser.add_argument("--at-once", type=int, default=6, help="faults at one time")
    parser.add_argument("--side-by-side", type=int, default=2, help="drills at one time, on different places")
    parser.add_argument("--fault", dest="only", action="append", default=[], help="one of them; repeatable")
    parser.add_argument("--place", action="append", default=[], help="such as rabbitmq-sqlite; repeatable")
    parser.add_argument("--pause-file", type=Path, help="while it exists, no drill is begun")
    parser.add_argument("--until", type=datetime.fromisoformat, help="no drill is begun later")
    asked = vars(parser.parse_args(words))
    asked["places"] = [place for place in PLACES if "-".join(place) in (asked["place"] or ("-".join(place),))]
    count = asked.pop("side_by_side")
    del asked["place"]
    asked["folder"].mkdir(parents=True, exist_ok=True)
    run = LongRun(LongRunPlan(**asked))
    with ThreadPoolExecutor(count) as pool:
        for future in [pool.submit(run.work) for _ in range(count)]:
            future.result()


if __name__ == "__main__":
    go_on()
