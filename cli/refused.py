"""`bellhop refused`: the posts that the ingress did not take; take them once what refused them is mended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import click

from bellhop.cli.common import (
    App,
    acting_as,
    as_json,
    ask_reason,
    echo_json,
    echo_table,
    pass_app,
    printable,
    when_text,
    why_option,
)
from bellhop.cli.taking import refused_taker


class _ListsByItself(click.Group):
    """`bellhop refused crm` is `bellhop refused list crm`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_list = not args or (args[0] not in self.commands and args[0] != "--help")
        return super().parse_args(ctx, ["list", *args] if is_list else args)


@click.group("refused", cls=_ListsByItself, short_help="List refused posts; take them once their cause is mended.")
def refused_posts() -> None:
    """List posts that proved where they came from and were refused; take them once what refused them is mended.

    `bellhop refused [SOURCE]` lists them. They are kept for 7 days; bodies are shown masked.
    """


@refused_posts.command("list", short_help="List refused posts, newest first.")
@click.argument("source", default="")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="At most so many.")
@as_json
@pass_app
def list_(app: App, source: str, limit: int, json_: bool) -> None:
    """List the refused posts of SOURCE, or of all, newest first."""
    if app.remote is None:
        from bellhop.letters.serializers.refusals import refused_row

        with app.ledger() as ledger:
            rows = app.redact([refused_row(post) for post in ledger.refusals.last(source, limit)])
    else:
        rows = app.remote.get("/refused-posts", source=source, limit=limit)["rows"]
    if json_:
        echo_json(rows)
        return
    if not rows:
        click.echo(f"no refused post{_of(source)} is kept: what is older than 7 days is gone")
    for row in rows:
        _show(row)


@refused_posts.command("causes", short_help="Group what waits by source and cause.")
@click.argument("source", default="")
@as_json
@pass_app
def causes(app: App, source: str, json_: bool) -> None:
    """Group the refused posts of SOURCE, or of all, that nobody has taken, by what refused them."""
    if app.remote is None:
        from bellhop.letters.serializers.refusals import refusal_cause_row

        with app.ledger() as ledger:
            rows = app.redact([refusal_cause_row(one) for one in ledger.refusals.causes(source)])
    else:
        rows = app.remote.get("/refused-posts/causes", source=source)["rows"]
    if json_:
        echo_json(rows)
        return
    cells = [
        (row["cause"], row["source"], row["posts"], when_text(row["first"]), when_text(row["last"]), _words(row))
        for row in rows
    ]
    headers = ("cause", "source", ">posts", "first (UTC)", "last (UTC)", "what was wrong")
    echo_table(headers, cells, f"no refused post{_of(source)} waits to be taken")


@refused_posts.command("take", short_help="Take refused posts now.")
@click.argument("source", default="")
@click.option("--cause", default="", help="Only those of this cause: see `bellhop refused causes`.")
@click.option("--number", "numbers", type=click.IntRange(1), multiple=True, help="Only this post. Repeatable.")
@click.option("--dry-run", is_flag=True, help="Only say what would become of each.")
@why_option
@as_json
@pass_app
def take(
    app: App,
    source: str,
    cause: str,
    numbers: tuple[int, ...],
    dry_run: bool,
    why: str | None,
    json_: bool,
) -> None:
    """Take the refused posts of SOURCE, or of all, that wait, by the settings as they are now.

    Each becomes the events it would have become when it came first, under the same ids; what an event is known of is
    not taken twice. What is refused still stays as it is. Exit code 1 if any is.
    """
    reason = "" if dry_run else ask_reason(why)
    if app.remote is None:
        rows = _take_here(app, source, cause, numbers, None if dry_run else (acting_as(None), reason))
    else:
        chosen: dict[str, Any] = {"dry_run": dry_run, "why": reason or "a dry run"}
        chosen |= {"source": source} if source else {}
        chosen |= ({"cause": cause} if cause else {}) | ({"numbers": list(numbers)} if numbers else {})
        rows = app.remote.post("/refused-posts/take", chosen)["rows"]
    if json_:
        echo_json(rows)
    else:
        _echo_taken(rows, dry_run)
    if any(row["verdict"] == "refused" for row in rows):
        raise click.exceptions.Exit(1)


def _take_here(
    app: App, source: str, cause: str, numbers: Sequence[int], act: tuple[str, str] | None
) -> list[dict[str, Any]]:
    """act: who takes them, and why; None to only say what would become of them."""
    from bellhop.letters.refused import take_refused
    from bellhop.letters.serializers.refusals import taken_row

    with app.ledger() as ledger, refused_taker(app, ledger) as taker:
        posts = ledger.refusals.waiting(source, cause=cause, numbers=numbers)
        if act is None:
            made = taker.take(posts, publish=False)
        else:
            made = list(take_refused(ledger.refusals, posts, taker.take, who=act[0], why=act[1]))
    rows: list[dict[str, Any]] = app.redact([taken_row(one) for one in made])
    return rows


_NONE: Final = "none waits: `bellhop refused causes` lists what does"
_VERDICTS: Final = {
    "taken": "taken",
    "known": "known already",
    "nothing": "nothing to do",
    "refused": "refused still",
}


def _echo_taken(rows: Sequence[dict[str, Any]], is_dry: bool) -> None:
    counts = {words: sum(row["verdict"] == name for row in rows) for name, words in _VERDICTS.items()}
    told = ", ".join(f"{count} {words}" for words, count in counts.items() if count) or _NONE
    click.echo(f"{'would be: ' if is_dry and rows else ''}{told}")
    for row in rows:
        if row["verdict"] == "refused":
            click.echo(printable(f"  {row['number']}  {row['source']}  {row['detail']}"))
            for problem in row["problems"]:
                click.echo(printable(f"    {problem['field']}: {problem['rule']}"))


def _show(row: dict[str, Any]) -> None:
    last = when_text(row["last"])
    taken = f"  taken {when_text(row['taken'])}" if row["taken"] else ""
    head = f"{row['number']}  {last}  {row['source']}  {row['status']} {row['reason']}  times {row['times']}{taken}"
    click.echo(printable(head))
    click.echo(printable(f"  {row['detail']}"))
    for problem in row["problems"]:
        click.echo(printable(f"  {problem['field']}: {problem['rule']}"))
    click.echo(printable(f"  {row['size']} bytes of {row['media'] or 'no type'}: {row['body']}"))


def _of(source: str) -> str:
    return f" of {source}" if source else ""


def _words(row: dict[str, Any]) -> str:
    told = [f"{problem['field']}: {problem['rule']}" for problem in row["problems"]]
    return "; ".join(told[:3]) + (f"; {len(told) - 3} more" if len(told) > 3 else "") or row["detail"]
