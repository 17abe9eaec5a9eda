"""Drafts of bulk jobs: the exact letters, each with its verdict.

And the actions that no job does (restore, assign), with their progress.

They live in this process alone. What if it dies? An unapproved draft is chosen again; of a restoring that was cut off,
what is done is done, and the same again does the rest.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from bellhop.ledger.records import Letter, LetterFilter, LetterState, Verdict
from bellhop.letters.advice import BY_HAND, Advice, RightAct, advise
from bellhop.letters.forecast import MOST as MOST_FORECAST
from bellhop.letters.forecast import USEFUL, Forecaster, forecast_row
from bellhop.letters.preflight import verdicts
from bellhop.letters.serializers import JsonObject
from bellhop.letters.serializers.letters import vendor_advice
from bellhop.schemas.errors import BellhopError
from bellhop.schemas.observe import Observe, where
from bellhop.schemas.settings import Settings

ACTS: Final = ("replay", "discard", "restore", "assign")
JUDGED_AT_ONCE: Final = 200
"""So many are judged while the browser waits; more of them in the background."""
MOST: Final = 100_000
"""Letters in one bulk act."""

_CHUNK: Final = 100
_VENDOR_WORDS: Final = 3
_KEPT: Final = timedelta(hours=1)
_MOST_DRAFTS: Final = 200


@dataclass(slots=True)
class ReasonAdvice:
    """The letters of one reason. vendor: what is known of its codes, as docs/vendors.md has it."""

    reason: str
    advice: Advice | None
    count: int = 0
    vendor: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class BulkDraft:
    """who: alone may see and approve it. judged: a verdict for each of the first so many of `ids`. running: it is being
    judged or done at the moment. done: of an act without a job, how many letters are dealt with. ended: what it came
    to, "" before. problem: why it ended early. reasons: of its letters, the most first. forecast: of a replay, what is
    sent where and how long it takes."""

    key: str
    who: str
    act: str
    ids: Sequence[int]
    made: datetime
    judged: list[Verdict] = field(default_factory=list)
    running: bool = True
    taken: bool = False
    done: int = 0
    ended: str = ""
    problem: str = ""
    reasons: Sequence[ReasonAdvice] = ()
    forecast: JsonObject | None = None

    @property
    def right_act(self) -> RightAct:
        """What its letters are to come to; `LOOK` where they differ in it."""
        acts = {one.advice.act if one.advice else RightAct.REPLAY for one in self.reasons}
        return acts.pop() if len(acts) == 1 else RightAct.LOOK if acts - {RightAct.REPLAY} else RightAct.REPLAY

    @property
    def by_hand(self) -> str:
        """What a discard of them is called: most are done elsewhere, by hand."""
        labels = {one.advice.label for one in self.reasons if one.advice}
        return BY_HAND if labels == {BY_HAND} else "Discard"

    @property
    def ready(self) -> bool:
        return len(self.judged) == len(self.ids)

    @property
    def counts(self) -> Mapping[Verdict, int]:
        return Counter(self.judged)

    def items(self, wanted: Sequence[Verdict]) -> list[tuple[int, Verdict]]:
        """The letters of these verdicts, in their order."""
        return [(id_, verdict) for id_, verdict in zip(self.ids, self.judged, strict=False) if verdict in wanted]

    def examples(self, verdict: Verdict, most: int = 5) -> list[int]:
        return [id_ for id_, judged in zip(self.ids, self.judged, strict=False) if judged is verdict][:most]


class Drafts:
    def __init__(self, ledger: Any, settings: Settings, observe: Observe, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._settings = settings
        self._observe = observe
        self._now = now
        self._lock = threading.Lock()
        self._busy = threading.Semaphore(2)
        self._drafts: dict[str, BulkDraft] = {}

    def use(self, settings: Settings) -> None:
        """New settings, for what is judged from now on."""
        self._settings = settings

    def make(self, who: str, act: str, ids: Sequence[int]) -> BulkDraft:
        """A draft of exactly these letters, judged as far as that is quick. Raises LedgerUnavailable."""
        draft = BulkDraft(secrets.token_urlsafe(16), who, act, tuple(dict.fromkeys(ids))[:MOST], self._now())
        with self._lock:
            old = [key for key, one in self._drafts.items() if one.made < draft.made - _KEPT and not one.running]
            for key in old:
                del self._drafts[key]
            while len(self._drafts) >= _MOST_DRAFTS:
                del self._drafts[next(iter(self._drafts))]
            self._drafts[draft.key] = draft
        if len(draft.ids) <= JUDGED_AT_ONCE:
            try:
                self._judge(draft)
            finally:
                draft.running = False
        else:
            self._behind(draft, self._judge)
        return draft

    def get(self, key: str, who: str) -> BulkDraft | None:
        """None where it is somebody else's, or too old."""
        with self._lock:
            draft = self._drafts.get(key)
        if draft is None or draft.who != who:
            return None
        # What was judged long ago is not approved today; what was approved may be watched to its end.
        return draft if draft.taken or draft.running or draft.made >= self._now() - _KEPT else None

    def take(self, draft: BulkDraft) -> bool:
        """Whether it may be approved: each is, once."""
        with self._lock:
            taken, draft.taken = draft.taken, True
            return not taken

    def give_back(self, draft: BulkDraft) -> None:
        """It was not approved after all."""
        with self._lock:
            draft.taken = False

    def run(self, draft: BulkDraft, act: Callable[[Sequence[int]], int], done: str) -> None:
        """Does `act` with the letters, some at a time, behind the browser's back. done: "restored", say."""

        def work(draft: BulkDraft) -> None:
            changed = 0
            for chunk in _chunks(draft.ids):
                changed += act(chunk)
                draft.done += len(chunk)
            left = len(draft.ids) - changed
            draft.ended = f"{changed} {done}" + (f", {left} skipped: state had changed" if left else "")

        draft.running = True
        self._behind(draft, work)

    def _behind(self, draft: BulkDraft, work: Callable[[BulkDraft], None]) -> None:
        def run() -> None:
            try:
                with self._busy:
                    work(draft)
            except BellhopError as error:
                draft.problem = str(error)
            except Exception as error:  # noqa: BLE001  # its page must say that it ended
                draft.problem = type(error).__name__
                self._observe("thread.crashed", thread="draft", error=type(error).__name__, where=where(error))
            finally:
                draft.running = False

        threading.Thread(target=run, name="draft", daemon=True).start()

    def _judge(self, draft: BulkDraft) -> None:
        reasons: dict[str, ReasonAdvice] = {}
        useful: list[Letter] = []
        for chunk in _chunks(draft.ids):
            if draft.act == "assign":  # whatever their state
                draft.judged += [Verdict.WOULD_APPLY] * len(chunk)
                continue
            which = LetterFilter(ids=chunk, states=tuple(LetterState))
            found = {letter.id: letter for letter in self._ledger.letters.find(which, len(chunk))}
            for letter in found.values():
                reason = letter.new.reason
                one = reasons.setdefault(reason, ReasonAdvice(reason, advise(letter)))
                one.count += 1
                if len(one.vendor) < _VENDOR_WORDS and (words := vendor_advice(letter.new.evidence)):
                    one.vendor[words] = None
            if draft.act == "replay":
                known = list(found.values())
                judged = verdicts(known, self._ledger, self._settings, self._now())
                of_letter = dict(zip((letter.id for letter in known), judged, strict=True))
                useful += [letter for letter in known if of_letter[letter.id] in USEFUL][: MOST_FORECAST - len(useful)]
            else:
                fit = LetterState.DISCARDED if draft.act == "restore" else LetterState.OPEN
                of_letter = {
                    id_: Verdict.WOULD_APPLY if letter.state is fit else Verdict.CLOSED for id_, letter in found.items()
                }
            draft.judged += [of_letter.get(id_, Verdict.CLOSED) for id_ in chunk]
        draft.reasons = sorted(reasons.values(), key=lambda one: -one.count)
        if draft.act == "replay":
            draft.forecast = self._forecast(useful, draft)

    def _forecast(self, useful: Sequence[Letter], draft: BulkDraft) -> JsonObject:
        forecaster = Forecaster(self._settings, self._ledger)
        planned = forecaster.calls(useful)
        total = sum(draft.counts.get(verdict, 0) for verdict in USEFUL)
        return forecast_row(planned, forecaster.seconds(planned, total))


def _chunks(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK)]
