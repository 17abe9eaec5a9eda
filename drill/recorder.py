"""Waits until a drill's events have come to rest, and records how everything stands then."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from urllib3.exceptions import HTTPError

from bellhop.broker.topology import DEAD_QUEUE, UNROUTABLE_QUEUE, work_queue
from bellhop.drill.faults.people import release_floods
from bellhop.drill.history import (
    CallbackEnd,
    EventEnd,
    LetterEnd,
    QueuedMessage,
    Record,
    SeenCall,
    SentPost,
    ToldBooking,
)
from bellhop.drill.site import CALLBACKS, SOURCE, Site
from bellhop.drill.standings import find_standings, reference_of
from bellhop.ledger.records import Letter, LetterFilter, LetterState, State, describe_entries
from bellhop.ledger.store import Ledger
from bellhop.schemas.envelope import decode_recordable
from bellhop.schemas.errors import BellhopError, EnvelopeError
from bellhop.vendors.registry import ROUTES

_LOOK_SECONDS: Final = 1.0
_LETTERS: Final = 500
_TAKEN: Final = 100
_TAKEN_STATUS: Final = 202
_ONCE: Final = ("create", "cancel")
"""What happens to a booking once: such a callback's event is called by the booking's id and this."""
_LADDER_SECONDS: Final = 9.0
"""What waits for a retry is back in its work queue by then: longer than the last step."""


def await_rest(site: Site, ids: Sequence[str], seconds: float) -> bool:
    """Whether, within so many seconds, every event had ended or stood before a person, and nothing waited any more.
    Somebody looks after what the flood guard holds meanwhile: all of it is meant."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            site.revive()
            with site.ledger() as ledger, site.broker() as broker:
                at_work = any(queue.ready for queue in broker.stats().values()) or any(
                    ledger.count_unfinished().values()
                )
                if not at_work and _are_told(site) and _is_at_rest(ledger, ids):
                    return True
                release_floods(site, ledger)
        except (BellhopError, HTTPError):
            pass  # it comes back from a fault
        time.sleep(_LOOK_SECONDS)
    return False


def _are_told(site: Site) -> bool:
    return all(post["status"] == _TAKEN_STATUS for post in _callbacks(site))


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
        yield from _callback_ends(site, ledger)
    yield from _messages(site)


def _callbacks(site: Site) -> list[dict[str, Any]]:
    """Those that happen to a booking once, as the vendor has them."""
    posts: list[dict[str, Any]] = site.sandbox("GET", "callbacks")["callbacks"]
    return [post for post in posts if post["body"]["notification_type"] in _ONCE]


def _callback_ends(site: Site, ledger: Ledger) -> Iterator[CallbackEnd]:
    which = LetterFilter(source=CALLBACKS, states=tuple(LetterState))
    letters = {letter.new.event_id: letter for letter in _all_letters(ledger, which)}
    for post in _callbacks(site):
        booking = post["body"]["booking_id"]
        id_ = f"{booking}-{post['body']['notification_type']}"
        view, letter = ledger.event(CALLBACKS, id_), letters.get(id_)
        yield CallbackEnd(
            id=id_,
            booking=booking,
            taken=post["status"] == _TAKEN_STATUS,
            state=view.state.value if view else "",
            letter=letter.state.value if letter else "",
            reason=letter.new.reason if letter else "",
        )


def _letters(ledger: Ledger) -> Iterator[LetterEnd]:
    for letter in _all_letters(ledger, LetterFilter(source=SOURCE, states=tuple(LetterState))):
        new = letter.new
        yield LetterEnd(letter.id, new.event_id, new.subject, new.reason, letter.state.value)


def _all_letters(ledger: Ledger, which: LetterFilter) -> Iterator[Letter]:
    after = 0
    while found := ledger.letters.find(which, _LETTERS, after):
        yield from found
        after = found[-1].id


def _calls(site: Site) -> Iterator[SeenCall]:
    """Those that changed something, or met a fault."""
    calls: list[dict[str, Any]] = site.sandbox("GET", "calls")["calls"]
    for call in calls:
        if call["effect"] or call["fault"]:
            yield SeenCall(
                vendor=call["vendor"],
                method=call["method"],
                effect=call["effect"] or "",
                id=str(call["id"] or ""),
                reference=reference_of(call),
                fault=call["fault"] or "",
            )


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
