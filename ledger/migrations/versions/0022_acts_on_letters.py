"""An index by which the acts of people on a dead letter are found."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_audit_letter_id", "audit", ["letter", "id"])


def downgrade() -> None:
    op.drop_index("ix_audit_letter_id", table_name="audit")
