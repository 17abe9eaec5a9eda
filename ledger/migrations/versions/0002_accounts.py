"""What all workers must know of an account together, and whose booking a vendor's id is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("not_before", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("open_until", sa.BigInteger(), nullable=True),
        sa.Column("probe_until", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("pull_by", sa.Text(), nullable=False),
        sa.Column("pull_until", sa.BigInteger(), nullable=True),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", name="pk_accounts"),
    )
    op.create_table(
        "permits",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_permits"),
    )
    op.create_index("ix_permits_account", "permits", ["account"])
    op.create_table(
        "watermarks",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("reached", sa.BigInteger(), nullable=False),
        sa.Column("pulled", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "what", name="pk_watermarks"),
    )
    op.create_table(
        "vendor_ids",
        sa.Column("vendor_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("vendor_id", "account", name="pk_vendor_ids"),
    )
    op.create_index("ix_vendor_ids_reference_source", "vendor_ids", ["reference", "source"])
    _remember_bookings()


def _remember_bookings() -> None:
    """The bookings made before this table was there."""
    connection = op.get_bind()
    bookings = sa.table(
        "bookings", sa.column("source"), sa.column("reference"), sa.column("account"), sa.column("entries", sa.JSON())
    )
    ids = sa.table(
        "vendor_ids", sa.column("vendor_id"), sa.column("account"), sa.column("reference"), sa.column("source")
    )
    known: dict[tuple[str, str], dict[str, str]] = {}
    for row in connection.execute(sa.select(bookings)):
        for entry in row.entries:
            key = entry["vendor_id"], row.account
            known[key] = {
                "vendor_id": entry["vendor_id"],
                "account": row.account,
                "reference": row.reference,
                "source": row.source,
            }
    if known:
        connection.execute(sa.insert(ids), list(known.values()))


def downgrade() -> None:
    op.drop_table("vendor_ids")
    op.drop_table("watermarks")
    op.drop_table("permits")
    op.drop_table("accounts")
