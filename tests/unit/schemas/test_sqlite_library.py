from __future__ import annotations

import pytest

from bellhop.schemas.sqlite_library import wal_is_safe


@pytest.mark.parametrize(
    "version", [(3, 51, 3), (3, 53, 4), (4, 0, 0), (3, 50, 7), (3, 50, 99), (3, 44, 6), (3, 44, 7)]
)
def test_versions_with_the_repair_may_use_wal(version: tuple[int, ...]) -> None:
    assert wal_is_safe(version)


@pytest.mark.parametrize(
    "version", [(3, 40, 1), (3, 44, 5), (3, 45, 0), (3, 46, 1), (3, 50, 6), (3, 51, 0), (3, 51, 2), (3, 7, 17)]
)
def test_versions_without_the_repair_may_not(version: tuple[int, ...]) -> None:
    assert not wal_is_safe(version)
