"""The sources, as an operator sees them: the links to their own pages, what they ask for, how they are heard."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from bellhop.ledger.records import AskState, SourceLink, TakeAsk, TakenVerdict, TakeRefused
from bellhop.letters.refused import take_refused
from bellhop.letters.serializers import JsonObject
from bellhop.schemas.clock import iso
from bellhop.schemas.settings import Settings

if TYPE_CHECKING:
    from bellhop.ledger.store import Ledger


def source_rows(settings: Settings, ledger: Ledger, now: datetime) -> list[JsonObject]:
    """Those of the settings, by name. Raises LedgerUnavailable."""
    links, asks, rotations = ledger.source_links.all(), ask_rows(ledger), ledger.rotations.all()
    heard, silent = ledger.habits.last_times(), {one.source for one in ledger.habits.silent()}
    waiting = {count.source: count.posts for count in ledger.refusals.counts(datetime.min.replace(tzinfo=now.tzinfo))}
    return [
        {
            "name": name,
            "format": source.format,
            "verifier": source.verifier,
            "heard": iso(heard.get(name)),
            "silent": name in silent,
            "refused": waiting.get(name, 0),
            "rotated": iso(rotations[name][-1].made) if rotations.get(name) else None,
            "links": [link_row(link) for link in links if link.source == name and link.lasts(now)],
            "asks": [row for row in asks if row["source"] == name],
        }
        for name, source in sorted(settings.sources.items())
    ]


def link_row(link: SourceLink) -> JsonObject:
    return {
        "number": link.number,
        "source": link.source,
        "who": link.who,
        "why": link.why,
        "created": iso(link.created),
        "expires": iso(link.expires),
        "last_used": iso(link.last_used),
        "revoked": link.revoked,
    }


def ask_rows(ledger: Ledger) -> list[JsonObject]:
    """What is open, with how many posts of its cause wait. Raises LedgerUnavailable."""
    return [
        {
            "number": ask.number,
            "source": ask.source,
            "cause": ask.cause,
            "why": ask.why,
            "asked": iso(ask.asked),
            "asked_by": ask.asked_by,
            "posts": ledger.refusals.count_waiting(ask.source, ask.cause),
        }
        for ask in ledger.take_asks.open()
    ]


def end_ask(
    ledger: Ledger, ask: TakeAsk, state: AskState, take: TakeRefused | None, *, who: str, why: str
) -> tuple[str, bool]:
    """What came of it, in words, and whether that is all that was asked. Granted, its posts are taken; an ask of which
    any is refused still stays open: what refuses it is to be mended first. Raises what `take` raises."""
    if state is AskState.DECLINED or take is None:
        ended = ledger.take_asks.end(ask.number, AskState.DECLINED, who=who, answer=why)
        return ("Declined: its source reads why.", True) if ended else ("It is not open any more.", False)
    posts = ledger.refusals.waiting(ask.source, cause=ask.cause)
    reason = f"asked by {ask.asked_by}: {ask.why}" + (f"; {why}" if why else "")
    made = take_refused(ledger.refusals, posts, take, who=who, why=reason)
    refused = [one for one in made if one.verdict is TakenVerdict.REFUSED]
    if refused:
        problems = "; ".join(f"{field} {rule}" for field, rule in refused[0].problems[:3]) or refused[0].detail
        return f"{len(made) - len(refused)} taken, {len(refused)} refused still: {problems}", False
    ledger.take_asks.end(ask.number, AskState.GRANTED, who=who, answer=why)
    return f"{len(made)} taken.", True
