"""A record for people: where its events are, and fault by fault what became of those posted meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bellhop.drill.checker import Judgement, check
from bellhop.drill.history import EventEnd, FaultDone, LetterEnd, Record, SentPost


@dataclass
class FaultRow:
    """times: how often it struck, where it was done to its end. posted: events first posted from the beginning of the
    fault to that of the next; broken: subjects of them. failed: why it could not be done, each time that it could not.
    """

    name: str
    times: int = 0
    posted: int = 0
    ended: int = 0
    person: int = 0
    broken: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def describe(verdict: Judgement) -> str:
    """One line: the equation."""
    parts = [f"{count} {name}" for name, count in sorted(verdict.counts.items(), key=lambda one: -one[1])]
    doubts = [
        f"{vendor}: {count.unknown} of unknown end, {count.unsettled} of them before a person; "
        f"{count.carried_out} of them carried out, {count.share:.1f} % without a person"
        for vendor, count in verdict.doubts.items()
    ]
    violations = f"violations {len(verdict.violations)}"
    return "; ".join([f"accepted {verdict.accepted} = {' + '.join(parts) or '0'}", *doubts, violations])


def fault_rows(records: Sequence[Record], verdict: Judgement | None = None) -> list[FaultRow]:
    """One for each fault, in the order they were done; a fault that was done several times has one row."""
    verdict = verdict or check(records)
    faults = sorted((one for one in records if isinstance(one, FaultDone)), key=lambda one: one.at)
    rows: dict[str, FaultRow] = {fault.name: FaultRow(fault.name) for fault in faults}
    if not faults:
        return []
    for fault in faults:
        rows[fault.name].times += 0 if fault.failed else fault.times
        rows[fault.name].failed += [fault.failed] if fault.failed else []
    broken = {one.subject for one in verdict.violations}
    states = {one.id: one.state for one in records if isinstance(one, EventEnd)}
    seen = {one.id for one in records if isinstance(one, LetterEnd) and one.state == "open"}
    for post in _first_posts(records).values():
        fault = next((one for one in reversed(faults) if one.at <= post.at), faults[0])
        row = rows[fault.name]
        row.posted += 1
        is_person = states.get(post.id) == "dead" and post.id in seen
        row.person += is_person
        row.ended += not is_person and states.get(post.id) not in (None, "dead")
        row.broken += sorted(broken & {post.id, post.reference})
    return list(rows.values())


def _first_posts(records: Sequence[Record]) -> Mapping[str, SentPost]:
    """By id, its first post, of those that were answered 2xx."""
    first: dict[str, SentPost] = {}
    taken = set()
    for one in records:
        if isinstance(one, SentPost):
            first.setdefault(one.id, one)
            if 200 <= one.status < 300:
                taken.add(one.id)
    return {id_: post for id_, post in first.items() if id_ in taken}
