"""Dead letters: the list, the causes, and one of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bellhop.console.context import ConsoleParts, parts, person
from bellhop.console.drafts import MOST
from bellhop.console.guard import inside, needs
from bellhop.console.histogram import death_histogram
from bellhop.console.selection import AGES, ORDERS, STATES, Choice, choose, clean_text
from bellhop.ledger.proofs import WordRefused
from bellhop.ledger.records import RESTORED, CauseSaid, Doubt, Letter, LetterFilter, LetterState, Role
from bellhop.letters.doubts import Answered, Words, answered_row
from bellhop.letters.edits import EDITABLE
from bellhop.letters.serializers.letters import (
    cause_row,
    edit_row,
    letter_detail,
    letter_row,
    note_row,
    sort_causes,
)
from bellhop.letters.serializers.people import audit_row
from bellhop.schemas.reasons import Reason
from bellhop.vendors.registry import ROUTES
from bellhop.vendors.vendor import Said

blueprint = Blueprint("letters", __name__)

PAGE: Final = 50
LONGEST_NOTE: Final = 2000
SNOOZES: Final = {"1": "for 1 h", "4": "for 4 h", "12": "for 12 h", "24": "for a day", "72": "for 3 days"}
"""Hours."""


@blueprint.route("/letters", methods=["GET", "POST"])
@needs(Role.VIEWER)
def index() -> str | Response:
    return _listing(_page, "_letters.html", "letters.html")


@blueprint.route("/causes", methods=["GET", "POST"])
@needs(Role.VIEWER)
def causes() -> str | Response:
    return _listing(_causes, "_causes.html", "causes.html")


def _page(own: ConsoleParts, choice: Choice) -> dict[str, Any]:
    page = own.ledger.letters.page(choice.which, choice.order, PAGE, request.args.get("after", "")[:200])
    letters = [letter_row(letter) for letter in page.rows]
    cause, venues = choice.which.cause, own.settings.venues
    found = own.ledger.causes.find(LetterFilter(cause=cause), 1) if cause else []
    of_cause = cause_row(found[0], venues, own.ledger.letters.get(found[0].example)) if found else None
    return {
        "of_cause": of_cause,
        "deaths": death_histogram(own.ledger.letters, choice.which, own.now()),
        "newest": own.ledger.letters.newest(),
        "letters": letters,
        "next": page.next,
        "count": own.ledger.letters.count(choice.which),
        "most": MOST,
    }


@blueprint.get("/letters/count")
def count() -> str:
    return render_template("_count.html")


@blueprint.get("/letters/fresh")
def fresh() -> str:
    """How many have come that the list does not show yet: it stays as it is, under the hands of who works in it."""
    own, seen = parts(), request.args.get("seen", "")
    choice = choose(request.args, own.now(), own.asked)
    number = int(seen) if seen.isdecimal() and len(seen) < 19 else 2**62
    count = own.ledger.letters.count_after(choice.which, number)
    return render_template("_fresh.html", count=count, choice=choice)


def _causes(own: ConsoleParts, choice: Choice) -> dict[str, Any]:
    causes, venues = sort_causes(own.ledger.causes.find(choice.which)), own.settings.venues
    return {"causes": [cause_row(cause, venues) for cause in causes], "count": sum(cause.count for cause in causes)}


@blueprint.post("/causes/life")
@needs(Role.OPERATOR)
def life() -> Response:
    """What a person says of a cause: that they have it in hand, later, done; or takes it back."""
    own, form = parts(), request.form
    said = CauseSaid(form["said"]) if form.get("said") in list(CauseSaid) else None
    hours = form.get("hours", "")
    until = own.now() + timedelta(hours=int(hours)) if said is CauseSaid.SNOOZED and hours in SNOOZES else None
    why = clean_text(form.get("why", ""))
    own.ledger.causes.say(form.get("cause", "").replace("\x00", ""), said, person().name, why, until)
    flash(f"{said.value.capitalize()}." if said else "Open again.", "good")
    return redirect(inside(form.get("back", "/causes")))


def _listing(look: Callable[[ConsoleParts, Choice], dict[str, Any]], part: str, whole: str) -> str | Response:
    """The list alone where htmx asks for it, else the page around it. The filter is posted, so that no address holds
    what somebody searches for, and leads to an address that holds the rest."""
    own = parts()
    choice = choose(request.form if request.method == "POST" else request.args, own.now(), own.asked)
    here = request.path + (f"?{choice.query}" if choice.args else "")
    if request.headers.get("HX-Target") == "results":
        answer = make_response(render_template(part, choice=choice, **look(own, choice)))
        answer.headers["HX-Push-Url"] = here
        return answer
    if request.method == "POST":
        return redirect(here, 303)
    told = look(own, choice)
    return render_template(
        whole,
        choice=choice,
        reasons=[reason.value for reason in Reason],
        routes=ROUTES,
        accounts=list(own.settings.accounts),
        sources=list(own.settings.sources),
        ages={key: words for key, (words, _, _) in AGES.items()},
        states=list(STATES),
        orders={order.value: words for order, words in ORDERS.items()},
        **told,
    )


@blueprint.get("/letters/<int:number>")
def one(number: int) -> str:
    own = parts()
    letter = find_letter(own, number)
    letters = own.ledger.letters
    alike = letters.count(LetterFilter(cause=letter.cause)) if letter.cause else 0
    return render_template(
        "letter.html",
        alike=alike,
        notes=[note_row(note) for note in letters.notes(number)],
        acts=[audit_row(act) for act in letters.audit_page(30, letter=number).rows],
        doubt=_doubt_of(own, letter),
        forgotten=RESTORED,
        **_context(own, letter, reveal=False),
    )


@blueprint.post("/letters/<int:number>/reveal")
def reveal(number: int) -> str:
    """What is masked; who has looked is in the audit."""
    own = parts()
    letter = find_letter(own, number)
    own.ledger.letters.note_reveal(number, person().name)
    return render_template("_letter_data.html", **_context(own, letter, reveal=True))


@blueprint.post("/letters/<int:number>/notes")
def note(number: int) -> Response:
    own = parts()
    find_letter(own, number)
    text = clean_text(request.form.get("text", ""), None)
    if not 0 < len(text) <= LONGEST_NOTE:
        flash(f"A note must have 1 to {LONGEST_NOTE} characters.", "bad")
    else:
        own.ledger.letters.note(number, person().name, text)
    return redirect(url_for("letters.one", number=number, _anchor="notes"))


@blueprint.post("/letters/<int:number>/there")
@needs(Role.OPERATOR)
def there(number: int) -> Response:
    """What a person found at the vendor: the call in doubt made it."""
    form = request.form
    ids, hashes = form.get("id", "").split(), form.get("hash", "").split()
    if hashes and len(hashes) != len(ids):
        flash("Give a hash for each id, in the same order, or none.", "bad")
        return redirect(url_for("letters.one", number=number))
    said = [Said(*one) for one in zip(ids, hashes or [""] * len(ids), strict=True)]
    flags = {name: name in form for name in ("rest_absent", "force")}
    return _answer(number, lambda words, why: words.there(number, said, who=person().name, why=why, **flags))


@blueprint.post("/letters/<int:number>/absent")
@needs(Role.OPERATOR)
def absent(number: int) -> Response:
    """The call in doubt made nothing: a person has looked."""
    force = "force" in request.form
    return _answer(number, lambda words, why: words.absent(number, who=person().name, why=why, force=force))


def _answer(number: int, act: Callable[[Words, str], Answered]) -> Response:
    own = parts()
    find_letter(own, number)
    here = redirect(url_for("letters.one", number=number))
    why = clean_text(request.form.get("why", ""))
    if not why:
        flash("A reason is required: it goes into the audit.", "bad")
        return here
    try:
        row = answered_row(act(Words(own.ledger, own.settings, lambda: own.publisher), why))
    except WordRefused as refused:
        flash(f"{str(refused)[:1].upper()}{str(refused)[1:]}.", "bad")
        return here
    others = [str(one) for one in row["letters"] if one != number]
    flash("It goes on" + (f", and so do letters {', '.join(others)}." if others else "."), "good")
    for text in filter(None, (row["note"], row["problem"])):
        flash(f"{own.clean(text)}.", "bad")
    return here


@blueprint.post("/letters/<int:number>/assign")
@needs(Role.OPERATOR)
def assign(number: int) -> Response:
    own = parts()
    find_letter(own, number)
    # The last one: "Assign to me" is a button with a name of its own beside the field.
    to = clean_text((request.form.getlist("to") or [""])[-1], 200)
    own.ledger.letters.assign([number], to, person().name)
    flash(f"Assigned to {to}." if to else "Unassigned.", "good")
    return redirect(url_for("letters.one", number=number))


def _doubt_of(own: ConsoleParts, letter: Letter) -> Doubt | None:
    """The call of which a person can say what became; None where there is none."""
    try:
        return own.ledger.proofs.of_letter(letter) if letter.state is LetterState.OPEN else None
    except WordRefused:
        return None


def find_letter(own: ConsoleParts, number: int) -> Letter:
    """Aborts with 404 where there is none."""
    letter = own.ledger.letters.get(number) if number < 2**63 else None
    if letter is None:
        abort(404, f"There is no dead letter {number}: unknown, or pruned.")
    return letter


def _context(own: ConsoleParts, letter: Letter, *, reveal: bool) -> dict[str, Any]:
    detail = own.clean(letter_detail(letter, own.ledger, reveal=reveal))
    edits = own.ledger.edits.of(letter.id)
    answer = detail["evidence"].get("answer")
    return {
        "letter": detail,
        "by_hand": answer.get("by_hand") if isinstance(answer, dict) else None,
        "evidence": {key: value for key, value in detail["evidence"].items() if value is not None},
        "edits": own.clean([edit_row(edit, letter, reveal=reveal) for edit in edits]),
        "editable": bool(EDITABLE.get(letter.new.type)),
        "reveal": reveal,
    }
