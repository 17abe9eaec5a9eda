"""Here each test runs through a pooler, too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ledger import POOLED, without_rows, without_tables


@pytest.fixture(params=POOLED)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    yield from without_tables(request, tmp_path)


@pytest.fixture(params=POOLED)
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return without_rows(request, tmp_path)
