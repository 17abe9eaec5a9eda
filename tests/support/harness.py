"""What the broker contract suite needs of a broker under test."""

from __future__ import annotations

from typing import Protocol

from bellhop.broker.port import Broker
from bellhop.broker.topology import Topology


class BrokerHarness(Protocol):
    urls: tuple[str, ...]
    """As in the settings' `broker.url`; a child process can connect with them."""

    def open(self, topology: Topology) -> Broker:
        """Another Broker over the same store, as another process would make it. The harness closes it at the end."""
        ...

    def stop(self) -> None:
        """Takes the broker away: the node is stopped, the embedded one's file locked."""
        ...

    def start(self) -> None: ...
