"""What a receiver is to be told next of one thing: the decision alone. No I/O.

It is told once it has stood for the receiver's `wait`, again when it has doubled or become graver, and once more when
it has been over for `wait`. What came and went within `wait`, or within quiet hours, nobody is told.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bellhop.ledger.records import AlertMessage, AlertRow
from bellhop.letters.alerts.facts import Alert
from bellhop.schemas.settings.alerts import SEVERITIES, AlertReceiver

_FORGET: Final = timedelta(days=1)
"""After so long nobody need be told any more that something is over."""


def revise_all(
    rows: Sequence[AlertRow],
    alerts: Sequence[Alert],
    receivers: Mapping[str, AlertReceiver],
    now: datetime,
    unique: Callable[[], str] = lambda: uuid.uuid4().hex,
) -> tuple[list[AlertRow], list[AlertRow]]:
    """The rows to store, and those that go. Rows of receivers that the settings do not have go once nobody has touched
    them for a day: another process may have other settings."""
    stand = {alert.key: alert for alert in alerts}
    known = {(row.receiver, row.key): row for row in rows}
    stored, gone = [], []
    for name, receiver in receivers.items():
        for key in dict.fromkeys((*stand, *(one.key for one in rows if one.receiver == name))):
            before = known.get((name, key))
            after = revise(before, stand.get(key), receiver, now, unique)
            if after is None and before is not None:
                gone.append(before)
            elif after is not None and after != before:
                stored.append(after)
    gone += [row for row in rows if row.receiver not in receivers and now - (row.told or row.first) > _FORGET]
    return stored, gone


def revise(
    row: AlertRow | None,
    alert: Alert | None,
    receiver: AlertReceiver,
    now: datetime,
    unique: Callable[[], str] = lambda: uuid.uuid4().hex,
) -> AlertRow | None:
    """The row as it is to be; None where there is none to be. alert: what stands, None where it does not any more."""
    if alert is None:
        return None if row is None else _revise_gone(row, receiver, now)
    if row is None:
        if _rank(alert.severity) > _rank(receiver.severity):
            return None
        row = AlertRow(receiver.name, alert.key, unique(), alert.to_json(), now)
    if row.pending is AlertMessage.OVER and row.tries:
        return row  # that it is over may be known there: then this is another incident, which begins after it
    row = replace(row, facts=alert.to_json(), gone=None)
    if row.pending is AlertMessage.OVER:
        row = replace(row, pending=AlertMessage.NONE, next_at=None)
    if row.pending or row.is_claimed(now) or is_quiet(receiver, alert.severity, now):
        return row
    if row.told is None:
        return _tell(row, AlertMessage.OPEN, now) if now - row.first >= _wait(receiver) else row
    is_graver = _rank(alert.severity) < _rank(row.told_severity)
    has_doubled = alert.count >= 2 * row.told_count and now - row.told >= timedelta(seconds=receiver.again_seconds)
    return _tell(row, AlertMessage.MORE, now) if is_graver or has_doubled else row


def _revise_gone(row: AlertRow, receiver: AlertReceiver, now: datetime) -> AlertRow | None:
    if row.told is None and not row.tries:
        return None
    row = replace(row, gone=row.gone or now)
    gone = row.gone or now
    if row.pending is AlertMessage.OVER or row.is_claimed(now):
        return None if now - gone > _FORGET else row
    severity = row.told_severity or str(row.facts["severity"])
    if now - gone < _wait(receiver) or is_quiet(receiver, severity, now):
        return row
    return _tell(row, AlertMessage.OVER, now)


def is_quiet(receiver: AlertReceiver, severity: str, now: datetime) -> bool:
    """Whether what is of this severity is not told now."""
    if receiver.quiet is None or _rank(severity) <= _rank(receiver.quiet_severity):
        return False
    begin, end = receiver.quiet
    at = now.astimezone(receiver.zone).time()
    return begin <= at < end if begin < end else at >= begin or at < end


def _tell(row: AlertRow, message: AlertMessage, now: datetime) -> AlertRow:
    return replace(row, pending=message, tries=0, next_at=now, error="")


def _wait(receiver: AlertReceiver) -> timedelta:
    return timedelta(seconds=receiver.wait_seconds)


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else 0
