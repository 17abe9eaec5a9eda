"""The broker and the ledger, restarted, killed, frozen, starved and locked."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bellhop.drill.faults.fault import Does
from bellhop.drill.faults.people import a_pause, answer_letters
from bellhop.drill.site import Site
from bellhop.drill.upstream import Sender

if TYPE_CHECKING:
    from bellhop.drill.nodes.postgres import PostgresNode
    from bellhop.drill.nodes.rabbitmq import RabbitNode


def _rabbit(site: Site) -> RabbitNode:
    node = site.backends.rabbitmq
    if node is None:
        raise ValueError("this fault needs a RabbitMQ node of the drill's own")
    return node


def _postgres(site: Site) -> PostgresNode:
    node = site.backends.postgres
    if node is None:
        raise ValueError("this fault needs a PostgreSQL node of the drill's own")
    return node


# --- RabbitMQ -----------------------------------------------------------------------------------------------------


def restart_broker(site: Site, _upstream: Sender) -> None:
    _rabbit(site).stop()
    site.hold(0.5, 1.5)
    _rabbit(site).start_again()


def kill_broker(site: Site, _upstream: Sender) -> None:
    site.hold(0.2, 0.8)
    _rabbit(site).kill()
    _rabbit(site).start_again()


def kill_nodes(site: Site, _upstream: Sender) -> int:
    cluster = site.backends.cluster
    if cluster is None:
        raise ValueError("this fault needs a RabbitMQ cluster of the drill's own")
    cluster.kill_in_turn(3.0)
    return len(cluster.nodes)


def cut_off_node(site: Site, _upstream: Sender) -> None:
    cluster = site.backends.cluster
    if cluster is None:
        raise ValueError("this fault needs a RabbitMQ cluster of the drill's own")
    cluster.cut_off_first()
    try:
        site.hold(25.0)  # longer than idleness, an answer's time and a way to the next node take
        site.wait_for_ingress()  # which is at another by now
    finally:
        cluster.join_first()


def upgrade_broker(site: Site, _upstream: Sender) -> None:
    """With messages in the queues: bookings wait meanwhile."""
    with a_pause(site):
        site.hold(3.0)
        (site.backends.cluster or _rabbit(site)).upgrade()


def freeze_broker(site: Site, _upstream: Sender) -> None:
    _rabbit(site).freeze()
    site.hold(12.0)  # more than two heartbeats: both sides give the connection up
    _rabbit(site).thaw()


def alarm_memory(site: Site, _upstream: Sender) -> None:
    with _rabbit(site).alarm():
        site.hold(4.0)


def alarm_disk(site: Site, _upstream: Sender) -> None:
    with _rabbit(site).full_disk():
        site.hold(4.0)


# --- PostgreSQL ---------------------------------------------------------------------------------------------------


def restart_ledger(site: Site, _upstream: Sender) -> None:
    _postgres(site).stop()
    site.hold(0.5, 1.5)
    _postgres(site).start_again()


def kill_ledger(site: Site, _upstream: Sender) -> None:
    site.hold(0.2, 0.8)
    _postgres(site).kill()
    site.hold(0.5)
    _postgres(site).start_again()


def freeze_ledger(site: Site, _upstream: Sender) -> None:
    _postgres(site).freeze()
    site.hold(6.0)
    _postgres(site).thaw()


def end_sessions(site: Site, _upstream: Sender) -> int:
    for _ in range(5):
        _postgres(site).end_sessions()
        site.hold(0.2, 0.7)
    return 5


def make_read_only(site: Site, _upstream: Sender) -> None:
    with _postgres(site).read_only():
        site.hold(4.0)


def fail_over(site: Site, _upstream: Sender) -> None:
    pair = site.backends.pair
    if pair is None:
        raise ValueError("this fault needs a pair of PostgreSQL nodes of the drill's own")
    site.hold(0.2, 0.8)
    pair.fail_over()


# --- SQLite -------------------------------------------------------------------------------------------------------


def lock_ledger(site: Site, _upstream: Sender) -> None:
    _lock(site, site.ledger_file, 7.0)


def lock_broker(site: Site, _upstream: Sender) -> None:
    _lock(site, site.broker_file, 7.0)


def _lock(site: Site, file: Path, seconds: float) -> None:
    """Somebody else writes for a long time."""
    with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        site.hold(seconds)
        connection.execute("ROLLBACK")


_LIST_SECONDS: Final = 15.0


# --- a backup -----------------------------------------------------------------------------------------------------


def restore_ledger(after_seconds: float) -> Does:
    """A copy is made; work goes on; everything dies; the copy is put back; the upstream sends again what it is told to;
    a person says of each letter what he finds at the vendor, and that nothing more need be minded. The vendor, which
    was answered before, would not tell again of what the copy has forgotten: it is asked to."""

    def does(site: Site, upstream: Sender) -> None:
        copy = site.folder / "ledger.copy"
        copy.unlink(missing_ok=True)
        copied = datetime.now(UTC)
        site.bellhop("ledger", "backup", str(copy))
        site.hold(after_seconds)
        names = [name for name in site.processes.names if name != "sandbox"]
        for name in names:
            site.processes.kill(name)
        site.bellhop("ledger", "restore", str(copy), "--yes", "--why", "drill")
        with site.ledger() as ledger:
            since = ledger.restores.send_again_since(copied)
        for name in names:
            site.start(name)
        site.wait_for_ingress()
        upstream.send_again_since(since.timestamp())
        site.sandbox("POST", "callbacks")
        site.hold(4.0)
        with site.ledger() as ledger:
            site.wait_for(lambda: ledger.restores.going_on() == 0, "no letter is being replayed")
            # What the vendor's list tells of is left to that for a while; of what is left then a person says it.
            site.hold_until(lambda: not ledger.restores.held_letters(), _LIST_SECONDS)
        answer_letters(site, upstream)
        site.bellhop("ledger", "release", "--yes", "--why", "drill")

    return does
