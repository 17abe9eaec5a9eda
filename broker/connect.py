"""The broker that the settings' URL names."""

from __future__ import annotations

from broker.port import Broker
from broker.topology import Topology
from schemas.observe import Observe, silent
from schemas.settings import ROUTES, BrokerSettings


def connect(settings: BrokerSettings, observe: Observe = silent) -> Broker:
    """Makes the broker without connecting yet; `declare` is the first to."""
    topology = Topology(ROUTES, settings.ladder, settings.delivery_limit)
    if settings.embedded:
        from broker.embedded import EmbeddedBroker

        return EmbeddedBroker(
            settings.urls[0],
            topology,
            lease_seconds=settings.lease_seconds,
            confirm_seconds=settings.confirm_seconds,
            observe=observe,
        )
    from broker.amqp import AmqpBroker

    return AmqpBroker(
        settings.urls,
        topology,
        confirm_seconds=settings.confirm_seconds,
        heartbeat_seconds=settings.heartbeat_seconds,
        observe=observe,
    )
