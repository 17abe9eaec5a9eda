"""The embedded broker under the contract suite."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from bellhop.broker.embedded.broker import EmbeddedBroker
from bellhop.broker.port import Broker
from bellhop.broker.topology import Topology
from bellhop.schemas.sqlite_library import sqlite


class EmbeddedHarness:
    """A fresh file. `stop` holds the file's lock, which is the nearest there is to a broker that is away."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bellhop-test-")  # short enough for sockets
        self.path = Path(self._folder.name) / "broker.db"
        self.urls: tuple[str, ...] = (f"sqlite:///{self.path}",)
        self._brokers: list[EmbeddedBroker] = []
        self._lock: Any = None

    def open(self, topology: Topology) -> Broker:
        broker = EmbeddedBroker(self.urls[0], topology, lease_seconds=3600.0, confirm_seconds=1.5)
        self._brokers.append(broker)
        return broker

    def stop(self) -> None:
        self._lock = sqlite.connect(self.path, isolation_level=None, timeout=10)
        self._lock.execute("BEGIN EXCLUSIVE")

    def start(self) -> None:
        if self._lock is not None:
            self._lock.close()

    def close(self) -> None:
        self.start()
        for broker in self._brokers:
            broker.close()
        self._folder.cleanup()
