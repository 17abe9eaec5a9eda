"""Of a booking its venue, and floods counted by venue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bookings", sa.Column("venue", sa.Text(), nullable=False, server_default=""))
    # Counts of the last minutes: they begin anew.
    op.drop_table("flood_counts")
    _create_counts("account", "venue")


def downgrade() -> None:
    op.drop_table("flood_counts")
    _create_counts("account")
    op.drop_column("bookings", "venue")


def _create_counts(*places: str) -> None:
    op.create_table(
        "flood_counts",
        sa.Column("source", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in places),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", *places, "kind", "at", name="pk_flood_counts"),
    )
