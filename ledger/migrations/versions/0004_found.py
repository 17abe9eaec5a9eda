"""What a call asked, and the words by which events are found. Of older events neither is known."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("attempts", sa.Column("request", sa.JSON(), nullable=True))
    op.create_table(
        "event_words",
        sa.Column("word", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("event_pk", _BIG, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("word", "event_pk", name="pk_event_words"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_event_words_event_pk", "event_words", ["event_pk"])


def downgrade() -> None:
    op.drop_table("event_words")
    op.drop_column("attempts", "request")
