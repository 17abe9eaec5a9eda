"""`bellhop sources link …`: a source's own page, what is asked for there, and the source's secret."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from bellhop.cli.common import (
    App,
    Failed,
    acting_as,
    as_json,
    ask_reason,
    echo_json,
    echo_table,
    pass_app,
    when,
    when_text,
    why_option,
)
from bellhop.cli.selection import Ahead
from bellhop.cli.sources import sources
from bellhop.cli.taking import refused_taker
from bellhop.schemas.clock import utc_now
from bellhop.schemas.rotations import OVERLAPS

if TYPE_CHECKING:
    from bellhop.schemas.settings import SourceSettings


@sources.command("link", short_help="Make a link to a source's own page.")
@click.argument("name", metavar="SOURCE")
@click.option("--until", type=Ahead(), help="Expires at: ISO 8601, or 12h, 90d from now. Default: 30 days.")
@why_option
@as_json
@pass_app
def link(app: App, name: str, until: datetime | None, why: str | None, json_: bool) -> None:
    """Make a link to SOURCE's own page for its developers, and print it, once: its events, what of it was refused and
    why, its results, its secret. Nothing of others; guests are masked.

    The page is the console's, under /source/: console.source_url is the address it is reached by from outside.
    """
    from bellhop.console.access.source_links import LASTS, make_link
    from bellhop.letters.sources import link_row

    _source(app, name)
    reason = ask_reason(why)
    with app.ledger() as ledger:
        made, url = make_link(
            ledger.source_links,
            app.settings.console,
            name,
            until or utc_now() + LASTS,
            who=acting_as(None),
            why=reason,
        )
    if json_:
        echo_json(link_row(made) | {"url": url})
        return
    click.echo(f"link {made.number} to {name}'s page, until {when(made.expires)} UTC; shown this once:", err=True)
    click.echo(url)


@sources.command("links", short_help="List the links to sources' pages.")
@click.argument("name", metavar="[SOURCE]", default="")
@as_json
@pass_app
def links(app: App, name: str, json_: bool) -> None:
    """List the links to SOURCE's page, or to all, without their tokens."""
    from bellhop.letters.sources import link_row

    with app.ledger() as ledger:
        rows = app.redact([link_row(one) for one in ledger.source_links.all(name)])
    if json_:
        echo_json(rows)
        return
    cells = [
        (row["number"], row["source"], "revoked" if row["revoked"] else "", row["why"], row["who"],
         when_text(row["last_used"]) or "never", when_text(row["expires"]))
        for row in rows
    ]  # fmt: skip
    echo_table((">link", "source", "", "for", "made by", "last used (UTC)", "ends (UTC)"), cells, "no links")


@sources.command("revoke", short_help="Revoke a link at once.")
@click.argument("number", metavar="LINK", type=click.IntRange(1))
@why_option
@pass_app
def revoke(app: App, number: int, why: str | None) -> None:
    """Revoke a link to a source's page: it opens nothing from now on."""
    with app.ledger() as ledger:
        gone = ledger.source_links.revoke(number, who=acting_as(None), why=ask_reason(why))
    if gone is None:
        raise Failed(f"there is no link {number} that lasts: `bellhop sources links` lists them")
    click.echo(f"link {number} to {gone.source}'s page is revoked")


@sources.command("asks", short_help="List what sources ask for.")
@as_json
@pass_app
def asks(app: App, json_: bool) -> None:
    """List what sources ask for on their pages: that refused posts be taken again."""
    from bellhop.letters.sources import ask_rows

    with app.ledger() as ledger:
        rows = app.redact(ask_rows(ledger))
    if json_:
        echo_json(rows)
        return
    cells = [(row["number"], row["source"], row["posts"], when_text(row["asked"]), row["why"]) for row in rows]
    echo_table((">ask", "source", ">posts", "asked (UTC)", "why"), cells, "no source asks for anything")


@sources.command("grant", short_help="Take the posts that a source asks for.")
@click.argument("number", metavar="ASK", type=click.IntRange(1))
@click.option("--why", default="", help="For the audit, beside what the source said.")
@pass_app
def grant(app: App, number: int, why: str) -> None:
    """Take the refused posts that a source asks for, by the settings as they are. Exit code 1 if any is refused
    still."""
    _end(app, number, "granted", why)


@sources.command("decline", short_help="Decline what a source asks for.")
@click.argument("number", metavar="ASK", type=click.IntRange(1))
@why_option
@pass_app
def decline(app: App, number: int, why: str | None) -> None:
    """Decline what a source asks for; it reads the reason on its page."""
    _end(app, number, "declined", ask_reason(why))


@sources.command("rotate", short_help="Rotate a source's secret.")
@click.argument("name", metavar="SOURCE")
@click.option(
    "--overlap", type=click.Choice(tuple(OVERLAPS)), default="24h", show_default=True, help="The old one's rest."
)
@why_option
@as_json
@pass_app
def rotate(app: App, name: str, overlap: str, why: str | None, json_: bool) -> None:
    """Make a new secret for SOURCE and print it, once. Every ingress takes it within seconds, without a restart; the
    old one is good until the overlap ends.

    It stands nowhere: it is derived from the settings' secret and what the ledger keeps. `bellhop sources secrets`
    prints what to enter into the settings, for good.
    """
    from bellhop.letters.source_secrets import await_taken, rotate_secret
    from bellhop.schemas.clock import iso

    source = _source(app, name)
    reason = ask_reason(why)
    with app.ledger() as ledger:
        made, secret = rotate_secret(
            ledger.rotations, source, now=utc_now(), overlap=OVERLAPS[overlap], who=acting_as(None), why=reason
        )
        is_taken = await_taken(ledger.rotations, made)
    if json_:
        echo_json({"secret": secret, "ends": iso(made.ends), "taken": is_taken})
        return
    told = "it is in use" if is_taken else "no ingress has taken it yet: go on with the old one until one runs"
    click.echo(f"{told}; the old one is good until {when(made.ends)} UTC; shown this once:", err=True)
    click.echo(secret)


@sources.command("secrets", short_help="Print a source's secrets as they are now.")
@click.argument("name", metavar="SOURCE")
@pass_app
def secrets(app: App, name: str) -> None:
    """Print the secrets that SOURCE may sign with now, as the line of the settings that has them all. Once it stands
    there, what was rotated counts no more. In the audit."""
    import json

    from bellhop.letters.source_secrets import secrets_now

    source = _source(app, name)
    with app.ledger() as ledger:
        good = secrets_now(source, ledger.rotations.of(name), utc_now())
        ledger.letters.note_act(acting_as(None), "print secrets", "", f"source {name}")
    click.echo(f"secrets = {json.dumps(list(good))}")


def _source(app: App, name: str) -> SourceSettings:
    source = app.settings.sources.get(name)
    if source is None:
        raise Failed(f"there is no source {name} in the settings: `bellhop sources list` lists them")
    return source


def _end(app: App, number: int, state: str, why: str) -> None:
    from bellhop.ledger.records import AskState
    from bellhop.letters.sources import end_ask

    with app.ledger() as ledger, refused_taker(app, ledger) as taker:
        ask: Any = ledger.take_asks.one(number)
        if ask is None or ask.state is not AskState.OPEN:
            raise Failed(f"there is no open ask {number}: `bellhop sources asks` lists them")
        told, is_whole = end_ask(ledger, ask, AskState(state), taker.take, who=acting_as(None), why=why)
    if not is_whole:
        raise Failed(app.redact(told))
    click.echo(app.redact(told))
