"""The SQL that is run meanwhile, by SQLAlchemy and by the ledger's own `driver`, on any thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from unittest import mock

import sqlalchemy as sa

from bellhop.ledger import driver


@contextmanager
def statements() -> Iterator[list[str]]:
    """The texts so far. One for many rows counts once."""
    found: list[str] = []
    run, run_for_each = driver.run_text, driver.run_text_for_each

    def note(_connection: object, _cursor: object, text: str, *_: object) -> None:
        found.append(text)

    def noted_run(connection: sa.Connection, text: str, values: driver.Row = ()) -> list[driver.Row]:
        found.append(text)
        return run(connection, text, values)

    def noted_run_for_each(connection: sa.Connection, text: str, rows: Sequence[driver.Row]) -> None:
        found.append(text)
        run_for_each(connection, text, rows)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        with mock.patch.multiple(driver, run_text=noted_run, run_text_for_each=noted_run_for_each):
            yield found
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
