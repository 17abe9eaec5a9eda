"""The ledger: the SQL record of events, their attempts, bookings, tokens and dead letters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from bellhop.ledger import bookings, calls, events, latencies
from bellhop.ledger.accounts import AccountStates
from bellhop.ledger.alerts import Alerts
from bellhop.ledger.audit import AuditChain, prune_audit
from bellhop.ledger.cause_lives import CauseDesk
from bellhop.ledger.claims import Claims
from bellhop.ledger.edits import Edits
from bellhop.ledger.engine import CONNECTIONS, Database
from bellhop.ledger.floods import Floods
from bellhop.ledger.forgetting import Forgetting
from bellhop.ledger.habits import Habits
from bellhop.ledger.jobs import Jobs
from bellhop.ledger.known import Answer
from bellhop.ledger.parts import PartBeats
from bellhop.ledger.pauses import Pauses
from bellhop.ledger.payloads import prune_payloads
from bellhop.ledger.people import People
from bellhop.ledger.proofs import Proofs
from bellhop.ledger.prune import prune
from bellhop.ledger.pulls import PullMarks
from bellhop.ledger.records import (
    Attempt,
    AuditRow,
    Booking,
    Claim,
    Claimed,
    EventView,
    Settlement,
    Standing,
    State,
    VendorCall,
)
from bellhop.ledger.records.accounts import LeaveAsked
from bellhop.ledger.refusals import Refusals
from bellhop.ledger.restores import Restores
from bellhop.ledger.rotations import Rotations
from bellhop.ledger.search_terms import guest_number
from bellhop.ledger.settle import Settling
from bellhop.ledger.source_links import SourceLinks, TakeAsks
from bellhop.ledger.strays import Stray, find_strays, find_unknown
from bellhop.ledger.triage import Desk
from bellhop.ledger.vendor_answers import VendorAnswers
from bellhop.ledger.vendor_tokens import VendorTokens
from bellhop.schemas.clock import utc_now
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.observe import Observe, silent

_STRAYS: Final = 1000


class Ledger:
    """Safe from any thread; to be opened after a fork. Every method raises LedgerUnavailable when the database is away
    or locked for too long, and has then changed nothing, as far as can be known: repeating any of them is safe.

    letters: the archive of dead letters, see `ledger.letters`. proofs: what became of calls in doubt. restores: that it
    was put back. accounts: limits and breakers, see `ledger.accounts`. vendor_answers: what vendors say of a company.
    pulls: watermarks, see `ledger.pulls`. refusals: what the ingress did not take. source_links, take_asks, rotations:
    what a source's own people see by, ask for, and sign with. alerts: what people are told outside
    the console. floods: what is held because it is too much at once. parts: who is running. jobs, edits, pauses: what
    people steer. people: who may what. audit_chain: what they did, and whether it is whole.
    forgetting: guests who asked for it.
    """

    def __init__(
        self,
        database: Database,
        *,
        keep_seconds: float,
        keep_payload_seconds: float | None,
        keep_audit_seconds: float,
        second_approver: bool,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._keep = timedelta(seconds=keep_seconds)
        self._keep_payload = None if keep_payload_seconds is None else timedelta(seconds=keep_payload_seconds)
        self._keep_audit = timedelta(seconds=keep_audit_seconds)
        self._now = now
        self.floods = Floods(database, now)
        self._claims = Claims(database, self.floods, now)
        self.accounts = AccountStates(database, now)
        self._settling = Settling(database, self.accounts, now)
        self._tokens = VendorTokens(database, now)
        self.letters = Desk(database, now)
        self.proofs = Proofs(database, now)
        self.restores = Restores(database, now)
        self.jobs = Jobs(database, now)
        self.edits = Edits(database, now, second_approver=second_approver)
        self.pauses = Pauses(database, now)
        self.people = People(database, now)
        self.causes = CauseDesk(database, now)
        self.vendor_answers = VendorAnswers(database, now)
        self.pulls = PullMarks(database, now)
        self.refusals = Refusals(database, now)
        self.rotations = Rotations(database, now)
        self.source_links = SourceLinks(database, now)
        self.take_asks = TakeAsks(database, now)
        self.habits = Habits(database, now)
        self.parts = PartBeats(database, now)
        self.alerts = Alerts(database, now)
        self.forgetting = Forgetting(database, now)
        self.audit_chain = AuditChain(database)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        keep_seconds: float,
        keep_payload_seconds: float | None = None,
        keep_audit_seconds: float = 0.0,
        second_approver: bool = True,
        connections: int = CONNECTIONS,
        now: Callable[[], datetime] = utc_now,
        observe: Observe = silent,
    ) -> Ledger:
        """Opens `sqlite:///file` or `postgresql://…`; makes its folder and tables, or brings them up to date.

        keep_seconds: how long `prune` leaves what is finished; keep_payload_seconds: what names a guest, or None;
        keep_audit_seconds: what people did, 0 for ever. second_approver: whether edits need another person's word.
        connections: to PostgreSQL. Raises LedgerUnavailable, or LedgerError saying what to do."""
        database = Database(url, connections)
        observe("ledger.opened", database=database.description)
        return cls(
            database,
            keep_seconds=keep_seconds,
            keep_payload_seconds=keep_payload_seconds,
            keep_audit_seconds=keep_audit_seconds,
            second_approver=second_approver,
            now=now,
        )

    def close(self) -> None:
        self._database.close()

    def ping(self) -> None:
        """Raises LedgerUnavailable; LedgerError where the tables are gone."""
        with self._database.read() as connection:
            connection.exec_driver_sql("SELECT version_num FROM alembic_version")

    def claim(self, envelopes: Sequence[Envelope], worker: str, lease_seconds: float) -> list[Claim]:
        """Claims what may be worked; one answer for each envelope, in their order, in one commit.

        worker: its name, for people to see. A claim holds for `lease_seconds`; afterwards another may take the event.
        """
        return self._claims.claim(envelopes, worker, lease_seconds)

    def foresee(self, envelopes: Sequence[Envelope]) -> list[Answer]:
        """What `claim` would answer for each by itself, as things stand. Nothing is written or locked."""
        return self._claims.foresee(envelopes)

    def calling(
        self,
        claimed: Claimed,
        call: VendorCall,
        booking: Booking | None,
        lease_seconds: float,
        leave: LeaveAsked | None = None,
    ) -> Claimed:
        """Commits the mark that `call` is about to be made, with the booking as far as it has come, the account's leave
        where it is asked for, and what other threads mark at the moment. The claim then holds `lease_seconds` from now.
        Raises ClaimLost where another worker has taken the event, LeaveLater where the account must be waited for: the
        call must not be made. The booking is stored all the same."""
        return self._settling.calling(claimed, call, booking, lease_seconds, leave)

    def settle(self, settlements: Sequence[Settlement]) -> list[int]:
        """Records what became of claimed events, in one commit. Returns the `event_pk` of those whose claim was lost:
        their attempts and bookings are recorded, their state is the other worker's to tell. Settling the same twice
        counts once."""
        return self._settling.settle(settlements)

    def event(self, source: str, id_: str) -> EventView | None:
        """The newest row of an event: its latest replay or, of contents in conflict, the last. `entries` are those
        of its booking. None where no worker has taken it yet, or it was pruned."""
        return events.event(self._database, source, id_)

    def calls(self, source: str, id_: str) -> list[Attempt]:
        """Every call that an event made under any content of its id, the oldest first; also one that was cut off."""
        return calls.find_calls(self._database, source, id_)

    def standings(self, source: str, ids: Sequence[str]) -> Mapping[str, Sequence[Standing]]:
        """By event id, where each of its contents stands; without those that no worker has taken yet."""
        return events.standings(self._database, source, ids)

    def booking(self, source: str, reference: str) -> Booking | None:
        """What is held of an upstream's booking."""
        return bookings.find_booking(self._database, source, reference)

    def bookings_of_guest(self, source: str, data: Mapping[str, Any], *, but: str) -> list[Booking]:
        """What is held of an event's guest (by member, address or name) under other references than `but`, the newest
        first; 20 at most. Somebody of the same name may be among them."""
        return bookings.of_guest(self._database, source, guest_number(data), but)

    def events_of(self, source: str, subject: str) -> list[EventView]:
        """All events of a booking or member, the newest first; 200 at most."""
        return events.of_subject(self._database, source, subject)

    def events_of_source(
        self, source: str, *, text: str = "", before: int = 0, limit: int = 50
    ) -> list[tuple[int, EventView]]:
        """What a source has posted, the newest first, without calls and bookings; each with the number to go on from by
        `before`. text: an event's id, or its booking's or member's; "" for all."""
        return events.of_source(self._database, source, text, before, limit)

    def results_of(self, source: str, id_: str) -> list[EventView]:
        """The results of an event, with their posts: of its end, of each replay, of what people did by hand."""
        return events.results_of(self._database, source, id_)

    def find_events(self, text: str, limit: int) -> list[EventView]:
        """Events by their id, their booking's reference or member's id, a vendor's id of their booking, or any word by
        which their dead letter is found; the newest first."""
        return events.find(self._database, text, limit)

    def recent_ends(self, since: datetime) -> Mapping[tuple[str, State], int]:
        """How many events were last touched since then, by route and state."""
        return events.recent_ends(self._database, since)

    def recent_seconds(self, since: datetime) -> Mapping[str, Sequence[float]]:
        """How many seconds events took from their webhook until they were done, by route, of the last 500 that were
        done since then. Of a replayed one it counts from the webhook, too."""
        return latencies.recent_seconds(self._database, since)

    def usual_call_seconds(self) -> float | None:
        """How long a vendor's call takes, the median of the last 200; None where none has been made."""
        return calls.usual_seconds(self._database)

    def booking_of(self, account: str, vendor_id: str) -> Booking | None:
        """The booking to which a vendor's id belongs; None where it is none of ours."""
        return bookings.by_vendor_id(self._database, account, vendor_id)

    def is_booking(self, account: str) -> bool:
        """Whether a call that books may be on its way to the account, or in doubt: its id is not known here yet."""
        return events.is_booking(self._database, account)

    def is_at_work(self, source: str, reference: str) -> bool:
        """Whether an event of this booking is unfinished."""
        return events.is_at_work(self._database, source, reference)

    def count_unfinished(self) -> Mapping[tuple[str, State], int]:
        """How many events are working, retrying or in doubt, by route and state; without what there is none of."""
        return events.count_unfinished(self._database)

    def strays(self, before: datetime) -> Sequence[Stray]:
        """Unfinished events that were due to come again before then, and dead ones of before then that no letter shows
        to people: 1,000 of each at most. Whether anything brings them on, the broker's queues say."""
        return find_strays(self._database, before, _STRAYS)

    def unknown(self, source: str, ids: Sequence[str]) -> Collection[str]:
        """Those of a source's events that have neither a row nor a dead letter; 500 ids at most."""
        return find_unknown(self._database, source, ids)

    def token(self, account: str) -> str | None:
        """The account's session token; None before any login, and where it is so old that it may have run out."""
        return self._tokens.token(account)

    def token_times(self) -> Mapping[str, datetime | None]:
        """When each account's session token was got, of those that have one; None where nobody noted it."""
        return self._tokens.times()

    def replace_token(self, account: str, stale: str | None, login: Callable[[], str]) -> str:
        """A token other than `stale`: one that another process has got meanwhile, else by `login`, which only one of
        all processes is in at a time.

        Raises what `login` raises; LedgerUnavailable also when another has been logging in for over 40 s.
        """
        return self._tokens.replace(account, stale, login)

    def renew_token(self, account: str, login: Callable[[], str]) -> str:
        """A new token by `login`, whatever the one before is worth. Once it went well, an account that is held for its
        credentials is tried again at once. Raises as `replace_token`."""
        token = self._tokens.renew(account, login)
        self.accounts.try_now(account)
        return token

    def audit(self, limit: int) -> list[AuditRow]:
        """The newest acts of people, the newest first."""
        return self.letters.audit(limit)

    def prune(self) -> int:
        """Deletes finished events, closed letters, past bookings and ended jobs that are older than the settings keep
        them, in small commits; how many rows. Never what is unfinished, open or to come."""
        now = self._now()
        total = prune(self._database, now - self._keep, now)
        if self._keep_payload is not None:
            total += prune_payloads(self._database, now - self._keep_payload, now)
        while gone := self.forgetting.prune(now - self._keep):
            total += gone
        while self._keep_audit and (gone := prune_audit(self._database, now - self._keep_audit)):
            total += gone
        if total:
            self._database.checkpoint()
        return total
