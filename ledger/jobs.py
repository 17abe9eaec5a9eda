"""Bulk jobs: a set of letters frozen on approval, worked in waves by one process at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.audit import record
from bellhop.ledger.engine import Database
from bellhop.ledger.pages import Page, make_cursor, read_cursor
from bellhop.ledger.records import AuditRow, BulkJob, ItemState, JobItem, JobState, Verdict
from bellhop.ledger.tables import job_items, jobs
from bellhop.schemas.errors import LedgerError
from bellhop.schemas.quantities import quantity

FIRST_WAVE: Final = 1
"""The canary."""

_CHUNK: Final = 1000
_SKIPPED: Final = ItemState.SKIPPED.value
_CANCELLED: Final = "the job was cancelled"

_SENT: Final = sa.exists().where(job_items.c.job == jobs.c.id, job_items.c.state == ItemState.SENT.value)
_HELD_UP: Final = (JobState.PAUSED.value, JobState.STOPPED.value, JobState.CANCELLED.value)
_TO_DO: Final = sa.or_(jobs.c.state == JobState.RUNNING.value, sa.and_(jobs.c.state.in_(_HELD_UP), _SENT))
_MARK: Final = (
    sa.update(job_items)
    .where(
        job_items.c.job == sa.bindparam("number"),
        job_items.c.place == sa.bindparam("at"),
        sa.or_(job_items.c.state == ItemState.WAITING.value, job_items.c.state == ItemState.SENT.value),
    )
    .values(state=sa.bindparam("to"), detail=sa.bindparam("words"))
)


class JobRefused(LedgerError):
    """Raised when a job cannot be paused, resumed or cancelled as it stands; says why."""


class Jobs:
    """Every method raises LedgerUnavailable."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def create(
        self,
        kind: str,
        items: Sequence[tuple[int, Verdict]],
        who: str,
        why: str,
        rate: float | None = None,
        asked_as: str | None = None,
    ) -> BulkJob:
        """Approves a bulk act on exactly these letters, in this order. kind: "replay" or "discard".

        asked_as: the same again is the same job, whose answer was lost. Raises JobRefused where it names another.
        """
        with self._database.write([f"asked:{asked_as}"] if asked_as else ()) as connection:
            if asked_as and (known := _find_request(connection, asked_as, kind, items, why, rate)) is not None:
                return known
            now = self._now()
            values = {
                **{"kind": kind, "state": JobState.RUNNING.value, "who": who, "why": why, "created": now},
                **{"updated": now, "rate": rate, "wave": FIRST_WAVE, "detail": "", "run_by": "", "run_until": None},
                "asked_as": asked_as,
            }
            number: int = connection.execute(sa.insert(jobs).returning(jobs.c.id), values).scalar_one()
            rows = [
                {
                    "job": number,
                    "place": place,
                    "letter": letter,
                    "verdict": verdict.value,
                    "state": ItemState.WAITING.value,
                    "detail": "",
                }
                for place, (letter, verdict) in enumerate(items)
            ]
            for start in range(0, len(rows), _CHUNK):
                connection.execute(sa.insert(job_items), rows[start : start + _CHUNK])
            told = f"job {number}: {kind} {quantity(len(rows), 'letter')}"
            record(connection, [AuditRow(now, who, f"approve {kind}", None, why, told)])
        return self._get(number)

    def get(self, id_: int) -> BulkJob | None:
        with self._database.read() as connection:
            row = connection.execute(sa.select(jobs).where(jobs.c.id == id_)).one_or_none()
            return None if row is None else _job(row, _counts(connection, [id_]).get(id_, {}))

    def _get(self, id_: int) -> BulkJob:
        """One that is there."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(jobs).where(jobs.c.id == id_)).one()
            return _job(row, _counts(connection, [id_]).get(id_, {}))

    def page(self, limit: int, after: str = "", state: JobState | None = None) -> Page[BulkJob]:
        """The newest first. state: those alone. Raises CursorInvalid."""
        query = sa.select(jobs).order_by(jobs.c.id.desc())
        if state is not None:
            query = query.where(jobs.c.state == state.value)
        if after:
            _, (last,) = read_cursor(["jobs"], after, 1)
            query = query.where(jobs.c.id < last)
        with self._database.read() as connection:
            rows = connection.execute(query.limit(limit + 1)).all()
            counts = _counts(connection, [row.id for row in rows])
        found = [_job(row, counts.get(row.id, {})) for row in rows]
        return Page(found[:limit], make_cursor("jobs", found[limit - 1].id) if len(found) > limit else "")

    def find_stopped(self) -> list[BulkJob]:
        """All that stopped by themselves and wait for a person, the newest first."""
        query = sa.select(jobs).where(jobs.c.state == JobState.STOPPED.value).order_by(jobs.c.id.desc())
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            counts = _counts(connection, [row.id for row in rows])
        return [_job(row, counts.get(row.id, {})) for row in rows]

    def items(self, id_: int, limit: int, after: str = "", state: ItemState | None = None) -> Page[JobItem]:
        """In their order. Raises CursorInvalid."""
        query = sa.select(job_items).where(job_items.c.job == id_).order_by(job_items.c.place)
        if state is not None:
            query = query.where(job_items.c.state == state.value)
        if after:
            _, (last,) = read_cursor(["items"], after, 1)
            query = query.where(job_items.c.place > last)
        with self._database.read() as connection:
            found = [_item(row) for row in connection.execute(query.limit(limit + 1))]
        return Page(found[:limit], make_cursor("items", found[limit - 1].place) if len(found) > limit else "")

    def pause(self, id_: int, who: str, why: str) -> BulkJob:
        """Raises JobRefused."""
        return self._steer(id_, who, why, "pause", JobState.PAUSED, (JobState.RUNNING,))

    def resume(self, id_: int, who: str, why: str) -> BulkJob:
        """Also one that stopped by itself: it begins with a canary again. Raises JobRefused."""
        return self._steer(id_, who, why, "resume", JobState.RUNNING, (JobState.PAUSED, JobState.STOPPED))

    def cancel(self, id_: int, who: str, why: str) -> BulkJob:
        """What was sent is sent; the rest is skipped. Raises JobRefused."""
        allowed = (JobState.RUNNING, JobState.PAUSED, JobState.STOPPED)
        return self._steer(id_, who, why, "cancel", JobState.CANCELLED, allowed)

    def _steer(self, id_: int, who: str, why: str, act: str, to: JobState, allowed: Iterable[JobState]) -> BulkJob:
        with self._database.write([f"job:{id_}"]) as connection:
            now = self._now()
            state = connection.scalar(sa.select(jobs.c.state).where(jobs.c.id == id_).with_for_update())
            if state is None:
                raise JobRefused(f"there is no job {id_}")
            if state not in [one.value for one in allowed]:
                raise JobRefused(
                    f"job {id_} is {state}: it cannot be {act}d" if act != "cancel" else f"job {id_} is {state}"
                )
            changed: dict[str, Any] = {"state": to.value, "updated": now}
            if to is JobState.RUNNING:
                changed |= {"wave": FIRST_WAVE, "detail": ""}
            connection.execute(sa.update(jobs).where(jobs.c.id == id_).values(changed))
            if to is JobState.CANCELLED:
                waiting = (job_items.c.job == id_, job_items.c.state == ItemState.WAITING.value)
                skipped = {"state": _SKIPPED, "detail": _CANCELLED}
                connection.execute(sa.update(job_items).where(*waiting).values(skipped))
            record(connection, [AuditRow(now, who, f"{act} job", None, why, f"job {id_}")])
        return self._get(id_)

    # --- the runner's side --------------------------------------------------------------------------------------

    def lease(self, by: str, seconds: float, after: int = 0, only: int | None = None) -> BulkJob | None:
        """The first job above number `after` with something to do, for `by` alone during so many seconds; None where
        there is none to take. Taken again by the same it is prolonged. only: no other than this one.

        Also one that is paused, has stopped or was cancelled, as long as it is not known how what it sent has ended.
        """
        wanted = jobs.c.id > after if only is None else jobs.c.id == only
        query = sa.select(jobs.c.id).where(wanted, _TO_DO).order_by(jobs.c.id).limit(1)
        with self._database.read() as connection:  # most looks find nothing, and need not wait for writers
            if connection.scalar(query.where(_free(by, self._now()))) is None:
                return None
        with self._database.write(["jobs"]) as connection:
            now = self._now()
            id_ = connection.scalar(query.where(_free(by, now)))
            if id_ is None:
                return None
            held = sa.update(jobs).where(jobs.c.id == id_, _free(by, now))
            if not connection.execute(held.values(run_by=by, run_until=now + timedelta(seconds=seconds))).rowcount:
                return None
        return self.get(id_)

    def release(self, id_: int, by: str) -> bool:
        """Leaves a job to whoever takes it next; whether it was held by `by`."""
        with self._database.write([f"job:{id_}"]) as connection:
            held = sa.update(jobs).where(jobs.c.id == id_, jobs.c.run_by == by)
            return bool(connection.execute(held.values(run_by="", run_until=None)).rowcount)

    def take(self, id_: int, by: str, places: Sequence[int], seconds: float) -> list[int]:
        """Marks items as sent, just before they are, and prolongs the lease: the places of those that may be sent now,
        in their order. None of them where the job was paused, cancelled, or taken by another meanwhile."""
        with self._database.write([f"job:{id_}"]) as connection:
            now = self._now()
            own = (jobs.c.id == id_, jobs.c.state == JobState.RUNNING.value, jobs.c.run_by == by)
            held = sa.update(jobs).where(*own, jobs.c.run_until > now)
            until = now + timedelta(seconds=seconds)
            if not connection.execute(held.values(run_until=until, updated=now)).rowcount:
                return []
            these = (job_items.c.job == id_, job_items.c.place.in_(list(places)))
            sent = sa.update(job_items).where(*these, job_items.c.state == ItemState.WAITING.value)
            found = connection.execute(sent.values(state=ItemState.SENT.value).returning(job_items.c.place))
            return sorted(found.scalars())

    def mark(self, id_: int, ends: Sequence[tuple[int, ItemState, str]]) -> None:
        """Notes where items stand, each as place, state and detail. What has ended stays as it is; what was sent and
        is to wait again is skipped where the job was cancelled."""
        if not ends:
            return
        with self._database.write([f"job:{id_}"]) as connection:
            touched = sa.update(jobs).where(jobs.c.id == id_).values(updated=self._now()).returning(jobs.c.state)
            cancelled = connection.execute(touched).scalar() == JobState.CANCELLED.value
            rows = [
                {"at": place, "to": _SKIPPED, "words": _CANCELLED}
                if cancelled and state is ItemState.WAITING
                else {"at": place, "to": state.value, "words": detail}
                for place, state, detail in ends
            ]
            connection.execute(_MARK, [{"number": id_, **row} for row in rows])

    def grow(self, id_: int, wave: int) -> None:
        """The next wave's size."""
        with self._database.write([f"job:{id_}"]) as connection:
            connection.execute(sa.update(jobs).where(jobs.c.id == id_).values(wave=wave, updated=self._now()))

    def finish(self, id_: int, state: JobState, detail: str) -> None:
        """DONE or STOPPED; a job that a person paused or cancelled meanwhile stays as it is."""
        with self._database.write([f"job:{id_}"]) as connection:
            running = (jobs.c.id == id_, jobs.c.state == JobState.RUNNING.value)
            values = {"state": state.value, "detail": detail, "updated": self._now(), "run_by": "", "run_until": None}
            connection.execute(sa.update(jobs).where(*running).values(values))


