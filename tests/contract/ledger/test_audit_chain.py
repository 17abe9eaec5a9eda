"""The audit in its database: one chain whoever writes, also after pruning, and what was done to it by other hands."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from bellhop.ledger.audit import prune_audit
from bellhop.ledger.engine import Database
from bellhop.ledger.store import Ledger
from tests.support.ledger import Clock, OpenLedger, event, letter

Tamper = Callable[[str], None]


@pytest.fixture
def tamper(ledger: Ledger, ledger_url: str) -> Tamper:
    """Runs SQL past Bellhop."""

    def run(sql: str) -> None:
        engine = sa.create_engine(ledger_url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.begin() as connection:
            connection.exec_driver_sql(sql)
        engine.dispose()

    return run


def act(ledger: Ledger, count: int) -> None:
    for number in range(count):
        ledger.letters.note_act("ann", "retry now", f"why {number} \x00 ü\ud800", f"route {number}")


def found(ledger: Ledger, noted: tuple[int, str] | None = None) -> tuple[int, str] | None:
    broken = ledger.audit_chain.verify(noted).broken
    return (broken.row, broken.what) if broken else None


def test_acts_of_one_commit_and_of_many_stand_in_one_chain(ledger: Ledger) -> None:
    assert ledger.audit_chain.verify().rows == 0
    ledger.letters.archive([letter(event(f"e-{n}", subject=f"R-{n}")) for n in range(3)])
    ledger.letters.discard([1, 2, 3], "ann", "no")
    act(ledger, 3)
    report = ledger.audit_chain.verify()
    assert (report.rows, report.broken) == (6, None)
    rows = list(ledger.audit_chain.rows())
    assert [row.link.prev for row in rows] == ["", *(row.link.hash for row in rows[:-1])]
    assert ledger.letters.audit_page(1).rows[0].link.hash == report.hash
    assert found(ledger, (rows[2].link.id, rows[2].link.hash)) is None


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("UPDATE audit SET why = 'other' WHERE id = 2", (2, "changed")),
        ("UPDATE audit SET at = at + 1 WHERE id = 4", (4, "changed")),
        ("DELETE FROM audit WHERE id = 1", (1, "missing")),
        ("DELETE FROM audit WHERE id = 3", (3, "missing")),
        ("DELETE FROM audit WHERE id = 4", (4, "missing")),
        ("DELETE FROM audit", (1, "missing")),
        ("INSERT INTO audit (id, at, who, act, why, what) VALUES (5, 0, 'eve', 'x', '', '')", (5, "inserted")),
        ("INSERT INTO audit SELECT 5, at, who, act, letter, why, what, prev, words_hash, hash, NULL"
         " FROM audit WHERE id = 4", (5, "inserted")),
    ],
)  # fmt: skip
def test_what_other_hands_did_is_named(ledger: Ledger, tamper: Tamper, sql: str, what: tuple[int, str]) -> None:
    act(ledger, 4)
    tamper(sql)
    broken = found(ledger)
    # The last row of all that is followed by a copy could be the copy: either is named.
    assert broken == what or (what == (5, "inserted") and broken is not None and broken[0] == 5)


def test_what_was_done_stays_found_after_more_acts(ledger: Ledger, tamper: Tamper) -> None:
    act(ledger, 3)
    tamper("DELETE FROM audit WHERE id = 3")
    act(ledger, 2)
    assert found(ledger) == (3, "missing")


def test_a_chain_whose_end_was_taken_away_does_not_hold(ledger: Ledger, tamper: Tamper) -> None:
    act(ledger, 3)
    tamper("DELETE FROM audit_chain")
    assert found(ledger) is not None
    act(ledger, 1)
    assert found(ledger) is not None


def test_after_pruning_the_chain_holds_from_there(
    ledger: Ledger, ledger_url: str, clock: Clock, tamper: Tamper
) -> None:
    act(ledger, 3)
    clock.advance(days=2)
    act(ledger, 3)
    database = Database(ledger_url)
    assert prune_audit(database, clock().replace(hour=0)) == 3
    assert prune_audit(database, clock().replace(hour=0)) == 0
    database.close()
    report = ledger.audit_chain.verify()
    assert (report.rows, report.before, report.broken) == (3, 3, None)
    act(ledger, 1)
    assert found(ledger) is None
    tamper("DELETE FROM audit WHERE id = 4")
    assert found(ledger) == (4, "missing")


def test_a_chain_that_was_pruned_whole_goes_on(ledger: Ledger, ledger_url: str, clock: Clock) -> None:
    act(ledger, 3)
    clock.advance(days=2)
    database = Database(ledger_url)
    assert prune_audit(database, clock()) == 3
    database.close()
    assert found(ledger) is None
    act(ledger, 2)
    assert ledger.audit_chain.verify().rows == 2
    assert found(ledger) is None


def test_writers_at_once_keep_one_chain_that_is_whole_at_every_moment(open_ledger: OpenLedger) -> None:
    ledgers = [open_ledger() for _ in range(3)]
    failed: list[BaseException] = []
    start = threading.Barrier(5)
    done = threading.Event()

    def write(ledger: Ledger) -> None:
        try:
            start.wait()
            act(ledger, 15)
        except BaseException as error:
            failed.append(error)
            raise

    def look() -> None:
        try:
            start.wait()
            while not done.is_set():
                assert found(ledgers[0]) is None
        except BaseException as error:
            failed.append(error)
            raise

    writers = [threading.Thread(target=write, args=(ledgers[n % 3],)) for n in range(4)]
    looking = threading.Thread(target=look)
    for thread in (*writers, looking):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    looking.join()
    assert failed == []
    report = ledgers[1].audit_chain.verify()
    assert (report.rows, report.broken) == (60, None)


def test_an_upgrade_chains_the_rows_that_are_there(empty_url: str, clock: Clock) -> None:
    with closing(Ledger.open(empty_url, keep_seconds=1, now=clock)) as ledger:
        act(ledger, 3)
        before = [row.link.hash for row in ledger.audit_chain.rows()]
    migrate_down(empty_url, "0014")
    with closing(Ledger.open(empty_url, keep_seconds=1, now=clock)) as ledger:
        assert [row.link.hash for row in ledger.audit_chain.rows()] == before
        act(ledger, 1)
        report = ledger.audit_chain.verify()
        assert (report.rows, report.broken) == (4, None)


def migrate_down(url: str, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[3] / "ledger" / "migrations"))
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, to)
    engine.dispose()
