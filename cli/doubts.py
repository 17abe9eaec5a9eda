"""`bellhop dead there` and `absent`: a person's word on what is in doubt."""

from __future__ import annotations

from typing import Any

import click

from bellhop.cli.backends import desk
from bellhop.cli.common import (
    App,
    Failed,
    as_json,
    ask_reason,
    echo_json,
    pass_app,
    printable,
    who_option,
    why_option,
)

_force = click.option(
    "--force", is_flag=True, help="Say so although the vendor says otherwise, or may carry the call out yet."
)


@click.command(short_help="Say that what is in doubt is there.")
@click.argument("number", type=click.IntRange(1))
@click.option("--as", "ids", metavar="ID", multiple=True, required=True, help="The vendor's id of it. Repeatable.")
@click.option("--hash", "hashes", metavar="HASH", multiple=True, help="SimplyBook.me's hash of it, for each id.")
@click.option("--rest-absent", is_flag=True, help="After a restore: what else its event wants is not there.")
@_force
@who_option
@why_option
@as_json
@pass_app
def there(
    app: App,
    number: int,
    ids: tuple[str, ...],
    hashes: tuple[str, ...],
    rest_absent: bool,
    force: bool,
    who: str | None,
    why: str | None,
    json_: bool,
) -> None:
    """Say that the call of a dead letter in doubt made this booking at the vendor.

    It is held against the vendor where that can be asked: its details by the hash, or, where its slot holds one
    booking, whether that is still offered. What could not be checked is said. Then it stands in the ledger, the letter
    ends, and what waited for it (a cancel, a change) goes on by itself. Without its hash a booking of SimplyBook.me's
    cannot be cancelled by Bellhop.

    Example: bellhop dead there 12 --as 77 --hash 1f6bd1 --why "seen in the calendar"
    """
    if hashes and len(hashes) != len(ids):
        raise click.UsageError("give --hash for each --as, in the same order, or for none")
    said = list(zip(ids, hashes or ("",) * len(ids), strict=True))
    with desk(app) as at:
        told = at.there(number, said, who, ask_reason(why), rest_absent=rest_absent, force=force)
    _echo_answer(number, told, json_)


@click.command(short_help="Say that what is in doubt is not there.")
@click.argument("number", type=click.IntRange(1))
@_force
@who_option
@why_option
@as_json
@pass_app
def absent(app: App, number: int, force: bool, who: str | None, why: str | None, json_: bool) -> None:
    """Say that the call of a dead letter in doubt made nothing at the vendor.

    Where the vendor does not offer its slot any more, perhaps as this very booking has it, or may carry the call out
    yet, that is said and nothing is done. What could not be asked is said, too. Else its event is worked again, and
    books unless a newer one of its booking has cancelled it.
    """
    with desk(app) as at:
        told = at.absent(number, who, ask_reason(why), force=force)
    _echo_answer(number, told, json_)


def _echo_answer(number: int, told: dict[str, Any], json_: bool) -> None:
    if json_:
        echo_json(told)
    else:
        others = [str(one) for one in told["letters"] if one != number]
        waited = f", and so does what waited for it: {', '.join(others)}" if others else ""
        click.echo(f"dead letter {number} goes on{waited}")
        if told["note"]:
            click.echo(printable(told["note"]))
    if told["problem"]:
        raise Failed(f"{told['problem']}: it goes on by itself once the broker is there and `bellhop archive` runs")
