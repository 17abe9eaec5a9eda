"""`bellhop up`: everything on this machine, with pretended vendors, and samples going through."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bellhop.cli.common import Failed, echo, printable, rich_table
from bellhop.cli.signals import on_signals

if TYPE_CHECKING:
    from bellhop.cli.demo.folder import DemoFolder
    from bellhop.cli.demo.upstream import Upstream
    from bellhop.schemas.settings import Settings

_READY_SECONDS: Final = 60.0
_SAMPLES_SECONDS: Final = 60.0
_GRACE_SECONDS: Final = 15.0
_LOOK_SECONDS: Final = 0.2
_ENDED: Final = ("done", "recorded", "superseded", "duplicate", "dead", "discarded")


class _Stopped(Exception):
    """Raised when a person or a SIGTERM ends the demo."""


@click.command(short_help="Run the demo with sandbox vendors.")
@click.option("--broker", metavar="URL", help="RabbitMQ instead of the embedded broker: amqp://user:password@host/")
@click.option("--port", type=click.IntRange(1, 65535), help="The ingress' port. Default: the first free from 8080 on.")
@click.option("--folder", type=click.Path(path_type=Path), help="Settings, data and logs. Default: ./var/demo")
@click.option("--once", is_flag=True, help="End after the samples; exit code 0 if each ended as expected.")
def up(broker: str | None, port: int | None, folder: Path | None, once: bool) -> None:
    """Run the demo: start everything with sandbox vendors, send samples and show what happens.

    Stays until Ctrl-C. What an earlier demo left in the folder is cleared at the start.
    """
    from bellhop.cli.demo.folder import close, prepare
    from bellhop.cli.demo.supervisor import Supervisor
    from bellhop.vendors.settings import load

    stopped, hung_up = threading.Event(), threading.Event()
    on_signals(stopped.set, hung_up.set)
    demo = prepare(folder, broker, port)
    settings = load(demo.settings, {})
    supervisor = Supervisor(lambda line: click.echo(printable(line), err=True))

    def wait() -> None:
        """One turn of waiting. Raises _Stopped."""
        if stopped.is_set():
            raise _Stopped
        if hung_up.is_set():
            hung_up.clear()
            supervisor.hang_up()
        supervisor.look()
        time.sleep(_LOOK_SECONDS)

    click.echo(f"Bellhop's demo, in {demo.folder}")
    try:
        for part in demo.parts(os.environ):
            supervisor.start(part)
        _await_ready(demo, wait)
        samples = _Samples(settings, demo)
        samples.run(wait)
        wrong = samples.wrong()
        if once:
            if wrong:
                raise Failed(f"not as it should be: {wrong}; see {demo.folder}/logs")
            return
        _guide(demo, samples)
        while True:
            wait()
    except _Stopped:
        if once:
            raise Failed("stopped before the samples were through") from None
    finally:
        click.echo("stopping …")
        supervisor.stop(_GRACE_SECONDS)
        close(demo)
        click.echo("stopped")


def _await_ready(demo: DemoFolder, wait: Callable[[], None]) -> None:
    import urllib3

    http = urllib3.PoolManager(retries=False, timeout=2.0)
    left = demo.ready_urls()
    deadline = time.monotonic() + _READY_SECONDS
    while left:
        for name, url in list(left.items()):
            try:
                ready = http.request("GET", url).status == 200
            except urllib3.exceptions.HTTPError:
                ready = False
            if ready:
                del left[name]
                click.echo(f"  {name:<8} ready  {url.rpartition('/')[0].removesuffix('/_sandbox')}")
        if left:
            if time.monotonic() > deadline:
                names = ", ".join(left)
                raise Failed(f"not ready within {_READY_SECONDS:g} s: {names}; see {demo.folder}/logs")
            wait()


@dataclass
class _Sample:
    what: str
    type: str
    data: Callable[[], dict[str, Any]]
    expected: str
    after: int | None = None
    """The sample that must have ended before this one is sent."""
    id: str = ""
    state: str = ""
    vendor_ids: str = ""
    detail: str = ""

    @property
    def ended(self) -> bool:
        return self.state in _ENDED


class _Samples:
    """The samples and how far they are."""

    def __init__(self, settings: Settings, demo: DemoFolder) -> None:
        from bellhop.cli.demo import samples
        from bellhop.cli.demo.upstream import Upstream
        from bellhop.vendors.registry import BY_KIND

        source = next(iter(settings.sources.values()))
        venues = list(settings.venues.values())
        vendors = {venue.name: BY_KIND[venue.kind] for venue in venues}
        of_members = samples.member_vendor(settings, source).demo()
        slots = samples.Slots()
        number = time.strftime("%H%M%S")
        self.source = source.name
        self.upstream: Upstream = Upstream(demo.url, source)
        self.list = [
            _Sample("a member's profile changed", "member.updated", lambda: samples.member(of_members.member), "done"),
            *(
                _Sample(
                    f"a {vendors[venue.name].demo().thing} is booked ({vendors[venue.name].title})",
                    "booking.requested",
                    partial(samples.booking, f"{venue.name}-{number}", venue, slots),
                    "done",
                )
                for venue in venues
            ),
            *(
                _Sample(
                    f"the {vendors[venue.name].demo().thing} is cancelled",
                    "booking.cancelled",
                    partial(samples.cancellation, f"{venue.name}-{number}", venue),
                    "done",
                    after=place,
                )
                for place, venue in enumerate(venues, 1)
                if vendors[venue.name].demo().can_cancel
            ),
            _Sample(
                "a member whom the vendor does not know",
                "member.updated",
                lambda: samples.member(of_members.unknown_member),
                "dead",
            ),
        ]
        self.unknown_member = of_members.unknown_member
        self.booked = self.list[len(venues)]
        self.spare = samples.booking(f"spare-{number}", venues[-1], slots)

    def run(self, wait: Callable[[], None]) -> None:
        """Sends them and shows each one's way until all have ended, or the time is over."""
        deadline = time.monotonic() + _SAMPLES_SECONDS
        with _display() as show:
            while not all(sample.ended for sample in self.list) and time.monotonic() < deadline:
                for sample in self.list:
                    self._advance(sample)
                show(self.list)
                wait()
            show(self.list)

    def wrong(self) -> str:
        """What did not end as it should; "" where all did."""
        return "; ".join(f"{s.what}: {s.state or 'not accepted'}" for s in self.list if s.state != s.expected)

    def _advance(self, sample: _Sample) -> None:
        from bellhop.cli.demo.upstream import NoAnswer

        if sample.ended or (sample.after is not None and not self.list[sample.after].ended):
            return
        try:
            if not sample.id:
                post = self.upstream.sign(sample.type, sample.data())
                status, body = self.upstream.send(post)
                if status < 300:
                    sample.id, sample.state = post.id, "accepted"
                else:
                    sample.detail = f"answered {status}: {body}"
                return
            told = self.upstream.status(sample.id)
        except NoAnswer:  # it is being restarted; asked again at the next turn
            return
        if told:
            sample.state, sample.detail = told["state"], told["detail"]
            gone = (f"{id_} (cancelled)" for id_ in told["cancelled_ids"])
            sample.vendor_ids = ", ".join((*told["vendor_ids"], *gone))


