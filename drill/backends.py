"""What a drill's Bellhop stands on: brokers and ledgers, of the drill's own or somebody else's."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bellhop.drill.nodes.cluster import RabbitCluster
from bellhop.drill.nodes.disk import can_be_had
from bellhop.drill.nodes.postgres import PostgresNode
from bellhop.drill.nodes.postgres_pair import PostgresPair
from bellhop.drill.nodes.rabbitmq import NodeError, RabbitNode, node_folder, remove_folder

FAKETIME: Final = tuple(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
DISKS: Final = ("ledger", "broker", "logs")


@dataclass(frozen=True)
class Backends:
    """What Bellhop stands on. broker, ledger: URLs, none for the embedded ones in the folder. Nodes are ours to kill,
    None where somebody else runs them; of a cluster, `rabbitmq` is the first, of a pair `postgres` is none.
    disks: what has a small disk of its own, of `DISKS`. older: a checkout of an older version, as which all begin."""

    broker: tuple[str, ...] = ()
    ledger: str = ""
    rabbitmq: RabbitNode | None = None
    cluster: RabbitCluster | None = None
    postgres: PostgresNode | None = None
    pair: PostgresPair | None = None
    disks: frozenset[str] = frozenset()
    older: Path | None = None

    def has(self) -> frozenset[str]:
        """What a fault may need."""
        found = {"amqp" if self.broker else "embedded"} | (set() if self.ledger else {"sqlite"})
        found |= {"postgresql"} if urlsplit(self.ledger).hostname else set()  # one host, which a link can stand before
        found |= {"rabbitmq node"} if self.rabbitmq else set()
        found |= {"newer rabbitmq"} if self.rabbitmq and self.rabbitmq.has_newer else set()
        found |= {"rabbitmq cluster"} if self.cluster else set()
        found |= {"postgresql node"} if self.postgres else set()
        found |= {"postgresql pair"} if self.pair else set()
        found |= {f"{name} disk" for name in self.disks}
        found |= {"older version"} if self.older else set()
        found |= {"libfaketime"} if FAKETIME else set()
        return frozenset(found)

    @property
    def words(self) -> tuple[str, str]:
        return "rabbitmq" if self.broker else "embedded", "postgresql" if self.ledger else "sqlite"


@contextmanager
def backends(broker: str, ledger: str, *, disks: bool = False, older: Path | None = None) -> Iterator[Backends]:
    """broker: `embedded`, `rabbitmq` (a node of our own), `cluster` (three of them) or a URL. ledger: `sqlite`,
    `postgresql` (a node of our own), `pair` (and a standby) or a URL. disks: what
    is a file has a small disk of its own. Raises NodeError where there can be none."""
    if disks and not can_be_had():
        raise NodeError("a disk of its own takes root, loop devices and ext4 with its programs (e2fsprogs, util-linux)")
    with ExitStack() as stack:
        rabbitmq = cluster = postgres = pair = None
        urls: tuple[str, ...] = () if broker == "embedded" else (broker,)
        if broker == "rabbitmq":
            rabbitmq = stack.enter_context(RabbitNode.start(_node_folder(stack)))
            urls = (rabbitmq.vhost(),)
        elif broker == "cluster":
            cluster = stack.enter_context(RabbitCluster.start(_node_folder(stack)))
            urls, rabbitmq = cluster.urls(), cluster.nodes[0]
        if ledger in ("postgresql", "pair"):
            made = tempfile.mkdtemp(prefix="bellhop-postgres-", dir="/tmp")  # short: a socket's path has 107 bytes
            folder = _until_end(stack, Path(made))
            if ledger == "pair":
                pair = stack.enter_context(PostgresPair.start(folder))
                ledger = pair.url
            else:
                postgres = PostgresNode.start(folder)
                stack.callback(postgres.destroy)
                ledger = postgres.url
        files = {"logs"} | (set() if urls else {"broker"}) | ({"ledger"} if ledger == "sqlite" else set())
        small = frozenset(files) if disks else frozenset[str]()
        yield Backends(urls, "" if ledger == "sqlite" else ledger, rabbitmq, cluster, postgres, pair, small, older)


def _node_folder(stack: ExitStack) -> Path:
    folder = node_folder()
    stack.callback(remove_folder, folder)
    return folder


def _until_end(stack: ExitStack, folder: Path) -> Path:
    """The folder, which goes when the drill ends."""
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder
