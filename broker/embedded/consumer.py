"""Consuming from the embedded broker."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final, cast

from bellhop.broker.embedded.file import FileBusy
from bellhop.broker.embedded.presence import Presence, is_gone, sweep
from bellhop.broker.embedded.store import Lease, Store, lane_text
from bellhop.broker.embedded.wake import Bell, Ringer, run_folder, wake_folder
from bellhop.broker.headers import clean_headers
from bellhop.broker.port import LONGEST_ID, Delivery, Leave, Message, NoLimits
from bellhop.broker.topology import DEAD_QUEUE
from bellhop.schemas.clock import steady_time
from bellhop.schemas.errors import BrokerError
from bellhop.schemas.observe import Observe, silent

ROLL_CALL_SECONDS: Final = 0.25
"""How often, at most, it is checked whether the other consumers of the queue still live."""
RECONNECT_SECONDS: Final = 0.5
_SHOWN_BYTES: Final = 4096

Tag = tuple[int, int]
"""(seq, token) of a lease."""


class EmbeddedConsumer:
    """`take` renews the leases of what is held, so it must be called more often than every third of `lease_seconds`.

    One that is not called for all of `lease_seconds` loses its deliveries to others; its acks of them then do nothing.
    """

    def __init__(
        self,
        path: Path,
        queue: str,
        prefetch: int,
        leave: Leave | None = None,
        *,
        delivery_limit: int,
        lease_seconds: float,
        poll_seconds: float,
        observe: Observe = silent,
        now: Callable[[], float] = steady_time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._queue = queue
        self._prefetch = prefetch
        self._leave = leave or NoLimits()
        self._delivery_limit = delivery_limit
        self._lease_seconds = lease_seconds
        self._poll_seconds = poll_seconds
        self._observe = observe
        self._now = now
        self._monotonic = monotonic
        self._lane = b""  # the last that was taken from
        self._acks: deque[Tag] = deque()
        self._held: set[Tag] = set()
        self._renew_at = self._roll_call_at = monotonic()
        self._link: _Link | None = None
        self._connected = False
        self._fetches = True
        self._closed = False

    @property
    def connected(self) -> bool:
        return self._connected

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        self._acks.extend(cast(Tag, delivery.tag) for delivery in deliveries)
        if (link := self._link) is not None:
            link.bell.nudge()

    def rest(self) -> None:
        """Nothing is fetched ahead here."""

    def stop_fetching(self) -> bool:
        self._fetches = False
        return not self._acks

    def start_fetching(self) -> None:
        self._fetches = True

    def take(self, limit: int, timeout: float) -> Sequence[Delivery]:
        deadline = self._monotonic() + timeout
        limit = limit if self._fetches else 0
        while not self._closed:
            try:
                link = self._open()
                link.bell.clear()
                acks = self._queued_acks()
                leases, quiet_seconds = self._turn(link, acks, limit)
            except FileBusy:
                break  # which has waited inside for as long as is sensible
            except (BrokerError, OSError) as error:
                self._lose(error)
                time.sleep(max(0.0, min(RECONNECT_SECONDS, deadline - self._monotonic())))
                break
            self._connected = True
            remaining = deadline - self._monotonic()
            if leases or acks or remaining <= 0:
                return [_delivery(lease) for lease in leases]
            link.bell.wait(min(remaining, quiet_seconds))
        return ()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        # What cannot be given back now is taken back by others as soon as the link is gone.
        with suppress(BrokerError, OSError):
            if self._link is not None or self._acks:
                link = self._open()
                with link.store.writing():
                    link.store.delete(self._queued_acks())
                    given_back = link.store.give_back(self._queue, link.name)
                if given_back:
                    link.ringer.ring((self._queue,))
        self._drop_link()

    def _turn(self, link: _Link, acks: list[Tag], limit: int) -> tuple[list[Lease], float]:
        """Sends the acks, renews, takes back what the dead held, leases; writes only where one of these is due.

        Answers what was leased and for how many seconds there is nothing to do unless the bell rings.
        """
        keeping = self._held.difference(acks)
        room = min(limit, self._prefetch - len(keeping))
        renewing = bool(keeping) and self._monotonic() >= self._renew_at
        gone: set[str] = set()
        quiet = [self._poll_seconds]
        work = bool(acks) or renewing
        if room > 0:
            gone = self._roll_call(link)
            now = self._now()
            outlook = link.store.look(self._queue, link.name, now)
            if outlook.due:
                with link.store.writing():
                    link.store.hasten(self._queue, now)
                outlook = link.store.look(self._queue, link.name, now)
            work = work or bool(gone) or outlook.lapsed or self._has_room(link)
            if outlook.next_at is not None:
                quiet.append(outlook.next_at - self._now())
        leases = self._write(link, acks, renewing, gone, room) if work else []
        if leases and not keeping:
            self._renew_at = self._monotonic() + self._lease_seconds / 3
        if self._held:
            quiet.append(self._renew_at - self._monotonic())
        return leases, min(quiet)

    def _write(self, link: _Link, acks: list[Tag], renewing: bool, gone: set[str], room: int) -> list[Lease]:
        now = self._now()
        until = now + self._lease_seconds
        taken_back = died = 0
        leases: list[Lease] = []
        with link.store.writing():
            link.store.delete(acks)
            held = self._held.difference(acks)
            if renewing:
                link.store.renew(self._queue, link.name, until)
                held = link.store.leases(self._queue, link.name)  # without what others took while this one was away
            if room > 0:
                taken_back, died = link.store.reclaim(self._queue, link.name, now, gone, self._delivery_limit)
                leases = self._lease(link, until, room)
        for _ in acks:  # only now, for what is not committed must be sent again
            self._acks.popleft()
        self._held = held.union((lease.seq, lease.token) for lease in leases)
        if renewing:
            self._renew_at = self._monotonic() + self._lease_seconds / 3
        if taken_back:
            self._observe("delivery.reclaimed", queue=self._queue, count=taken_back, died=died)
            link.ringer.ring((self._queue, DEAD_QUEUE))
        return leases

    def _has_room(self, link: _Link) -> bool:
        for lane in link.store.ready_lanes(self._queue, self._lane):
            if lane and self._leave.is_full(0):
                return False
            if self._leave.room(lane_text(lane), 0) > 0:
                return True
        return False

    def _lease(self, link: _Link, until: float, room: int) -> list[Lease]:
        """One lane after the other; the next time, those behind the last."""
        leases: list[Lease] = []
        for lane in link.store.ready_lanes(self._queue, self._lane):
            if lane and self._leave.is_full(len(leases)):
                break
            most = min(room - len(leases), self._leave.room(lane_text(lane), len(leases)))
            if most > 0:
                leases += link.store.lease(self._queue, lane, link.name, until, most)
                self._lane = lane or self._lane
            if len(leases) >= room:
                break
        return leases

    def _queued_acks(self) -> list[Tag]:
        # Copied without removing; other threads may append meanwhile, so iterating is not allowed.
        return [self._acks[i] for i in range(len(self._acks))]

    def _roll_call(self, link: _Link) -> set[str]:
        """The owners of leases whose process has ended."""
        if self._monotonic() < self._roll_call_at:
            return set()
        self._roll_call_at = self._monotonic() + ROLL_CALL_SECONDS
        others = link.store.owners(self._queue) - {link.name}
        return {name for name in others if is_gone(link.folder, name)}

    def _open(self) -> _Link:
        if self._link is None:
            self._link = _Link(self._path, self._queue)
        return self._link

    def _lose(self, error: Exception) -> None:
        """As when a connection is lost: what was held is delivered again, to this one or another."""
        if self._connected:
            self._observe("consumer.lost", queue=self._queue, error=str(error))
        self._drop_link()
        self._held = set()

    def _drop_link(self) -> None:
        self._connected = False
        link, self._link = self._link, None
        if link is not None:
            link.close()


class _Link:
    """What an open consumer has: a name for its leases, its presence, its bell, its connection."""

    def __init__(self, path: Path, queue: str) -> None:
        self.name = secrets.token_hex(8)
        self._pid = os.getpid()
        with ExitStack() as stack:
            self.store = Store(path, synced=False)
            stack.callback(self.store.close)
            self.folder = run_folder(path)
            sweep(self.folder)
            presence = Presence(self.folder, self.name)
            stack.callback(presence.close)
            self.bell = Bell(wake_folder(path), queue, self.name)
            stack.callback(self.bell.close)
            self.ringer = Ringer(path)
            stack.callback(self.ringer.close)
            self._open = stack.pop_all()

    def close(self) -> None:
        if os.getpid() == self._pid:  # a forked copy must not take the original's files away
            self._open.close()


def _delivery(lease: Lease) -> Delivery:
    id_ = lease.id[:LONGEST_ID].decode("utf-8", "backslashreplace")
    strange: Mapping[str, Any] = {}
    try:
        found = json.loads(lease.headers)
    except (ValueError, RecursionError):
        found = None
    headers = clean_headers(found)
    if not isinstance(found, dict) or len(headers) < len(found):
        strange = {"headers": lease.headers[:_SHOWN_BYTES].decode("utf-8", "backslashreplace")}
    message = Message(id_.encode()[:LONGEST_ID].decode(errors="ignore"), lease.body, headers)
    return Delivery(message, (lease.seq, lease.token), lease.deliveries, strange, lane_text(lease.lane))
