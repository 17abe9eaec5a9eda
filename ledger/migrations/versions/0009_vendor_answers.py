"""What vendors say of a company is shared by all processes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vendor_answers",
        sa.Column("company", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("given", sa.BigInteger(), nullable=True),
        sa.Column("asking_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("company", "question", name="pk_vendor_answers"),
    )


def downgrade() -> None:
    op.drop_table("vendor_answers")
