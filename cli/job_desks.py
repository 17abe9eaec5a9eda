"""Where the commands find and move bulk jobs: on this host's ledger, or at a console on another host."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from bellhop.cli.common import App, Failed, Misused, acting_as
from bellhop.cli.remote import Away, Remote
from bellhop.schemas.clock import utc_now
from bellhop.schemas.process import process_name

if TYPE_CHECKING:
    from bellhop.ledger.records import Letter
    from bellhop.letters.bulk import JobRunner

Row = dict[str, Any]
_Told = TypeVar("_Told")

MOST: Final = 10_000
"""Letters of one job."""
_CHUNK: Final = 500
_MISSES: Final = 10
_MISS_SECONDS: Final = 2.0


class JobDesk(Protocol):
    """Every method may raise Failed, or what the ledger and the broker raise."""

    def preflight(self, numbers: Sequence[int]) -> Row:
        """What a replay of these letters would come to, as `letters.forecast.preflight` tells it."""
        ...

    def create(self, numbers: Sequence[int], who: str | None, why: str, rate: float | None) -> Row:
        """A job that replays exactly these letters. What is in doubt among them was agreed to."""
        ...

    def get(self, number: int) -> Row: ...

    def items(self, number: int, limit: int, state: str | None = None) -> list[Row]: ...

    def steer(self, number: int, act: str, who: str | None, why: str) -> Row:
        """act: pause, resume or cancel."""
        ...

    def move(self, number: int) -> bool:
        """Moves a job on where nobody else does; whether this process has it."""
        ...

    def leave(self, number: int) -> None:
        """Leaves a job that this process has to whoever takes it next."""
        ...


@contextmanager
def job_desk(app: App) -> Iterator[JobDesk]:
    if app.remote is not None:
        yield RemoteJobs(app.remote)
        return
    with app.ledger() as ledger, ExitStack() as opened:
        yield LocalJobs(app, ledger, opened)


class LocalJobs:
    """`bellhop archive` runs the jobs. Where none does, who created or follows a job runs it, and no other job: the
    lease of the ledger decides between them, and what dies is taken over when its lease runs out."""

    def __init__(self, app: App, ledger: Any, opened: ExitStack) -> None:
        self._app = app
        self._ledger = ledger
        self._opened = opened
        self._by = process_name()
        self._runners: dict[int, JobRunner] = {}
        self._publisher: Any = None

    def preflight(self, numbers: Sequence[int]) -> Row:
        from bellhop.letters.forecast import preflight

        told = preflight(self._letters(numbers), self._ledger, self._app.settings, utc_now()) | {"more": False}
        redacted: Row = self._app.redact(told)
        return redacted

    def create(self, numbers: Sequence[int], who: str | None, why: str, rate: float | None) -> Row:
        from bellhop.letters.preflight import verdicts
        from bellhop.schemas.clock import utc_now

        self._publish()  # a broker that is away is told before anything is approved
        letters = self._letters(numbers)
        judged = verdicts(letters, self._ledger, self._app.settings, utc_now())
        items = [(letter.id, verdict) for letter, verdict in zip(letters, judged, strict=True)]
        return self._row(self._ledger.jobs.create("replay", items, acting_as(who), why, rate))

    def get(self, number: int) -> Row:
        found = self._ledger.jobs.get(number)
        if found is None:
            raise Failed(f"there is no job {number}")
        return self._row(found)

    def items(self, number: int, limit: int, state: str | None = None) -> list[Row]:
        from bellhop.ledger.records import ItemState
        from bellhop.letters.serializers.people import job_item_rows

        wanted = ItemState(state) if state else None
        found = self._ledger.jobs.items(number, limit, state=wanted).rows
        rows: list[Row] = self._app.redact(job_item_rows(found, self._ledger.letters, self._app.settings.venues))
        return rows

    def steer(self, number: int, act: str, who: str | None, why: str) -> Row:
        return self._row(getattr(self._ledger.jobs, act)(number, acting_as(who), why))

    def move(self, number: int) -> bool:
        from bellhop.letters.bulk import JobRunner

        if number not in self._runners:
            publisher = self._publish()
            self._runners[number] = JobRunner(
                self._ledger, publisher, self._app.settings, by=self._by, only=number, observe=_no_silent_crash
            )
        return self._runners[number].step()

    def leave(self, number: int) -> None:
        self._ledger.jobs.release(number, self._by)

    def _publish(self) -> Any:
        if self._publisher is None:
            broker = self._opened.enter_context(self._app.broker())
            broker.declare()  # a letter may be older than the queues
            self._publisher = broker.publisher()
            self._opened.callback(self._publisher.close)
        return self._publisher

    def _letters(self, numbers: Sequence[int]) -> list[Letter]:
        from bellhop.ledger.records import LetterFilter, LetterState

        found: dict[int, Letter] = {}
        for some in _chunks(numbers):
            which = LetterFilter(ids=some, states=tuple(LetterState))
            found |= {letter.id: letter for letter in self._ledger.letters.find(which, len(some))}
        return [found[number] for number in numbers if number in found]

    def _row(self, job: Any) -> Row:
        from bellhop.letters.parts import jobs_wait
        from bellhop.letters.serializers.people import job_row

        row: Row = self._app.redact(job_row(job, jobs_wait(self._ledger.parts, utc_now())(job)))
        return row


class RemoteJobs:
    def __init__(self, remote: Remote, pause: Callable[[float], None] = time.sleep) -> None:
        self._remote = remote
        self._pause = pause

    def preflight(self, numbers: Sequence[int]) -> Row:
        return self._remote.post_once("/letters/preflight", {"ids": list(numbers)})

    def create(self, numbers: Sequence[int], who: str | None, why: str, rate: float | None) -> Row:
        if who:
            raise Misused("--who is for this host: with --server the audit names the token")
        asked = {"kind": "replay", "ids": list(numbers), "why": why, "rate": rate, "in_doubt": True}
        return self._remote.post_once("/jobs", asked)

    def get(self, number: int) -> Row:
        return self._patient(number, lambda: self._remote.get(f"/jobs/{number}"))

    def items(self, number: int, limit: int, state: str | None = None) -> list[Row]:
        return self._patient(number, lambda: list(self._remote.rows(f"/jobs/{number}/items", limit, state=state)))

    def steer(self, number: int, act: str, who: str | None, why: str) -> Row:
        return self._remote.post(f"/jobs/{number}/{act}", {"why": why})

    def move(self, number: int) -> bool:
        return False

    def leave(self, number: int) -> None:
        pass

    def _patient(self, number: int, look: Callable[[], _Told]) -> _Told:
        """What a look at a job tells. Raises Failed, saying that it goes on, where nobody answers for long."""
        for _ in range(_MISSES):
            try:
                return look()
            except Away as away:
                problem = away
                self._pause(_MISS_SECONDS)
        raise Failed(f"job {number} is still running, but not in sight ({problem.message}): bellhop jobs show {number}")


def _no_silent_crash(event: str, /, **fields: object) -> None:
    """A runner tells what stopped it, and tries again. Raises Failed: here a person waits for it."""
    told: Mapping[str, str] = {
        "thread.crashed": "the job cannot be run: unexpected {error} at {where}",
        "publish.failed": "the broker did not confirm: {error}; `bellhop jobs follow` goes on with the job",
    }
    if event in told:
        raise Failed(told[event].format(**fields))


def _chunks(numbers: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(numbers), _CHUNK):
        yield list(numbers[start : start + _CHUNK])
