"""Connections that are cut, swallowed and slowed."""

from __future__ import annotations

from typing import Final

from bellhop.drill.faults.fault import Does
from bellhop.drill.proxy import Mode
from bellhop.drill.site import Site
from bellhop.drill.upstream import Sender

_CUTS: Final = 5


def link(name: str, mode: Mode, seconds: float) -> Does:
    def does(site: Site, _upstream: Sender) -> None:
        site.hold(0.1, 0.5)
        site.links[name].set(mode)
        site.hold(seconds)
        site.links[name].set(Mode.PASSING)

    return does


def cut_often(name: str) -> Does:
    """What is under way is cut, again and again; who connects anew is let in."""

    def does(site: Site, _upstream: Sender) -> int:
        for _ in range(_CUTS):
            site.links[name].set(Mode.CUT)
            site.links[name].set(Mode.PASSING)
            site.hold(0.2, 0.7)
        return _CUTS

    return does