def _find_request(
    connection: sa.Connection,
    asked_as: str,
    kind: str,
    items: Sequence[tuple[int, Verdict]],
    why: str,
    rate: float | None,
) -> BulkJob | None:
    """The job that was made when the same was asked before. Raises JobRefused where that was something else."""
    row = connection.execute(sa.select(jobs).where(jobs.c.asked_as == asked_as)).one_or_none()
    if row is None:
        return None
    letters = sa.select(job_items.c.letter).where(job_items.c.job == row.id).order_by(job_items.c.place)
    asked = (kind, why, rate, [letter for letter, _ in items])
    if (row.kind, row.why, row.rate, list(connection.scalars(letters))) != asked:
        raise JobRefused(f"that key was given with another request, which made job {row.id}")
    return _job(row, _counts(connection, [row.id]).get(row.id, {}))


def _free(by: str, now: datetime) -> sa.ColumnElement[bool]:
    """Whether nobody else holds a job."""
    return sa.or_(jobs.c.run_until.is_(None), jobs.c.run_until <= now, jobs.c.run_by == by)


def _counts(connection: sa.Connection, ids: Sequence[int]) -> Mapping[int, Mapping[ItemState, int]]:
    query = sa.select(job_items.c.job, job_items.c.state, sa.func.count()).where(job_items.c.job.in_(list(ids)))
    found: dict[int, dict[ItemState, int]] = {}
    for job, state, count in connection.execute(query.group_by(job_items.c.job, job_items.c.state)):
        found.setdefault(job, {})[ItemState(state)] = count
    return found


def _job(row: Any, counts: Mapping[ItemState, int]) -> BulkJob:
    return BulkJob(
        id=row.id,
        kind=row.kind,
        state=JobState(row.state),
        who=row.who,
        why=row.why,
        created=row.created,
        updated=row.updated,
        rate=row.rate,
        wave=row.wave,
        counts=counts,
        detail=row.detail,
        run_until=row.run_until,
    )


def _item(row: Any) -> JobItem:
    return JobItem(row.letter, row.place, Verdict(row.verdict), ItemState(row.state), row.detail)
