"""Calls of unknown end are kept beside their events, with when they were made; restores are written down."""

from __future__ import annotations

import json
from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("events", sa.Column("called_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "doubts",
        sa.Column("event_pk", _BIG, nullable=False, autoincrement=False),
        sa.Column("line", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("call", sa.JSON(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("event_pk", "line", name="pk_doubts"),
    )
    op.create_index("ix_doubts_account", "doubts", ["account"])
    op.create_table(
        "restores",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("released", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_restores"),
        sqlite_autoincrement=True,
    )
    _keep_open_doubts()


def downgrade() -> None:
    op.drop_table("restores")
    op.drop_table("doubts")
    op.drop_column("events", "called_at")


def _keep_open_doubts() -> None:
    """Of events from before this table."""
    connection = op.get_bind()
    rows = connection.execute(
        sa.text("SELECT pk, account, calling, updated FROM events WHERE calling IS NOT NULL AND state <> 'working'")
    )
    for pk, account, calling, updated in rows.all():
        call = json.loads(calling) if isinstance(calling, str) else calling
        if call and not call.get("repeatable"):
            connection.execute(
                sa.text("INSERT INTO doubts (event_pk, line, account, call, since) VALUES (:p, :l, :a, :c, :s)"),
                {"p": pk, "l": call.get("line", 0), "a": account, "c": json.dumps(call), "s": updated},
            )
