"""Follows a bulk job to its end, and tells what became of its letters."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

from bellhop.cli.common import DurationParam, Failed, printable
from bellhop.cli.job_desks import JobDesk, Row
from bellhop.schemas.errors import BellhopError
from bellhop.schemas.quantities import quantity

LOOK_SECONDS: Final = 0.3
ARCHIVE_SECONDS: Final = 1.0
"""So long `bellhop archive` has to take a job before a command moves it itself: it looks twice a second."""
TOLD: Final = 20
"""So many letters are told one by one; of more, those that failed."""
INTERRUPTED: Final = "interrupted at the command line"

Progress = Callable[[int], None]

wait_option: Final = click.option(
    "--wait",
    type=DurationParam(),
    default="10s",
    show_default=True,
    help="Leave the job to itself when nothing of it moves for so long: 30s, 2m.",
)


def follow(desk: JobDesk, job: Row, wait: float, progress: Progress = lambda _done: None) -> Row:
    """The job when it has ended, was held up, or nothing of it has moved for `wait` seconds. Moves it on where nobody
    else does. Raises Failed where somebody interrupts it: then it is paused."""
    number = job["id"]
    began = moved = time.monotonic()
    try:
        while job["state"] == "running":
            time.sleep(LOOK_SECONDS)
            if time.monotonic() - began >= min(ARCHIVE_SECONDS, wait):
                desk.move(number)
            seen, job = _signs(job), desk.get(number)
            progress(sum(job["counts"][name] for name in ("done", "failed", "skipped")))
            if _signs(job) != seen:
                moved = time.monotonic()
            elif time.monotonic() - moved >= wait and time.monotonic() - began >= ARCHIVE_SECONDS + LOOK_SECONDS:
                break
    except KeyboardInterrupt:
        _pause(desk, number)
    finally:
        desk.leave(number)
    return job


def _signs(job: Row) -> tuple[Any, ...]:
    return job["state"], job["updated"], tuple(job["counts"].values())


def _pause(desk: JobDesk, number: int) -> None:
    """Raises Failed, which says how it stands."""
    try:
        desk.steer(number, "pause", None, INTERRUPTED)
    except (click.ClickException, BellhopError) as error:
        raise Failed(f"job {number} is still running ({error}): bellhop jobs show {number}, or pause it") from None
    raise Failed(f"job {number} is paused: bellhop jobs resume {number} goes on with it, bellhop jobs cancel ends it")


def echo_job_end(desk: JobDesk, job: Row) -> None:
    """What became of its letters: "replayed" are those whose end is known, and no others."""
    counts, done = job["counts"], "discarded" if job["kind"] == "discard" else "replayed"
    click.echo(f"{done} {counts['done']} of {job['total']}")
    for item in end_items(desk, job):
        click.echo(printable(f"  {item['letter']}: {item['detail']}"))


def end_items(desk: JobDesk, job: Row) -> list[Row]:
    """Those that have ended, of a few; of many, those that failed."""
    if job["total"] > TOLD:
        return desk.items(job["id"], TOLD, "failed")
    ended = ("done", "failed", "skipped")
    return [item for item in desk.items(job["id"], TOLD) if item["state"] in ended]


def problems_of(desk: JobDesk, job: Row) -> list[str]:
    """Why not all of it is done, a line each."""
    number, counts = job["id"], job["counts"]
    told = []
    if counts["failed"]:
        told.append(f"{counts['failed']} died again")
    if counts["skipped"]:
        skipped = Counter(item["detail"] for item in desk.items(number, counts["skipped"], "skipped"))
        told += [f"{count} were skipped: {detail}" for detail, count in skipped.items()]
    if job["state"] in ("stopped", "paused"):
        told.append(f"job {number} is {job['state']} ({job['detail'] or 'by somebody'}); bellhop jobs resume {number}")
    elif job["state"] == "running":
        told.append(_why_running(desk, job))
    return told


def _why_running(desk: JobDesk, job: Row) -> str:
    number, counts = job["id"], job["counts"]
    left = [f"{counts['sent']} sent and not ended"] if counts["sent"] else []
    left += [f"{quantity(counts['waiting'], 'letter')} not sent yet"] if counts["waiting"] else []
    how = next((item["detail"] for item in desk.items(number, 1, "sent")), "") if counts["sent"] else ""
    ends = f" ({how})" if how else ""
    return (
        f"job {number} is still running: {', '.join(left)}{ends}; "
        f"`bellhop archive` goes on with it, or bellhop jobs follow {number}"
    )


@contextmanager
def progress_bar(total: int, *, quiet: bool) -> Iterator[Progress]:
    """Is called with how many are done; a bar where there is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True)) as bar:
        task = bar.add_task("replaying", total=total)
        yield lambda done: bar.update(task, completed=done)
