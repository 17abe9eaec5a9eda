"""What we told the upstream, held against what stands at the vendor: the promise itself, at the end of a test.

The ledger's words are those of the status address (`describe_entries`); the vendor's are the sandbox's own record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bellhop.ledger.records import EventView, State, describe_entries
from bellhop.ledger.store import Ledger
from bellhop.ledger.tables import events
from bellhop.schemas.asked import is_other_guest
from tests.support.sink import Post

BOOKS = "booking."
OPEN = (State.WORKING, State.RETRYING, State.IN_DOUBT, State.DEAD)
"""In front of a person, or on its way to one: what it made may stand untold."""


@dataclass(frozen=True)
class Earlier:
    """What was before a test that shares its Bellhop with others: bookings that were told of, and what stood."""

    bookings: frozenset[tuple[str, str]] = frozenset()
    standing: frozenset[str] = frozenset()


def as_it_is(ledger: Ledger, record: Mapping[str, Any]) -> Earlier:
    return Earlier(frozenset(_bookings_of(ledger)), frozenset(_standing_ids(record)))


def untruths(
    ledger: Ledger, record: Mapping[str, Any], posts: Sequence[Post] = (), earlier: Earlier = Earlier()
) -> list[str]:
    """What was told and is not so; nothing where all is true. record: the sandbox's state. posts: results, as they came
    to the upstream."""
    standing = set(_standing_ids(record))
    known = _bookings_of(ledger)
    told = {key: describe_entries(views[-1].entries) for key, views in known.items()}
    named = {id_ for one in told.values() for id_ in (*one["vendor_ids"], *one["cancelled_ids"])}
    found = [
        f"{key}: {id_} was told to stand, and does not stand at the vendor"
        for key, one in told.items()
        for id_ in one["vendor_ids"]
        if id_ not in standing
    ]
    found += [
        f"{key}: {id_} was told to be cancelled, and stands at the vendor"
        for key, one in told.items()
        for id_ in one["cancelled_ids"]
        if id_ in standing
    ]
    is_open = any(view.state in OPEN for key in known.keys() - earlier.bookings for view in known[key])
    if not is_open and not _others_book(ledger):
        untold = standing - named - earlier.standing
        found += [f"{id_} stands at the vendor, and nobody was told" for id_ in sorted(untold)]
    for key, views in known.items():
        held = ledger.booking(*key)
        if held is None or not held.replaced_by:  # what another took the place of stands under that one's reference
            found += _against_the_end(key, views, told[key])
    return found + [words for post in _latest(posts) for words in _of_result(post, told)]


def _others_book(ledger: Ledger) -> bool:
    """Whether the vendor told of bookings, others' own among them: what stands there is not ours alone."""
    query = sa.select(events.c.pk).where(events.c.type.endswith(".callback")).limit(1)
    with ledger._database.read() as connection:
        return connection.execute(query).first() is not None


def _standing_ids(record: Mapping[str, Any]) -> Iterable[str]:
    for one in record.get("bookings", ()):
        if not one["cancelled"]:
            yield str(one["id"])
    for one in (
        *record.get("reservations", ()),
        *(r for b in record.get("behind", {}).values() for r in b["reservations"]),
    ):
        yield str(one["id"])
    for one in record.get("toys_lent", ()):
        if not one["back"]:
            yield str(one["id"])


def _bookings_of(ledger: Ledger) -> dict[tuple[str, str], list[EventView]]:
    """The events of each booking, the oldest first."""
    query = sa.select(events.c.source, events.c.subject).where(events.c.type.startswith(BOOKS)).distinct()
    with ledger._database.read() as connection:
        keys = [(row.source, row.subject) for row in connection.execute(query)]
    return {key: ledger.events_of(*key)[::-1] for key in keys}


def _against_the_end(key: tuple[str, str], views: Sequence[EventView], told: Mapping[str, Any]) -> list[str]:
    """Where its last event is done, something must stand, or after a cancel nothing."""
    ended = [view for view in views if view.state not in (State.SUPERSEDED, State.DUPLICATE)]
    if not ended or ended[-1].state is not State.DONE:
        return []
    last = ended[-1]
    wrong = _left_by_cancel(last) if last.type == "booking.cancelled" else []
    if wrong:
        return [f"{key}: cancelled by {last.id}, and {wrong} stand"]
    if last.type == "booking.requested" and not told["vendor_ids"]:
        return [f"{key}: {last.id} is done, and nothing stands"]
    return []


def _left_by_cancel(cancel: EventView) -> list[str]:
    """What stands though it was cancelled; not what is of others of a group, of whom the cancel named one."""
    gone = [entry.asked or {} for entry in cancel.entries if entry.cancelled_by == cancel.id]
    return [
        entry.vendor_id
        for entry in cancel.entries
        if entry.stands and not (gone and all(is_other_guest(one, entry.asked or {}) for one in gone))
    ]


def _latest(posts: Sequence[Post]) -> Iterable[Mapping[str, Any]]:
    """The last result of each booking: the later timestamp counts."""
    latest: dict[str, Mapping[str, Any]] = {}
    for post in posts:
        body = post.json
        if body["type"].startswith(BOOKS):
            reference = body["data"]["booking_id"]
            if reference not in latest or body["timestamp"] >= latest[reference]["timestamp"]:
                latest[reference] = body
    return latest.values()


def _of_result(body: Mapping[str, Any], told: Mapping[tuple[str, str], Mapping[str, Any]]) -> Iterable[str]:
    data, now = body["data"], {key[1]: one for key, one in told.items()}.get(body["data"]["booking_id"], {})
    if body["type"] == "booking.confirmed" and not data["vendor_ids"]:
        yield f"{data['event_id']} was confirmed, and names nothing that stands"
    if body["type"] == "booking.cancelled" and data["vendor_ids"]:
        yield f"{data['event_id']} was told as cancelled, and names what stands"
    for name in ("vendor_ids", "cancelled_ids"):
        if body["type"] != "booking.failed" and data[name] != now.get(name, []):
            yield f"the result of {data['event_id']} names {name} {data[name]}, and the ledger {now.get(name)}"
