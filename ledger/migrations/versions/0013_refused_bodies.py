"""Refused posts are kept whole, so that they can be taken once what refused them is mended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("refused_posts", sa.Column("content", sa.LargeBinary(), nullable=True))
    op.add_column("refused_posts", sa.Column("is_form", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("refused_posts", sa.Column("signed_id", sa.Text(), nullable=False, server_default=""))
    op.add_column("refused_posts", sa.Column("salt", sa.Text(), nullable=False, server_default=""))
    op.add_column("refused_posts", sa.Column("taken", sa.BigInteger(), nullable=True))
    op.add_column("refused_posts", sa.Column("became", sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_refused_posts_source_last", "refused_posts", ["source", "last"])


def downgrade() -> None:
    op.drop_index("ix_refused_posts_source_last", "refused_posts")
    for name in ("became", "taken", "salt", "signed_id", "is_form", "content"):
        op.drop_column("refused_posts", name)
