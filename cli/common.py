"""What all commands share: settings, connections, tables and JSON output."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import getpass
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bellhop.cli.where import say_where
from bellhop.schemas.observe import Observe, silent

if TYPE_CHECKING:
    from bellhop.broker.port import Broker
    from bellhop.cli.remote import Remote
    from bellhop.ledger.store import Ledger
    from bellhop.schemas.settings import Settings
    from bellhop.schemas.settings.files import Config

_PR_SET_PDEATHSIG: Final = 1
_M_ARENA_MAX: Final = -8
_WIDE: Final = 100_000
_PLACEHOLDER: Final = "…"

as_json: Final = click.option("--json", "json_", is_flag=True, help="Print JSON, with stable keys and ISO times.")


@dataclass
class App:
    """One run of the command. file: what `--config` names. server: the console of a Bellhop on another host, "" for
    this host's; token_file: where the API token for it is."""

    file: Path | None
    server: str = ""
    token_file: Path | None = None

    @cached_property
    def remote(self) -> Remote | None:
        """The Bellhop on another host; None where the command is about this host's. Raises Misused."""
        if not self.server:
            return None
        from bellhop.cli.remote import Remote, token_of

        return Remote(self.server, token_of(os.environ.get("BELLHOP_TOKEN"), self.token_file))

    @cached_property
    def config(self) -> Config:
        """Raises SettingsError. Read when first needed: `bellhop up` and `bellhop sandbox` need none."""
        if self.server:
            raise Misused("this works on Bellhop's own host only: leave --server out")
        from bellhop.vendors.settings import read_config

        return read_config(self.file, os.environ)

    @property
    def settings(self) -> Settings:
        return self.config.settings

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """Raises LedgerError."""
        ledger = open_ledger(self.settings)
        try:
            yield ledger
        finally:
            ledger.close()

    @contextmanager
    def broker(self) -> Iterator[Broker]:
        """Connects when it is first used."""
        from bellhop.vendors.registry import connect_broker

        broker = connect_broker(self.settings)
        try:
            yield broker
        finally:
            broker.close()

    def redact(self, value: Any) -> Any:
        """A JSON value without the settings' secrets."""
        from bellhop.schemas.redact import Redactor

        return Redactor(self.settings.secrets, self.settings.names).value(value)


def open_ledger(settings: Settings, observe: Observe = silent) -> Ledger:
    """As the settings say; after any fork. Raises LedgerError."""
    from bellhop.ledger.store import Ledger

    return Ledger.open(
        settings.ledger.url,
        keep_seconds=settings.ledger.keep_seconds,
        keep_payload_seconds=settings.ledger.keep_payload_seconds,
        keep_audit_seconds=settings.ledger.keep_audit_seconds,
        second_approver=settings.console.second_approver,
        connections=settings.ledger.connections,
        observe=observe,
    )


pass_app: Final = click.make_pass_decorator(App)


class Failed(click.ClickException):
    """Raised to end a command with its text as one line and exit code 1."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        click.echo(f"bellhop: {say_where(self.format_message())}", err=True, file=file)


class Misused(Failed):
    """Wrong usage, as one line."""

    exit_code = 2


class DurationParam(click.ParamType[float]):
    """Seconds, as the settings have durations: 30s, 2m, 1h, or a plain number of seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from marshmallow import ValidationError

        from bellhop.schemas.settings.fields import Duration

        try:
            seconds: float = Duration().deserialize(value)
        except ValidationError as error:
            self.fail("; ".join(map(str, error.messages)), param, ctx)
        return seconds


def ask_reason(why: str | None) -> str:
    """The reason a person gives for an act. Raises UsageError where there is none: … stands for it in commands that are
    told to be copied."""
    if not why or why.strip() == _PLACEHOLDER:
        why = str(click.prompt("Why", err=True)) if sys.stdin.isatty() else ""
    if not why.strip():
        raise click.UsageError("--why is needed: the audit keeps it")
    return why.strip()


def acting_as(who: str | None) -> str:
    """The name the audit keeps."""
    return who or f"{getpass.getuser()}@{socket.gethostname()}"


def echo_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


who_option: Final = click.option("--who", help="Your name, for the audit. Default: user@host.")
why_option: Final = click.option("--why", help="Reason, for the audit. Asked for if not given.")


def when(moment: datetime | None) -> str:
    """A time for people: UTC, to the second."""
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def when_text(text: str | None) -> str:
    """`when` of an ISO 8601 time, as rows have it."""
    return when(datetime.fromisoformat(text)) if text else ""


def local_time(row: Mapping[str, Any], name: str) -> str:
    """An ISO 8601 time of a row by the clock of its venue, beside UTC; a server of an older version tells no zone."""
    from zoneinfo import ZoneInfo

    from bellhop.schemas.moments import local_text

    if not row[name]:
        return ""
    zone = row.get("zone")
    return local_text(datetime.fromisoformat(row[name]), ZoneInfo(zone) if zone else None, "%Y-%m-%d")


def age(seconds: float | None) -> str:
    """12s, 5m, 3h, 2d; "" where it is not known."""
    if seconds is None:
        return ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{max(0.0, seconds):.0f}s"


def printable(text: object) -> str:
    """What others wrote, fit for a terminal: without the control characters that could rewrite it."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(text))


def rich_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> Any:
    """A table to print, see `cli.tables`."""
    from bellhop.cli.tables import WholeRows

    return WholeRows(headers, [[printable(cell) for cell in row] for row in rows])


def echo_table(headers: Sequence[str], rows: Sequence[Sequence[object]], none: str) -> None:
    """A table, or the words for none of it: a head with nothing below says less."""
    if rows:
        echo(rich_table(headers, rows))
    else:
        click.echo(none)


def confirm(question: str) -> None:
    """Asks a person. Raises Abort where they say no, Failed where nobody answers, as in a script."""
    try:
        is_meant = click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise Failed("nobody answered, and nothing was done: --yes does it without asking") from None
    if not is_meant:
        raise click.Abort


def echo(renderable: Any) -> None:
    """To stdout. Nothing is cut off: what is longer than a line goes on in the next."""
    console().print(renderable, crop=False)


def console() -> Any:
    """stdout; where it is a file or a pipe, each row of a table is a line, however long."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)


def end_with_parent(parent: int) -> None:
    """Lets the kernel stop this process when `parent` is gone, killed without a chance to stop its children itself.
    Linux alone can; elsewhere nothing is done."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it was gone before the line above
        sys.exit(1)


def most_files() -> int:
    """How many files the system lets a process have open, where it asks for as many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if most == resource.RLIM_INFINITY else most


def allow_files() -> None:
    """As many open files as may be, of which each call under way is one: what a process is given unless it asks is
    1,024 on most systems."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS says "any number", and takes none
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def settle_memory() -> None:
    """What is loaded by now stays for good: the garbage collector need not look at it again and again, which takes
    several percent of a busy process' time. And the C library keeps its free memory in two places for all threads: in
    one for each it would add up."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
