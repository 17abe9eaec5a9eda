"""`bellhop events`: an event's state and timeline."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from bellhop.cli.common import App, Failed, as_json, echo, echo_json, pass_app, printable, rich_table, when
from bellhop.cli.remote import part
from bellhop.schemas.quantities import quantity


@click.group(short_help="Show an event's state and timeline.")
def events() -> None:
    """Show an event's state and timeline."""


@events.command(short_help="Show an event's state and timeline.")
@click.argument("source")
@click.argument("id_", metavar="ID")
@as_json
@pass_app
def show(app: App, source: str, id_: str, json_: bool) -> None:
    """Show an event's timeline: state, attempts, vendor ids, dead letters.

    Exit code 1 if it is unknown, or no worker has taken it yet.

    Example: bellhop events show crm msg-1042
    """
    told = _here(app, source, id_) if app.remote is None else app.remote.get(f"/events/{part(source)}/{part(id_)}")
    if json_:
        echo_json(told)
    else:
        _show(told)


def _here(app: App, source: str, id_: str) -> dict[str, Any]:
    from bellhop.ledger.records import LetterFilter, LetterState
    from bellhop.letters.serializers.events import event_detail

    with app.ledger() as ledger:
        view = ledger.event(source, id_)
        if view is None:
            raise Failed(f"no worker has taken event {id_} of {source} yet, or there is none")
        letters = ledger.letters.find(LetterFilter(source=source, event_id=id_, states=tuple(LetterState)), limit=100)
    told: dict[str, Any] = app.redact(event_detail(view, letters))
    return told


def _show(told: dict[str, Any]) -> None:
    click.echo(printable(f"{told['source']}/{told['id']}  {told['type']}  of {told['subject']}"))
    state = " · ".join(str(part) for part in (told["state"], told["reason"], told["detail"]) if part)
    click.echo(printable(f"state       {state}"))
    click.echo(printable(f"route       {told['route']}  account {told['account']}"))
    for one in told["vendor_bookings"]:
        ended = f", cancelled by {one['cancelled_by']}" if one["cancelled_by"] else ""
        click.echo(printable(f"at vendor   {one['id']}  {one['state']}, made by {one['made_by']}{ended}"))
    if told["next_at"]:
        click.echo(f"next try    {told['next_at']}")
    if told["generation"]:
        click.echo(f"replayed    {quantity(told['generation'], 'time')}")
    lines: list[tuple[str, str, str]] = [(told["time"], "announced", ""), (told["received"], "accepted", "")]
    for attempt in told["attempts"]:
        took = f"{attempt['outcome']} in {attempt['seconds']:.2f} s"
        lines.append((attempt["started"], attempt["method"], f"{took}  {attempt['error']}".strip()))
    lines += [(one["died"], "dead letter", f"{one['id']}: {one['reason']}, {one['state']}") for one in told["letters"]]
    lines.append((told["updated"], told["state"], ""))
    timeline = sorted(((datetime.fromisoformat(at), what, more) for at, what, more in lines), key=lambda line: line[0])
    echo(rich_table(("when (UTC)", "what", ""), [(when(at), what, more) for at, what, more in timeline]))
