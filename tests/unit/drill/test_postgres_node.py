"""The drill's own PostgreSQL, whose sessions come and go."""

from __future__ import annotations

from pathlib import Path

import pytest

from bellhop.drill.nodes.postgres import PostgresNode


def test_a_session_that_ends_as_its_node_is_frozen_or_thawed_ends_no_drill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tell_that_it_ended(pid: int, number: int) -> None:
        raise ProcessLookupError

    node = PostgresNode(tmp_path)
    monkeypatch.setattr(node, "_processes", lambda: [1, 2])
    monkeypatch.setattr("os.kill", tell_that_it_ended)
    node.freeze()
    node.thaw()
