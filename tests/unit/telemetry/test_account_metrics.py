"""What is told of accounts and pulls, for the metrics."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bellhop.ledger.pulls import Watermark
from bellhop.ledger.records.accounts import AccountView
from bellhop.schemas.errors import LedgerUnavailable
from bellhop.telemetry.account_metrics import measure_accounts
from bellhop.vendors.settings import build

NOW = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
_LOGIN = {"auth_id": "a", "company": "1", "user": "u", "password": "p"}
ACCOUNTS = build(
    {
        "accounts": {
            "pv": {"kind": "peoplevine", **_LOGIN, "pull_profiles": "*/15 * * * *"},
            "sb": {"kind": "simplybook", "company": "c", "api_key": "k", "secret_key": "s", "limit_per_day": 5000},
        }
    }
).accounts


class Ledger:
    def __init__(self, *marks: Watermark, away: bool = False) -> None:
        self.marks = marks
        self.away = away

    def views(self) -> Sequence[AccountView]:
        if self.away:
            raise LedgerUnavailable("away")
        return [
            AccountView(
                account="sb",
                breaker="probing",
                failures=5,
                open_until=NOW,
                error="away",
                day="2026-11-01",
                used=4100,
                at_once=2,
                ill=True,
            )
        ]

    def watermarks(self) -> Sequence[Watermark]:
        return self.marks


def told(ledger: Ledger, since: datetime | None = None) -> dict[tuple[str, str], dict[str, object]]:
    found: dict[tuple[str, str], dict[str, object]] = {}

    def observe(event: str, /, **fields: object) -> None:
        found[event, str(fields.pop("account", ""))] = fields

    measure_accounts(ledger, ledger, ACCOUNTS, observe, lambda: NOW, since)
    return found


def mark(minutes_ago: float) -> Watermark:
    pulled = NOW - timedelta(minutes=minutes_ago)
    return Watermark(account="pv", what="profiles", reached=pulled, pulled=pulled)


def test_an_account_tells_its_breaker_its_day_and_its_limit() -> None:
    found = told(Ledger())
    assert found["account.measured", "sb"] == {"is_open": 1, "is_refused": 0, "used": 4100, "limit": 5000, "at_once": 2}
    assert found["account.measured", "pv"] == {"is_open": 0, "is_refused": 0, "used": 0, "limit": None, "at_once": 0}


def test_a_pull_is_overdue_from_the_first_tick_after_the_last_success() -> None:
    assert told(Ledger(mark(10)))["pull.measured", "pv"] == {
        "what": "profiles",
        "age_seconds": 600.0,
        "overdue_seconds": 0.0,
    }
    # Pulled at 8:55: due at 9:00, 9:15 …, and now it is 10:00.
    assert told(Ledger(mark(65)))["pull.measured", "pv"]["overdue_seconds"] == 3600.0


def test_a_pull_that_never_succeeded_is_overdue_from_the_first_tick_after_the_start() -> None:
    assert told(Ledger())["pull.measured", "pv"]["overdue_seconds"] is None
    assert told(Ledger(), NOW - timedelta(minutes=20))["pull.measured", "pv"] == {
        "what": "profiles",
        "age_seconds": None,
        "overdue_seconds": 900.0,
    }


def test_nothing_is_claimed_while_the_ledger_is_away() -> None:
    found = told(Ledger(mark(1), away=True))
    assert set(found["account.measured", "sb"].values()) == {None}
    assert found["pull.measured", "pv"] == {"what": "profiles", "age_seconds": None, "overdue_seconds": None}
