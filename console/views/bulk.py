"""Actions on many letters: select, preflight, approve with a reason, then run in the background."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bellhop.console import selection
from bellhop.console.context import ConsoleParts, parts, person
from bellhop.console.drafts import ACTS, MOST, BulkDraft
from bellhop.console.guard import inside
from bellhop.console.selection import clean_text
from bellhop.ledger.records import Verdict

blueprint = Blueprint("bulk", __name__)

USUAL: Final = (Verdict.WOULD_APPLY, Verdict.BREAKER_OPEN, Verdict.AT_WORK)
"""Ticked unless the person says otherwise."""
ASKED: Final = (*USUAL, Verdict.IN_DOUBT)
"""What a replay may take; all else it would skip anyway."""
LONGEST_REASON: Final = 500
FASTEST: Final = 1000.0


@blueprint.post("/drafts")
def make() -> Response:
    """From ticked letters, or from all that match."""
    own, form = parts(), request.form
    act = form.get("act", "")
    if act not in ACTS:
        abort(400, "Unknown action.")
    ids = _ids(own)
    if not ids:
        flash("No letter is selected.", "bad")
        return redirect(inside(form.get("back", "/letters")))
    draft = own.drafts.make(person().name, act, ids)
    return redirect(url_for("bulk.one", key=draft.key, to=form.get("to") or None))


def _ids(own: ConsoleParts) -> list[int]:
    form = request.form
    if form.get("draft"):  # the same letters, with another act
        return list(_draft(form["draft"]).ids)
    if form.get("all"):
        which = selection.read_selection(form.get("filter", ""), own.now(), own.asked).which
        return own.ledger.letters.ids(which, MOST)
    return [int(text) for text in form.getlist("ids") if text.isdecimal() and len(text) < 19][:MOST]


@blueprint.get("/drafts/<key>")
def one(key: str) -> str | Response:
    draft = _draft(key)
    part = request.headers.get("HX-Target") == "draft"
    if part and not draft.running:
        return Response(headers={"HX-Refresh": "true"})  # now it asks for a reason, or says how it ended
    wanted = ASKED if draft.act == "replay" else _allowed_verdicts(draft)
    template = "_draft.html" if part else "draft.html"
    return render_template(template, draft=draft, usual=USUAL, asked=wanted, to=request.args.get("to", ""))


@blueprint.post("/drafts/<key>")
def approve(key: str) -> Response:
    """Freezes exactly these letters, and begins."""
    own, form, who = parts(), request.form, person().name
    draft = _draft(key)
    here = url_for("bulk.one", key=key)
    if draft.problem or not draft.ready or draft.running:
        flash("The preflight has not finished.", "bad")
        return redirect(here)
    why = clean_text(form.get("why", ""), None)
    if not why and draft.act != "assign":
        flash("A reason is required: it goes into the audit.", "bad")
        return redirect(here)
    if len(why) > LONGEST_REASON:
        flash(f"A reason has at most {LONGEST_REASON} characters.", "bad")
        return redirect(here)
    rate, wanted = _rate(form.get("rate", "")), _allowed_verdicts(draft, form.getlist("verdict"))
    items = draft.items(wanted)
    if rate is not None and not 0 < rate <= FASTEST:
        flash(f"The rate limit must be above 0 and at most {FASTEST:g}.", "bad")
        return redirect(here)
    if not items:
        flash("No letter is left to act on.", "bad")
        return redirect(here)
    if not own.drafts.take(draft):
        flash("Already approved.", "bad")
        return redirect(url_for("jobs.index"))
    if draft.act in ("replay", "discard"):
        try:
            job = own.ledger.jobs.create(draft.act, items, who, why, rate)
        except BaseException:
            own.drafts.give_back(draft)
            raise
        return redirect(url_for("jobs.one", number=job.id))
    _act(own, draft, who, why, clean_text(form.get("to", ""), 200))
    return redirect(here)


def _act(own: ConsoleParts, draft: BulkDraft, who: str, why: str, to: str) -> None:
    letters = own.ledger.letters

    def restore(ids: Sequence[int]) -> int:
        return letters.restore(ids, who, why)

    def assign(ids: Sequence[int]) -> int:
        return letters.assign(ids, to, who)

    if draft.act == "restore":
        own.drafts.run(draft, restore, "restored")
    else:
        own.drafts.run(draft, assign, f"assigned to {to}" if to else "unassigned")


def _allowed_verdicts(draft: BulkDraft, ticked: Sequence[str] = ()) -> Sequence[Verdict]:
    if draft.act == "replay":
        return [verdict for verdict in ASKED if verdict.value in ticked]
    return (Verdict.WOULD_APPLY,)


def _rate(text: str) -> float | None:
    """None for as fast as the waves allow; 0 for what is no number."""
    if not text.strip():
        return None
    try:
        rate = float(text)
    except ValueError:
        return 0.0
    return rate if math.isfinite(rate) else 0.0


def _draft(key: str) -> BulkDraft:
    draft = parts().drafts.get(key, person().name)
    if draft is None:
        abort(
            404,
            "This selection has expired, or belongs to another person. Select the letters again: nothing was changed.",
        )
    return draft
