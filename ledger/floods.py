"""The flood guard: counts what each source cancels and changes, and holds the rest where it is too much.

Counted and held in the transaction that claims, under a lock of the source: however many workers there are, the count
is one, and who dies before the commit has counted nothing. Only cancels and changes pay for it.

A held event is unfinished: its message waits in the ladder and comes back now and then, and newer events of its booking
wait for it. Released it is worked as any other, discarded it is settled; its message is only hastened to find out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from bellhop.ledger.audit import record
from bellhop.ledger.engine import Database
from bellhop.ledger.records import AuditRow, Flood, FloodState, HeldEvent, State
from bellhop.ledger.tables import bookings, events, flood_counts, floods
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.settings.floods import LEAST_OF_A_SHARE, FloodLimits
from bellhop.schemas.statuses import cancels

AGAIN_AFTER: Final = timedelta(seconds=20)
"""What was on its way back to the ladder when a flood was ended is hastened once more."""
_STEPS: Final = 20
"""A source's time is counted in so many steps: what is older than its time goes step by step."""
_CANCEL: Final = "cancel"
_CHANGE: Final = "change"
_OPEN: Final = floods.c.state == FloodState.OPEN.value

_OWN_BOOKING: Final = sa.and_(bookings.c.source == events.c.source, bookings.c.reference == events.c.subject)
_VENUE: Final = bookings.c.venue

Kind = str
Place = tuple[str, str]
"""An account, and the venue at it; "" for all of the account, where an event names none."""


def kind_of(envelope: Envelope) -> Kind:
    """`cancel`, `change`, or "" for what leaves bookings as they are. What a person replays is their word."""
    if envelope.generation:
        return ""
    if cancels(envelope.type, envelope.data.get("status")):
        return _CANCEL
    return _CHANGE if envelope.type == "booking.changed" else ""


@dataclass(slots=True)
class SourceFlood:
    """What is known of one source while a batch is claimed. why: the limit that was passed; "" while none was. coming:
    how many bookings of a place are to come, or were before they were cancelled within the time. fresh: what this batch
    adds, by place and kind."""

    limits: FloodLimits
    why: str
    counted: Counter[tuple[Place, Kind]]
    coming: Callable[[Place], int]
    is_new: bool = False
    fresh: Counter[tuple[Place, Kind]] = field(default_factory=Counter)

    def judge(self, envelope: Envelope) -> str:
        """Why it is held; "" where it is not."""
        kind = kind_of(envelope)
        if kind and not self.why and (why := self._excess(_place(envelope), kind)):
            self.why, self.is_new = why, True
        return self.why if kind else ""

    def count(self, envelope: Envelope) -> None:
        """It is worked."""
        if kind := kind_of(envelope):
            self.counted[_place(envelope), kind] += 1
            self.fresh[_place(envelope), kind] += 1

    def _excess(self, place: Place, kind: Kind) -> str:
        """The limit that one more would pass, in words."""
        limits, within = self.limits, f"within {_span(self.limits.within_seconds)}"
        most = limits.cancels if kind == _CANCEL else limits.changes
        if most and sum(count for (_, one), count in self.counted.items() if one == kind) >= most:
            return f"more than {most} {kind}s {within}"
        own = self.counted[place, _CANCEL] + self.counted[place, _CHANGE]
        account, venue = place
        is_shared = limits.share and account and own + 1 > LEAST_OF_A_SHARE
        if is_shared and own + 1 > limits.share * self.coming(place):
            return f"more than {limits.share:.0%} of the bookings to come at {venue or account} {within}"
        return ""