@contextmanager
def _display() -> Iterator[Callable[[list[_Sample]], None]]:
    """Its value shows the samples: a live table in a terminal, else a line for each change."""
    if sys.stdout.isatty():
        from rich.live import Live

        with Live(auto_refresh=False) as screen:

            def draw(samples: list[_Sample]) -> None:
                screen.update(_table(samples), refresh=True)

            yield draw
        return
    told: dict[str, str] = {}

    def show(samples: list[_Sample]) -> None:
        for sample in samples:
            if sample.state and told.get(sample.what) != sample.state:
                told[sample.what] = sample.state
                more = sample.detail if sample.state == "dead" else sample.vendor_ids
                click.echo(printable(f"  {sample.type:<18} {sample.state:<10} {sample.what}  {more}".rstrip()))

    yield show


def _table(samples: list[_Sample]) -> Any:
    rows = [
        (s.type, s.what, s.state or ("waits" if s.after is not None else ""), s.vendor_ids, s.detail) for s in samples
    ]
    return rich_table(("event", "what happens", "state", "vendor's id", ""), rows)


def _guide(demo: DemoFolder, samples: _Samples) -> None:
    """The addresses and what to try next."""
    shown = os.path.relpath(demo.settings) if demo.settings.is_relative_to(Path.cwd()) else str(demo.settings)
    program = _program()
    bellhop = f"{program} --config {shown}"
    done, dead = samples.booked, samples.list[-1]
    echo(
        rich_table(
            ("address", ""),
            [
                (_link(demo), "the console; this link signs in, once"),
                (f"{demo.url}/webhooks/{samples.source}", "takes webhooks"),
                (f"{demo.url}/metrics", "the ingress' metrics"),
                (f"{demo.url.rpartition(':')[0]}:{demo.ports.work}/metrics", "the worker's, with /readyz beside"),
                (f"{demo.url.rpartition(':')[0]}:{demo.ports.archive}/metrics", "the archive's and the queues'"),
                (f"{demo.sandbox_url}/_sandbox/calls", "what the pretended vendors were asked"),
                (f"{demo.folder}/logs", "the logs, one JSON object a line"),
            ],
        )
    )
    click.echo("To try next, in another terminal:\n")
    unknown = f'{{"id": "{samples.unknown_member}"}}'
    for command, why in (
        (f"{bellhop} send booking.requested", "one more booking"),
        (f"{bellhop} events show {samples.source} {done.id}", "a booking's whole way"),
        (f"{bellhop} dead list", "what waits for a person: the member nobody knows"),
        (f"curl -X POST {demo.sandbox_url}/_sandbox/members -d '{unknown}'", "mend its cause"),
        (f"{bellhop} dead replay --id {dead.id} --why 'member was created'", "and replay it"),
        (f"{bellhop} queues --watch", "what waits"),
    ):
        click.echo(f"  # {why}\n  {command}")
    post = samples.upstream.sign("booking.requested", samples.spare)
    click.echo(f"\n  # a webhook by hand; its signature holds for 5 minutes (a new one: {bellhop} send --curl)")
    click.echo(f"  {samples.upstream.curl(post)}\n")
    click.echo("Ctrl-C stops everything.")


def _link(demo: DemoFolder) -> str:
    try:
        return demo.console_link.read_text(encoding="utf-8")
    except OSError:
        return demo.console_url


def _program() -> str:
    """How this program was called, for the person to call it again."""
    called = Path(sys.argv[0])
    if called.name != "bellhop":
        return f"{sys.executable} -m bellhop.cli.main"
    found = shutil.which("bellhop")
    return "bellhop" if found and Path(found).resolve() == called.resolve() else os.path.relpath(called)
