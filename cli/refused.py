"""`bellhop refused`: the last posts that the ingress did not take."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from bellhop.cli.common import App, as_json, echo_json, pass_app, printable, when


@click.command("refused", short_help="List the last posts that were refused.")
@click.argument("source", default="")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="At most so many.")
@as_json
@pass_app
def refused_posts(app: App, source: str, limit: int, json_: bool) -> None:
    """List the last posts of SOURCE, or of all, that proved where they came from and were refused.

    Bodies are masked. The last 50 of each source are kept, for 7 days.
    """
    if app.remote is None:
        rows = _here(app, source, limit)
    else:
        rows = app.remote.get("/refused-posts", source=source, limit=limit)["rows"]
    if json_:
        echo_json(rows)
        return
    if not rows:
        click.echo("nothing was refused")
    for row in rows:
        _show(row)


def _show(row: dict[str, Any]) -> None:
    last = when(datetime.fromisoformat(row["last"]))
    click.echo(printable(f"{last}  {row['source']}  {row['status']} {row['reason']}  times {row['times']}"))
    click.echo(printable(f"  {row['detail']}"))
    for problem in row["problems"]:
        click.echo(printable(f"  {problem['field']}: {problem['rule']}"))
    click.echo(printable(f"  {row['size']} bytes of {row['media'] or 'no type'}: {row['body']}"))


def _here(app: App, source: str, limit: int) -> list[dict[str, Any]]:
    from bellhop.letters.serializers.refusals import refused_row

    with app.ledger() as ledger:
        rows: list[dict[str, Any]] = app.redact([refused_row(post) for post in ledger.refusals.last(source, limit)])
    return rows
