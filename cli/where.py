"""What an error adds for who reads it on the command line: where to look."""

from __future__ import annotations

import re
from typing import Final

_LISTS: Final = {
    "dead letter": "`bellhop dead list` lists those that wait",
    "edit": "`bellhop attention` lists those that wait",
    "job": "`bellhop jobs list` lists them",
    "open flood": "`bellhop floods list` lists them",
    "token": "`bellhop tokens list` lists them",
    "user": "`bellhop users list` lists them",
}


def say_where(text: str) -> str:
    """What is said of something that is not there, with where to look: whoever says it, the ledger or a server."""
    if found := re.fullmatch(rf"there is no ({'|'.join(_LISTS)}) \S+", text):
        return f"{text}: {_LISTS[found[1]]}"
    if text.startswith("no worker has taken event "):
        return f"{text}: `bellhop dead search` looks for any id, `bellhop queues` shows what waits"
    return text
