"""`bellhop jobs`: list, show, pause, resume and cancel bulk jobs."""

from __future__ import annotations

from typing import Any, Final

import click

from bellhop.cli.common import (
    App,
    Failed,
    as_json,
    ask_reason,
    echo,
    echo_json,
    echo_table,
    local_time,
    pass_app,
    printable,
    rich_table,
    when_text,
)
from bellhop.cli.follow import echo_job_end, follow, problems_of, progress_bar, wait_option
from bellhop.cli.job_desks import job_desk
from bellhop.schemas.clock import utc_now
from bellhop.schemas.reasons import PAUSED

_ITEMS: Final = ("waiting", "sent", "done", "failed", "skipped")


@click.group(short_help="List, pause, resume and cancel bulk jobs.")
def jobs() -> None:
    """List, pause, resume and cancel bulk jobs on dead letters.

    The console and the API create them; `bellhop archive` runs them.
    """


@jobs.command("list", short_help="List bulk jobs, newest first.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Most rows to show.")
@as_json
@pass_app
def list_(app: App, limit: int, json_: bool) -> None:
    """List bulk jobs, newest first."""
    if app.remote is not None:
        rows = list(app.remote.rows("/jobs", limit))
    else:
        from bellhop.letters.parts import jobs_wait
        from bellhop.letters.serializers.people import job_row

        with app.ledger() as ledger:
            waits = jobs_wait(ledger.parts, utc_now())
            rows = app.redact([job_row(job, waits(job)) for job in ledger.jobs.page(limit).rows])
    if json_:
        echo_json(rows)
        return
    cells = [(row["id"], row["kind"], row["waits"] or row["state"], *_approval(row), row["why"]) for row in rows]
    echo_table((">job", "act", "state", "letters", "who", "since (UTC)", "why"), cells, "no bulk jobs")


@jobs.command(short_help="Show a bulk job's progress and letters.")
@click.argument("number", type=click.IntRange(1))
@click.option("--items", "state", type=click.Choice(_ITEMS), help="Also list its letters in this state.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Most letters to list.")
@as_json
@pass_app
def show(app: App, number: int, state: str | None, limit: int, json_: bool) -> None:
    """Show a bulk job's progress, and with --items its letters and their results."""
    with job_desk(app) as desk:
        job, items = desk.get(number), desk.items(number, limit, state) if state else []
    if json_:
        echo_json(job | ({} if state is None else {"items": items}))
        return
    _echo(job)
    if items:
        shown = ("letter", "reference", "guest", "start", "state", "verdict", "detail")
        cells = [
            [local_time(item, name) if name == "start" else item.get(name) or "" for name in shown] for item in items
        ]
        echo(rich_table((">letter", "reference", "guest", "starts", "state", "verdict", "how it ended"), cells))


@jobs.command("follow", short_help="Follow a bulk job to its end.")
@click.argument("number", type=click.IntRange(1))
@wait_option
@as_json
@pass_app
def follow_(app: App, number: int, wait: float, json_: bool) -> None:
    """Follow a bulk job to its end. Where no `bellhop archive` runs it, this command does. Ctrl-C pauses it.

    Exit code 1 if not all of it is done.
    """  # fmt: skip
    with job_desk(app) as desk:
        job = desk.get(number)
        with progress_bar(job["total"], quiet=json_) as progress:
            job = follow(desk, job, wait, progress)
        if json_:
            echo_json(job)
        else:
            _echo(job)
            echo_job_end(desk, job)
        if problems := problems_of(desk, job):
            raise Failed("; ".join(problems))


_DEFAULTS: Final = {"pause": f'Default: "{PAUSED}".'}


def _steering(act: str, help_: str) -> None:
    @jobs.command(act, help=help_, short_help=help_.partition(":")[0] + ".")
    @click.argument("number", type=click.IntRange(1))
    @click.option("--why", help=f"Reason, for the audit. {_DEFAULTS.get(act, 'Asked for if not given.')}")
    @as_json
    @pass_app
    def command(app: App, number: int, why: str | None, json_: bool) -> None:
        why = ask_reason(why) if why is not None or act != "pause" else PAUSED  # nobody in a hurry is asked
        with job_desk(app) as desk:
            job = desk.steer(number, act, None, why)
        echo_json(job) if json_ else _echo(job)


_steering("pause", "Pause a bulk job: letters already sent are not recalled, the rest waits.")
_steering("resume", "Resume a paused or stopped bulk job: it starts with a canary again.")
_steering("cancel", "Cancel a bulk job: letters already sent are not recalled, the rest is skipped.")


def _echo(job: dict[str, Any]) -> None:
    click.echo(printable(f"job {job['id']}  {job['kind']}  {job['state']}  {job['detail']}".rstrip()))
    if job["waits"]:
        click.echo(f"  {job['waits']}")
    click.echo(printable(f"  letters    {_counts(job)}"))
    rate = f", {job['rate']:g}/s" if job["rate"] else ""
    click.echo(printable(f"  approved   {when_text(job['created'])} by {job['who']}: {job['why']}{rate}"))


def _approval(job: dict[str, Any]) -> tuple[str, str, str]:
    return _counts(job), job["who"], when_text(job["created"])


def _counts(job: dict[str, Any]) -> str:
    told = [f"{count} {name}" for name, count in job["counts"].items() if count]
    return f"{job['total']}: {', '.join(told)}" if told else "0"
