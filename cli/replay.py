"""`bellhop dead replay`: a bulk job, here as from afar; with --now, all at once."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import click

from bellhop.cli.backends import LocalBackend, desk
from bellhop.cli.common import (
    App,
    Failed,
    Misused,
    acting_as,
    as_json,
    echo_json,
    pass_app,
    printable,
)
from bellhop.cli.confirm import acting, confirm_choice, none_matches
from bellhop.cli.follow import (
    LOOK_SECONDS,
    TOLD,
    echo_job_end,
    end_items,
    follow,
    problems_of,
    progress_bar,
    wait_option,
)
from bellhop.cli.job_desks import MOST, JobDesk, Row, job_desk
from bellhop.cli.letter_tables import echo_preflight
from bellhop.cli.selection import Selection, selecting

_WAITING: Final = ("open", "replaying")
_USEFUL: Final = ("would_apply", "breaker_open", "at_work")
_DOUBT: Final = "in_doubt"
_SAY_IT: Final = "say how it is: `bellhop dead there N --as ID` or `bellhop dead absent N` (--in-doubt asks the vendor)"


class Rate(click.ParamType[float]):
    """Letters a second: 5, 0.5 or 5/s."""

    name = "N/s"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(/s)?", str(value))
        if not found or float(found[1]) <= 0:
            self.fail("must be letters a second, such as 5/s", param, ctx)
        return float(found[1])


@click.command("preflight", short_help="Tell what a replay would come to.")
@selecting
@click.option("--all", "all_", is_flag=True, help="All open letters, if no number or filter is given.")
@as_json
@pass_app
def preflight(app: App, selection: Selection, all_: bool, json_: bool) -> None:
    """Tell what a replay would come to: what each letter's verdict is, what is sent where, and how long it takes.

    No vendor is called, and nothing is changed.
    """
    if selection.everything and not all_:
        raise click.UsageError("name letters by number or filter, or say --all")
    with desk(app) as at, job_desk(app) as jobs:
        numbers = [row["id"] for row in at.rows(selection, _WAITING, MOST)[0]]
        if not numbers:
            raise none_matches(_WAITING)
        told = jobs.preflight(numbers)
    echo_json(told) if json_ else echo_preflight(told)


@click.command("replay", short_help="Send dead letters back to work.")
@selecting
@acting
@click.option("--rate", type=Rate(), help="Rate limit, for a vendor that has just come back.")
@wait_option
@click.option("--in-doubt", is_flag=True, help="Also what is in doubt: the vendor is asked once more.")
@click.option("--now", "at_once", is_flag=True, help="All at once, without a canary; for this host.")
@pass_app
def replay(
    app: App, /, selection: Selection, rate: float | None, wait: float, in_doubt: bool, at_once: bool, **act: Any
) -> None:
    """Send dead letters back to work, and follow them to their ends.

    It is a bulk job: a preflight leaves out what is of no use or in doubt, a canary goes first, then growing waves, and
    the job stops by itself where the same cause comes back. `bellhop archive` runs it; where none does, this command.

    Safe to repeat: what is done is not called again. Ctrl-C pauses the job.

    Exit code 1 if not all were replayed.

    Example: bellhop dead replay --reason exhausted --why "vendor is back" --rate 5/s
    """  # fmt: skip
    if at_once and app.remote is not None:
        raise Misused("--now is for this host: with --server a replay is always a job with a canary")
    with desk(app) as at, job_desk(app) as jobs:
        chosen = confirm_choice(
            at, selection, _WAITING, "replay", act, lambda numbers: echo_preflight(jobs.preflight(numbers), err=True)
        )
        if chosen is None:
            return
        if len(chosen.numbers) > MOST:
            raise Failed(f"a job takes {MOST} letters at most: narrow the filter")
        wanted, left = _sift(jobs.preflight(chosen.numbers)["rows"], in_doubt=in_doubt)
        if at_once and isinstance(at, LocalBackend):
            _replay_at_once(at, wanted, left, chosen.why, rate, wait, act)
            return
        job = jobs.create(wanted, act["who"], chosen.why, rate) if wanted else None
        _run(jobs, job, len(chosen.numbers), left, wait, json_=act["json_"])


def _sift(rows: Sequence[Row], *, in_doubt: bool) -> tuple[list[int], list[str]]:
    """The numbers that a replay may be of use to, and why the others are left out, a line each."""
    useful = (*_USEFUL, _DOUBT) if in_doubt else _USEFUL
    others = Counter((row["verdict"], row["words"]) for row in rows if row["verdict"] not in useful)
    left = [
        f"{count} left out: {words}" + (f"; {_SAY_IT}" if verdict == _DOUBT else "")
        for (verdict, words), count in others.items()
    ]
    return [row["letter"] for row in rows if row["verdict"] in useful], left


def _run(jobs: JobDesk, job: Row | None, chosen: int, left: Sequence[str], wait: float, *, json_: bool) -> None:
    """Follows the job, tells its end, and raises Failed where not all were replayed."""
    problems = list(left)
    if job is not None:
        with progress_bar(job["total"], quiet=json_) as progress:
            job = follow(jobs, job, wait, progress)
        problems += problems_of(jobs, job)
    if json_:
        ends = {str(item["letter"]): item["detail"] for item in end_items(jobs, job)} if job else {}
        counts = job["counts"] if job else {}
        told = {"job": job["id"] if job else None, "state": job["state"] if job else None, "chosen": chosen}
        echo_json({**told, "replayed": counts.get("done", 0), "counts": counts, "left": list(left), "ends": ends})
    elif job is None:
        click.echo(f"replayed 0 of {chosen}")
    else:
        click.echo(f"job {job['id']}: {job['state']}")
        echo_job_end(jobs, job)
    if problems:
        raise Failed("; ".join(problems))


def _replay_at_once(
    at: LocalBackend, numbers: Sequence[int], left: Sequence[str], why: str, rate: float | None, wait: float,
    act: Mapping[str, Any],
) -> None:  # fmt: skip
    with progress_bar(len(numbers), quiet=act["json_"]) as progress:
        done = at.replay_at_once(numbers, acting_as(act["who"]), why, rate, progress)
    ends = _await_ends(at, numbers, wait) if done.replayed and len(numbers) <= TOLD else {}
    if act["json_"]:
        told = asdict(done)
        echo_json({"queued": told.pop("replayed"), **told, "left": list(left), "ends": {str(n): ends[n] for n in ends}})
    else:
        click.echo(f"queued {done.replayed} of {len(numbers)}")
        for number, words in ends.items():
            click.echo(printable(f"  {number}: {words}"))
    if problems := [*left, *_unsent(done), *done.unready]:
        raise Failed("; ".join(problems))


def _unsent(done: Any) -> Iterator[str]:
    for count, text in (
        (done.unreadable, "cannot be read, so they cannot be replayed"),
        (done.closed, "were closed by somebody else meanwhile"),
        (done.unconfirmed, f"were not confirmed ({done.error}): the same command again completes them"),
    ):
        if count:
            yield f"{count} {text}"


def _await_ends(at: LocalBackend, numbers: Sequence[int], wait: float) -> Mapping[int, str]:
    """What became of each replay, as far as that is known within `wait` seconds."""
    until = time.monotonic() + wait
    ends = at.ends(numbers)
    while len(ends) < len(numbers) and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        ends = at.ends(numbers)
    return ends
