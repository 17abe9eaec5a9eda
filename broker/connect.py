"""The broker that the settings' URL names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bellhop.broker.port import Broker
from bellhop.broker.topology import Topology
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.settings import BrokerSettings


def connect(
    settings: BrokerSettings,
    routes: Sequence[str],
    observe: Observe = silent,
    *,
    lanes: Mapping[str, Sequence[str]] | None = None,
    soon: Collection[str] = (),
) -> Broker:
    """Makes the broker without connecting yet; `declare` is the first to. routes: each has a work queue. lanes: of a
    route, the accounts that have a lane in it (`vendors.registry.lanes`). soon: routes whose accounts have a second
    one, for what starts soon."""
    topology = Topology(tuple(routes), settings.ladder, settings.delivery_limit, lanes or {}, soon)
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