class Floods:
    """`ledger.floods`. limits: by source, of those that are guarded. Every method raises LedgerUnavailable."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self.limits: Mapping[str, FloodLimits] = {}

    def sources_of(self, envelopes: Sequence[Envelope]) -> set[str]:
        """The sources of those that count."""
        return {one.source for one in envelopes if one.source in self.limits and kind_of(one)}

    def read(self, connection: sa.Connection, sources: set[str], now: datetime) -> dict[str, SourceFlood]:
        """What is known of them, in the transaction that claims. None where nothing counts: it costs nothing then."""
        if not sources:
            return {}
        longest = timedelta(seconds=max(self.limits[name].within_seconds for name in sources))
        open_ = {
            row.source: row.limit
            for row in connection.execute(sa.select(floods).where(floods.c.source.in_(sorted(sources)), _OPEN))
        }
        counts = sa.select(flood_counts).where(
            flood_counts.c.source.in_(sorted(sources)), flood_counts.c.at > now - longest
        )
        found: dict[str, SourceFlood] = {}
        for name in sources:
            limits = self.limits[name]
            coming = _Coming(connection, now, now - timedelta(seconds=limits.within_seconds))
            found[name] = SourceFlood(limits, open_.get(name, ""), Counter(), coming)
        for row in connection.execute(counts):
            flood = found[row.source]
            if row.at > now - timedelta(seconds=flood.limits.within_seconds):
                flood.counted[(row.account, row.venue), row.kind] += int(row._mapping["count"])
        return found

    def store(self, connection: sa.Connection, known: Mapping[str, SourceFlood], now: datetime) -> None:
        """What the batch has added: counts, and floods that it has begun."""
        rows, begun = [], []
        for source, flood in known.items():
            step = flood.limits.within_seconds / _STEPS
            at = datetime.fromtimestamp(now.timestamp() // step * step, now.tzinfo)
            for ((account, venue), kind), count in flood.fresh.items():
                rows.append(
                    {"source": source, "account": account, "venue": venue, "kind": kind, "at": at, "count": count}
                )
            if flood.is_new:
                begun.append({"source": source, "since": now, "limit": flood.why, "state": FloodState.OPEN.value})
        if rows:
            insert = self._database.insert(flood_counts)
            keys = ["source", "account", "venue", "kind", "at"]
            more = {"count": flood_counts.c["count"] + insert.excluded["count"]}
            connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=more), rows)
        for row in begun:
            connection.execute(sa.insert(floods), {**row, "who": "", "reason": "", "hastened": 0})

    # --- for people ---------------------------------------------------------------------------------------------

    def all(self, limit: int = 50) -> list[Flood]:
        """Those that are open first, then the newest."""
        order = (sa.case((_OPEN, 0), else_=1), floods.c.id.desc())
        return self._find(sa.select(floods).order_by(*order).limit(limit))

    def open(self) -> list[Flood]:
        return self._find(sa.select(floods).where(_OPEN).order_by(floods.c.id))

    def _find(self, query: sa.Select[tuple[object, ...]]) -> list[Flood]:
        counts = (
            sa.select(
                events.c.source,
                sa.func.count().label("held"),
                sa.type_coerce(
                    sa.func.min(sa.case((events.c.not_after >= self._now(), events.c.not_after))),
                    events.c.not_after.type,
                ).label("soonest"),
            )
            .where(events.c.state == State.HELD.value)
            .group_by(events.c.source)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            held = {row.source: row for row in connection.execute(counts)} if rows else {}
            starts = [(row.source, row.soonest) for row in held.values() if row.soonest is not None]
            first = sa.tuple_(events.c.source, events.c.not_after).in_(starts)
            venues = (
                sa.select(events.c.source, sa.func.min(_VENUE))
                .join_from(events, bookings, _OWN_BOOKING)
                .where(events.c.state == State.HELD.value, first)
                .group_by(events.c.source)
            )
            at = {source: venue for source, venue in connection.execute(venues)} if starts else {}
        return [_flood(row, held.get(row.source), at.get(row.source, "")) for row in rows]

    def events_of(self, source: str, limit: int = 500) -> list[HeldEvent]:
        """The events that a source's flood holds, those that start soonest first."""
        c = events.c
        query = (
            sa.select(c.source, c.event_id, c.type, c.subject, c.account, c.received, c.not_after)
            .add_columns(sa.func.coalesce(_VENUE, ""))
            .outerjoin(bookings, _OWN_BOOKING)
            .where(c.state == State.HELD.value, c.source == source)
            .order_by(c.not_after.is_(None), c.not_after, c.pk)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [HeldEvent(*row) for row in connection.execute(query)]

    def release(self, id_: int, who: str, why: str) -> int | None:
        """Has what it holds worked; how many. None where it is not open."""
        return self._end(id_, FloodState.RELEASED, who, why)

    def discard(self, id_: int, who: str, why: str) -> int | None:
        """Has what it holds come to nothing; how many. None where it is not open."""
        return self._end(id_, FloodState.DISCARDED, who, why)

    def _end(self, id_: int, state: FloodState, who: str, why: str) -> int | None:
        with self._database.read() as connection:
            source = connection.scalar(sa.select(floods.c.source).where(floods.c.id == id_))
        if source is None:
            return None
        with self._database.write([flood_key(source)]) as connection:
            now = self._now()
            ends = sa.update(floods).where(floods.c.id == id_, _OPEN)
            values = {"state": state.value, "who": who, "reason": why, "ended": now}
            if not connection.execute(ends.values(values)).rowcount:
                return None
            is_released = state is FloodState.RELEASED
            ours = sa.update(events).where(events.c.state == State.HELD.value, events.c.source == source)
            new = State.RETRYING if is_released else State.DISCARDED
            told = {"state": new.value, "detail": f"{state.value} by {who}: {why}", "updated": now}
            count = connection.execute(ours.values({**told, "next_at": now if is_released else None})).rowcount
            # From here on it is counted anew: what was released must not hold what follows.
            connection.execute(sa.delete(flood_counts).where(flood_counts.c.source == source))
            act = "release flood" if is_released else "discard flood"
            record(connection, [AuditRow(now, who, act, None, why, f"source {source}: {count} events")])
        return count

    def to_hasten(self) -> list[int]:
        """The floods that were ended, and whose messages are to come back now."""
        soon = sa.and_(floods.c.hastened == 1, floods.c.ended <= self._now() - AGAIN_AFTER)
        due = sa.select(floods.c.id).where(~_OPEN, sa.or_(floods.c.hastened == 0, soon))
        with self._database.read() as connection:
            return list(connection.scalars(due))

    def note_hastened(self, ids: list[int]) -> None:
        more = sa.update(floods).where(floods.c.id.in_(ids)).values(hastened=floods.c.hastened + 1)
        with self._database.write() as connection:
            connection.execute(more)


@dataclass(slots=True)
class _Coming:
    """Counted once for a batch, and only near the limit. since: what was cancelled from then on is counted, too."""

    connection: sa.Connection
    now: datetime
    since: datetime
    known: dict[Place, int] = field(default_factory=dict)

    def __call__(self, place: Place) -> int:
        if place not in self.known:
            account, venue = place
            stood = sa.or_(~bookings.c.cancelled, bookings.c.updated >= self.since)
            coming = [bookings.c.account == account, bookings.c.last_start > self.now, stood]
            # What is older than the column may be of any venue: it is held against none.
            coming += [bookings.c.venue.in_((venue, ""))] if venue else []
            self.known[place] = self.connection.scalar(sa.select(sa.func.count()).where(*coming)) or 0
        return self.known[place]


def _place(envelope: Envelope) -> Place:
    return envelope.account, str(envelope.data.get("venue") or "")


def flood_key(source: str) -> str:
    return f"flood:{source}"


def _flood(row: sa.Row[tuple[object, ...]], held: sa.Row[tuple[object, ...]] | None, venue: str) -> Flood:
    is_open = row.state == FloodState.OPEN.value
    return Flood(
        row.id,
        row.source,
        row.since,
        row.limit,
        FloodState(row.state),
        held.held if held is not None and is_open else 0,
        held.soonest if held is not None and is_open else None,
        row.who,
        row.reason,
        row.ended,
        venue if is_open else "",
    )


def _span(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} seconds"
