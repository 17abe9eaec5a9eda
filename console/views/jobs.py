"""Bulk jobs: the list, one job's progress, pause, resume and cancel."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bellhop.console.context import ConsoleParts, parts, person
from bellhop.console.selection import clean_text
from bellhop.ledger.records import BulkJob, ItemState, JobState
from bellhop.letters.parts import jobs_wait
from bellhop.letters.serializers.people import job_item_rows, job_row
from bellhop.schemas.reasons import PAUSED

blueprint = Blueprint("jobs", __name__)

PAGE: Final = 50
_STEPS: Final = ("pause", "resume", "cancel")


@blueprint.get("/jobs")
def index() -> str:
    own = parts()
    page = own.ledger.jobs.page(PAGE, request.args.get("after", "")[:200])
    waits = jobs_wait(own.ledger.parts, own.now())
    template = "_jobs.html" if request.headers.get("HX-Target") == "jobs" else "jobs.html"
    return render_template(template, jobs=[job_row(job, waits(job)) for job in page.rows], next=page.next)


@blueprint.get("/jobs/<int:number>")
def one(number: int) -> str | Response:
    own = parts()
    job = _job(own, number)
    part = request.headers.get("HX-Target") == "job"
    if part and job.state is not JobState.RUNNING:
        return Response(headers={"HX-Refresh": "true"})  # the buttons around it change, too
    named = request.args.get("state", "")
    state = ItemState(named) if named in list(ItemState) else None
    items = own.ledger.jobs.items(number, PAGE, request.args.get("after", "")[:200], state)
    return render_template(
        "_job.html" if part else "job.html",
        job=job_row(job, jobs_wait(own.ledger.parts, own.now())(job)),
        items=job_item_rows(items.rows, own.ledger.letters, own.settings.venues),
        next=items.next,
        state=state,
        states=list(ItemState),
        ended=job.state.ended,
        moving=job.state is JobState.RUNNING,
        settled=sum(job.counts.get(each, 0) for each in (ItemState.DONE, ItemState.FAILED, ItemState.SKIPPED)),
    )


@blueprint.post("/jobs/<int:number>/<step>")
def steer(number: int, step: str) -> Response:
    own = parts()
    if step not in _STEPS:
        abort(404)
    _job(own, number)
    why = clean_text(request.form.get("why", ""))
    if step == "pause":
        why = why or PAUSED  # nobody in a hurry is asked
    if not why:
        flash("A reason is required.", "bad")
    else:
        getattr(own.ledger.jobs, step)(number, person().name, why)
        flash({"pause": "Paused.", "resume": "Resumed, starting with a canary.", "cancel": "Cancelled."}[step], "good")
    return redirect(url_for("jobs.one", number=number))


def _job(own: ConsoleParts, number: int) -> BulkJob:
    job = own.ledger.jobs.get(number) if number < 2**63 else None
    if job is None:
        abort(404, f"There is no job {number}.")
    return job
