"""How long until work goes on after something broke, by default settings: `make bench-recovery`.

    make bench-recovery ARGS="--only worker_killed --broker embedded --ledger sqlite"

Times are from the mending (the restart, the link's return), but for `told` and what becomes of a node that is cut off:
these are from the break.
"""

from __future__ import annotations

import argparse
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

import urllib3

from bellhop.drill.backends import Backends, backends
from bellhop.drill.plan import Webhook, first_day, plan
from bellhop.drill.proxy import Mode
from bellhop.drill.receiver import Receiver
from bellhop.drill.site import SECRET, SOURCE, Site
from bellhop.drill.upstream import Sender

_TEMPLATE: Final = Path(__file__).with_name("recovery.toml")
_EVENTS: Final = 24
_MOST_SECONDS: Final = 300.0
_NEVER: Final = float("inf")
_SEEN_SECONDS: Final = 30.0
_WORKER: Final = "work-1"
_BOOKS: Final = {"spa": "create_service_reservation", "salon": "book"}
_ENDED: Final = ("done", "dead", "recorded", "superseded", "duplicate")
Rows = list[tuple[str, float]]


class Watch:
    """A site under measurement. Each measurement posts bookings of its own."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._http = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=2, read=10))
        self._seeds = iter(range(1000))

    def post(self, venue: str, count: int) -> list[str]:
        """Bookings of one service each, accepted; their ids."""
        seed, day = next(self._seeds), first_day(datetime.now(UTC).date())
        made = plan(seed, 40 * count, day, f"r{seed}")
        chosen = [one for one in made if _is_plain(one, venue)][:count]
        sender = Sender(self.site.url, SECRET, [chosen], 0.0)
        sender.start()
        sender.release(0)
        sender.wait(0)
        return sender.accepted

    def ends(self, ids: Sequence[str]) -> list[str]:
        """Those of them that have ended."""
        with self.site.ledger() as ledger:
            rows = ledger.standings(SOURCE, ids)
        return [id_ for id_, found in rows.items() if any(row.state.value in _ENDED for row in found)]

    def is_ready(self, port: int) -> bool:
        try:
            return self._http.request("GET", f"http://127.0.0.1:{port}/readyz").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def calls(self, method: str) -> int:
        return sum(call["method"] == method for call in self.site.sandbox("GET", "calls")["calls"])

    def until(self, holds: Callable[[], bool]) -> float:
        """Seconds until it holds; infinite where it does not within `_MOST_SECONDS`."""
        began = time.monotonic()
        while time.monotonic() - began < _MOST_SECONDS:
            if holds():
                return time.monotonic() - began
            time.sleep(0.2)
        return _NEVER


def _is_plain(one: Webhook, venue: str) -> bool:
    return (
        one.type == "booking.requested"
        and one.data["venue"] == venue
        and len(one.slots) == 1
        and "-again" not in one.id
    )


def worker_killed(watch: Watch) -> Rows:
    """kill -9 while the vendors hold its calls; started again at once."""
    rows = []
    for venue, method in _BOOKS.items():
        before = watch.calls(method)
        watch.site.sandbox("POST", "faults", method=method, kind="slow", seconds=10, times=100)
        ids = watch.post(venue, _EVENTS)
        watch.until(lambda method=method, before=before: watch.calls(method) > before)  # type: ignore[misc]
        time.sleep(2)
        watch.site.processes.kill(_WORKER)
        amid = watch.calls(method) - before
        watch.site.sandbox("DELETE", "faults")
        watch.site.start(_WORKER)
        began = time.monotonic()
        watch.until(lambda ids=ids, amid=amid: len(watch.ends(ids)) >= len(ids) - amid)  # type: ignore[misc]
        rows.append((f"worker killed, {venue}: the {len(ids) - amid} events not amid a call have ended", _since(began)))
        watch.until(lambda ids=ids: len(watch.ends(ids)) == len(ids))  # type: ignore[misc]
        rows.append((f"worker killed, {venue}: the {amid} amid a call have ended", _since(began)))
    return rows


def vendor_back(watch: Watch) -> Rows:
    """The way to the vendors is cut for a minute, and a backlog grows: what was done of a call on it nobody knows."""
    watch.site.links["vendor"].set(Mode.CUT)
    return _vendor_back(watch, "vendor away", lambda: watch.site.links["vendor"].set(Mode.PASSING))


def vendor_ill(watch: Watch) -> Rows:
    """The vendors answer everything with a page of 503 for a minute: nobody knows what they carried out."""
    watch.site.sandbox("POST", "faults", method="*", kind="http", status=503, times=None)
    return _vendor_back(watch, "vendor ill", lambda: watch.site.sandbox("DELETE", "faults"))


def _vendor_back(watch: Watch, name: str, mend: Callable[[], object]) -> Rows:
    ids = watch.post("spa", _EVENTS)
    time.sleep(60)
    mend()
    before = watch.calls(_BOOKS["spa"])
    began = time.monotonic()
    watch.until(lambda: watch.calls(_BOOKS["spa"]) > before)
    first = _since(began)
    watch.until(lambda: len(watch.ends(ids)) == len(ids))
    return [(f"{name}, back: first call", first), (f"{name}, back: the {len(ids)} events have ended", _since(began))]


def broker_silent(watch: Watch) -> Rows:
    """No packet to or from RabbitMQ for 40 s."""
    return _silent(watch, "broker", watch.site.ingest_port, "ingress")


def ledger_silent(watch: Watch) -> Rows:
    """No packet to or from PostgreSQL for 40 s."""
    return _silent(watch, "ledger", watch.site.work_port, "worker")


def _silent(watch: Watch, link: str, port: int, part: str) -> Rows:
    watch.until(lambda: watch.is_ready(port))
    watch.site.links[link].set(Mode.BLACK_HOLE)
    began = time.monotonic()
    told = watch.until(lambda: not watch.is_ready(port))
    time.sleep(max(0.0, 40 - (time.monotonic() - began)))
    watch.site.links[link].set(Mode.PASSING)
    began = time.monotonic()
    watch.until(lambda: watch.is_ready(port))
    ready = _since(began)
    ids = watch.post("spa", 1)
    watch.until(lambda: len(watch.ends(ids)) == 1)
    return [
        (f"{link} silent: told by the {part}'s /readyz", told),
        (f"{link} back: the {part} is ready", ready),
        (f"{link} back: a new booking is done", _since(began)),
    ]


def node_cut_off(watch: Watch) -> Rows:
    """The node to which all are connected is cut off from the others of its cluster: while nothing is posted, and again
    as bookings are."""
    with _first_cut_off(watch) as began:
        away = []
        while _since(began) < _SEEN_SECONDS:  # each process of the ingress finds out for itself
            if not watch.is_ready(watch.site.ingest_port):
                away.append(_since(began))
            time.sleep(0.2)
    rows = [
        ("node cut off: told by the ingress's /readyz", min(away, default=_NEVER)),
        ("node cut off: the ingress is ready at another", max(away, default=_NEVER)),
    ]
    with _first_cut_off(watch) as began:
        ids = watch.post("spa", _EVENTS)
        rows.append((f"node cut off: {len(ids)} bookings posted at that moment are accepted", _since(began)))
        watch.until(lambda: len(watch.ends(ids)) == len(ids))
        rows.append((f"node cut off: those {len(ids)} have ended", _since(began)))
    return rows


@contextmanager
def _first_cut_off(watch: Watch) -> Iterator[float]:
    """Since when."""
    cluster, site = watch.site.backends.cluster, watch.site
    assert cluster is not None
    for part in ("ingest", _WORKER):  # begins at the first node
        site.processes.kill(part)
        site.start(part)
    watch.until(lambda: watch.is_ready(site.ingest_port) and watch.is_ready(site.work_port))
    cluster.cut_off_first()
    try:
        yield time.monotonic()
    finally:
        cluster.join_first()


MEASUREMENTS: Final[dict[str, tuple[Callable[[Watch], Rows], frozenset[str]]]] = {
    "worker_killed": (worker_killed, frozenset()),
    "vendor_back": (vendor_back, frozenset()),
    "vendor_ill": (vendor_ill, frozenset()),
    "node_cut_off": (node_cut_off, frozenset({"rabbitmq cluster"})),
    "broker_silent": (broker_silent, frozenset({"amqp"})),
    "ledger_silent": (ledger_silent, frozenset({"postgresql"})),
}


def _since(began: float) -> float:
    return time.monotonic() - began


@contextmanager
def _site(on: Backends) -> Iterator[Watch]:
    with ExitStack() as stack:
        folder, receiver = stack.enter_context(tempfile.TemporaryDirectory()), stack.enter_context(Receiver())
        yield Watch(stack.enter_context(Site(Path(folder), on, receiver.url, Random(1), _TEMPLATE)))


def main(words: Sequence[str] | None = None) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what it started must not outlive it
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", default="rabbitmq", help="embedded, rabbitmq, cluster, or a URL")
    parser.add_argument("--ledger", default="postgresql", help="sqlite, postgresql, or a URL")
    parser.add_argument("--only", action="append", choices=tuple(MEASUREMENTS), help="one of them; repeatable")
    asked = parser.parse_args(words)
    print("| what | seconds |\n|---|---:|")
    with backends(asked.broker, asked.ledger) as on, _site(on) as watch:
        for name, (measure, needs) in MEASUREMENTS.items():
            if needs <= on.has() and name in (asked.only or MEASUREMENTS):
                for what, seconds in measure(watch):
                    print(f"| {what} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
