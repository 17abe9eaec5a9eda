"""Opening a ledger: its tables, its file, and what an operator is told when it cannot be."""

from __future__ import annotations

import stat
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from bellhop.ledger.engine import _MIGRATIONS, Database
from bellhop.ledger.records import Settled
from bellhop.ledger.store import Ledger
from bellhop.ledger.tables import metadata
from bellhop.schemas.errors import LedgerError, LedgerUnavailable
from tests.support.ledger import OpenLedger, claim, event, finish

KEEP = 90 * 86400
OLDER = "0016"
"""A migration after which others make tables."""
MADE_BY_OTHERS = "of_another_program"


def test_the_migrations_make_the_tables_the_ledger_uses(empty_url: str) -> None:
    database = Database(empty_url)
    try:
        with database.read() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, metadata) == []
    finally:
        database.close()


def test_opening_again_keeps_what_is_there(open_ledger: OpenLedger) -> None:
    finish(open_ledger(), event())
    assert isinstance(claim(open_ledger(), event()), Settled)


def test_what_is_up_to_date_is_opened_without_looking_for_migrations(
    open_ledger: OpenLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration whose file's name does not lead to Alembic's head would be looked for at each start."""
    open_ledger()

    def no_upgrade(*_: object) -> None:
        raise AssertionError("there is nothing to upgrade")

    monkeypatch.setattr("bellhop.ledger.upgrade.upgrade", no_upgrade)
    finish(open_ledger(), event())


def test_opening_tells_the_database(empty_url: str) -> None:
    told: list[dict[str, object]] = []
    Ledger.open(empty_url, keep_seconds=KEEP, observe=lambda name, /, **fields: told.append({name: fields})).close()
    (fields,) = told[0].values()
    assert str(fields["database"]).startswith(("SQLite 3.", "PostgreSQL "))  # type: ignore[index]


def test_a_ledger_of_a_newer_bellhop_is_left_alone(empty_url: str) -> None:
    database = Database(empty_url)
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(LedgerError, match="newer Bellhop"):
        Ledger.open(empty_url, keep_seconds=KEEP)


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
def test_a_copy_that_an_older_version_put_back_is_brought_up_to_date_again(empty_url: str) -> None:
    """pg_restore drops what its copy has: what the newer version had made is still there."""
    engine = sa.create_engine(empty_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        bring_to(connection, OLDER)
        older = sa.inspect(connection).get_table_names()
    Database(empty_url).close()
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE {', '.join(older)} CASCADE")
        assert (left := sa.inspect(connection).get_table_names()), "the newer version made tables"
        bring_to(connection, OLDER)
        connection.exec_driver_sql(f"CREATE TABLE {MADE_BY_OTHERS} (id integer)")
    database = Database(empty_url)
    try:
        with database.read() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert [change for change in compare_metadata(context, metadata) if change[0] != "remove_table"] == []
            assert {*left, MADE_BY_OTHERS} <= set(sa.inspect(connection).get_table_names())
    finally:
        database.close()
        engine.dispose()


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
def test_a_table_of_somebody_else_s_is_never_dropped_for_one_of_ours(empty_url: str) -> None:
    engine = sa.create_engine(empty_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE events (id integer)")
    with pytest.raises(LedgerError, match="events"):
        Database(empty_url)
    with engine.begin() as connection:
        assert [column["name"] for column in sa.inspect(connection).get_columns("events")] == ["id"]
    engine.dispose()


def bring_to(connection: sa.Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def test_a_new_sqlite_ledger_makes_its_folder_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "var" / "deep" / "ledger.db"
    ledger = Ledger.open(f"sqlite:///{file}", keep_seconds=KEEP)
    finish(ledger, event())
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    ledger.close()
    assert modes["ledger.db"] == 0o600
    assert set(modes.values()) == {0o600}


def test_sqlite_syncs_every_commit(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/ledger.db")
    with database.write() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    database.close()


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("mysql://u:topsecret@host/db", "must be sqlite or postgresql"),
        ("postgresql:/topsecret", "cannot be read"),
    ],
)
def test_a_url_that_cannot_be_a_ledger_is_told_without_its_password(url: str, hint: str) -> None:
    with pytest.raises(LedgerError, match=hint) as raised:
        Ledger.open(url, keep_seconds=KEEP)
    assert "topsecret" not in str(raised.value)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot be made or written"):
        Ledger.open(f"sqlite:///{tmp_path}/file/ledger.db", keep_seconds=KEEP)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"not a database, and long enough to be seen not to be one" * 50)
    with pytest.raises(LedgerError, match="not a database"):
        Ledger.open(f"sqlite:///{tmp_path}/ledger.db", keep_seconds=KEEP)


def test_a_database_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(LedgerUnavailable) as raised:
        Ledger.open("postgresql://bellhop:topsecret@127.0.0.1:9/ledger", keep_seconds=KEEP)
    assert "topsecret" not in str(raised.value)


def test_a_server_that_drops_its_connections_is_met_again(postgres_url: str) -> None:
    ledger = Ledger.open(postgres_url, keep_seconds=KEEP)
    try:
        ledger.ping()
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            connection.execute(f"{others} AND datname = current_database()")
        ledger.ping()
    finally:
        ledger.close()


@pytest.mark.parametrize("front", ["postgres_url", "pgbouncer_url"])
def test_each_transaction_has_its_settings_and_leaves_none_to_whoever_has_the_session_next(
    front: str, request: pytest.FixtureRequest
) -> None:
    url: str = request.getfixturevalue(front)
    wanted = {
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "1min",
        "plan_cache_mode": "force_custom_plan",
        "transaction_isolation": "read committed",
    }
    database = Database(url)
    try:
        for transaction in (database.read, database.write):
            with transaction() as connection:
                shown = {name: connection.exec_driver_sql(f"SHOW {name}").scalar() for name in wanted}
            assert shown == wanted
    finally:
        database.close()
    with psycopg.connect(url, autocommit=True) as left:
        assert left.execute("SHOW lock_timeout").fetchone() == ("0",)
        assert left.execute("SHOW plan_cache_mode").fetchone() == ("auto",)


def test_a_ledger_whose_tables_are_gone_does_not_answer_a_ping(empty_url: str) -> None:
    ledger = Ledger.open(empty_url, keep_seconds=KEEP)
    database = Database(empty_url)
    with database.write() as connection:
        connection.execute(sa.text("DROP TABLE alembic_version"))
    database.close()
    with pytest.raises(LedgerError):
        ledger.ping()
    ledger.close()
