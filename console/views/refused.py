"""Refused posts: by cause, with the act that takes them once it is mended; and the last ones, one by one."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bellhop.console.context import ConsoleParts, parts, person
from bellhop.console.selection import clean_text
from bellhop.ledger.records import TakenPost, TakenVerdict
from bellhop.ledger.refusals import KEPT
from bellhop.letters.refused import take_refused
from bellhop.letters.serializers.refusals import refusal_cause_row, refused_row

blueprint = Blueprint("refused", __name__)

_PAGE = 100


@blueprint.get("/refused")
def index() -> str:
    own = parts()
    source = _word("source", request.args.get("source", ""))
    refusals = own.ledger.refusals
    return render_template(
        "refused.html",
        posts=own.clean([refused_row(post) for post in refusals.last(source, _PAGE)]),
        causes=own.clean([refusal_cause_row(cause) for cause in refusals.causes(source)]),
        source=source,
        sources=sorted(own.settings.sources),
        days=KEPT.days,
        takes=own.take_refused is not None,
    )


@blueprint.post("/refused")
def take() -> Response:
    own, form = parts(), request.form
    source, cause, why = (_word(name, form.get(name, "")) for name in ("source", "cause", "why"))
    here = redirect(url_for("refused.index", source=_word("back", form.get("back", "")) or None))
    if own.take_refused is None:
        flash("This process takes no posts: run bellhop refused take.", "bad")
    elif not why:
        flash("A reason is required.", "bad")
    else:
        refusals = own.ledger.refusals
        posts = refusals.waiting(source, cause=cause)
        _tell(own, take_refused(refusals, posts, own.take_refused, who=person().name, why=why))
    return here


def _tell(own: ConsoleParts, made: Sequence[TakenPost]) -> None:
    counts = {verdict: sum(one.verdict is verdict for one in made) for verdict in TakenVerdict}
    words = [f"{count} {_VERDICTS[verdict]}" for verdict, count in counts.items() if count]
    told = f"{', '.join(words) or 'None waits any more'}. {_still(made)}".strip()
    flash(own.redactor.text(told), "bad" if counts[TakenVerdict.REFUSED] else "good")


_VERDICTS = {
    TakenVerdict.TAKEN: "taken: in the queue now",
    TakenVerdict.KNOWN: "known already: nothing is done twice",
    TakenVerdict.NOTHING: "that mean nothing here any more",
    TakenVerdict.REFUSED: "refused still",
}


def _still(made: Sequence[TakenPost]) -> str:
    """Of the first that is refused still, why."""
    one = next((one for one in made if one.verdict is TakenVerdict.REFUSED), None)
    if one is None:
        return ""
    return "; ".join(f"{field} {rule}" for field, rule in one.problems[:3]) or one.detail


def _word(name: str, given: str) -> str:
    return clean_text(given, 500 if name == "why" else 100)
