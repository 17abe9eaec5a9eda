from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.service import Service


@pytest.fixture(params=["embedded", "rabbitmq"])
def alone(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """Bellhop's folder over each broker; a test starts the parts it needs. Its logs are shown when it fails."""
    with Service(tmp_path, _broker(request)) as made:
        yield made
        if os.environ.get("SHOW_LOGS"):
            print(made.logs())


@pytest.fixture
def service(alone: Service) -> Service:
    return alone


@pytest.fixture(scope="module", params=["embedded", "rabbitmq"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The same with every part started, for all the tests of a file that leave it running."""
    with Service(tmp_path_factory.mktemp("running"), _broker(request)) as made:
        made.start_all()
        yield made


@pytest.fixture
def shared(running: Service) -> Iterator[Service]:
    """`running`, as if it had just been started."""
    running.begin()
    yield running
    running.assert_told_is_true()


def _broker(request: pytest.FixtureRequest) -> list[str] | None:
    return [request.getfixturevalue("rabbitmq_node").vhost()] if request.param == "rabbitmq" else None
