"""What needs a person, once: the one list that the console's first page, the API and `bellhop attention` show.

Whatever is to be told to people as theirs to do is an item here. How things go otherwise (queues, retries, events in
doubt, of which the vendor is asked first) is no item: nobody has to act on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol
from urllib.parse import quote

from bellhop.broker.port import QueueStats
from bellhop.ledger.records import BulkJob, ItemState, Letter, LetterFilter, LetterState, WaitingLetters
from bellhop.ledger.strays import Stray
from bellhop.letters.conservation import StatsBroker, find_forgotten, idle_queues, names_of
from bellhop.letters.parts import BeatingParts, find_missing
from bellhop.letters.serializers import JsonObject
from bellhop.letters.serializers.flow import count_messages
from bellhop.schemas.clock import iso
from bellhop.schemas.errors import BrokerError
from bellhop.schemas.reasons import Reason
from bellhop.vendors.registry import ROUTES

AT_RISK: Final = timedelta(hours=4)
"""A dead booking that starts sooner is critical."""
BROKER_HINT: Final = (
    "Look whether the broker that broker.url names is up. Webhooks are refused meanwhile: their senders try again."
)
_UNPAID_READ: Final = 500
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class Need(StrEnum):
    """Why an item stands in the list."""

    BROKER = "broker"
    PART = "part"
    FORGOTTEN = "forgotten"
    UNARCHIVED = "unarchived"
    UNROUTABLE = "unroutable"
    IN_DOUBT = "in_doubt"
    UNPAID = "unpaid"
    DOUBLED = "doubled"
    LETTERS = "letters"
    JOB = "job"
    EDIT = "edit"
    ACCOUNT = "account"
    ROUTE = "route"
    SOURCE = "source"
    RECEIVER = "receiver"
    FLOOD = "flood"
    ASK = "ask"
    SILENCE = "silence"


REFUSED: Final = timedelta(hours=24)  # so long its upstream may send a refused post again
LETTERS: Final = (Need.IN_DOUBT, Need.UNPAID, Need.DOUBLED, Need.LETTERS)


class Severity(StrEnum):
    """As the alerts have it. A notice is what somebody did themselves, and may have forgotten."""

    CRITICAL = "critical"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class AttentionItem:
    """name: its number or name among those of its kind, "" where there is one alone. count: of the letters or messages
    it is about, 1 for a thing by itself. since: from when it waits, None where nobody knows. starts: the soonest start
    to come of its bookings. path: its page of the console; command: the same on the command line."""

    need: Need
    name: str
    title: str
    why: str
    severity: Severity
    path: str
    command: str
    count: int = 1
    since: datetime | None = None
    starts: datetime | None = None


@dataclass(frozen=True, slots=True)
class BrokerCheck:
    """What the broker's queues told. unroutable: messages that no queue wanted. unarchived: dead letters that are not
    in the archive yet, where nobody sees them. idle: the queues that hold nothing; waiting: the routes whose queues
    hold messages. problem: why the broker did not answer, "" where it did."""

    unroutable: int = 0
    unarchived: int = 0
    problem: str = ""
    idle: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()


class AttentionLedger(Protocol):
    """What is needed of the ledger; every method may raise LedgerUnavailable."""

    @property
    def letters(self) -> Any: ...

    @property
    def jobs(self) -> Any: ...

    @property
    def edits(self) -> Any: ...

    @property
    def accounts(self) -> Any: ...

    @property
    def pauses(self) -> Any: ...

    @property
    def refusals(self) -> Any: ...

    @property
    def parts(self) -> BeatingParts: ...

    @property
    def alerts(self) -> Any: ...

    @property
    def floods(self) -> Any: ...

    @property
    def take_asks(self) -> Any: ...

    @property
    def habits(self) -> Any: ...

    def strays(self, before: datetime) -> Sequence[Stray]: ...


def check_broker(broker: StatsBroker) -> BrokerCheck:
    try:
        return check_queues(broker.stats())
    except BrokerError as error:
        return BrokerCheck(problem=str(error))


def check_queues(stats: Mapping[str, QueueStats]) -> BrokerCheck:
    unroutable, unarchived = (count_messages(stats.get(name)) for name in ("unroutable", "dead"))
    idle = idle_queues(stats)
    waiting = frozenset(route for route in ROUTES if route in stats and route not in idle)
    return BrokerCheck(unroutable, unarchived, idle=idle, waiting=waiting)


def attention(ledger: AttentionLedger, broker: BrokerCheck, now: datetime) -> list[AttentionItem]:
    """Everything that needs a person: the gravest first, then what starts soonest, then what has waited longest. Raises
    LedgerUnavailable."""
    items = [
        *_broker_items(broker),
        *_part_items(ledger, broker, now),
        *_forgotten_items(ledger, broker, now),
        *_flood_items(ledger),
        *_letter_items(ledger, now),
        *(_job_item(job) for job in ledger.jobs.find_stopped()),
        *_edit_items(ledger, now),
        *_account_items(ledger),
        *_route_items(ledger),
        *_source_items(ledger, now),
        *_ask_items(ledger),
        *_silence_items(ledger),
        *_receiver_items(ledger),
    ]
    order = list(Severity)
    return sorted(items, key=lambda one: (order.index(one.severity), one.starts or _NEVER, one.since or _NEVER))


def attention_row(item: AttentionItem) -> JsonObject:
    return {
        "kind": item.need.value,
        "name": item.name,
        "title": item.title,
        "why": item.why,
        "count": item.count,
        "since": iso(item.since),
        "starts": iso(item.starts),
        "severity": item.severity.value,
        "path": item.path,
        "command": item.command,
    }


def _broker_items(broker: BrokerCheck) -> Iterator[AttentionItem]:
    if broker.problem:
        words = f"The broker cannot be reached: {broker.problem}. {BROKER_HINT}"
        yield AttentionItem(Need.BROKER, "", "Broker away", words, Severity.CRITICAL, "/routes", "bellhop queues")
    if broker.unarchived:
        yield AttentionItem(
            Need.UNARCHIVED,
            "",
            f"{broker.unarchived} on the way to the archive",
            "dead letters that nobody can see yet: is `bellhop archive` running?",
            Severity.WARNING,
            "/letters",
            "bellhop queues",
            count=broker.unarchived,
        )
    if broker.unroutable:
        yield AttentionItem(
            Need.UNROUTABLE,
            "",
            f"{broker.unroutable} unroutable messages",
            "no queue takes them: the broker's topology is incomplete",
            Severity.WARNING,
            "/routes",
            "bellhop queues",
            count=broker.unroutable,
        )


def _part_items(ledger: AttentionLedger, broker: BrokerCheck, now: datetime) -> Iterator[AttentionItem]:
    for gone in find_missing(ledger.parts, now, broker.waiting):
        yield AttentionItem(
            Need.PART, gone.what, gone.title, gone.why, Severity.CRITICAL, "/#parts", "bellhop parts", since=gone.last
        )


def _forgotten_items(ledger: AttentionLedger, broker: BrokerCheck, now: datetime) -> Iterator[AttentionItem]:
    if found := find_forgotten(ledger, broker.idle, now):
        yield AttentionItem(
            Need.FORGOTTEN,
            "",
            f"{len(found)} event{'s' if len(found) != 1 else ''} forgotten",
            f"no message brings them on, and no dead letter shows them: {names_of(found)}",
            Severity.CRITICAL,
            f"/event?source={quote(found[0].source, safe='')}&id={quote(found[0].id, safe='')}",
            f"bellhop events show {quote(found[0].source)} {quote(found[0].id)}",
            count=len(found),
            since=found[0].since,
        )


def _letter_items(ledger: AttentionLedger, now: datetime) -> Iterator[AttentionItem]:
    """Those in doubt by themselves: they may be at the vendor already; and those unpaid, which the vendor cancels."""
    groups: Sequence[WaitingLetters] = ledger.letters.waiting()
    doubtful = [group for group in groups if group.reason == Reason.IN_DOUBT]
    unpaid = [group for group in groups if group.reason == Reason.UNPAID]
    doubled = [group for group in groups if group.reason == Reason.DOUBLED]
    others = [group for group in groups if group not in (*doubtful, *unpaid, *doubled)]
    if doubtful:
        why = "may already be booked at the vendor: check there first"
        yield _critical_item(Need.IN_DOUBT, "in doubt", why, doubtful)
    if doubled:
        yield _critical_item(Need.DOUBLED, "doubled", "stand twice at the vendor: cancel the one too many", doubled)
    if unpaid:
        found = ledger.letters.find(LetterFilter(reason=Reason.UNPAID.value), _UNPAID_READ)
        until = min(filter(None, map(_payment_due, found)), default="")
        when = f"the first at {until}" if until else "soon: each letter says when"
        yield _critical_item(Need.UNPAID, "unpaid", f"booked, but the vendor cancels what is not paid, {when}", unpaid)
    if others:
        count, starts = sum(group.count for group in others), _soonest(others)
        reasons: dict[str, int] = {}
        for group in others:
            reasons[group.reason] = reasons.get(group.reason, 0) + group.count
        is_near = starts is not None and starts - now < AT_RISK
        yield AttentionItem(
            Need.LETTERS,
            "",
            f"{count} dead letter{'s' if count != 1 else ''}",
            ", ".join(f"{reasons[reason]} {reason}" for reason in sorted(reasons, key=lambda one: -reasons[one])),
            Severity.CRITICAL if is_near else Severity.WARNING,
            "/letters",
            "bellhop dead list",
            count=count,
            since=min(group.oldest for group in others),
            starts=starts,
        )


def _critical_item(need: Need, words: str, why: str, groups: Sequence[WaitingLetters]) -> AttentionItem:
    """The letters of one reason, which the need is named as."""
    count, path, command = sum(group.count for group in groups), "/letters?reason=", "bellhop dead list --reason "
    return AttentionItem(
        need,
        "",
        f"{count} {words}",
        why,
        Severity.CRITICAL,
        path + need.value,
        command + need.value,
        count=count,
        since=min(group.oldest for group in groups),
        starts=_soonest(groups),
    )


def _payment_due(letter: Letter) -> str:
    """Until when its booking is to be paid, ISO 8601; "" where it does not say."""
    answer = letter.new.evidence.get("answer")
    return str(answer.get("unpaid_until") or "") if isinstance(answer, Mapping) else ""


def _soonest(groups: Sequence[WaitingLetters]) -> datetime | None:
    return min((group.soonest for group in groups if group.soonest is not None), default=None)


def _job_item(job: BulkJob) -> AttentionItem:
    return AttentionItem(
        Need.JOB,
        str(job.id),
        f"Bulk job {job.id} stopped by itself",
        job.detail,
        Severity.WARNING,
        f"/jobs/{job.id}",
        f"bellhop jobs show {job.id}",
        count=job.counts.get(ItemState.WAITING, 0),
        since=job.updated,
    )


def _edit_items(ledger: AttentionLedger, now: datetime) -> Iterator[AttentionItem]:
    edits = ledger.edits.waiting()
    numbers = [edit.letter for edit in edits]
    which = LetterFilter(ids=numbers, states=tuple(LetterState))
    letters = {letter.id: letter for letter in ledger.letters.find(which, len(numbers))} if numbers else {}
    for edit in edits:
        starts = letters[edit.letter].new.not_after if edit.letter in letters else None
        yield AttentionItem(
            Need.EDIT,
            str(edit.id),
            f"Edit awaiting approval: letter {edit.letter}",
            edit.why,
            Severity.WARNING,
            "/edits",
            f"bellhop dead show {edit.letter}",
            since=edit.at,
            starts=starts if starts is not None and starts > now else None,
        )


def _account_items(ledger: AttentionLedger) -> Iterator[AttentionItem]:
    for view in ledger.accounts.views():
        if view.breaker == "closed":
            continue
        if view.refused:
            title, severity = f"Account {view.account}: its credentials are refused", Severity.CRITICAL
            why, command = f"its events wait until they are right: {view.error}", f"bellhop doctor {view.account}"
        else:
            title, severity = f"Account {view.account} is away", Severity.WARNING
            why, command = view.error, "bellhop accounts"
        yield AttentionItem(Need.ACCOUNT, view.account, title, why, severity, "/#accounts", command)


def _route_items(ledger: AttentionLedger) -> Iterator[AttentionItem]:
    for pause in ledger.pauses.all():
        yield AttentionItem(
            Need.ROUTE,
            pause.route,
            f"Route {pause.route} is paused",
            pause.why,
            Severity.NOTICE,
            "/routes",
            f"bellhop routes resume {quote(pause.route)} --why …",
            since=pause.since,
        )


def _source_items(ledger: AttentionLedger, now: datetime) -> Iterator[AttentionItem]:
    for count in ledger.refusals.counts(now - REFUSED):
        yield AttentionItem(
            Need.SOURCE,
            count.source,
            f"Source {count.source}: {count.posts} post{'s' if count.posts != 1 else ''} refused",
            ", ".join(f"{posts} {reason}" for reason, posts in count.reasons.items()),
            Severity.WARNING,
            f"/refused?source={quote(count.source)}",
            f"bellhop refused list {quote(count.source)}",
            count=count.posts,
            since=count.first,
        )


def _silence_items(ledger: AttentionLedger) -> Iterator[AttentionItem]:
    for one in ledger.habits.silent():
        yield AttentionItem(
            Need.SILENCE,
            one.source,
            f"Source {one.source} is silent",
            f"nothing of it was taken since {one.last:%Y-%m-%d %H:%M} UTC, {one.why}: ask its people",
            Severity.WARNING,
            "/sources",
            "bellhop attention",
            since=one.last,
        )


def _ask_items(ledger: AttentionLedger) -> Iterator[AttentionItem]:
    for ask in ledger.take_asks.open():
        posts = ledger.refusals.count_waiting(ask.source, ask.cause)
        yield AttentionItem(
            Need.ASK,
            str(ask.number),
            f"Source {ask.source} asks to take {posts} refused post{'s' if posts != 1 else ''} again",
            ask.why,
            Severity.WARNING,
            "/sources",
            f"bellhop sources grant {ask.number}",
            count=posts,
            since=ask.asked,
        )


def _receiver_items(ledger: AttentionLedger) -> Iterator[AttentionItem]:
    for dead in ledger.alerts.dead_receivers():
        yield AttentionItem(
            Need.RECEIVER,
            dead.receiver,
            f"Alerts do not reach {dead.receiver}",
            dead.error,
            Severity.WARNING,
            "/",
            f"bellhop alerts test {quote(dead.receiver)}",
            count=dead.waiting,
            since=dead.since,
        )


def _flood_items(ledger: AttentionLedger) -> Iterator[AttentionItem]:
    for flood in ledger.floods.open():
        yield AttentionItem(
            Need.FLOOD,
            str(flood.id),
            f"Source {flood.source}: {flood.held} of its cancels and changes held",
            f"{flood.limit}: nothing of them is called until somebody releases or discards them",
            Severity.CRITICAL,
            "/floods",
            f"bellhop floods release {flood.id} --why …",
            count=flood.held,
            since=flood.since,
            starts=flood.soonest,
        )
