"""Signing in by name and password, with a limit on how often one may try."""

from __future__ import annotations

from typing import Final, Protocol

from ledger.records import User
from ops.access.passwords import hashed, matches, outdated
from schemas.errors import BellhopError

TRIES_OF_A_NAME: Final = 5
TRIES_OF_AN_ADDRESS: Final = 20
"""Within a quarter of an hour. More for an address: a whole office may share one."""


class LoginLedger(Protocol):
    """What is needed of `ledger.people`; every method may raise LedgerUnavailable."""

    def user(self, name: str) -> User | None: ...

    def failed_login(self, key: str) -> int: ...

    def failed_logins(self, key: str) -> int: ...

    def clear_logins(self, key: str) -> None: ...


class LoginRefused(BellhopError):
    """Raised when somebody is not let in. Its text is for them, and the same for a wrong name as for a wrong
    password."""


class TooManyTries(LoginRefused):
    """Raised before the password is even looked at."""


def sign_in(people: LoginLedger, name: str, password: str, address: str) -> User:
    """The user of this name and password. address: where the request came from. Raises LoginRefused.

    The failure is noted before the password is looked at, and taken back when it was right: tries that come at the
    same time would else all be looked at before the first of them counts.
    """
    name = name.strip()[:200]
    by_name, by_address = f"user:{name.casefold()}", f"address:{address}"
    if people.failed_logins(by_name) >= TRIES_OF_A_NAME or people.failed_logins(by_address) >= TRIES_OF_AN_ADDRESS:
        raise TooManyTries("Too many tries. Wait a quarter of an hour, or ask an admin.")
    crowded = people.failed_login(by_name) > TRIES_OF_A_NAME
    crowded = people.failed_login(by_address) > TRIES_OF_AN_ADDRESS or crowded
    if crowded:
        raise TooManyTries("Too many tries. Wait a quarter of an hour, or ask an admin.")
    user = people.user(name)
    right = matches(password, user.password_hash if user else "")
    if user is None or not right or user.disabled:
        raise LoginRefused("That name and password are not known here.")
    people.clear_logins(by_name)
    return user


def renewed(user: User, password: str) -> str | None:
    """A stronger hash of a password that was right; None where the old one will do."""
    return hashed(password) if outdated(user.password_hash) else None
