from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.service import Service


@pytest.fixture(params=["embedded", "rabbitmq"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """Bellhop's folder over each broker; a test starts the parts it needs. Its logs are shown when it fails."""
    broker = None
    if request.param == "rabbitmq":
        broker = [request.getfixturevalue("rabbitmq_node").vhost()]
    with Service(tmp_path, broker) as made:
        yield made
        if os.environ.get("SHOW_LOGS"):
            print(made.logs())
