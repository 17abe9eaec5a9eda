"""A private PostgreSQL node for the tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bellhop.drill.nodes.postgres import PostgresNode, binaries
from tests.support.require import missing


@pytest.fixture(scope="session")
def postgres_node() -> Iterator[PostgresNode]:
    """One node for the whole run."""
    if binaries() is None:
        missing("PostgreSQL", "apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="bellhop-postgres-", dir="/tmp"))  # short: a socket's path has 107 bytes
    try:
        node = PostgresNode.start(folder)
        try:
            yield node
        finally:
            node.destroy()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(postgres_node: PostgresNode) -> str:
    """The URL of an empty database `bellhop`; the user may create others."""
    return postgres_node.url
