"""Does a drill's faults: one after the other, or several at once where they touch different parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final

from bellhop.drill.faults.fault import DrillFault
from bellhop.drill.history import FaultDone
from bellhop.drill.site import Site
from bellhop.drill.upstream import Sender

_WORDS: Final = 300


def do_faults(
    faults: Sequence[DrillFault], at_once: int, site: Site, upstream: Sender, tell: Callable[[str], None]
) -> list[FaultDone]:
    """Each with a portion of the webhooks, in the order of their beginning. After one that failed all that are under
    way come to their end, and everything is mended."""
    waiting, done = list(faults), list[FaultDone]()
    running: dict[Future[FaultDone], DrillFault] = {}
    is_broken = False
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="fault")
    try:
        while waiting or running:
            while not is_broken and len(running) < at_once and (fault := _next(waiting, running.values())):
                waiting.remove(fault)
                portion = len(faults) - len(waiting) - 1
                upstream.release(portion)
                running[pool.submit(do_fault, fault, portion, site, upstream, tell)] = fault
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                del running[future]
                done.append(future.result())
                is_broken |= bool(done[-1].failed)
            if is_broken and not running:
                site.mend()
                is_broken = False
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # who interrupts the drill need not wait for its faults
    return done


def _next(waiting: Sequence[DrillFault], running: Collection[DrillFault]) -> DrillFault | None:
    """The first that touches nothing which another touches now."""
    touched = frozenset[str]().union(*(fault.touches for fault in running))
    return next((fault for fault in waiting if not fault.touches & touched), None)


def do_fault(fault: DrillFault, portion: int, site: Site, upstream: Sender, tell: Callable[[str], None]) -> FaultDone:
    """One that cannot be done, or not to its end, is recorded as such."""
    tell(f"{fault.name}: {fault.words}")
    began, failed, times = time.time(), "", None
    try:
        try:
            times = fault.does(site, upstream)
        finally:
            upstream.wait(portion)
    except Exception as error:  # noqa: BLE001  # whatever it is, the record of the rest must not be lost for it
        failed = f"{type(error).__name__}: {error}"[:_WORDS]
        tell(f"{fault.name} failed: {failed}")
    if ended := site.revive():
        tell(f"{fault.name}: {', '.join(ended)} ended and was started again")
    return FaultDone(fault.name, began, time.time(), failed, 1 if times is None else times)
