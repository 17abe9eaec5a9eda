"""When each source was heard, by the hour, and who is silent beyond its habit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "heard_hours",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "hour", name="pk_heard_hours"),
    )
    op.create_table(
        "silences",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_silences"),
    )


def downgrade() -> None:
    op.drop_table("silences")
    op.drop_table("heard_hours")
