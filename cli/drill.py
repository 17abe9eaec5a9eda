"""`bellhop drill`: a whole Bellhop of its own under load and faults, and a checker that decides from the record."""

from __future__ import annotations

import random
import shlex
import signal
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bellhop.cli.common import Failed, Misused, as_json, echo, echo_json, printable, rich_table
from bellhop.schemas.quantities import quantity

if TYPE_CHECKING:
    from bellhop.drill.checker import Judgement
    from bellhop.drill.history import Record

_SEEDS: Final = 100_000
_FILE: Final = click.Path(dir_okay=False, path_type=Path)


@click.group(short_help="Prove that nothing is lost, doubled or half.")
def drill() -> None:
    """Run Bellhop with sandbox vendors under load and faults, and check the record of it.

    docs/reliability.md says what is checked, and what was seen.
    """


@drill.command(short_help="Load, faults, and the verdict.")
@click.option("--seed", type=int, help="Decides what is sent and which faults come. Default: a new one, printed.")
@click.option("--events", type=click.IntRange(1), default=60, show_default=True, help="How many are posted.")
@click.option("--fault", "names", metavar="NAME", multiple=True, help="A fault to meet, in this order. Repeatable.")
@click.option("--faults", "count", type=int, default=5, show_default=True, help="Or so many, by the seed; -1: all.")
@click.option(
    "--at-once", type=click.IntRange(1), default=1, show_default=True, help="Faults at one time, of different parts."
)
@click.option(
    "--broker",
    default="embedded",
    show_default=True,
    help="embedded, rabbitmq (a node of its own), cluster (three), or a URL.",
)
@click.option(
    "--ledger",
    default="sqlite",
    show_default=True,
    help="sqlite, postgresql (a node of its own), pair (and a standby), or a URL.",
)
@click.option("--disks", is_flag=True, help="What is a file has a small disk of its own, to be filled. Needs root.")
@click.option(
    "--from",
    "older",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="A checkout of an older version: it is upgraded to this one, and back, and up again, before anything else.",
)
@click.option("--folder", type=click.Path(path_type=Path), help="Settings, data and logs. Default: a new one.")
@click.option("--record", "file", type=_FILE, help="Where the record goes. Default: history.jsonl in the folder.")
@as_json
def run(
    seed: int | None,
    events: int,
    names: tuple[str, ...],
    count: int,
    at_once: int,
    broker: str,
    ledger: str,
    disks: bool,
    older: Path | None,
    folder: Path | None,
    file: Path | None,
    json_: bool,
) -> None:
    """Start a Bellhop of its own with sandbox vendors, post bookings, do faults to it, and check the record.

    A broker or ledger that a URL names must be empty: a virtual host or a database made for the drill. Exit code 1
    where the promise was broken.

    Example: bellhop drill run --seed 7 --fault worker_killed --fault bookings_late
    """
    from bellhop.drill.backends import backends
    from bellhop.drill.run import Drill, choose_faults, faults_by_name
    from bellhop.drill.run import run as drill_once

    for number in (signal.SIGTERM, signal.SIGINT):  # what it started must not outlive it
        signal.signal(number, signal.default_int_handler)
    seed = random.randrange(_SEEDS) if seed is None else seed  # noqa: S311  # to be repeated, not kept secret
    place = _new_folder(folder)
    with backends(broker, ledger, disks=disks, older=older) as on:
        wanted = faults_by_name(names, on.has()) if names else choose_faults(seed, count, on.has())
        _tell(f"seed {seed}; again: {_again(seed, events, [fault.name for fault in wanted], at_once, broker, ledger)}")
        records = drill_once(Drill(seed, events, wanted, at_once), on, place, _tell)
    _keep(records, file or place / "history.jsonl", place)
    _judge(records, json_)


