"""Run by Alembic. The connection, its transaction and the lock come from `ledger.engine`."""

from __future__ import annotations

from alembic import context

from bellhop.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
