"""`bellhop ledger`: copies of the ledger, and what is to be minded after one was put back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bellhop.cli.common import (
    App,
    Failed,
    acting_as,
    as_json,
    ask_reason,
    confirm,
    echo_json,
    pass_app,
    printable,
    when,
    who_option,
    why_option,
)
from bellhop.schemas.quantities import quantity

if TYPE_CHECKING:
    from bellhop.ledger.store import Ledger

_FILE: Final = click.Path(dir_okay=False, path_type=Path)


class UtcMoment(click.ParamType[datetime]):
    """ISO 8601 with a zone."""

    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail("must be a time such as 2026-11-28T09:30:00Z", param, ctx)
        if moment.tzinfo is None:
            self.fail("must name its zone, such as 2026-11-28T09:30:00Z", param, ctx)
        return moment.astimezone(UTC)


@click.group(short_help="Copy the ledger, put it back, say that it was.")
def ledger() -> None:
    """Copy the ledger, put it back, say that it was.

    docs/runbook.md says what to do after a restore.
    """


@ledger.command(short_help="Make a copy of the ledger while it is at work.")
@click.argument("file", type=_FILE)
@who_option
@pass_app
def backup(app: App, file: Path, who: str | None) -> None:
    """Make a copy of the ledger in FILE while it is at work: SQLite's by its backup API, PostgreSQL's by pg_dump.

    It holds guests' data: only its owner may read it.
    """
    from bellhop.ledger.backups import backup as make

    with app.ledger() as opened:
        make(opened, app.settings.ledger.url, file, acting_as(who))
    click.echo(f"the ledger is copied to {file}")


@ledger.command(short_help="Put a copy in the ledger's place.")
@click.argument("file", type=_FILE)
@click.option("--as-of", type=UtcMoment(), help="When the copy was made. Default: as the copy says.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@who_option
@why_option
@pass_app
def restore(app: App, file: Path, as_of: datetime | None, yes: bool, who: str | None, why: str | None) -> None:
    """Put the copy of FILE in the ledger's place. Stop every other part of Bellhop first.

    What may have been booked since the copy was made is then held as in doubt, until people say what is there, or
    `bellhop ledger release`.
    """
    from bellhop.ledger.backups import restore as put_back
    from bellhop.ledger.store import Ledger

    reason = ask_reason(why)
    if not file.is_file():
        raise Failed(f"there is no file {file}")
    _must_be_alone(app)
    if not yes:
        confirm("The ledger as it is now is lost. Is every other part of Bellhop stopped?")

    def open_copy(url: str) -> Ledger:
        return Ledger.open(url, keep_seconds=app.settings.ledger.keep_seconds)

    since = put_back(app.settings.ledger.url, file, acting_as(who), reason, as_of, open_copy)
    click.echo(f"the ledger is as it was at {when(since)} UTC; what may have been booked since is held as in doubt")
    with app.ledger() as opened:
        _say_what_to_send_again(opened, since)


def _must_be_alone(app: App) -> None:
    """The ledger gives numbers again that it had given since the copy: who still holds one would end what has it then,
    unbooked. Raises Failed."""
    from bellhop.schemas.errors import LedgerError
    from bellhop.schemas.process import has_ended

    try:
        with app.ledger() as opened:
            parts = opened.parts.all()
    except LedgerError:
        return  # it is lost, or a newer version's: nobody is to be asked
    now = datetime.now(UTC)
    if running := [one for one in parts if one.kind != "ingest" and one.runs(now) and not has_ended(one.id)]:
        named = ", ".join(f"{one.kind} on {one.host} ({one.id})" for one in running)
        raise Failed(f"stop first what still works on the ledger: {named}; what was killed counts for 30 seconds")


@ledger.command("restored", short_help="Say that the ledger was put back by other means.")
@click.option("--as-of", type=UtcMoment(), required=True, help="What was worked later the ledger does not know.")
@who_option
@why_option
@pass_app
def say_restored(app: App, as_of: datetime, who: str | None, why: str | None) -> None:
    """Say that the ledger was put back as it was at a time, by other means than `bellhop ledger restore`.

    Say it before any worker starts. What may have been booked since is held as in doubt, until people say what is
    there, or `bellhop ledger release`.
    """
    if as_of > datetime.now(UTC):
        raise click.UsageError("--as-of is yet to come")
    reason = ask_reason(why)
    with app.ledger() as opened:
        opened.restores.say(as_of, acting_as(who), reason)
        click.echo(f"what may have been booked since {when(as_of)} UTC is held as in doubt")
        _say_what_to_send_again(opened, as_of)


def _say_what_to_send_again(opened: Ledger, as_of: datetime) -> None:
    since = opened.restores.send_again_since(as_of)
    click.echo(f"have upstreams send again what they posted since {when(since)} UTC: no message of it may be left")


@ledger.command(short_help="Hold nothing back any more after a restore.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--force", is_flag=True, help="Work all of them, without asking the vendors.")
@who_option
@why_option
@as_json
@pass_app
def release(app: App, yes: bool, force: bool, who: str | None, why: str | None, json_: bool) -> None:
    """Hold nothing back any more after a restore, and work what was held: it is booked unless the ledger knows it.

    Say first of each dead letter whose booking is there `bellhop dead there`. Of each that is left the vendor is asked,
    where it can be: one whose slot is not offered any more, or whose vendor is away, stays in front of a person.
    """
    from bellhop.ledger.proofs import WordRefused

    reason, name = ask_reason(why), acting_as(who)
    with app.ledger() as opened:
        if not opened.restores.open():
            raise Failed("no restore is minded: nothing is held back")
        if not force and (moving := opened.restores.going_on()):
            raise Failed(f"{quantity(moving, 'dead letter')} being replayed: wait until `bellhop archive` has done so")
        numbers = opened.restores.held_letters()
        staying, untold = ({}, 0) if force else _ask_vendors(app, opened, numbers)
        for number, words in staying.items():
            click.echo(printable(f"dead letter {number} stays: {words}"), err=True)
        numbers = [number for number in numbers if number not in staying]
        if untold:
            click.echo(f"whether it is there, no vendor tells of {quantity(untold, 'dead letter')}", err=True)
        if not yes:
            confirm(f"Work {quantity(len(numbers), 'dead letter')} again, none of which is booked?")
        opened.restores.release(name, reason)
        freed = []
        for number in numbers:
            letter = opened.letters.get(number)
            try:
                freed += [*opened.proofs.deny(letter, name, reason).letters] if letter else []
            except WordRefused:
                continue  # somebody said meanwhile what is there, or it went on with another of its booking
    if json_:
        echo_json({"released": sorted(freed), "staying": sorted(staying)})
    else:
        click.echo(
            f"nothing is held back any more; `bellhop archive` has {quantity(len(freed), 'dead letter')} worked again"
        )


def _ask_vendors(app: App, opened: Ledger, numbers: Sequence[int]) -> tuple[dict[int, str], int]:
    """Of these letters, those whose booking may be there, with why; and how many nobody tells of."""
    from bellhop.cli.clients import counted_gate
    from bellhop.ledger.proofs import WordRefused
    from bellhop.letters.looks import Contradicted, Looks, Unasked
    from bellhop.letters.vendor_access import VendorAccess

    looks = Looks(VendorAccess(opened, app.settings, counted_gate(app, opened, last=False)))
    staying, untold = dict[int, str](), 0
    for letter in (one for number in numbers if (one := opened.letters.get(number)) is not None):
        try:
            untold += bool(looks.check_absent(letter))
        except (Contradicted, Unasked) as reason:
            staying[letter.id] = str(reason)
        except WordRefused:
            continue  # it went on meanwhile, which its release finds, too
    return staying, untold


@ledger.command(short_help="Show what is minded after a restore.")
@as_json
@pass_app
def status(app: App, json_: bool) -> None:
    """Show the restores that are minded, and how many dead letters are held because of them."""
    with app.ledger() as opened:
        rows = [
            {"as_of": one.as_of.isoformat(), "said": one.at.isoformat(), "who": one.who, "why": one.why}
            for one in opened.restores.open()
        ]
        held = len(opened.restores.held_letters())
    if json_:
        echo_json({"restores": rows, "held": held})
        return
    for row in rows:
        click.echo(f"as of {row['as_of']}, said {row['said']} by {row['who']}: {row['why']}")
    click.echo(f"{held} dead letters are held" if rows else "no restore is minded")
