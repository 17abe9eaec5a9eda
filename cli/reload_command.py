"""`bellhop reload`: every part reads its settings anew."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import click

from bellhop.cli.common import App, Failed, acting_as, ask_reason, pass_app, printable, why_option
from bellhop.cli.taking import digest_now

_SECONDS: Final = 45.0
_LOOK_SECONDS: Final = 0.5


@click.command("reload", short_help="Have every part read its settings anew.")
@why_option
@pass_app
def reload(app: App, why: str | None) -> None:
    """Have every part, on every host, read its settings anew, without a restart; and tell who has taken them.

    They are checked here first: what is wrong is told, and nothing asked. Each part then checks its own, and goes on
    with what it has where those are wrong. The same as SIGHUP to each. The ingress comes last, some 15 seconds later: a
    worker must know a new account before its first event. Exit code 1 if any part has others within 45 seconds.
    """
    reason = ask_reason(why)
    if app.remote is not None:
        digest = app.remote.post("/reload", {"why": reason})["digest"]
        remote = app.remote
        left = _await(digest, lambda: remote.get("/parts")["rows"])
    else:
        from bellhop.letters.parts import part_rows
        from bellhop.schemas.clock import utc_now

        digest = digest_now(app.file)()
        with app.ledger() as ledger:
            ledger.parts.ask_reload(acting_as(None), reason)
            left = _await(digest, lambda: part_rows(ledger.parts, utc_now()))
    for row in left:
        told = row["problem"] or f"works with {row['digest'] or 'settings it does not tell'}"
        click.echo(printable(f"{row['kind']} on {row['host']} ({row['name']}): {told}"), err=True)
    if left:
        raise Failed(f"not every part has the settings {digest}; those named go on with what they have")
    click.echo(f"every part that runs has the settings {digest}")


def _await(digest: str, read: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The parts that have not got them within the time."""
    until = time.monotonic() + _SECONDS
    while True:
        left = [row for row in read() if row["state"] == "running" and row["digest"] != digest]
        if not left or time.monotonic() > until or all(row["problem"] for row in left):
            return left
        time.sleep(_LOOK_SECONDS)
