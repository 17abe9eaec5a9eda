"""The command `bellhop`. Exit codes: 0 done, 1 failed, 2 wrong usage or settings."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import click
from click.core import ParameterSource

from bellhop.cli import source_links  # noqa: F401  # more commands of `sources`
from bellhop.cli.accounts import accounts
from bellhop.cli.alerts import alerts
from bellhop.cli.archive import archive
from bellhop.cli.attention import attention
from bellhop.cli.audit import audit
from bellhop.cli.call import call
from bellhop.cli.catalog import catalog
from bellhop.cli.common import App, Misused, end_with_parent
from bellhop.cli.config import config
from bellhop.cli.console import console
from bellhop.cli.dead import dead
from bellhop.cli.doctor import doctor
from bellhop.cli.drill import drill
from bellhop.cli.events import events
from bellhop.cli.floods import floods
from bellhop.cli.forget import forget
from bellhop.cli.jobs import jobs
from bellhop.cli.ledger import ledger
from bellhop.cli.parts import parts
from bellhop.cli.pull import pull
from bellhop.cli.queues import queues
from bellhop.cli.refused import refused_posts
from bellhop.cli.reload_command import reload
from bellhop.cli.remote import COMMANDS
from bellhop.cli.routes import routes
from bellhop.cli.send import send
from bellhop.cli.services import ingest, sandbox, work
from bellhop.cli.sources import sources
from bellhop.cli.tokens import tokens
from bellhop.cli.up import up
from bellhop.cli.users import users
from bellhop.cli.where import say_where
from bellhop.schemas.errors import BellhopError, BrokerUnavailable, LedgerUnavailable, SettingsError


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage or settings.",
)
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help="Settings file. Default: $BELLHOP_CONFIG, else ./bellhop.toml.",
)
@click.option(
    "--server",
    metavar="URL",
    default="",
    envvar="BELLHOP_SERVER",
    help="Console of a remote Bellhop. Default: $BELLHOP_SERVER.",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="File with the API token for --server. Default: $BELLHOP_TOKEN.",
)
@click.option("--with-parent", type=int, hidden=True, help="End with the process of this id.")
@click.version_option(package_name="bellhop-bookings", prog_name="bellhop")
@click.pass_context
def cli(
    context: click.Context, file: Path | None, server: str, token_file: Path | None, with_parent: int | None
) -> None:
    """Carry member updates and bookings from webhooks to vendors, once each.

    What cannot be delivered waits as a dead letter: `bellhop dead list`.
    """
    if with_parent is not None:
        end_with_parent(with_parent)
    context.obj = App(file, _server_of(context, server), token_file)


def _server_of(context: click.Context, server: str) -> str:
    """Where the command is to work. Raises Misused where it cannot be there."""
    name = str(context.invoked_subcommand)
    if not server or name in COMMANDS:
        return server
    if context.get_parameter_source("server") is not ParameterSource.ENVIRONMENT:
        raise Misused(f"--server is for {', '.join(COMMANDS)}")
    if name in {command.name for command in _SERVICES}:
        return ""  # what is started is started here
    raise Misused(f"`bellhop {name}` works on Bellhop's own host only, and BELLHOP_SERVER names another: unset it")


_SERVICES = (up, ingest, work, archive, console, sandbox)
_PEOPLE = (attention, parts, reload, refused_posts, floods, queues, dead, jobs, routes, events, users, tokens)
_VENDORS = (accounts, doctor, catalog, call, pull)
for command in (*_SERVICES, send, *_PEOPLE, *_VENDORS, sources, alerts, config, ledger, audit, forget, drill):
    cli.add_command(command)


def main() -> None:
    """Runs the command and ends the process. What goes wrong is one line on stderr."""
    sys.exit(_run())


def _run() -> int:
    try:
        code = cli.main(prog_name="bellhop", standalone_mode=False)
    except SettingsError as error:
        for problem in error.problems:  # one line each, as compilers tell theirs, so that editors find the place
            click.echo(" ".join(str(problem).split()), err=True)
        return 2
    except BellhopError as error:
        return _report(f"{error}{_hint(error)}", 1)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _report("stopped; nothing more was done", 1)
    except BrokenPipeError:
        # `bellhop dead list | head`: nobody reads on. Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return code if isinstance(code, int) else 0


def _hint(error: BellhopError) -> str:
    """What to do where it is not the command's to know."""
    if isinstance(error, LedgerUnavailable):
        return ": look whether the database that ledger.url names is up"
    if isinstance(error, BrokerUnavailable):
        return ": look whether the broker that broker.url names is up"
    return ""


def _report(text: str, code: int) -> int:
    click.echo(f"bellhop: {say_where(' '.join(text.split()))}", err=True)
    return code


if __name__ == "__main__":
    main()
