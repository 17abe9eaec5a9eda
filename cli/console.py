"""`bellhop console`: the web console and the HTTP API."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bellhop.cli.common import App, Failed, pass_app
from bellhop.cli.reload import LiveSettings
from bellhop.schemas.errors import SettingsError
from bellhop.schemas.settings.addresses import own_url

if TYPE_CHECKING:
    from bellhop.console.access.oidc import Provider
    from bellhop.schemas.settings import Settings

_THREADS: Final = 8


@click.group(invoke_without_command=True, short_help="Run the web console and the HTTP API.")
@click.option("--link", is_flag=True, help="Print a one-time link although there are users. Loopback only.")
@click.option("--link-file", type=click.Path(path_type=Path), hidden=True, help="Where the link goes instead.")
@pass_app
@click.pass_context
def console(context: click.Context, app: App, link: bool, link_file: Path | None) -> None:
    """Run the web console, and the HTTP API under /api/v1.

    On this machine's own address (127.0.0.1) it needs no users: it prints a link that signs in once. On any other it
    does not start before there is a user (`bellhop users add`) or a provider (oidc_issuer).
    """
    if context.invoked_subcommand is None:
        _run(app, link, link_file)


@console.command("link", short_help="Print a fresh one-time link for a running console.")
@pass_app
def link_(app: App) -> None:
    """Print a link that signs in once, as the local admin, at the console that runs on this machine. It lasts for ten
    minutes.

    On this machine's own address (127.0.0.1) only.
    """
    from bellhop.console.access.sessions import Sessions

    own = app.settings.console
    if not own.loopback:
        problem = "is not this machine's own: links are for loopback; sign in as a user (bellhop users add)"
        raise SettingsError("console.host", problem, app.config.place("console.host"))
    _require_running(own_url(own.host, own.port))
    with app.ledger() as ledger:
        secret = Sessions(ledger.people, own.session_seconds).make_link()
    click.echo(_link_url(app.settings, secret))


def _require_running(base: str) -> None:
    """Raises Failed where no console answers there."""
    import urllib3

    try:
        up = urllib3.request("GET", f"{base}/healthz", timeout=3.0, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        up = False
    if not up:
        raise Failed(f"no console answers at {base}: start it with `bellhop console`")


def _run(app: App, link: bool, link_file: Path | None) -> None:
    from bellhop.cli.tell import telemetry, telemetry_of_child
    from bellhop.ingest.server import serve

    settings, place = app.settings, app.config.place
    own = settings.console
    has_users = _has_users(app, link)
    provider = _provider(app)
    with_link = own.loopback and (link or link_file is not None or not (own.oidc or has_users))
    first = telemetry("console", settings, forks=True)

    live = LiveSettings(app.file, app.config)

    def make_app() -> Any:
        from bellhop.cli import console_app
        from bellhop.console.access.sessions import OneTimeLink

        once = OneTimeLink() if with_link else None
        made = console_app.make_console(
            live,
            app.file,
            lambda metrics: telemetry_of_child("console", live.settings, first, metrics),
            provider,
            once,
        )
        if once is not None:
            _hand_out(settings, once.secret, link_file)
        return made

    try:
        serve(_server_settings(settings), make_app, observe=first, reread=lambda: live.reread(first))
    except SettingsError as error:
        if error.key != "ingest.port":
            raise
        raise SettingsError("console.port", error.problem, place("console.port")) from None


def _has_users(app: App, link: bool) -> bool:
    """Whether anybody can sign in by a password. Raises SettingsError where nobody could, or a link is asked for and
    others than this machine's would be let in by it."""
    own, place = app.settings.console, app.config.place("console.host")
    with app.ledger() as ledger:
        has_users = any(user.password_hash and not user.disabled for user in ledger.people.users())
    if not own.loopback and not own.oidc and not has_users:
        problem = "is not this machine's own: first make a user (bellhop users add), or name a provider (oidc_issuer)"
        raise SettingsError("console.host", problem, place)
    if link and not own.loopback:
        raise SettingsError("console.host", "is not this machine's own: --link is for loopback", place)
    return has_users


def _server_settings(settings: Settings) -> Settings:
    """As the ingress' server reads them. One process: the pulse, drafts and one-time link live in it alone."""
    own = settings.console
    return replace(
        settings, ingest=replace(settings.ingest, host=own.host, port=own.port, processes=1, threads=_THREADS)
    )


def _provider(app: App) -> Provider | None:
    from bellhop.console.access.oidc import Provider

    own = app.settings.console
    if not own.oidc:
        return None
    if not all(map(importlib.util.find_spec, ("authlib", "requests"))):
        problem = "needs Authlib: pip install 'bellhop-bookings[oidc]'"
        raise SettingsError("console.oidc_issuer", problem, app.config.place("console.oidc_issuer"))
    return Provider(own.oidc, own.public_url.rstrip("/") + "/oidc/back")


def _hand_out(settings: Settings, secret: str, file: Path | None) -> None:
    """The link, to whoever started the console: it is not for the log."""
    url = _link_url(settings, secret)
    if file is None:
        click.echo(f"The console, once: {url}", err=True)
        return
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(url)
    part.replace(file)


def _link_url(settings: Settings, secret: str) -> str:
    return f"{settings.console.base_url}/enter/{secret}"
