"""Disks that are full, and disks that break."""

from __future__ import annotations

from bellhop.drill.faults.fault import Does
from bellhop.drill.site import Site
from bellhop.drill.upstream import Sender


def full(name: str) -> Does:
    def does(site: Site, _upstream: Sender) -> None:
        site.hold(0.1, 0.5)
        site.disks[name].fill()
        site.hold(4.0)
        site.disks[name].free()

    return does


def break_down(name: str) -> Does:
    """Nothing can be written; then an operator stops everything, repairs it and starts again."""

    def does(site: Site, _upstream: Sender) -> None:
        site.hold(0.1, 0.5)
        site.disks[name].fail()
        site.hold(4.0)
        site.repair_disk(name)
        site.wait_for_ingress()

    return does
