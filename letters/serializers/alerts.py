"""What alert receivers are told."""

from __future__ import annotations

from bellhop.ledger.records import AlertRow
from bellhop.letters.serializers import JsonObject
from bellhop.schemas.clock import iso


def alert_row(row: AlertRow) -> JsonObject:
    return {
        "receiver": row.receiver,
        "key": row.key,
        "incident": row.incident,
        "title": row.facts["title"],
        "severity": row.facts["severity"],
        "count": row.facts["count"],
        "first": iso(row.first),
        "gone": iso(row.gone),
        "told": iso(row.told),
        "told_count": row.told_count,
        "pending": row.pending.value,
        "tries": row.tries,
        "error": row.error,
    }
