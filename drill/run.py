"""One drill, from the first webhook to the record: load, a fault in each part of it, rest, record."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

from bellhop.drill.faults.fault import DrillFault
from bellhop.drill.faults.table import BY_NAME, possible
from bellhop.drill.history import DrillRun, FaultDone, Record
from bellhop.drill.nodes.cluster import RabbitCluster
from bellhop.drill.nodes.postgres import PostgresNode
from bellhop.drill.nodes.rabbitmq import RabbitNode, node_folder, remove_folder
from bellhop.drill.plan import first_day, plan
from bellhop.drill.receiver import Receiver
from bellhop.drill.recorder import await_rest, record_end
from bellhop.drill.site import SECRET, Backends, DrillError, Site
from bellhop.drill.upstream import Sender, portions

GAP_SECONDS: Final = 0.03
REST_SECONDS: Final = 180.0
_WORDS: Final = 300
_CALM: Final = DrillFault("none", "", "the last webhooks, and nothing happens", lambda _site, _upstream: None)


@dataclass(frozen=True, slots=True)
class Drill:
    """What is to be done. faults: in this order; they are spread over the load."""

    seed: int
    events: int
    faults: Sequence[DrillFault]
    rest_seconds: float = REST_SECONDS


def choose_faults(seed: int, count: int, has: frozenset[str]) -> list[DrillFault]:
    """So many of the faults that are possible, by the seed; all of them where there are not as many, or count is -1."""
    found = possible(has)
    Random(seed).shuffle(found)  # noqa: S311  # to be repeated, not kept secret
    return found if count < 0 else found[:count]


def faults_by_name(names: Sequence[str], has: frozenset[str]) -> list[DrillFault]:
    """The faults of these names. Raises DrillError for one that is none, or not possible here."""
    for name in names:
        if name not in BY_NAME:
            raise DrillError(f"{name} is no fault: `bellhop drill faults` shows them all")
        if lacking := BY_NAME[name].needs - has:
            raise DrillError(f"{name} needs {', '.join(sorted(lacking))}, which this drill has not")
    return [BY_NAME[name] for name in names]


@contextmanager
def backends(broker: str, ledger: str) -> Iterator[Backends]:
    """broker: `embedded`, `rabbitmq` (a node of our own), `cluster` (three of them) or a URL. ledger: `sqlite`,
    `postgresql` or a URL."""
    with ExitStack() as stack:
        rabbitmq = cluster = postgres = None
        urls: tuple[str, ...] = () if broker == "embedded" else (broker,)
        if broker == "rabbitmq":
            rabbitmq = stack.enter_context(RabbitNode.start(_node_folder(stack)))
            urls = (rabbitmq.vhost(),)
        elif broker == "cluster":
            cluster = stack.enter_context(RabbitCluster.start(_node_folder(stack)))
            urls, rabbitmq = cluster.urls(), cluster.nodes[0]
        if ledger == "postgresql":
            folder = tempfile.mkdtemp(prefix="bellhop-postgres-", dir="/tmp")  # short: a socket's path has 107 bytes
            postgres = PostgresNode.start(_until_end(stack, Path(folder)))
            stack.callback(postgres.destroy)
            ledger = postgres.url
        yield Backends(urls, "" if ledger == "sqlite" else ledger, rabbitmq, cluster, postgres)


def _node_folder(stack: ExitStack) -> Path:
    folder = node_folder()
    stack.callback(remove_folder, folder)
    return folder


def _until_end(stack: ExitStack, folder: Path) -> Path:
    """The folder, which goes when the drill ends."""
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def run(drill: Drill, on: Backends, folder: Path, tell: Callable[[str], None]) -> list[Record]:
    """The record. tell: is given a line for whoever watches. Raises DrillError where it cannot begin or be mended."""
    day = first_day(datetime.now(UTC).date())
    prefix = f"{drill.seed}-{int(time.time()):x}"
    parts = portions(plan(drill.seed, drill.events, day, prefix), len(drill.faults) + 1)
    records: list[Record] = []
    with Receiver() as receiver, Site(folder, on, receiver.url, Random(drill.seed)) as site:  # noqa: S311  # as above
        upstream = Sender(site.url, SECRET, parts, GAP_SECONDS)
        upstream.start()
        for number, fault in enumerate((*drill.faults, _CALM)):
            upstream.release(number)
            records.append(_do(fault, number, site, upstream, tell))
        tell(f"{len(upstream.accepted)} accepted; waiting until all of it has ended")
        calm = await_rest(site, upstream.accepted, drill.rest_seconds)
        records += [*upstream.posts, *record_end(site, upstream.posts), *site.acts, *receiver.told]
    names = tuple(fault.name for fault in drill.faults)
    return [DrillRun(drill.seed, drill.events, *on.words, names, calm), *records]


def _do(fault: DrillFault, portion: int, site: Site, upstream: Sender, tell: Callable[[str], None]) -> FaultDone:
    """One that cannot be done, or not to its end, is recorded as such, and everything is mended for the next."""
    tell(f"{fault.name}: {fault.words}")
    began, failed = time.time(), ""
    try:
        try:
            fault.does(site, upstream)
        finally:
            upstream.wait(portion)
    except Exception as error:  # noqa: BLE001  # whatever it is, the record of the rest must not be lost for it
        failed = f"{type(error).__name__}: {error}"[:_WORDS]
        tell(f"{fault.name} failed: {failed}")
        site.mend()
    if ended := site.revive():
        tell(f"{fault.name}: {', '.join(ended)} ended and was started again")
    return FaultDone(fault.name, began, time.time(), failed)
