"""Who may what: users, tokens and sessions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    """May also act: replay, discard, pause."""
    ADMIN = "admin"
    """May also manage users and tokens."""

    def covers(self, other: Role) -> bool:
        return list(Role).index(self) >= list(Role).index(other)


@dataclass(frozen=True, slots=True)
class User:
    """password_hash: "" for one who signs in elsewhere (OIDC)."""

    name: str
    role: Role
    password_hash: str = field(repr=False)
    created: datetime
    disabled: bool


@dataclass(frozen=True, slots=True)
class ApiToken:
    """The token itself is shown once and kept only as its SHA-256."""

    id: int
    name: str
    role: Role
    who: str
    created: datetime
    last_used: datetime | None
    revoked: bool
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """user: "" for the demo's guest of the one-time link."""

    user: str
    role: Role
    csrf: str = field(repr=False)
    expires: datetime
