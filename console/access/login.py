"""Signing in by name and password, with a limit on how often one may fail."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from typing import Final, Protocol

from bellhop.console.access.passwords import hash_password, is_outdated, matches
from bellhop.ledger.records import User
from bellhop.schemas.errors import BellhopError

TRIES_OF_BOTH: Final = 5
TRIES_OF_AN_ADDRESS: Final = 20
TRIES_OF_A_NAME: Final = 60
"""Failures within a quarter of an hour: of a name from one address, of an address, of a name from anywhere. More for an
address: a whole office may share one. More again for a name than any address may have: one stranger who guesses must
not lock its owner out."""

_IPV6_NETWORK: Final = 64
"""Bits: what one line at home is given, whose addresses are all one person's."""


class LoginLedger(Protocol):
    """What is needed of `ledger.people`; every method may raise LedgerUnavailable."""

    def user(self, name: str) -> User | None: ...

    def failed_login(self, key: str) -> int: ...

    def failed_logins(self, key: str) -> int: ...

    def forgive_login(self, key: str) -> None: ...

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
    limits = _limits(name, _network(address))
    if any(people.failed_logins(key) >= most for key, most in limits.items()):
        raise TooManyTries("Too many attempts. Wait 15 minutes, or ask an admin.")
    noted = {key: people.failed_login(key) for key in limits}
    if any(noted[key] > most for key, most in limits.items()):
        raise TooManyTries("Too many attempts. Wait 15 minutes, or ask an admin.")
    user = people.user(name)
    right = matches(password, user.password_hash if user else "")
    if user is None or not right or user.disabled:
        raise LoginRefused("Wrong name or password.")
    both, *others = limits
    people.clear_logins(both)
    for key in others:
        people.forgive_login(key)
    return user


def _limits(name: str, network: str) -> Mapping[str, int]:
    """How many failures whom may have; the first is cleared by a success, the others only lose what it noted."""
    folded = name.casefold()
    return {
        f"user:{folded} address:{network}": TRIES_OF_BOTH,
        f"address:{network}": TRIES_OF_AN_ADDRESS,
        f"user:{folded}": TRIES_OF_A_NAME,
    }


def _network(address: str) -> str:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(IPv6Address(int(found) >> (128 - _IPV6_NETWORK) << (128 - _IPV6_NETWORK)))
    return str(found)


def stronger_hash(user: User, password: str) -> str | None:
    """A stronger hash of a password that was right; None where the old one will do."""
    return hash_password(password) if is_outdated(user.password_hash) else None
