"""`bellhop pull`: tells a vendor, by hand, to fetch from the system behind it."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from bellhop.cli.common import App, Failed, as_json, echo, echo_json, pass_app, rich_table
from bellhop.schemas.clock import iso
from bellhop.vendors.registry import VENDORS, titles, vendor_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bellhop.ledger.store import Ledger
    from bellhop.schemas.envelope import Envelope
    from bellhop.vendors.vendor import PullFacts

SOURCE: Final = "cli"
_PULLING: Final = tuple(vendor for vendor in VENDORS if vendor.pulls)
_KINDS: Final = tuple(dict.fromkeys(kind for vendor in _PULLING if vendor.pulls for kind in vendor.pulls.kinds))
_POLL_SECONDS: Final = 0.2
_WAIT_SECONDS: Final = 600.0


class _Moment(click.ParamType[datetime]):
    """An ISO 8601 date or time; without a zone it is UTC's."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail("is not an ISO 8601 date or time such as 2026-01-31 or 2026-01-31T09:00Z", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.command(short_help="Pull profiles and bookings into Peoplevine.")
@click.argument("account")
@click.option("--what", type=click.Choice(_KINDS), multiple=True, help="Repeatable. Default: all of them.")
@click.option("--from", "from_", type=_Moment(), help="Pull from this time. Default: where the last pull ended.")
@click.option("--wait", is_flag=True, help="Wait until all have ended; exit code 1 if one failed.")
@as_json
@pass_app
def pull(app: App, account: str, what: tuple[str, ...], from_: datetime | None, wait: bool, json_: bool) -> None:
    """Pull ACCOUNT: Peoplevine fetches profiles, reservations and services from the system behind it.

    A pull travels through the queue like any event: a worker makes it, one at a time for each account, tries again
    where the vendor is away, and shows it as a dead letter where it cannot.
    """
    facts = _facts(app, account, what)
    now = datetime.now(UTC)
    if from_ is not None and from_ > now:
        raise click.BadParameter("is in the future", param_hint="--from")
    events = _events(account, facts, dict.fromkeys(what or facts.kinds), from_, now)
    _publish(app, events)
    if not wait:
        _tell([{"what": e.data["what"], "source": e.source, "id": e.id, "state": "queued"} for e in events], json_)
        return
    with app.ledger() as ledger:
        ends = [_end(ledger, event) for event in events]
    _tell(ends, json_)
    if failed := [end["what"] for end in ends if end["state"] != "done"]:
        raise Failed(f"not pulled: {', '.join(failed)}")


def _facts(app: App, account: str, what: tuple[str, ...]) -> PullFacts[Any]:
    """How its vendor pulls. Raises click.BadParameter where it does not, or not this."""
    found = app.settings.accounts.get(account)
    facts = vendor_of(found).pulls if found else None
    if facts is None:
        names = [name for name, one in app.settings.accounts.items() if vendor_of(one).pulls]
        raise click.BadParameter(
            f"is not one of the {titles(_PULLING)} accounts: {', '.join(names) or 'there are none'}",
            param_hint="ACCOUNT",
        )
    if wrong := [one for one in what if one not in facts.kinds]:
        raise click.BadParameter(f"{account} pulls {', '.join(facts.kinds)}, but no {wrong[0]}", param_hint="--what")
    return facts


def _events(
    account: str,
    facts: PullFacts[Any],
    whats: Sequence[str] | dict[str, None],
    from_: datetime | None,
    now: datetime,
) -> list[Envelope]:
    from bellhop.vendors.scheduler import pull_event

    return [
        # What has no time is fetched whole: a `from` would only be carried along.
        pull_event(
            account,
            what,
            source=SOURCE,
            id_=f"{account}/{what}/{uuid.uuid4().hex[:12]}",
            at=now,
            from_=None if what in facts.timeless else from_,
        )
        for what in whats
    ]


def _publish(app: App, events: list[Envelope]) -> None:
    """Raises BrokerError: then it is not known to be queued, and nothing is lost by asking again."""
    from bellhop.broker.messages import work_message
    from bellhop.broker.topology import work

    with app.broker() as broker:
        broker.declare()
        publisher = broker.publisher()
        try:
            futures = [publisher.publish(work_message(event, event.time), work(event.route)) for event in events]
            for future in futures:
                future.result()
        finally:
            publisher.close()


def _end(ledger: Ledger, event: Envelope) -> dict[str, Any]:
    """How the event ended. Raises Failed where it has not in ten minutes."""
    until = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < until:
        view = ledger.event(event.source, event.id)
        if view is not None and not view.state.unfinished:
            told = {"what": event.data["what"], "source": event.source, "id": event.id, "state": view.state.value}
            return {**told, "detail": view.detail, "updated": iso(view.updated)}
        time.sleep(_POLL_SECONDS)
    raise Failed(
        f"{event.id} has not ended in {_WAIT_SECONDS:g} s: see `bellhop events show {event.source} {event.id}`"
    )


def _tell(ends: list[dict[str, Any]], json_: bool) -> None:
    if json_:
        echo_json(ends)
        return
    rows = [
        (end["what"], end["state"], end.get("detail", ""), f"bellhop events show {end['source']} {end['id']}")
        for end in ends
    ]
    echo(rich_table(("what", "state", "", "see"), rows))
