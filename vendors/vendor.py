"""What a vendor is to the rest: the row that `registry.py` has of it.

Whatever differs between vendors is reached through a row, so nothing outside a vendor's own folder knows its name. Rows
are imported by every command: what is heavy (clients, handlers, doctors) a row imports when it is asked for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from bellhop.ledger.records import Doubt, Entry, EntryState, VendorCall
from bellhop.schemas.errors import BellhopError
from bellhop.schemas.events import MEMBER_TYPES
from bellhop.schemas.routes import bookings_route, callbacks_route
from bellhop.schemas.settings.accounts import AccountKind
from bellhop.vendors.fates import CANCELLED, CallFates, field_warnings

if TYPE_CHECKING:
    from bellhop.ledger.store import Ledger
    from bellhop.schemas.observe import Observe
    from bellhop.schemas.settings import Settings
    from bellhop.vendors import catalog
    from bellhop.vendors.doctor.checks import Examination, Subject
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


class Client(Protocol):
    """What makes a vendor's calls, whoever asks for them."""

    def call(self, method: str, /, *arguments: Any) -> Any:
        """One of the vendor's methods by its name. Raises VendorFailure, Held."""
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """A booking as a person, or the vendor itself, names it. secret_hash: "" where it is not known."""

    vendor_id: str
    secret_hash: str = ""


@dataclass(frozen=True, slots=True)
class FoundBookings:
    """Bookings that a call in doubt made, as the ledger keeps them. note: what could not be checked of it, "" where all
    was."""

    entries: Sequence[Entry]
    note: str = ""


class FoundWrong(BellhopError):
    """Raised where the vendor says that a booking is not what the call in doubt asked for."""


FindSaid = Callable[[A, Any, VendorCall, str, Sequence[Said]], FoundBookings]
"""An account, its client, a call in doubt, the id of the event it was for, and what a person says that it made: held
against the vendor where it can be asked. Raises FoundWrong."""


def trust_said(_account: Any, _client: Any, call: VendorCall, made_by: str, said: Sequence[Said]) -> FoundBookings:
    """For a vendor that cannot be asked. A call's slot is its argument `slot`."""
    slot = str(call.arguments.get("slot", ""))
    entries = [Entry(one.vendor_id, call.line, made_by, EntryState.CONFIRMED, slot=slot) for one in said]
    return FoundBookings(tuple(entries), "not checked at the vendor")


IsFree = Callable[[A, Any, VendorCall], bool | None]
"""An account, its client and a call in doubt: whether all that it asked for is still offered and can be booked but
once, so that none of it stands; None where the vendor tells nothing of that. Raises VendorFailure, Held."""


def _tells_nothing(_account: Any, _client: Any, _call: VendorCall) -> None:
    """For a vendor that cannot be asked."""


Show = Callable[[A, Any, "Ledger", Doubt], Sequence[Entry]]
"""An account, its client, the ledger and a call in doubt: all of what that made, where the vendor itself shows it and
it can be nobody else's; else nothing. Raises LedgerUnavailable."""


def _shows_nothing(_account: Any, _client: Any, _ledger: Any, _doubt: Doubt) -> Sequence[Entry]:
    """For a vendor that has no list to be asked."""
    return ()


@dataclass(frozen=True, slots=True)
class CallMethod:
    """A method as `bellhop call` offers it. changes: it alters something. repeatable: twice is no more than once.
    deprecated: the vendor advises against it.

    arguments: the command's words, for this client, as `Client.call` takes them. Raises ValueError, which names the
    parameter and the rule.
    """

    signature: str
    changes: bool
    repeatable: bool
    arguments: Callable[[Sequence[str], Any], Sequence[Any]]
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class DemoData:
    """What the demo and `bellhop send` need, fit for the sandbox.

    settings: an account and a venue, as TOML; {sandbox} stands for the sandbox's URL. thing: what is booked there.
    booking: what a booking says beside reference and venue: for a start, venue-local, and a provider, 0 to 63.
    can_cancel: whether a booking can be cancelled and changed. member: one that the sandbox knows; the other it does
    not. switches: of the sandbox, NAME=VALUE.
    """

    settings: str
    thing: str
    booking: Callable[[datetime, int], dict[str, Any]]
    can_cancel: bool = True
    member: int = 1
    unknown_member: int = 9999999
    switches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Vendor(Generic[A]):
    """kind: what an account's `kind` says. title: as people know it. account: what the settings say of its accounts.

    bookings, members: make who works the route; `members` None where it has none. pulls, callbacks: None likewise.
    fates: what becomes of each field of an event, see `vendors.fates`. member_warnings: what of a member's data it
    will not take as it is.

    client: of an account. login: has it log in anew, the workers' shared token with it; None where credentials go with
    each call. methods: what `bellhop call` offers, by name; call_help: how their arguments are written.
    catalog: what `bellhop catalog` lists, by word. doctor: the checks of an account; it makes clients of its own.
    harmless: a method without arguments that changes nothing and that every login may call: whether the credentials are
    taken. document: its part of docs/vendors.md, by line. find_said: what a person says that a call in doubt made;
    is_free: whether that can be so; show: what of it the vendor's own list has, of
    an account that `has_list`.
    booking_demands: as JSON Schema of a booking's data, what `account.check_booking` asks of one that is to be made.
    """

    kind: str
    title: str
    account: AccountKind
    bookings: MakeHandler[A]
    client: Callable[[A, HttpClient, Ledger, Gate | None], Client]
    methods: Callable[[], Mapping[str, CallMethod]]
    catalog: Mapping[str, catalog.CatalogKind]
    doctor: Callable[[A, Subject, Callable[[A], Any], Ledger], Examination]
    demo: Callable[[], DemoData]
    document: Callable[[], Iterator[str]]
    harmless: str = ""
    call_help: str = ""
    find_said: FindSaid[A] = trust_said
    is_free: IsFree[A] = _tells_nothing
    show: Show[A] = _shows_nothing
    has_list: Callable[[A], bool] = lambda _account: False
    login: Callable[[A, HttpClient, Ledger], None] | None = None
    members: MakeHandler[A] | None = None
    pulls: PullFacts[A] | None = None
    callbacks: CallbackFacts[A] | None = None
    fates: Sequence[CallFates] = ()
    booking_demands: Mapping[str, Any] = field(default_factory=dict)
    member_warnings: Callable[[A, Mapping[str, Any]], tuple[str, ...]] = lambda _account, _member: ()

    def warnings(self, account: A, type_: str, data: Mapping[str, Any]) -> tuple[str, ...]:
        """What of a valid event it will not have as it was sent, for whoever sent it."""
        labels = self.member_warnings(account, data) if type_ in MEMBER_TYPES else ()
        return (*labels, *field_warnings(self.title, self.fates, account, type_, data))

    @property
    def can_cancel(self) -> bool:
        return any(one.call and CANCELLED in one.types for one in self.fates)

    @property
    def routes(self) -> tuple[str, ...]:
        """Its own; `members` and `pulls` are shared."""
        return bookings_route(self.kind), *([callbacks_route(self.kind)] if self.callbacks else [])
