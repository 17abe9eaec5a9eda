from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.embedded_harness import EmbeddedHarness
from tests.support.harness import BrokerHarness


@pytest.fixture(params=["embedded", "amqp"])
def harness(request: pytest.FixtureRequest) -> Iterator[BrokerHarness]:
    """Each broker in turn, empty."""
    if request.param == "embedded":
        embedded = EmbeddedHarness()
        yield embedded
        embedded.close()
        return
    from tests.support.rabbitmq import amqp_harness

    node = request.getfixturevalue("rabbitmq_node")
    with amqp_harness(node) as amqp:
        yield amqp
