"""`bellhop config`: check the settings."""

from __future__ import annotations

import click

from bellhop.cli.common import App, pass_app


@click.group(short_help="Check the settings.")
def config() -> None:
    """Check the settings."""


@config.command(short_help="Check the settings file.")
@pass_app
def check(app: App) -> None:
    """Check the settings: print ok, or the key, what is wrong and where (exit code 2)."""
    from bellhop.ingest.verify import verifiers

    verifiers(app.settings.sources, app.config.place)
    click.echo("ok")
