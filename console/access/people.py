"""Rules for names and passwords of users, shared by console, API and command line."""

from __future__ import annotations

import secrets
from typing import Final

from bellhop.console.access.sessions import FORMER_NAME, LOCAL_ADMIN
from bellhop.schemas.contract import has_control
from bellhop.schemas.errors import BellhopError

LONGEST_NAME: Final = 100

_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are taken for one another when they are read aloud."""
_GROUPS: Final = 5
_OF: Final = 4
_PROGRAMS: Final = "token "


class NameUnfit(BellhopError):
    """Raised for a name that must not be taken; says why."""


def fit_name(name: str) -> str:
    """The name as it is kept. Raises NameUnfit."""
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or has_control(name):
        raise NameUnfit(f"a name has 1 to {LONGEST_NAME} characters, all of which can be seen")
    if name.casefold() in (LOCAL_ADMIN, FORMER_NAME) or name.casefold().startswith(_PROGRAMS):
        raise NameUnfit(f"the audit calls somebody else {name}: take another name")
    return name


def new_password() -> str:
    """Twenty letters of almost five bits each, in groups that can be read over a telephone."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_OF)) for _ in range(_GROUPS))
