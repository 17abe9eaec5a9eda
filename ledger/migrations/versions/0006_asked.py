"""What bookings were asked for, what replaced them, and the order of arrival. Of older bookings none of it is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bookings", sa.Column("asked", sa.JSON(), nullable=True))
    op.add_column("bookings", sa.Column("replaced_by", sa.Text(), nullable=False, server_default=""))
    op.add_column("bookings", sa.Column("as_of_received", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("bookings", "as_of_received")
    op.drop_column("bookings", "replaced_by")
    op.drop_column("bookings", "asked")
