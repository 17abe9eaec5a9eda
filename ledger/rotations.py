"""The rotations of sources' secrets: for every process of the ingress to take. What is kept is no secret."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.audit import record
from bellhop.ledger.engine import Database
from bellhop.ledger.records import AuditRow
from bellhop.ledger.tables import secret_rotations as table
from bellhop.schemas.rotations import SecretRotation

_FIELDS: Final = tuple(field.name for field in fields(SecretRotation) if field.name != "number")


class Rotations:
    """Every method raises LedgerUnavailable."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def all(self) -> Mapping[str, Sequence[SecretRotation]]:
        """By source, the oldest first."""
        found: dict[str, list[SecretRotation]] = {}
        with self._database.read() as connection:
            for row in connection.execute(sa.select(table).order_by(table.c.id)):
                found.setdefault(row.source, []).append(_rotation(row))
        return found

    def of(self, source: str) -> Sequence[SecretRotation]:
        """The oldest first."""
        return self.all().get(source, ())

    def add(self, rotation: SecretRotation, last: int, why: str) -> SecretRotation | None:
        """None where another was made after the one of number `last` (0: after none): nothing is changed then. Those
        whose successors have retired them long ago are forgotten."""
        now = self._now()
        with self._database.write([f"rotation:{rotation.source}"]) as connection:
            of_source = table.c.source == rotation.source
            known = list(connection.execute(sa.select(table).where(of_source).order_by(table.c.id)))
            if (known[-1].id if known else 0) != last:
                return None
            over = [old.id for old, newer in itertools.pairwise(known) if newer.ends <= now]
            connection.execute(sa.delete(table).where(table.c.id.in_(over)))
            values = {name: getattr(rotation, name) for name in _FIELDS} | {"retires": [*rotation.retires]}
            row = connection.execute(sa.insert(table).returning(table), values).one()
            told = f"source {rotation.source}: the old one is good until {rotation.ends.isoformat(timespec='seconds')}"
            record(connection, [AuditRow(now, rotation.who, "rotate secret", None, why, told)])
        return _rotation(row)

    def note_taken(self, numbers: Sequence[int]) -> None:
        with self._database.write() as connection:
            new = sa.update(table).where(table.c.id.in_(numbers), table.c.taken.is_(None))
            connection.execute(new.values(taken=self._now()))


def _rotation(row: Any) -> SecretRotation:
    return SecretRotation(**{name: getattr(row, name) for name in _FIELDS}, number=row.id)
