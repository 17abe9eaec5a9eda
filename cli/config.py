"""`bellhop config`: check the settings, print an example or the schema."""

from __future__ import annotations

import json
import os

import click

from bellhop.cli.common import App, Failed, most_files, pass_app
from bellhop.schemas.errors import BrokerError, SettingsError
from bellhop.schemas.quantities import quantity


@click.group(short_help="Check the settings; print an example.")
def config() -> None:
    """Check the settings; print an example or the schema."""


@config.command(short_help="Check the settings file.")
@pass_app
def check(app: App) -> None:
    """Check the settings: print ok and how much of each is set up, or all that is wrong, a line each: where it stands,
    the key, what to write, and how many there are (exit code 2).

    Where RabbitMQ is reached within 2 seconds, also what its queues stand with and cannot be changed (exit code 1).
    After ok, a line each: limits that can never be reached, more calls at once than the host lets a process have files
    open, and lanes that accounts share.
    """
    from bellhop.ingest.verify import credentials_problem
    from bellhop.vendors.lane_notes import lane_notes
    from bellhop.vendors.settings import read_config

    try:
        settings = read_config(app.file, os.environ, credentials_problem).settings
    except SettingsError as error:
        for problem in error.problems:
            click.echo(" ".join(str(problem).split()), err=True)
        if len(error.problems) > 1:
            click.echo(quantity(len(error.problems), "problem"), err=True)
        raise click.exceptions.Exit(2) from None
    found_all = ", ".join(
        quantity(len(some), name)
        for name, some in (("source", settings.sources), ("account", settings.accounts), ("venue", settings.venues))
    )
    unseen = ""
    try:
        with app.broker() as broker:
            found = broker.differences()
    except BrokerError:
        found, unseen = (), "; the broker was not reached, and its queues were not compared"
    if found:
        raise Failed("\n".join((*found, "stop the workers and run `bellhop queues migrate`, which keeps the messages")))
    click.echo("\n".join((f"ok: {found_all}{unseen}", *lane_notes(settings, most_files()))))


@config.command(short_help="Print the settings' digest.")
@pass_app
def digest(app: App) -> None:
    """Print a digest of the settings as they are now, by which processes that run with them are known.

    Processes tell theirs in their logs, in settings.loaded and settings.taken. No secret can be worked out from it.
    """
    click.echo(app.config.digest)


@config.command(short_help="Print a settings file with every key.")
def example() -> None:
    """Print a settings file with every setting, what it does, and its value where it is left out."""
    from bellhop.schemas.settings.example import example as made
    from bellhop.vendors.settings import KINDS

    click.echo(made(KINDS), nl=False)


@config.command(short_help="Print the settings' JSON Schema, for editors.")
def schema() -> None:
    """Print the settings' JSON Schema, for editors."""
    from bellhop.ingest.verify import TABLE
    from bellhop.schemas.settings.editors import schema as made
    from bellhop.vendors.settings import KINDS

    click.echo(json.dumps(made(KINDS, TABLE), ensure_ascii=False, indent=2))
