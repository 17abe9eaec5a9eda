"""What settings each part works with, and that they are asked to read them anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for name in ("digest", "problem"):
        op.add_column("parts", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "reloads",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reloads"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("reloads")
    for name in ("problem", "digest"):
        op.drop_column("parts", name)
