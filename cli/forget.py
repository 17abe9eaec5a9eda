"""`bellhop forget`: erases what the ledger has of a guest."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from bellhop.cli.backends import nobody_else
from bellhop.cli.common import App, acting_as, as_json, ask_reason, confirm, echo_json, pass_app, who_option
from bellhop.schemas.quantities import quantity

if TYPE_CHECKING:
    from bellhop.cli.remote import Remote
    from bellhop.ledger.store import Ledger

Row = dict[str, Any]


@click.command(short_help="Erase what the ledger has of a guest.")
@click.argument("guest")
@click.option("--source", default="", help="Only this source's: another's member of the same id stays.")
@click.option("--also-open", is_flag=True, help="Also what is still needed: see above.")
@click.option("--dry-run", is_flag=True, help="Count what would go; do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@who_option
@click.option("--why", help="Reason, for the audit, without the guest. Asked for if not given.")
@as_json
@pass_app
def forget(
    app: App,
    guest: str,
    source: str,
    also_open: bool,
    dry_run: bool,
    yes: bool,
    who: str | None,
    why: str | None,
    json_: bool,
) -> None:
    """Erase what the ledger has of GUEST, a member's id or an e-mail address ("-": read from stdin).

    Ids, hashes and states stay. Refused while an event is at work, a dead letter is open or a booking is to come.
    --also-open discards those letters, leaves those bookings standing without their guest, and erases what is at work
    once it has ended. Backups and the vendors' own data are not touched. With --server it needs an admin's token.
    """
    name = sys.stdin.readline().strip() if guest == "-" else guest
    with _guests(app) as guests:
        found = guests.find(name, source)
        if dry_run:
            echo_json(found) if json_ else click.echo(f"would erase {_count(found)}; nothing was done")
            return
        if len(found["sources"]) > 1 and not source and "@" not in name:
            raise click.UsageError(f"members of {', '.join(found['sources'])} have this id: name one with --source")
        reason = ask_reason(why)
        if not yes:
            confirm(f"Erase {_count(found)} for good?")
        done = guests.forget(name, source, who, reason, also_open=also_open, seen=found["confirm"])
    later = f"; {quantity(len(done['at_work']), 'event')} at work will go once ended" if done["at_work"] else ""
    echo_json(done) if json_ else click.echo(f"erased {_count(done)}{later}")


class _Here:
    def __init__(self, ledger: Ledger) -> None:
        self._forgetting = ledger.forgetting

    def find(self, name: str, source: str) -> Row:
        from bellhop.letters.serializers.people import guest_row

        return guest_row(self._forgetting.find(name, source))

    def forget(self, name: str, source: str, who: str | None, why: str, *, also_open: bool, seen: str) -> Row:
        from bellhop.letters.serializers.people import guest_row

        acts = self._forgetting.forget(name, acting_as(who), why, source=source, also_open=also_open, seen=seen)
        return guest_row(acts)


class _There:
    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def find(self, name: str, source: str) -> Row:
        return self._remote.post("/guests/find", {"guest": name, "source": source})

    def forget(self, name: str, source: str, who: str | None, why: str, *, also_open: bool, seen: str) -> Row:
        nobody_else(who)
        body = {"guest": name, "source": source, "why": why, "also_open": also_open, "confirm": seen}
        return self._remote.post("/guests/forget", body)


@contextmanager
def _guests(app: App) -> Iterator[_Here | _There]:
    if app.remote is not None:
        yield _There(app.remote)
        return
    with app.ledger() as ledger:
        yield _Here(ledger)


def _count(of: Row) -> str:
    told = (
        ("at work", of["at_work"]),
        ("open letters", of["open_letters"]),
        ("in doubt", of["in_doubt"]),
        ("bookings to come", of["coming"]),
    )
    listed = [f"{words} {', '.join(map(str, some))}" for words, some in told if some]
    counts = (quantity(of["events"], "event"), quantity(of["letters"], "dead letter"))
    what = f"what {', '.join(counts)} and {quantity(of['refused'], 'refused post')} tell of a guest"
    return f"{what} ({'; '.join(listed)})" if listed else what
