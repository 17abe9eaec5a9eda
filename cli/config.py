"""`bellhop config`: the settings."""

from __future__ import annotations

import click

from bellhop.cli.common import App, pass_app


@click.group()
def config() -> None:
    """The settings."""


@config.command()
@pass_app
def check(app: App) -> None:
    """Says ok, or the one line that names the key, what is wrong and where it stands (exit code 2)."""
    from bellhop.ingest.verify import verifiers

    verifiers(app.settings.sources, app.config.place)
    click.echo("ok")
