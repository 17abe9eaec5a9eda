"""What the settings come to in lanes, where that may not be what was meant: told by `bellhop config check`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from bellhop.broker.topology import LANES_AT_MOST
from bellhop.schemas.settings import Settings
from bellhop.vendors.registry import topology_of

_DAY_SECONDS: Final = 86_400
_OTHER_FILES: Final = 200
"""Of a worker, beside its calls: the ledger's and the broker's connections, what waits for its next call."""


def lane_notes(settings: Settings, files: int) -> Iterator[str]:
    """A sentence for each. The settings are right even so. files: how many a process may have open on this host."""
    yield from _unreached_limits(settings)
    calls = 2 * settings.work.threads
    if calls + _OTHER_FILES > files:
        yield (
            f"work.threads: {settings.work.threads} lets a worker have {calls} calls at once on a route, each with a "
            f"file open, and a process may have {files} open here: raise `ulimit -Hn` (LimitNOFILE= of a systemd "
            f"unit) to {calls + _OTHER_FILES} for each route that it works"
        )
    if settings.broker.embedded:
        return
    for route, accounts in topology_of(settings).lanes.items():
        if len(accounts) > LANES_AT_MOST:
            yield (
                f"route {route}: {len(accounts)} share the {LANES_AT_MOST} lanes that it has on RabbitMQ, and one that "
                "is slow may hold up those it shares a lane with, which `bellhop queues` names together"
            )


def _unreached_limits(settings: Settings) -> Iterator[str]:
    threads = settings.work.threads
    for name, account in settings.accounts.items():
        limits, longest = account.limits, account.connect_seconds + account.read_seconds
        key = f"accounts.{name}.limit"
        if limits.at_once > threads:
            yield (
                f"{key}_at_once: {limits.at_once} is never reached by one worker: work.threads lets an account have "
                f"{threads} at work on each route"
            )
        if limits.per_second and limits.at_once > math.ceil(limits.per_second * longest):
            yield (
                f"{key}_at_once: {limits.at_once} is never reached: at {limits.per_second:g} a second, each call over "
                f"after {longest:g} s, there are {math.ceil(limits.per_second * longest)} at most"
            )
        if limits.per_second and limits.per_day > limits.per_second * _DAY_SECONDS:
            yield (
                f"{key}_per_day: {limits.per_day} is never reached: {limits.per_second:g} a second are "
                f"{limits.per_second * _DAY_SECONDS:g} a day"
            )
