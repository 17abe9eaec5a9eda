"""The threads of a route's worker, started as they are needed: one that has little to do needs few."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from functools import partial

from bellhop.schemas.fibres import Fibres
from bellhop.schemas.observe import Observe
from bellhop.workers.delivery import ClaimedDelivery, EndedDelivery
from bellhop.workers.lanes import Lanes


class WorkThreads:
    """Each does `work` with what may begin by `lanes`, until these are closed, and hands over what has ended. `grow`
    belongs to the worker's owner."""

    def __init__(
        self,
        route: str,
        lanes: Lanes,
        work: Callable[[ClaimedDelivery], EndedDelivery],
        hand_over: Callable[[Sequence[EndedDelivery]], None],
        observe: Observe,
    ) -> None:
        self._route = route
        self._lanes = lanes
        self._work = work
        self._hand_over = hand_over
        self._observe = observe
        self.count = 0
        self.has_died = False
        """One of them, of an error nobody foresaw, and with it all that it had at work."""

    def grow(self, in_hand: int) -> None:
        """Starts what is missing for so many events, two at least where there are two. Where the process may have no
        more threads that is told, and no more is begun than these can work. Raises RuntimeError where it may have none.
        """
        at_once = min(self._lanes.pool, in_hand)
        wanted = max(min(2, at_once), math.ceil(at_once / self._lanes.share))
        while self.count < wanted:
            # Daemons: a call that outlives the drain time must not keep the process. It is in the ledger as `calling`.
            thread = threading.Thread(target=self._run, name=f"{self._route}-work", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                if not self.count:
                    raise
                self._observe("worker.short_of_threads", route=self._route, threads=self.count, wanted=wanted)
                self._lanes.pool = self.count * self._lanes.share
                return
            self.count += 1

    def _run(self) -> None:
        try:
            self._work_on()
        except BaseException:
            self.has_died = True
            raise

    def _work_on(self) -> None:
        if self._lanes.share == 1:
            while begun := self._lanes.next():
                ended = [self._work(one) for one in begun]
                self._lanes.finish(begun)
                self._hand_over(ended)
        else:
            with Fibres() as fibres:
                while begun := self._lanes.next():
                    self._work_together(begun, fibres)

    def _work_together(self, begun: Sequence[ClaimedDelivery], fibres: Fibres) -> None:
        """`begun` and what may begin meanwhile, until none is left: each goes on once its vendor has answered."""
        ended: list[EndedDelivery] = []

        def work(claimed: ClaimedDelivery | None) -> None:
            while claimed is not None:
                ended.append(self._work(claimed))
                if len(ended) >= self._lanes.share:  # where they end at once, those that wait must go on, too
                    self._lanes.finish([claimed])
                    return
                claimed = self._lanes.next_after(claimed)

        until = math.inf
        while begun or fibres.count:
            fibres.start(*(partial(work, claimed) for claimed in begun))
            fibres.turn(0.0 if begun else until)
            if ended:  # only now: who settles them takes Python's lock, for which the next requests would wait
                self._hand_over(ended.copy())
                ended.clear()
            begun, until = self._lanes.more(fibres)
