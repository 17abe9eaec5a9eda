"""`make bench-letters`: the archive's benchmark on both databases, on a private PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from bellhop.ledger.store import Ledger
from bench.letters import measure, postgres
from tests.support.postgres import postgres_node, postgres_url

__all__ = ["postgres_node", "postgres_url"]

LETTERS = 100_000
KEEP = 90 * 86400


def test_the_archive_answers_in_time_on_both_databases(tmp_path: Path, postgres_url: str) -> None:
    lite = Ledger.open(f"sqlite:///{tmp_path}/ledger.db", keep_seconds=KEEP)
    good = measure("SQLite", lite, LETTERS)
    lite.close()
    with postgres(postgres_url) as url:
        ledger = Ledger.open(url, keep_seconds=KEEP)
        good = measure("PostgreSQL", ledger, LETTERS) and good
        ledger.close()
    assert good
