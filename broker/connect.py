"""The broker that the settings' URL names."""

from __future__ import annotations

from bellhop.broker.port import Broker
from bellhop.broker.topology import Topology
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.settings import BrokerSettings


def connect(settings: BrokerSettings, topology: Topology, observe: Observe = silent) -> Broker:
    """Makes the broker without connecting yet; `declare` is the first to. topology: as
    `vendors.registry.topology_of` makes it."""
    if settings.embedded:
        from bellhop.broker.embedded.broker import EmbeddedBroker

        return EmbeddedBroker(
            settings.urls[0],
            topology,
            lease_seconds=settings.lease_seconds,
            confirm_seconds=settings.confirm_seconds,
            observe=observe,
        )
    from bellhop.broker.rabbitmq.broker import AmqpBroker

    return AmqpBroker(
        settings.urls,
        topology,
        confirm_seconds=settings.confirm_seconds,
        heartbeat_seconds=settings.heartbeat_seconds,
        observe=observe,
    )
