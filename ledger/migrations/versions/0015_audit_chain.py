"""The audit's rows are chained by hash, also those that are there."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from bellhop.ledger.audit import link_rows
from bellhop.ledger.tables import audit

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_CHUNK = 1000


def upgrade() -> None:
    for name in ("prev", "words_hash", "hash"):
        op.add_column("audit", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("audit", sa.Column("forgotten", _BIG, nullable=True))
    op.create_table(
        "audit_chain",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("before_id", _BIG, nullable=False),
        sa.Column("before_hash", sa.Text(), nullable=False),
        sa.Column("last_id", _BIG, nullable=False),
        sa.Column("last_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_chain"),
    )
    number, last = _chain()
    ends = {"id": 1, "before_id": 0, "before_hash": "", "last_id": number, "last_hash": last}
    op.bulk_insert(sa.table("audit_chain", *map(sa.column, ends)), [ends])


def _chain() -> tuple[int, str]:
    """The last row's number and hash."""
    connection, columns = op.get_bind(), audit.c
    read = (columns.id, columns.at, columns.who, columns.act, columns.letter, columns.why, columns.what)
    linked: dict[str, Any] = {name: sa.bindparam(name) for name in ("prev", "words_hash", "hash")}
    update = sa.update(audit).where(columns.id == sa.bindparam("number")).values(linked)
    number, last = 0, ""
    next_rows = sa.select(*read).order_by(columns.id).limit(_CHUNK)
    while rows := connection.execute(next_rows.where(columns.id > number)).all():
        links = list(link_rows(rows, last))
        connection.execute(update, links)
        number, last = links[-1]["number"], links[-1]["hash"]
    return number, last


def downgrade() -> None:
    op.drop_table("audit_chain")
    for name in ("forgotten", "hash", "words_hash", "prev"):
        op.drop_column("audit", name)
