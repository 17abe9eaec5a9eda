"""Sessions of people at the console, and one-time links.

A session is known by 256 random bits in a cookie; the ledger keeps their SHA-256 alone.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from bellhop.ledger.records import Role, Session
from bellhop.schemas.clock import utc_now

LOCAL_ADMIN: Final = "local admin"
"""How the audit calls who came by the one-time link: somebody at this machine, with every right."""
FORMER_NAME: Final = "guest"
"""How older rows of the audit call them: still nobody else's name."""


class SessionLedger(Protocol):
    """What is needed of `ledger.people`; every method may raise LedgerUnavailable."""

    def open_session(self, user: str, role: Role, session_sha256: str, csrf: str, expires: datetime) -> None: ...

    def session(self, sha256: str) -> Session | None: ...

    def take_session(self, sha256: str) -> Session | None: ...

    def close_session(self, sha256: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Person:
    """Who makes a request. name: as the audit has it. csrf: what each of their forms must carry."""

    name: str
    role: Role
    csrf: str
    expires: datetime

    def may(self, role: Role) -> bool:
        return self.role.covers(role)


class Sessions:
    def __init__(self, people: SessionLedger, seconds: float, now: Callable[[], datetime] = utc_now) -> None:
        self._people = people
        self._lasts = timedelta(seconds=seconds)
        self._now = now

    def open(self, user: str, role: Role) -> str:
        """A new session's key, for the cookie. user: "" for who came by a one-time link."""
        key = secrets.token_urlsafe(32)
        self._people.open_session(user, role, _sha256(key), secrets.token_urlsafe(32), self._now() + self._lasts)
        return key

    def person(self, key: str) -> Person | None:
        """None for a key that is none, or no longer."""
        session = self._people.session(_sha256(key)) if key else None
        return (
            None
            if session is None
            else Person(session.user or LOCAL_ADMIN, session.role, session.csrf, session.expires)
        )

    def make_link(self) -> str:
        """The secret of a link that lets the local admin in once, and for ten minutes: any console on this ledger knows
        it. It is kept as a session that no cookie can name."""
        secret = secrets.token_urlsafe(32)
        self._people.open_session("", Role.ADMIN, _sha256(_LINK + secret), "", self._now() + FRESH_LINK_LASTS)
        return secret

    def use_link(self, secret: str) -> bool:
        """Whether it was right, and the first time."""
        return self._people.take_session(_sha256(_LINK + secret)) is not None

    def close(self, key: str) -> None:
        self._people.close_session(_sha256(key))


def same(given: str, known: str) -> bool:
    """In a time that does not tell how much of it is right."""
    return hmac.compare_digest(given.encode(), known.encode())


FRESH_LINK_LASTS: Final = timedelta(minutes=10)
_LINK: Final = "link "
LINK_LASTS: Final = timedelta(hours=12)
"""A shift: who starts the demo in the morning may come to it in the evening."""


class OneTimeLink:
    """A secret that lets in once, and not for ever. It lives in this process alone."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._secret = secrets.token_urlsafe(32)
        self._lock = threading.Lock()
        self._used = False
        self._monotonic = monotonic
        self._until = monotonic() + LINK_LASTS.total_seconds()

    @property
    def secret(self) -> str:
        return self._secret

    @property
    def good(self) -> bool:
        """Whether it may still be used."""
        return not self._used and self._monotonic() < self._until

    def use(self, given: str) -> bool:
        """Whether it was right, and the first time."""
        with self._lock:
            if not self.good or not same(given, self._secret):
                return False
            self._used = True
            return True

    def give_back(self) -> None:
        """It let nobody in after all."""
        with self._lock:
            self._used = False


def _sha256(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
