"""Follows everything that may happen, breadth first, so that what is found first is also the shortest way to it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from tests.support.model.world import World


@dataclass(frozen=True)
class Explored:
    """states: how many there are. way: the steps to the first that is broken, "" where none is; broken: how."""

    states: int
    broken: tuple[str, ...] = ()
    way: str = ""


def explore(first: World, most: int = 10_000_000) -> Explored:
    came: dict[World, tuple[World, str] | None] = {first: None}
    waiting = deque([first])
    while waiting and len(came) < most:
        world = waiting.popleft()
        if broken := world.breaches():
            return Explored(len(came), tuple(broken), _way(came, world))
        for name, step in world.steps():
            if (following := step.canonical()) not in came:
                came[following] = world, name
                waiting.append(following)
    return Explored(len(came))


def _way(came: dict[World, tuple[World, str] | None], world: World) -> str:
    names = []
    while (before := came[world]) is not None:
        world, name = before
        names.append(name)
    return "\n".join(reversed(names))
