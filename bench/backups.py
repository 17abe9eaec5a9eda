"""What a backup of the ledger costs, and what is missing after one was put back: `make bench-backups`.

    make bench-backups ARGS="--letters 20000 --ledger postgresql"
    make bench-backups ARGS="--letters 0"        # only what is missing

First the times of `bellhop ledger backup` and `restore`, with so many dead letters in the ledger. Then a restore under
load: bookings, a copy, more bookings, everything is killed, the copy is put back, the upstream sends again what it is
told to. Ends with 1 where an accepted booking is nowhere, or stands twice.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

import psycopg

from bellhop.drill.backends import Backends, backends
from bellhop.drill.plan import first_day, plan
from bellhop.drill.receiver import Receiver
from bellhop.drill.site import PARTS, SECRET, SOURCE, Site
from bellhop.drill.standings import find_standings
from bellhop.drill.upstream import Sender
from bellhop.ledger.records import LetterFilter, LetterState, Order, Standing, State
from bellhop.ledger.store import Ledger
from bench.letters import fill

_TEMPLATE: Final = Path(__file__).with_name("recovery.toml")
_GAP_SECONDS: Final = 0.05
_MOST_SECONDS: Final = 300.0


@contextmanager
def _site(on: Backends) -> Iterator[Site]:
    with ExitStack() as stack:
        folder, receiver = stack.enter_context(tempfile.TemporaryDirectory()), stack.enter_context(Receiver())
        yield stack.enter_context(Site(Path(folder), on, receiver.url, Random(1), _TEMPLATE))


def times(folder: Path, url: str, letters: int) -> tuple[float, float, float, float]:
    """Of a ledger with so many dead letters its size and the copy's (MB), and the seconds of both commands."""
    ledger = Ledger.open(url, keep_seconds=90 * 86400)
    fill(ledger, letters)
    ledger.close()
    copy = folder / f"{letters}.copy"
    took = _seconds(url, "backup", str(copy)), _seconds(url, "restore", str(copy), "--yes", "--why", "bench")
    return _size(url) / 1e6, copy.stat().st_size / 1e6, *took


def missing(site: Site, bookings: int) -> dict[str, int]:
    """How many of so many bookings before the copy and as many after it are what, once all have come to rest."""
    day = first_day(datetime.now(UTC).date())
    plain = [
        one for one in plan(1, 20 * bookings, day, "b") if one.type == "booking.requested" and "-again" not in one.id
    ]
    sender = Sender(site.url, SECRET, [plain[:bookings], plain[bookings : 2 * bookings]], _GAP_SECONDS)
    sender.start()
    sender.release(0)
    sender.wait(0)
    copied = datetime.now(UTC)
    copy = str(site.folder / "ledger.copy")
    site.bellhop("ledger", "backup", copy)
    sender.release(1)
    sender.wait(1)
    for name in PARTS:
        site.processes.kill(name)
    accepted = sender.accepted
    booked = {reference for _, reference, _ in _booked(site)}
    site.bellhop("ledger", "restore", copy, "--yes", "--why", "bench")
    with site.ledger() as ledger:
        since = ledger.restores.send_again_since(copied)
        unknown = len(set(accepted) - _known(ledger.standings(SOURCE, accepted)))
    for name in PARTS:
        site.start(name)
    site.wait_for_ingress()
    sender.send_again_since(since.timestamp())
    held, done = _rest(site, accepted)
    standing = Counter(_booked(site))
    return {
        "accepted": len(accepted),
        "booked before the kill": len(booked),
        "unknown to the ledger that was put back": unknown,
        "held in doubt for a person": len(held),
        "done": len(done),
        "nowhere": len(set(accepted) - held - done),
        "standing twice": sum(count > 1 for count in standing.values()),
    }


def _known(rows: Mapping[str, Sequence[Standing]]) -> set[str]:
    return {id_ for id_, found in rows.items() if found}


def _booked(site: Site) -> list[tuple[str, str, str]]:
    """What stands at the vendors, one entry for each slot of each booking."""
    return [(one.vendor, one.reference, one.slot) for one in find_standings(site.sandbox("GET", "state"))]


def _rest(site: Site, ids: Sequence[str]) -> tuple[set[str], set[str]]:
    """The events that a person has, and those that are done, once all are either; or what is so in the end."""
    ends = time.monotonic() + _MOST_SECONDS
    while True:
        with site.ledger() as ledger:
            open_ = LetterFilter(source=SOURCE, states=(LetterState.OPEN,))
            held = {letter.new.event_id for letter in ledger.letters.page(open_, Order.NEWEST, 1000).rows}
            rows = ledger.standings(SOURCE, ids)
        done = {id_ for id_, found in rows.items() if any(row.state is State.DONE for row in found)}
        if set(ids) <= held | done or time.monotonic() > ends:
            return held & set(ids), done
        time.sleep(0.5)


def _seconds(url: str, *words: str) -> float:
    command = [sys.executable, "-m", "bellhop.cli.main", "ledger", *words]
    began = time.monotonic()
    subprocess.run(command, env={**os.environ, "BELLHOP_LEDGER__URL": url}, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def _size(url: str) -> float:
    if url.startswith("sqlite:"):
        return Path(url.removeprefix("sqlite:///")).stat().st_size
    with psycopg.connect(url) as connection:
        (size,) = connection.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
    return float(size)


def main(words: Sequence[str] | None = None) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what it started must not outlive it
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ledger", action="append", choices=("sqlite", "postgresql"), help="one of them; repeatable")
    parser.add_argument("--letters", action="append", type=int, help="in the ledger that is copied; repeatable")
    parser.add_argument("--bookings", type=int, default=60, help="before the copy, and as many after it; 0: none")
    asked = parser.parse_args(words)
    failed = False
    for ledger in asked.ledger or ("sqlite", "postgresql"):
        for letters in filter(None, asked.letters or (20_000, 100_000)):
            with backends("embedded", ledger) as on, tempfile.TemporaryDirectory() as name:
                url = on.ledger or f"sqlite:///{name}/ledger.db"
                size, copy, backup, restore = times(Path(name), url, letters)
            row = f"{ledger}, {letters:,} | {size:.0f} MB | {copy:.0f} MB | {backup:.1f} s | {restore:.1f} s"
            print(f"| {row} |", flush=True)
        if asked.bookings:
            with backends("embedded", ledger) as on, _site(on) as site:
                found = missing(site, asked.bookings)
            print(f"| {ledger} | {' | '.join(f'{what}: {count}' for what, count in found.items())} |", flush=True)
            failed = failed or bool(found["nowhere"] or found["standing twice"])
    sys.exit(failed)


if __name__ == "__main__":
    main()
