"""The vendors' session tokens, shared by all processes, so that one logs in and the others use what it got."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from bellhop.ledger.engine import Database
from bellhop.ledger.tables import tokens
from bellhop.schemas.errors import LedgerUnavailable
from bellhop.schemas.fibres import pause

LOGIN_SECONDS: Final = 30.0
"""How long one process may take to log in before another tries."""

FRESH_SECONDS: Final = 3300.0
"""How old a token may be to be used: vendors' live an hour, and one that runs out between two calls costs a refusal."""

SEEN_SECONDS: Final = 1.0
"""So long a token that was read is used without reading it again. One that another process has replaced meanwhile costs
a refusal, as any that has run out."""

_POLL_SECONDS: Final = 0.05


class VendorTokens:
    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._seen: dict[str, tuple[str, datetime]] = {}

    def token(self, account: str) -> str | None:
        """See `Ledger.token`."""
        now, seen = self._now(), self._seen.get(account)
        if seen is not None and 0 <= (now - seen[1]).total_seconds() < SEEN_SECONDS:
            return seen[0]
        return self._read(account)

    def _read(self, account: str) -> str | None:
        now = self._now()
        fresh = tokens.c.made > now - timedelta(seconds=FRESH_SECONDS)
        with self._database.read() as connection:
            token = connection.scalar(sa.select(tokens.c.token).where(tokens.c.account == account, fresh))
        if token is None:
            self._seen.pop(account, None)
        else:
            self._seen[account] = token, now
        return token

    def times(self) -> Mapping[str, datetime | None]:
        """See `Ledger.token_times`."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(tokens.c.account, tokens.c.made).where(tokens.c.token.is_not(None)))
            return {row.account: row.made for row in rows}

    def replace(
        self,
        account: str,
        stale: str | None,
        login: Callable[[], str],
        *,
        sleep: Callable[[float], None] = pause,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> str:
        """See `Ledger.replace_token`."""
        deadline = monotonic() + LOGIN_SECONDS + 10.0
        while True:
            current = self._read(account)
            if current is not None and current != stale:
                return current
            if mine := self._lease(account, _is_used_up(stale, self._now())):
                return self._log_in(account, mine, login)
            if monotonic() > deadline:
                raise LedgerUnavailable(f"another process has been logging in to {account} for too long")
            sleep(_POLL_SECONDS)

    def renew(
        self,
        account: str,
        login: Callable[[], str],
        *,
        sleep: Callable[[float], None] = pause,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> str:
        """See `Ledger.renew_token`."""
        deadline = monotonic() + LOGIN_SECONDS + 10.0
        while (mine := self._lease(account, sa.true())) is None:
            if monotonic() > deadline:
                raise LedgerUnavailable(f"another process has been logging in to {account} for too long")
            sleep(_POLL_SECONDS)
        return self._log_in(account, mine, login)

    def _lease(self, account: str, old: sa.ColumnElement[bool]) -> str | None:
        """The name of a lease to log in, where the token is `old`; None where it is not, or another holds the lease."""
        mine, now = uuid.uuid4().hex, self._now()
        free = sa.or_(tokens.c.login_until.is_(None), tokens.c.login_until <= now)
        with self._database.write() as connection:
            connection.execute(self._database.insert(tokens).on_conflict_do_nothing(), {"account": account})
            taken = connection.execute(
                sa.update(tokens)
                .where(tokens.c.account == account, free, old)
                .values(login_by=mine, login_until=now + timedelta(seconds=LOGIN_SECONDS))
            )
            return mine if taken.rowcount else None

    def _log_in(self, account: str, mine: str, login: Callable[[], str]) -> str:
        got = None
        try:
            got = login()
            return got
        finally:
            # Where the lease ran out meanwhile another may be logging in: its lease stays its own.
            ended = sa.update(tokens).where(tokens.c.account == account, tokens.c.login_by == mine)
            with self._database.write() as connection:
                if got is not None:
                    self._seen.pop(account, None)
                    new = {"token": got, "made": self._now()}
                    connection.execute(sa.update(tokens).where(tokens.c.account == account).values(new))
                connection.execute(ended.values(login_by=None, login_until=None))


def _is_used_up(stale: str | None, now: datetime) -> sa.ColumnElement[bool]:
    """A token that is none, was refused, or is too old or of unknown age."""
    oldest = now - timedelta(seconds=FRESH_SECONDS)
    return sa.or_(tokens.c.token.is_(None), tokens.c.token == stale, tokens.c.made.is_(None), tokens.c.made <= oldest)
