"""An index by which a source's newest events are found."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_events_source_pk", "events", ["source", "pk"])


def downgrade() -> None:
    op.drop_index("ix_events_source_pk", table_name="events")
