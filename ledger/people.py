"""Users, sessions, API tokens and failed sign-ins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.audit import record
from bellhop.ledger.engine import Database
from bellhop.ledger.records import ApiToken, AuditRow, Role, Session, User
from bellhop.ledger.tables import api_tokens, login_failures, sessions, users
from bellhop.schemas.errors import LedgerError

FAILURES_KEPT: Final = timedelta(minutes=15)
_TOUCHED: Final = timedelta(minutes=1)


class PersonRefused(LedgerError):
    """Raised when a user or token cannot be made or changed so; says why."""


class People:
    """Every method raises LedgerUnavailable. Secrets are only kept as what they hash to."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    # --- users --------------------------------------------------------------------------------------------------

    def add_user(self, name: str, role: Role, password_hash: str, who: str) -> User:
        """Raises PersonRefused where there is one of that name."""
        with self._database.write([f"user:{name}"]) as connection:
            now = self._now()
            row = {"name": name, "role": role.value, "password_hash": password_hash, "created": now, "disabled": False}
            insert = self._database.insert(users).on_conflict_do_nothing().returning(users.c.name)
            if connection.execute(insert, row).one_or_none() is None:
                raise PersonRefused(f"there is a user {name} already")
            record(connection, [AuditRow(now, who, "add user", None, f"as {role.value}", f"user {name}")])
        return User(name, role, password_hash, now, False)

    def user(self, name: str) -> User | None:
        with self._database.read() as connection:
            row = connection.execute(sa.select(users).where(users.c.name == name)).one_or_none()
        return None if row is None else _user(row)

    def users(self) -> list[User]:
        """By name."""
        with self._database.read() as connection:
            return [_user(row) for row in connection.execute(sa.select(users).order_by(users.c.name))]

    def change_user(
        self,
        name: str,
        who: str,
        *,
        role: Role | None = None,
        password_hash: str | None = None,
        disabled: bool | None = None,
    ) -> User:
        """Ends the user's sessions, too: they were opened with what has changed. Raises PersonRefused."""
        changed: dict[str, Any] = {}
        if role is not None:
            changed["role"] = role.value
        if password_hash is not None:
            changed["password_hash"] = password_hash
        if disabled is not None:
            changed["disabled"] = disabled
        with self._database.write([f"user:{name}"]) as connection:
            if changed:
                connection.execute(sa.update(users).where(users.c.name == name).values(changed))
            row = connection.execute(sa.select(users).where(users.c.name == name)).one_or_none()
            if row is None:
                raise PersonRefused(f"there is no user {name}")
            connection.execute(sa.delete(sessions).where(sessions.c.user_name == name))
            what = ", ".join("password" if key == "password_hash" else key for key in changed)
            record(connection, [AuditRow(self._now(), who, "change user", None, what, f"user {name}")])
        return _user(row)

    def remove_user(self, name: str, who: str) -> None:
        """Ends their sessions, too. What they did stays in the audit, and the tokens they made stay. Raises
        PersonRefused."""
        with self._database.write([f"user:{name}"]) as connection:
            if not connection.execute(sa.delete(users).where(users.c.name == name)).rowcount:
                raise PersonRefused(f"there is no user {name}")
            connection.execute(sa.delete(sessions).where(sessions.c.user_name == name))
            record(connection, [AuditRow(self._now(), who, "remove user", None, "", f"user {name}")])

    def end_sessions(self, name: str, who: str) -> int:
        """Of a user, or of somebody whom the provider signed in: how many there were."""
        with self._database.write([f"user:{name}"]) as connection:
            lasting = sessions.c.expires > self._now()
            ended = connection.execute(sa.delete(sessions).where(sessions.c.user_name == name, lasting)).rowcount
            record(connection, [AuditRow(self._now(), who, "end sessions", None, "", f"user {name}")])
        return ended

    def count_sessions(self) -> dict[str, int]:
        """How many sessions everybody has, of those who have any; "" is who came by a one-time link."""
        query = sa.select(sessions.c.user_name, sa.func.count().label("n")).group_by(sessions.c.user_name)
        with self._database.read() as connection:
            used = (sessions.c.expires > self._now(), sessions.c.csrf != "")  # one without is a link that nobody opened
            return {row.user_name: row.n for row in connection.execute(query.where(*used))}

    # --- tokens for programs ------------------------------------------------------------------------------------

    def add_token(
        self, name: str, role: Role, token_sha256: str, who: str, expires: datetime | None = None
    ) -> ApiToken:
        """expires: UTC; None for until it is revoked."""
        with self._database.write() as connection:
            now = self._now()
            values: dict[str, Any] = {"name": name, "role": role.value, "sha256": token_sha256, "who": who}
            values |= {"created": now, "last_used": None, "expires": expires, "revoked": False}
            row = connection.execute(sa.insert(api_tokens).returning(api_tokens), values).one()
            ends = "" if expires is None else f" (until {expires.isoformat(timespec='seconds')})"
            told = token_name(row.id, name)
            record(connection, [AuditRow(now, who, "add token", None, f"as {role.value}{ends}", told)])
        return _token(row)

    def token(self, sha256: str) -> ApiToken | None:
        """The token with this hash, unless it was revoked or has expired. Notes that it was used, once a minute at
        most."""
        now = self._now()
        lasts = sa.or_(api_tokens.c.expires.is_(None), api_tokens.c.expires > now)
        good = sa.select(api_tokens).where(api_tokens.c.sha256 == sha256, api_tokens.c.revoked.is_(False), lasts)
        with self._database.read() as connection:
            row = connection.execute(good).one_or_none()
        if row is None:
            return None
        if row.last_used is None or now - row.last_used > _TOUCHED:
            with self._database.write() as connection:
                connection.execute(sa.update(api_tokens).where(api_tokens.c.id == row.id).values(last_used=now))
        return _token(row)

    def tokens(self) -> list[ApiToken]:
        """In the order they were made."""
        with self._database.read() as connection:
            return [_token(row) for row in connection.execute(sa.select(api_tokens).order_by(api_tokens.c.id))]

    def revoke_token(self, id_: int, who: str) -> ApiToken:
        """Raises PersonRefused."""
        with self._database.write() as connection:
            connection.execute(sa.update(api_tokens).where(api_tokens.c.id == id_).values(revoked=True))
            row = connection.execute(sa.select(api_tokens).where(api_tokens.c.id == id_)).one_or_none()
            if row is None:
                raise PersonRefused(f"there is no token {id_}")
            record(connection, [AuditRow(self._now(), who, "revoke token", None, "", token_name(id_, row.name))])
        return _token(row)

    # --- sessions and logins ------------------------------------------------------------------------------------

    def open_session(self, user: str, role: Role, session_sha256: str, csrf: str, expires: datetime) -> None:
        """And forgets those that have expired."""
        with self._database.write() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.expires <= self._now()))
            row = {"sha256": session_sha256, "user_name": user, "role": role.value, "csrf": csrf, "expires": expires}
            connection.execute(sa.insert(sessions), row)

    def session(self, sha256: str) -> Session | None:
        """None also where it has expired."""
        query = sa.select(sessions).where(sessions.c.sha256 == sha256, sessions.c.expires > self._now())
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Session(row.user_name, Role(row.role), row.csrf, row.expires)

    def take_session(self, sha256: str) -> Session | None:
        """Ends it; None where it was none, has expired, or another took it at the same time."""
        query = sa.delete(sessions).where(sessions.c.sha256 == sha256, sessions.c.expires > self._now())
        with self._database.write() as connection:
            row = connection.execute(query.returning(sessions)).one_or_none()
        return None if row is None else Session(row.user_name, Role(row.role), row.csrf, row.expires)

    def close_session(self, sha256: str) -> None:
        with self._database.write() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.sha256 == sha256))

    def failed_login(self, key: str) -> int:
        """Notes a failure of whom `key` names (a user, an address): how many in the last quarter of an hour."""
        with self._database.write([f"login:{key}"]) as connection:
            now = self._now()
            connection.execute(sa.delete(login_failures).where(login_failures.c.at <= now - FAILURES_KEPT))
            connection.execute(sa.insert(login_failures), {"key": key, "at": now})
            return int(connection.scalar(_failures(key, now)) or 0)

    def failed_logins(self, key: str) -> int:
        """How many in the last quarter of an hour."""
        with self._database.read() as connection:
            return int(connection.scalar(_failures(key, self._now())) or 0)

    def forgive_login(self, key: str) -> None:
        """Takes the newest failure back: it was none."""
        newest = sa.select(sa.func.max(login_failures.c.id)).where(login_failures.c.key == key)
        with self._database.write([f"login:{key}"]) as connection:
            connection.execute(sa.delete(login_failures).where(login_failures.c.id == newest.scalar_subquery()))

    def clear_logins(self, key: str) -> None:
        """Takes them all back, after a login that succeeded."""
        with self._database.write() as connection:
            connection.execute(sa.delete(login_failures).where(login_failures.c.key == key))


def token_name(id_: int, name: str) -> str:
    """How the audit calls who acts by a token."""
    return f"token {id_} {name}"


def people_behind(connection: sa.Connection, who: str) -> set[str]:
    """Who acts; of a token, also whoever made it, and if that was a token, whoever made that."""
    tokens = connection.execute(sa.select(api_tokens.c.id, api_tokens.c.name, api_tokens.c.who))
    makers = {token_name(token.id, token.name): token.who for token in tokens}
    behind = {who}
    while (maker := makers.get(who)) is not None and maker not in behind:
        behind.add(maker)
        who = maker
    return behind


def _failures(key: str, now: datetime) -> sa.Select[Any]:
    recent = (login_failures.c.key == key, login_failures.c.at > now - FAILURES_KEPT)
    return sa.select(sa.func.count()).select_from(login_failures).where(*recent)


def _user(row: Any) -> User:
    return User(row.name, Role(row.role), row.password_hash, row.created, bool(row.disabled))


def _token(row: Any) -> ApiToken:
    return ApiToken(
        row.id, row.name, Role(row.role), row.who, row.created, row.last_used, bool(row.revoked), row.expires
    )