@drill.command(short_help="The verdict on a record.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
def check(file: Path, json_: bool) -> None:
    """Decide from the record in FILE alone whether the promise was kept: every accepted event ended once and whole,
    stands in front of a person, or is on its way. Exit code 1 where it was broken.
    """
    _judge(_read(file), json_)


@drill.command(short_help="What many drills came to, as Markdown.")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def table(files: tuple[Path, ...]) -> None:
    """Print what the records in FILES came to, as Markdown: fault by fault, for each broker and ledger, and how many
    calls of unknown end a person had to settle.
    """
    from bellhop.drill.tables import tables

    click.echo(tables(map(_read, files)))


@drill.command(short_help="The faults that there are.")
@as_json
def faults(json_: bool) -> None:
    """Show every fault by its name, and what a drill needs for it."""
    from bellhop.drill.faults.table import FAULTS

    if json_:
        echo_json([{"name": f.name, "part": f.part, "what": f.words, "needs": sorted(f.needs)} for f in FAULTS])
        return
    rows = [(f.name, f.part, f.words, ", ".join(sorted(f.needs))) for f in FAULTS]
    echo(rich_table(("fault", "part", "what happens", "needs"), rows))


def _new_folder(folder: Path | None) -> Path:
    place = folder or Path(tempfile.mkdtemp(prefix="bellhop-drill-"))
    place.mkdir(parents=True, exist_ok=True)
    if (place / "bellhop.toml").exists():
        raise Misused(f"{place} holds a drill already: give another --folder")
    return place.resolve()


def _read(file: Path) -> list[Record]:
    from bellhop.drill.history import HistoryError, read_history

    with file.open(encoding="utf-8") as lines:
        try:
            return list(read_history(lines))
        except HistoryError as error:
            raise Failed(f"{file}: {error}") from error


def _keep(records: Sequence[Record], file: Path, place: Path) -> None:
    from bellhop.drill.history import line_of

    file.write_text("".join(f"{line_of(one)}\n" for one in records), encoding="utf-8")
    _tell(f"the record: {file}; the logs: {place}")


def _again(seed: int, events: int, names: Sequence[str], at_once: int, broker: str, ledger: str) -> str:
    """The command that runs it anew; a URL, which may hold a password, is left out."""
    faults = [word for name in names for word in ("--fault", name)]
    places = [word if "://" not in word else "URL" for word in ("--broker", broker, "--ledger", ledger)]
    load = ["--seed", str(seed), "--events", str(events), "--at-once", str(at_once)]
    return shlex.join(["bellhop", "drill", "run", *load, *faults, *places])


def _tell(line: str) -> None:
    click.echo(printable(line), err=True)


def _judge(records: Sequence[Record], json_: bool) -> None:
    from bellhop.drill.checker import check
    from bellhop.drill.report import describe, fault_rows

    verdict, rows = check(records), fault_rows(records)
    failed = [f"{row.name}: {words}" for row in rows for words in row.failed]
    if json_:
        echo_json(_row(verdict) | {"faults": [vars(row) for row in rows]})
    else:
        if rows:
            headers = ("fault", ">times", ">posted", ">ended", ">in front of a person", "broken")
            echo(
                rich_table(headers, [(r.name, r.times, r.posted, r.ended, r.person, ", ".join(r.broken)) for r in rows])
            )
        for one in verdict.violations:
            click.echo(printable(f"{one.breach.value}: {one.subject}: {one.words}"))
        for words in failed:
            click.echo(printable(f"could not be done to its end: {words}"))
        click.echo(describe(verdict))
    if not verdict.kept:
        raise Failed(f"the promise was broken {len(verdict.violations)} times")
    if failed:
        raise Failed(f"the promise was kept, but {quantity(len(failed), 'fault')} could not be done to the end")


def _row(verdict: Judgement) -> dict[str, Any]:
    broken = [{"name": one.breach.value, "subject": one.subject, "words": one.words} for one in verdict.violations]
    return {
        "kept": verdict.kept,
        "accepted": verdict.accepted,
        "counts": dict(verdict.counts),
        "doubts": {vendor: asdict(count) | {"share": count.share} for vendor, count in verdict.doubts.items()},
        "violations": broken,
    }
