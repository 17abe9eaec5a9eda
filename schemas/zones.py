"""The rules of time zones are those of the package `tzdata`, whose version the lock names, and not the host's.

zoneinfo would ask the host first. A host with older rules than the lock's would then have a booking made at the wrong
hour, and two hosts could disagree about one.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import tzdata

VERSION: Final = tzdata.IANA_VERSION
"""As IANA counts: the year and a letter."""

_HOST: Final = zoneinfo.TZPATH


def pin() -> None:
    """Has every zone of this process come from the package, also those that were read before."""
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo.clear_cache()


def host_version(folders: Iterable[str] = _HOST) -> str:
    """The version of the host's own rules, "" where it has none or does not say."""
    for folder in folders:
        try:
            with (Path(folder) / "tzdata.zi").open(encoding="ascii", errors="replace") as file:
                words = file.readline(100).split()
        except OSError:
            continue
        if words[:2] == ["#", "version"] and len(words) == 3:
            return words[2]
    return ""


def difference(host: str, ours: str = VERSION) -> str:
    """What is to be told where the host's rules are others than those in use; "" where not, or nothing is known."""
    if not host or host == ours:
        return ""
    if host < ours:
        return f"time zones are tzdata {ours}; this host's are older ({host}) and not used"
    return f"time zones are tzdata {ours}; this host's are newer ({host}): update the package tzdata"
