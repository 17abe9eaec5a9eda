"""Waits until a drill's events have come to rest, and records how everything stands then."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from bellhop.broker.topology import DEAD_QUEUE, UNROUTABLE_QUEUE, work_queue
from bellhop.drill.history import EventEnd, LetterEnd, QueuedMessage, Record, SeenCall, SentPost, ToldBooking
from bellhop.drill.site import SOURCE, Site
from bellhop.drill.standings import find_standings
from bellhop.ledger.records import LetterFilter, LetterState, State, describe_entries
from bellhop.ledger.store import Ledger
from bellhop.schemas.envelope import decode_recordable
from bellhop.schemas.errors import BellhopError, EnvelopeError
from bellhop.vendors.registry import ROUTES

_LOOK_SECONDS: Final = 0.5
_LETTERS: Final = 500
_TAKEN: Final = 100
_LADDER_SECONDS: Final = 9.0
"""What waits for a retry is back in its work queue by then: longer than the last step."""


def await_rest(site: Site, ids: Sequence[str], seconds: float) -> bool:
    """Whether, within so many seconds, every event had ended or stood before a person, and nothing waited any more."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with site.ledger() as ledger, site.broker() as broker:
                waiting = any(queue.ready for queue in broker.stats().values())
                if not waiting and _is_at_rest(ledger, ids):
                    return True
        except BellhopError:
            pass  # it comes back from a fault
        time.sleep(_LOOK_SECONDS)
    return False


def _is_at_rest(ledger: Ledger, ids: Sequence[str]) -> bool:
    known = ledger.standings(SOURCE, ids)
    if len(known) < len(ids):
        return False
    letters = list(_letters(ledger))
    if any(letter.state == LetterState.REPLAYING for letter in letters):
        return False
    shown = {letter.id for letter in letters if letter.state == LetterState.OPEN}
    states = {id_: max(rows, key=lambda row: row.generation).state for id_, rows in known.items()}
    return all(id_ in shown if state is State.DEAD else not state.unfinished for id_, state in states.items())


def record_end(site: Site, posts: Sequence[SentPost]) -> Iterator[Record]:
    """How it all stands; the workers and the archive are stopped for it."""
    for name in site.processes.names:
        if name != "sandbox":
            site.processes.stop(name)
    yield from find_standings(site.sandbox("GET", "state"))
    yield from _calls(site)
    with site.ledger() as ledger:
        for id_ in dict.fromkeys(post.id for post in posts):
            if (view := ledger.event(SOURCE, id_)) is not None:
                yield EventEnd(id_, view.type, view.subject, view.state.value, view.reason)
        for reference in dict.fromkeys(post.reference for post in posts):
            if (held := ledger.booking(SOURCE, reference)) is not None:
                told = describe_entries(held.entries)
                yield ToldBooking(reference, tuple(told["vendor_ids"]), tuple(told["cancelled_ids"]))
        yield from _letters(ledger)
    yield from _messages(site)


def _letters(ledger: Ledger) -> Iterator[LetterEnd]:
    after = 0
    which = LetterFilter(source=SOURCE, states=tuple(LetterState))
    while found := ledger.letters.find(which, _LETTERS, after):
        for letter in found:
            new = letter.new
            yield LetterEnd(letter.id, new.event_id, new.subject, new.reason, letter.state.value)
        after = found[-1].id


def _calls(site: Site) -> Iterator[SeenCall]:
    """Those that changed something."""
    calls: list[dict[str, Any]] = site.sandbox("GET", "calls")["calls"]
    for call in calls:
        if call["effect"]:
            yield SeenCall(call["vendor"], call["method"], call["effect"], str(call["id"] or ""), call["fault"] or "")


def _messages(site: Site) -> Iterator[QueuedMessage]:
    """What is in the queues; it is given back."""
    with site.broker() as broker:
        if not any(queue.ready or queue.in_flight for queue in broker.stats().values()):
            return
        time.sleep(_LADDER_SECONDS)
        for queue in (*map(work_queue, ROUTES), DEAD_QUEUE, UNROUTABLE_QUEUE):
            consumer = broker.consumer(queue, 100 * _TAKEN)
            try:
                while deliveries := consumer.take(_TAKEN, 1.0):
                    for delivery in deliveries:
                        yield QueuedMessage(queue, _event_id(delivery.message.body))
            finally:
                consumer.close()


def _event_id(body: bytes) -> str:
    try:
        return decode_recordable(body).id
    except EnvelopeError:
        return ""
