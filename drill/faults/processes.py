"""Processes that are killed, frozen, stopped and replaced, and clocks that jump."""

from __future__ import annotations

from bellhop.drill.faults.fault import Does
from bellhop.drill.site import CLAIM_SECONDS, Site
from bellhop.drill.upstream import Sender

WORKER = "work-1"
OTHER = "work-2"


def kill(name: str) -> Does:
    def does(site: Site, _upstream: Sender) -> None:
        site.hold(0.3, 1.0)
        site.processes.kill(name)
        site.start(name)

    return does


def freeze(name: str, seconds: float) -> Does:
    def does(site: Site, _upstream: Sender) -> None:
        site.hold(0.1, 0.5)
        site.freeze(name)
        site.hold(seconds)
        site.thaw(name)

    return does


def stop(name: str) -> Does:
    def does(site: Site, _upstream: Sender) -> None:
        site.hold(0.1, 0.5)
        site.processes.stop(name)
        site.start(name)

    return does


def kill_often(site: Site, _upstream: Sender) -> int:
    """Each time a little later after its start than the time before."""
    pauses = (1.2, 1.6, 2.0, 2.4)
    for seconds in pauses:
        site.processes.kill(WORKER)
        site.start(WORKER)
        site.hold(seconds)
    return len(pauses)


def replace_frozen(site: Site, _upstream: Sender) -> None:
    """Another worker takes over, and then the first comes back to life with calls under way."""
    site.freeze(WORKER)
    site.start(OTHER)
    site.hold(CLAIM_SECONDS + 2)
    site.thaw(WORKER)
    site.hold(1.0)
    site.processes.kill(OTHER)


def kill_everything(site: Site, _upstream: Sender) -> None:
    site.hold(0.2, 0.8)
    names = [name for name in site.processes.names if name != "sandbox"]
    for name in names:
        site.processes.kill(name)
    for name in names:
        site.start(name)
    site.wait_for_ingress()


def roll(site: Site, _upstream: Sender) -> None:
    """Each in turn, as a deployment does: of workers the new one first."""
    for old, new in ((WORKER, OTHER), (OTHER, WORKER)):
        site.start_worker(new)
        site.hold(1.0)
        site.processes.stop(old)
    replace_rest(site)


def replace_rest(site: Site) -> None:
    """The ingress last: whoever reads a new envelope must run before it is written."""
    for name in ("archive", "ingest"):
        site.processes.stop(name)
        site.start(name)
    site.wait_for_ingress()


def jump_clock(name: str, seconds: float) -> Does:
    """The process' wall clock is set to another time while it works, and back."""

    def does(site: Site, _upstream: Sender) -> None:
        site.processes.kill(name)
        site.start_with_clock(name, 0)
        site.hold(3.0)
        site.set_clock(name, seconds)
        site.hold(3.0)
        site.set_clock(name, 0)
        site.hold(2.0)
        site.processes.kill(name)
        site.start(name)

    return does
