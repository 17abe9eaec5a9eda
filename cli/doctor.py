"""`bellhop doctor`: checks accounts end to end without booking anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from bellhop.cli.clients import account_named, client_of
from bellhop.cli.common import App, as_json, echo_json, pass_app, printable
from bellhop.schemas.errors import SettingsError
from bellhop.schemas.quantities import quantity
from bellhop.schemas.settings import Account
from bellhop.schemas.zones import host_version
from bellhop.vendors.registry import vendor_of

if TYPE_CHECKING:
    from bellhop.ledger.store import Ledger
    from bellhop.schemas.settings import Settings
    from bellhop.vendors.doctor.checks import Examination, Result, Subject

_COLOURS: Final = {"ok": "green", "warn": "yellow", "fail": "red", "skipped": None}


@click.command(short_help="Check accounts end to end; book nothing.")
@click.argument("name", metavar="[ACCOUNT]", required=False)
@as_json
@pass_app
def doctor(app: App, name: str | None, json_: bool) -> None:
    """Check ACCOUNT (default: all) end to end, and say what to do where a check fails.

    Only methods that read are called: nothing is booked or changed. Works also while an account's breaker is open; its
    calls are not counted. Exit code 1 where a check failed.
    """
    accounts = [account_named(app, name)] if name else list(app.settings.accounts.values())
    if not accounts:
        raise SettingsError("accounts", "has none to check", "the settings")
    told = []
    with app.ledger() as ledger:
        for account in accounts:
            told.append(_as_json(app, account, _results(app, account, ledger)))
            if not json_:
                _show(told[-1])
    if json_:
        echo_json({"accounts": told})
    if not all(one["ok"] for one in told):
        raise click.exceptions.Exit(1)


def _results(app: App, account: Account, ledger: Ledger) -> Sequence[Result]:
    from bellhop.vendors.doctor.checks import examine
    from bellhop.vendors.doctor.probe import Probe
    from bellhop.vendors.doctor.state import state_checks

    subject = _subject(app.settings, account, ledger)
    probe = Probe(account.base_url, connect_seconds=account.connect_seconds, read_seconds=account.read_seconds)
    vendor = _vendor(app, account, ledger, subject)
    return examine([*probe.checks(), *vendor.checks(), *state_checks(account, subject)], vendor.explain)


def _subject(settings: Settings, account: Account, ledger: Ledger) -> Subject:
    from bellhop.vendors.doctor.checks import Subject

    zones = {venue.name: venue.zone for venue in settings.venues.values() if venue.account == account.name}
    places = [place for source in settings.sources.values() for place in source.venues.values() if place.venue in zones]
    return Subject(
        zones=zones,
        services=frozenset(place.service_id for place in places if place.service_id),
        providers=frozenset(place.provider_id for place in places if place.provider_id),
        view=next((view for view in ledger.accounts.views() if view.account == account.name), None),
        marks=[mark for mark in ledger.pulls.watermarks() if mark.account == account.name],
        now=lambda: datetime.now(UTC),
        host_zones=host_version(),
    )


def _vendor(app: App, account: Account, ledger: Ledger, subject: Subject) -> Examination:
    """Through no gate of the workers: a breaker that is open is what one wants to look behind. But paced: the doctor
    must not have the vendor refuse the workers' calls."""
    from bellhop.vendors.held import PacedGate

    pace = PacedGate(account.limits.per_second)
    return vendor_of(account).doctor(account, subject, lambda one: client_of(app, one, ledger, pace), ledger)


def _as_json(app: App, account: Account, results: Sequence[Result]) -> dict[str, Any]:
    checks = [
        {
            "name": result.name,
            "status": result.finding.status.value,
            # What the vendor says may echo what it was sent.
            "seen": app.redact(result.finding.seen),
            "advice": list(result.finding.advice),
        }
        for result in results
    ]
    ok = not any(result.failed for result in results)
    return {"account": account.name, "kind": account.kind, "ok": ok, "checks": checks}


def _show(told: dict[str, Any]) -> None:
    """A line for each check, and below it what to do."""
    number = {status: sum(check["status"] == status for check in told["checks"]) for status in _COLOURS}
    summary = ", ".join(
        filter(
            None,
            (number["fail"] and f"{number['fail']} failed", number["warn"] and quantity(number["warn"], "warning")),
        )
    )
    click.secho(f"{told['account']} ({told['kind']}): {summary or 'all well'}", bold=True)
    for check in told["checks"]:
        status = click.style(f"{check['status']:<7}", fg=_COLOURS[check["status"]])
        click.echo(f"  {status}  {check['name']:<13}  {printable(check['seen'])}")
        for line in check["advice"]:
            click.echo(f"{'':26}-> {printable(line)}")
