"""What a vendor is to the rest: the row that `registry.py` has of it.

Whatever differs between vendors is reached through a row, so nothing outside a vendor's own folder knows its name. Rows
are imported by every command: what is heavy (clients, handlers, doctors) a row imports when it is asked for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from bellhop.schemas.routes import bookings_route, callbacks_route
from bellhop.schemas.settings.sections import AccountKind

if TYPE_CHECKING:
    from bellhop.ledger.store import Ledger
    from bellhop.schemas.observe import Observe
    from bellhop.schemas.settings import Settings
    from bellhop.vendors.handler import Handler
    from bellhop.vendors.held import Gate
    from bellhop.vendors.http import HttpClient

A = TypeVar("A")
"""A vendor's account."""


@dataclass(frozen=True, slots=True)
class HandlerContext(Generic[A]):
    """What the workers give a handler. accounts: its vendor's, by name. gate: the one before its route's calls."""

    accounts: Mapping[str, A]
    settings: Settings
    http: HttpClient
    gate: Gate
    ledger: Ledger
    observe: Observe
    now: Callable[[], datetime]


MakeHandler = Callable[[HandlerContext[A]], "Handler"]


@dataclass(frozen=True, slots=True)
class Notice:
    """What a vendor itself posted. id: stable where it is sent again.

    has_own_time: False where its time is the receipt's: then the same id may come with another time and be the same.
    """

    id: str
    subject: str
    data: Mapping[str, Any]
    time: datetime
    has_own_time: bool


ReadCallback = Callable[[object, A, datetime, str], Notice]
"""A decoded body, the account that it is for, when it was received, and an id that no other post has → what it is.
Raises EventInvalid, naming fields as the vendor does."""


@dataclass(frozen=True, slots=True)
class CallbackFacts(Generic[A]):
    """What a vendor itself posts, under its name as a source's format, and who works it."""

    read: ReadCallback[A]
    handler: MakeHandler[A]


@dataclass(frozen=True, slots=True)
class PullFacts(Generic[A]):
    """A vendor that fetches from the system behind it. kinds: what it can be told to fetch. timeless: those of them
    that are always fetched whole."""

    kinds: tuple[str, ...]
    handler: MakeHandler[A]
    timeless: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Vendor(Generic[A]):
    """kind: what an account's `kind` says. title: as people know it. account: what the settings say of its accounts.

    bookings, members: make who works the route; `members` None where it has none. pulls, callbacks: None likewise.
    member_warnings: what of a member's data it will not take, for whoever sent it.
    """

    kind: str
    title: str
    account: AccountKind
    bookings: MakeHandler[A]
    members: MakeHandler[A] | None = None
    pulls: PullFacts[A] | None = None
    callbacks: CallbackFacts[A] | None = None
    member_warnings: Callable[[A, Mapping[str, Any]], tuple[str, ...]] = lambda _account, _member: ()

    @property
    def routes(self) -> tuple[str, ...]:
        """Its own; `members` and `pulls` are shared."""
        return bookings_route(self.kind), *([callbacks_route(self.kind)] if self.callbacks else [])
