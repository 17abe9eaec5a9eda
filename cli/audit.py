"""`bellhop audit`: whether the audit is whole, and all of it to keep elsewhere."""

from __future__ import annotations

import json
import re
from itertools import takewhile
from typing import Any, Final

import click

from bellhop.cli.common import App, Failed, as_json, echo_json, pass_app, printable
from bellhop.schemas.quantities import quantity

_ALL: Final = 10**9


class NotedHash(click.ParamType[tuple[int, str]]):
    """A row's number and hash, as `bellhop audit verify` prints them."""

    name = "ROW:HASH"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, str]:
        found = re.fullmatch(r"(\d{1,18}):([0-9a-fA-F]{64})", str(value))
        if found is None:
            self.fail("must be a row's number and its hash, as `bellhop audit verify` prints them", param, ctx)
        return int(found[1]), found[2].lower()


@click.group(short_help="Verify the audit's chain, export it.")
def audit() -> None:
    """Verify that the audit is whole, and export it.

    Each row's hash covers its content and the row before. docs/erasure.md says how to check it without Bellhop.
    """


@audit.command(short_help="Check that no row was changed, taken out or put in.")
@click.option("--noted", type=NotedHash(), help="A row that must have this hash still, from an earlier run.")
@as_json
@pass_app
def verify(app: App, noted: tuple[int, str] | None, json_: bool) -> None:
    """Check that no row of the audit was changed, taken out or put in, and name the first that was.

    Who may write to the database can also write the whole chain anew: note the printed row elsewhere, and give it to
    --noted the next time.
    """
    if app.remote is not None:
        told: dict[str, Any] = app.remote.get("/audit/chain", noted=f"{noted[0]}:{noted[1]}" if noted else None)
    else:
        from bellhop.letters.serializers.people import chain_row

        with app.ledger() as ledger:
            told = chain_row(ledger.audit_chain.verify(noted))
    broken = told["broken"]
    if json_:
        echo_json(told)
    elif broken is None:
        since = f" after row {told['after']}, up to which it was pruned," if told["after"] else ""
        note = f"; note {told['last']}:{told['hash']}" if told["rows"] else ""
        click.echo(f"the audit{since} is whole: {quantity(told['rows'], 'row')}{note}")
    if broken is not None:
        kept = "" if json_ else f" ({quantity(told['rows'], 'row')} before it fit, up to row {told['last']})"
        raise Failed(
            f"the audit is not whole: row {broken['row']} {_VERBS[broken['what']]}: {printable(broken['why'])}{kept}"
        )


_VERBS = {"changed": "was changed", "missing": "is missing", "inserted": "was inserted"}


@audit.command(short_help="Print all of it as JSON Lines, oldest first.")
@click.option("--after", type=click.IntRange(0), default=0, help="Only rows above this number.")
@pass_app
def export(app: App, after: int) -> None:
    """Print the audit as JSON Lines, the oldest row first, with all that its hashes are made of."""
    if app.remote is not None:
        newest_first = app.remote.rows("/audit", _ALL)
        for told in reversed(list(takewhile(lambda row: row["id"] > after, newest_first))):
            click.echo(json.dumps(told, ensure_ascii=False))
        return
    from bellhop.letters.serializers.people import audit_row

    with app.ledger() as ledger:
        for row in ledger.audit_chain.rows(after):
            click.echo(json.dumps(audit_row(row), ensure_ascii=False))
