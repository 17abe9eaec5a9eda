"""The audit as a chain: each row's hash covers its content and the hash of the row before, so that nobody changes,
takes out or puts in one unseen, unless all that follow are written anew, which a hash noted elsewhere brings to light.

A row's `words_hash` is the SHA-256 of the JSON `[why, what]`; its `hash` that of `[prev, id, at, who, act, letter,
words_hash]`, `at` in microseconds since 1970. Both JSONs are without spaces, all beyond ASCII escaped. So the words of
a row may be erased, where they name a guest who is forgotten, and the chain holds: `forgotten` is the row that says
so. Pure.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from bellhop.ledger.records import AuditRow, ChainBreak, ChainLink, ChainReport

FORGET: Final = "forget"
"""The act that may erase the words of older rows: it tells their numbers."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ERASED: Final = re.compile(r"words of audit rows ([\d, ]+) erased")


@dataclass(frozen=True, slots=True)
class ChainEnds:
    """before: the last row that was pruned, 0 for none; last: the newest; each with its hash, "" for none."""

    before_id: int = 0
    before_hash: str = ""
    last_id: int = 0
    last_hash: str = ""


def hash_words(why: str, what: str) -> str:
    return _digest([why, what])


def hash_row(prev: str, number: int, act: AuditRow, words_hash: str) -> str:
    micros = (act.at - _EPOCH) // datetime.resolution
    return _digest([prev, number, micros, act.who, act.act, act.letter, words_hash])


def tell_erased(numbers: Sequence[int]) -> str:
    """How an act of forgetting tells of the rows whose words it erased."""
    return f"words of audit rows {', '.join(map(str, numbers))} erased" if numbers else ""


def _read_erased(act: AuditRow) -> set[int]:
    found = _ERASED.search(act.what) if act.act == FORGET else None
    return {int(number) for number in found[1].split(",")} if found else set()


def _digest(content: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


@dataclass
class ChainWalk:
    """One way along the chain, row by row, up to the first that does not fit.

    ends: the chain's as they were before the first row was read. noted: number and hash of a row, as somebody noted
    them. good, hash: the last row that fits; older: the hash before it. newer: rows beyond the end as it was. erased:
    rows without words, by the row that says so.
    """

    ends: ChainEnds
    noted: tuple[int, str] | None = None
    rows: int = 0
    good: int = 0
    hash: str = ""
    older: str | None = None
    newer: list[int] = field(default_factory=list)
    erased: dict[int, int] = field(default_factory=dict)
    broken: ChainBreak | None = None

    def walk(self, acts: Iterable[AuditRow]) -> None:
        self.good, self.hash = self.ends.before_id, self.ends.before_hash
        for act, following in _pairs(acts):
            self._look(act, act.link, following.link.prev if following else self.ends.last_hash)
            if self.broken:
                return

    def report(self, now: ChainEnds) -> ChainReport:
        """now: the chain's ends as they are after the last row was read."""
        if self.broken is None:
            self._look_at_ends(now)
        if self.broken is None and self.erased:
            self._break(min(self.erased), "changed", "its words were taken away, and no act of forgetting tells of it")
        return ChainReport(self.rows, self.ends.before_id, self.good, self.hash, self.broken)

    def _look(self, act: AuditRow, link: ChainLink, next_prev: str) -> None:
        """next_prev: what the row after it, or the chain's end, has as the hash before."""
        is_unknown = next_prev == self.hash
        if not link.hash:
            self._break(link.id, "inserted", "it has no hash: no Bellhop of this version wrote it")
        elif not _fits(act, link):
            what = "inserted" if is_unknown else "changed"
            self._break(link.id, what, "its content is not what its hash was made of")
        elif link.prev != self.hash:
            self._look_between(link, is_unknown=is_unknown)
        elif self.noted and self.noted[0] == link.id and self.noted[1] != link.hash:
            self._break(link.id, "changed", "it had another hash when it was noted: the chain was written anew")
        else:
            self.older, self.hash, self.good, self.rows = self.hash, link.hash, link.id, self.rows + 1
            if link.id > self.ends.last_id:
                self.newer.append(link.id)
            if link.forgotten is not None:
                self.erased[link.id] = link.forgotten
            for number in _read_erased(act):
                if self.erased.get(number) == link.id:
                    del self.erased[number]

    def _look_between(self, link: ChainLink, *, is_unknown: bool) -> None:
        if is_unknown:
            self._break(link.id, "inserted", f"what comes next follows row {self.good}")
        elif self.older is not None and link.prev == self.older:
            self._break(self.good, "inserted", f"row {link.id} follows the one before it")
        elif self.rows and link.id == self.good + 1:
            self._break(self.good, "changed", f"row {link.id} follows another content of it")
        else:
            self._break(self.good + 1, "missing", f"row {link.id} does not follow row {self.good}")

    def _look_at_ends(self, now: ChainEnds) -> None:
        if self.good < self.ends.last_id:
            self._break(self.good + 1, "missing", f"the chain went on to row {self.ends.last_id}")
        elif self.good > now.last_id:
            first = next(number for number in self.newer if number > now.last_id)
            self._break(first, "inserted", f"the chain ends with row {now.last_id}")
        elif self.good == now.last_id and self.hash != now.last_hash:
            self._break(self.good, "changed", "the chain ends with another hash")
        elif self.noted:
            self._look_for(*self.noted)

    def _look_for(self, number: int, hash_: str) -> None:
        """A noted row that is none of those that were walked along."""
        before = self.ends.before_id
        if number > self.good:
            self._break(number, "missing", f"the chain ends with row {self.good}")
        elif number < before:
            self._break(number, "missing", f"it was pruned, as all up to row {before} were: note a newer one")
        elif number == before and hash_ != self.ends.before_hash:
            self._break(number, "changed", "it had another hash when it was noted: the chain was written anew")

    def _break(self, row: int, what: str, why: str) -> None:
        self.broken = ChainBreak(row, what, why)


def _pairs(acts: Iterable[AuditRow]) -> Iterator[tuple[AuditRow, AuditRow | None]]:
    before: AuditRow | None = None
    for act in acts:
        if before is not None:
            yield before, act
        before = act
    if before is not None:
        yield before, None


def _fits(act: AuditRow, link: ChainLink) -> bool:
    """Of a row whose words were erased, whether there are none."""
    told = hash_words(act.why, act.what) == link.words_hash if link.forgotten is None else not (act.why or act.what)
    return told and hash_row(link.prev, link.id, act, link.words_hash) == link.hash
