"""How each thing that needs a person is told: an item of the list that `letters/attention.py` makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from shlex import quote
from typing import Any, Final
from urllib.parse import quote as url_quote

from bellhop.ledger.records import (
    BulkJob,
    DeadReceiver,
    Edit,
    Flood,
    ItemState,
    Letter,
    LetterFilter,
    LetterState,
    Pause,
    RefusedCount,
    Silence,
    TakeAsk,
    WaitingLetters,
)
from bellhop.ledger.records.accounts import AccountView
from bellhop.ledger.strays import Stray
from bellhop.letters.conservation import names_of
from bellhop.letters.masking import readable_data
from bellhop.letters.needs import AT_RISK, BROKER_HINT, AttentionItem, BrokerCheck, Need, Severity
from bellhop.letters.parts import MissingPart
from bellhop.letters.serializers import venue_zone, zone_name
from bellhop.schemas.events import VenueFacts
from bellhop.schemas.moments import local_text
from bellhop.schemas.quantities import quantity
from bellhop.schemas.reasons import Reason

_UNPAID_READ: Final = 500
_OWN_ITEM: Final = {
    Reason.IN_DOUBT: (Need.IN_DOUBT, "in doubt", "may already be booked at the vendor: check there first"),
    Reason.DOUBLED: (Need.DOUBLED, "doubled", "stand twice at the vendor: cancel the one too many"),
    Reason.UNPAID: (Need.UNPAID, "unpaid", "booked, but the vendor cancels what is not paid"),
}
"""Letters of these reasons are told apart from the others: they may be, or are, at the vendor."""

Venues = Mapping[str, VenueFacts]


def of_broker(broker: BrokerCheck) -> Iterator[AttentionItem]:
    command = "bellhop queues"
    if broker.problem:
        why = f"The broker cannot be reached: {broker.problem}. {BROKER_HINT}"
        yield AttentionItem(Need.BROKER, "", "Broker away", why, Severity.CRITICAL, "/routes", command)
    if count := broker.unarchived:
        title = f"{count} on the way to the archive"
        why = "dead letters that nobody can see yet: is `bellhop archive` running?"
        yield AttentionItem(Need.UNARCHIVED, "", title, why, Severity.WARNING, "/letters", command, count)
    if count := broker.unroutable:
        title, why = quantity(count, "unroutable message"), "no queue takes them: the broker's topology is incomplete"
        yield AttentionItem(Need.UNROUTABLE, "", title, why, Severity.WARNING, "/routes", command, count)


def of_missing_part(gone: MissingPart) -> AttentionItem:
    where, command = "/#parts", "bellhop parts"
    return AttentionItem(Need.PART, gone.what, gone.title, gone.why, Severity.CRITICAL, where, command, since=gone.last)


def of_forgotten(strays: Sequence[Stray]) -> Iterator[AttentionItem]:
    if strays:
        first = strays[0]
        title = quantity(len(strays), "event") + " forgotten"
        why = f"no message brings them on, and no dead letter shows them: {names_of(strays)}"
        path = f"/event?source={url_quote(first.source, safe='')}&id={url_quote(first.id, safe='')}"
        command = f"bellhop events show {quote(first.source)} {quote(first.id)}"
        yield AttentionItem(
            Need.FORGOTTEN, "", title, why, Severity.CRITICAL, path, command, len(strays), since=first.since
        )


def of_letters(letters: Any, now: datetime, venues: Venues) -> Iterator[AttentionItem]:
    groups: Sequence[WaitingLetters] = letters.waiting()
    for reason, (need, words, why) in _OWN_ITEM.items():
        if own := [group for group in groups if group.reason == reason]:
            told = f"{why}, {_first_unpaid(letters, venues)}" if reason is Reason.UNPAID else why
            query, option = f"/letters?reason={need.value}", f"bellhop dead list --reason {need.value}"
            yield _letters_item(need, words, told, Severity.CRITICAL, (query, option), own, venues)
    if others := [group for group in groups if group.reason not in _OWN_ITEM]:
        reasons: Counter[str] = Counter()
        for group in others:
            reasons[group.reason] += group.count
        why = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
        starts, _venue = _soonest(others)
        severity = Severity.CRITICAL if starts is not None and starts - now < AT_RISK else Severity.WARNING
        words = "dead letter" if reasons.total() == 1 else "dead letters"
        yield _letters_item(Need.LETTERS, words, why, severity, ("/letters", "bellhop dead list"), others, venues)


def _letters_item(
    need: Need,
    words: str,
    why: str,
    severity: Severity,
    where: tuple[str, str],
    groups: Sequence[WaitingLetters],
    venues: Venues,
) -> AttentionItem:
    """where: its path and its command."""
    count, since = sum(group.count for group in groups), min(group.oldest for group in groups)
    starts, venue = _soonest(groups)
    zone = zone_name(venue, venues)
    return AttentionItem(need, "", f"{count} {words}", why, severity, *where, count, since, starts, zone)


def _soonest(groups: Sequence[WaitingLetters]) -> tuple[datetime | None, str]:
    """When what starts next of them does, and at which venue."""
    return min(((one.soonest, one.venue) for one in groups if one.soonest is not None), default=(None, ""))


def _first_unpaid(letters: Any, venues: Venues) -> str:
    """Until when the first of them is to be paid."""
    found = letters.find(LetterFilter(reason=Reason.UNPAID.value), _UNPAID_READ)
    due = [(until, letter) for letter in found if (until := _payment_due(letter))]
    if not due:
        return "soon: each letter says when"
    until, letter = min(due, key=lambda one: one[0])
    return f"the first at {local_text(until, venue_zone(_venue(letter), venues), '%Y-%m-%d')}"


def _payment_due(letter: Letter) -> datetime | None:
    """Until when its booking is to be paid; None where it does not say."""
    answer = letter.new.evidence.get("answer")
    until = answer.get("unpaid_until") if isinstance(answer, Mapping) else None
    return datetime.fromisoformat(until) if isinstance(until, str) and until else None


def _venue(letter: Letter) -> str:
    return str(readable_data(letter).get("venue") or "")


def of_job(job: BulkJob) -> AttentionItem:
    title, left = f"Bulk job {job.id} stopped by itself", job.counts.get(ItemState.WAITING, 0)
    where = (f"/jobs/{job.id}", f"bellhop jobs show {job.id}")
    return AttentionItem(Need.JOB, str(job.id), title, job.detail, Severity.WARNING, *where, left, job.updated)


def of_edits(edits: Sequence[Edit], letters: Any, now: datetime, venues: Venues) -> Iterator[AttentionItem]:
    numbers = [edit.letter for edit in edits]
    which = LetterFilter(ids=numbers, states=tuple(LetterState))
    known = {letter.id: letter for letter in letters.find(which, len(numbers))} if numbers else {}
    for edit in edits:
        letter = known.get(edit.letter)
        starts = letter.new.not_after if letter else None
        starts = starts if starts is not None and starts > now else None
        zone = zone_name(_venue(letter), venues) if letter else None
        title, where = f"Edit awaiting approval: letter {edit.letter}", ("/edits", f"bellhop dead show {edit.letter}")
        yield AttentionItem(
            Need.EDIT, str(edit.id), title, edit.why, Severity.WARNING, *where, 1, edit.at, starts, zone
        )


def of_account(view: AccountView) -> AttentionItem:
    if view.refused:
        title, severity = f"Account {view.account}: its credentials are refused", Severity.CRITICAL
        why, command = f"its events wait until they are right: {view.error}", f"bellhop doctor {view.account}"
    else:
        title, severity = f"Account {view.account} is away", Severity.WARNING
        why, command = view.error, "bellhop accounts"
    return AttentionItem(Need.ACCOUNT, view.account, title, why, severity, "/#accounts", command)


def of_pause(pause: Pause) -> AttentionItem:
    title, command = f"Route {pause.route} is paused", f"bellhop routes resume {quote(pause.route)} --why …"
    return AttentionItem(
        Need.ROUTE, pause.route, title, pause.why, Severity.NOTICE, "/routes", command, since=pause.since
    )


def of_refused(count: RefusedCount) -> AttentionItem:
    title = f"Source {count.source}: {quantity(count.posts, 'post')} refused"
    why = ", ".join(f"{posts} {reason}" for reason, posts in count.reasons.items())
    where = (f"/refused?source={url_quote(count.source)}", f"bellhop refused list {quote(count.source)}")
    return AttentionItem(Need.SOURCE, count.source, title, why, Severity.WARNING, *where, count.posts, count.first)


def of_silence(one: Silence) -> AttentionItem:
    title = f"Source {one.source} is silent"
    why = f"nothing of it was taken since {one.last:%Y-%m-%d %H:%M} UTC, {one.why}: ask its people"
    where = ("/sources", "bellhop attention")
    return AttentionItem(Need.SILENCE, one.source, title, why, Severity.WARNING, *where, since=one.last)


def of_ask(ask: TakeAsk, posts: int) -> AttentionItem:
    title = f"Source {ask.source} asks to take {quantity(posts, 'refused post')} again"
    where = ("/sources", f"bellhop sources grant {ask.number}")
    return AttentionItem(Need.ASK, str(ask.number), title, ask.why, Severity.WARNING, *where, posts, ask.asked)


def of_dead_receiver(dead: DeadReceiver) -> AttentionItem:
    title, where = f"Alerts do not reach {dead.receiver}", ("/", f"bellhop alerts test {quote(dead.receiver)}")
    return AttentionItem(
        Need.RECEIVER, dead.receiver, title, dead.error, Severity.WARNING, *where, dead.waiting, dead.since
    )


def of_flood(flood: Flood, venues: Venues) -> AttentionItem:
    title = f"Source {flood.source}: {flood.held} of its cancels and changes held"
    why = f"{flood.limit}: nothing of them is called until somebody releases or discards them"
    where, zone = ("/floods", f"bellhop floods release {flood.id} --why …"), zone_name(flood.venue, venues)
    return AttentionItem(
        *(Need.FLOOD, str(flood.id), title, why, Severity.CRITICAL, *where),
        *(flood.held, flood.since, flood.soonest, zone),
    )
