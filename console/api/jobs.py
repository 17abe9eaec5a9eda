"""Bulk jobs: created and steered here, run by `bellhop archive`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bellhop.console.api import requests, responses
from bellhop.console.api.letters import chosen_ids, find_letters
from bellhop.console.api.problems import invalid, not_found
from bellhop.console.api.routes import ApiCall, ApiParts, ApiSection, Route
from bellhop.ledger.records import BulkJob, ItemState, Letter, LetterState, Role, Verdict
from bellhop.letters.parts import jobs_wait
from bellhop.letters.preflight import verdicts
from bellhop.letters.serializers import JsonObject
from bellhop.letters.serializers.people import job_item_rows, job_row
from bellhop.schemas.errors import FieldProblem
from bellhop.schemas.problems import Problem

_NUMBER = "<number:number>"
_TOLD = 10


def section(parts: ApiParts) -> ApiSection:
    api = JobRoutes(parts)
    jobs = parts.ledger.jobs
    steer = (("pause", jobs.pause, "Pause it"), ("resume", jobs.resume, "Resume it, from a canary again"),
             ("cancel", jobs.cancel, "Cancel it; what was sent is not recalled"))  # fmt: skip
    routes = (
        Route("GET", "/jobs", api.page, "List bulk jobs, newest first", responses.JobPage, query=requests.Paged),
        Route("POST", "/jobs", api.create, "Create a bulk job of exactly these letters", responses.JobLine,
              Role.OPERATOR, headers=requests.OnceHeaders, body=requests.NewJob, status=201, refuses=True),
        Route("GET", f"/jobs/{_NUMBER}", api.one, "Show one bulk job", responses.JobLine),
        Route("GET", f"/jobs/{_NUMBER}/items", api.items, "List its letters and their results", responses.ItemPage,
              query=requests.ItemQuery),
        *(
            Route("POST", f"/jobs/{_NUMBER}/{name}", api.steering(act), summary, responses.JobLine, Role.OPERATOR,
                  body=requests.Why, refuses=True)
            for name, act, summary in steer
        ),
    )  # fmt: skip
    return ApiSection("jobs", "Bulk jobs: a frozen set of letters, a canary first, then growing waves.", routes)


class JobRoutes:
    def __init__(self, parts: ApiParts) -> None:
        self._parts = parts
        self._jobs = parts.ledger.jobs

    def page(self, call: ApiCall) -> JsonObject:
        page = self._jobs.page(call.query["limit"], call.after)
        return {"rows": [self._row(job) for job in page.rows], "next": call.next(page.next)}

    def create(self, call: ApiCall) -> JsonObject:
        body = call.body
        numbers = chosen_ids(self._parts, call)
        if len(numbers) > requests.MOST_IDS:
            raise invalid(FieldProblem("filter", f"must match at most {requests.MOST_IDS} letters"))
        letters = find_letters(self._parts, numbers)
        judged = self._judge(body["kind"], letters)
        doubtful = [letter.id for letter, verdict in zip(letters, judged, strict=True) if verdict is Verdict.IN_DOUBT]
        if doubtful and not body["in_doubt"]:
            raise _doubt_problem(doubtful)
        items = [(letter.id, verdict) for letter, verdict in zip(letters, judged, strict=True)]
        key = call.headers.get("key")
        asked_as = f"{call.token.id} {key}" if key else None  # one token's keys are nothing to another
        return self._row(self._jobs.create(body["kind"], items, call.who, body["why"], body["rate"], asked_as))

    def _judge(self, kind: str, letters: Sequence[Letter]) -> list[Verdict]:
        if kind == "replay":
            return verdicts(letters, self._parts.ledger, self._parts.settings, self._parts.now())
        return [Verdict.WOULD_APPLY if one.state is LetterState.OPEN else Verdict.CLOSED for one in letters]

    def one(self, call: ApiCall, number: int) -> JsonObject:
        return self._row(self._job(number))

    def items(self, call: ApiCall, number: int) -> JsonObject:
        self._job(number)
        state = ItemState(call.query["state"]) if "state" in call.query else None
        page = self._jobs.items(number, call.query["limit"], call.after, state)
        rows = self._parts.redactor.value(
            job_item_rows(page.rows, self._parts.ledger.letters, self._parts.settings.venues)
        )
        return {"rows": rows, "next": call.next(page.next)}

    def steering(self, act: Callable[[int, str, str], BulkJob]) -> Callable[..., JsonObject]:
        def view(call: ApiCall, number: int) -> JsonObject:
            self._job(number)
            return self._row(act(number, call.who, call.body["why"]))

        return view

    def _row(self, job: BulkJob) -> JsonObject:
        waits = jobs_wait(self._parts.ledger.parts, self._parts.now())(job)
        row: JsonObject = self._parts.redactor.value(job_row(job, waits))
        return row

    def _job(self, number: int) -> BulkJob:
        job = self._jobs.get(number)
        if job is None:
            raise not_found(f"job {number}")
        return job


def _doubt_problem(letters: Sequence[int]) -> Problem:
    some = ", ".join(map(str, letters[:_TOLD])) + (" …" if len(letters) > _TOLD else "")
    detail = (
        f"{len(letters)} of them may be at the vendor already, and would be booked twice: {some}. "
        "Look there first; then leave them out, or say in_doubt: true."
    )
    return Problem(409, "in-doubt", detail)
