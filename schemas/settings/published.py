"""Secrets that everybody can read: in the example of earlier versions, in the demo, in the sandbox. None of them may
stand before a real system."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from bellhop.schemas.settings.accounts import Account
from bellhop.schemas.settings.keys import keys_of, texts_of
from bellhop.schemas.settings.sources import SourceSettings

_EXAMPLES: Final = frozenset({"whsec_ZXhhbXBsZS1vbmx5LXJlcGxhY2UtdGhpcy1zZWNyZXQ="})
_DEMOS: Final = frozenset(
    {
        "whsec_YmVsbGhvcC1kZW1vLXNlY3JldC1ub3QtZm9yLXVzZQ==",
        "sandbox",
        "sandbox-password",
        "sandbox-api-key",
        "sandbox-secret-key",
    }
)
"""Good where all accounts are the sandbox's, which listens on loopback."""
PROBLEM: Final = "is a published secret, which everybody knows"


def published_in(source: SourceSettings, accounts: list[Account]) -> Iterator[str]:
    """The source's keys with a published secret."""
    return _keys(source, _EXAMPLES if all(map(_is_sandbox, accounts)) else _EXAMPLES | _DEMOS)


def published_in_account(account: Account) -> Iterator[str]:
    """The account's keys with a published secret."""
    return _keys(account, _EXAMPLES if _is_sandbox(account) else _EXAMPLES | _DEMOS)


def _keys(made: Any, known: frozenset[str]) -> Iterator[str]:
    for attribute, key in keys_of(type(made)).items():
        if key.secret and not known.isdisjoint(texts_of(made, attribute)):
            yield key.name


def _is_sandbox(account: Account) -> bool:
    host = urlsplit(account.base_url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
