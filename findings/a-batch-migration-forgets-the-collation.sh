#!/usr/bin/env bash
# What is shown: an Alembic batch migration on SQLite that changes one column silently takes COLLATE NOCASE from the others,
#   and the order from their indexes: afterwards a unique column holds "ann@example.test" beside "ANN@example.test".
# Seen with: Alembic 1.20.1, SQLAlchemy 2.1.9, CPython 3.11. What SQLAlchemy reflects of a column on SQLite has no collation,
#   and the table is made anew of what was reflected. Unlike CHECK constraints and triggers, the documentation of batch
#   mode does not name it among what is lost.
# Valid input: a table with a unique text column that compares without case, and another column made NOT NULL.
# Why it matters: the migration succeeds, and the uniqueness that the application rests on is another one from then on.
# Nothing of Bellhop is used. Ends with 0 while the behaviour is as described, with 1 once it is not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check alembic==1.20.1 sqlalchemy==2.1.9
"$work/venv/bin/python" - <<'PY'
import sys
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

INSERT = "INSERT INTO guests (mail, note) VALUES (:mail, '')"


def second_spelling(connection):
    try:
        with connection.begin_nested():
            connection.execute(sa.text(INSERT), {"mail": "ANN@example.test"})
            return "accepted"
    except sa.exc.IntegrityError:
        return "refused"


with sa.create_engine("sqlite://").connect() as connection:
    connection.execute(sa.text("CREATE TABLE guests (mail TEXT COLLATE NOCASE UNIQUE, note TEXT)"))
    connection.execute(sa.text("CREATE INDEX guests_by_note ON guests (note DESC)"))
    connection.execute(sa.text(INSERT), {"mail": "ann@example.test"})
    before = second_spelling(connection)
    with Operations(MigrationContext.configure(connection)).batch_alter_table("guests") as batch:
        batch.alter_column("note", nullable=False)
    after = second_spelling(connection)
    index = connection.execute(sa.text("SELECT sql FROM sqlite_master WHERE name = 'guests_by_note'")).scalar_one()
print(f"before the migration the other spelling is {before}, after it {after}; the index is now: {index}")
sys.exit((before, after, "DESC" in index) != ("refused", "accepted", False))
PY
