"""Dead letters: the list, the causes, and one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bellhop.console.context import ConsoleParts, parts, person
from bellhop.console.drafts import MOST
from bellhop.console.guard import needs
from bellhop.console.selection import AGES, ORDERS, STATES, Choice, choose
from bellhop.ledger.records import Letter, LetterFilter, Role
from bellhop.letters.edits import EDITABLE
from bellhop.letters.serializers.letters import cause_row, edit_row, letter_detail, letter_row, note_row
from bellhop.letters.serializers.people import audit_row
from bellhop.schemas.reasons import Reason
from bellhop.vendors.registry import ROUTES

blueprint = Blueprint("letters", __name__)

PAGE: Final = 50
LONGEST_NOTE: Final = 2000


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
    return {"letters": letters, "next": page.next, "count": own.ledger.letters.count(choice.which), "most": MOST}


def _causes(own: ConsoleParts, choice: Choice) -> dict[str, Any]:
    causes = own.ledger.letters.causes(choice.which)
    return {"causes": [cause_row(cause) for cause in causes], "count": sum(cause.count for cause in causes)}


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
        editable=bool(EDITABLE.get(letter.new.type)),
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
    text = request.form.get("text", "").replace("\x00", "").strip()
    if not 0 < len(text) <= LONGEST_NOTE:
        flash(f"A note must have 1 to {LONGEST_NOTE} characters.", "bad")
    else:
        own.ledger.letters.note(number, person().name, text)
    return redirect(url_for("letters.one", number=number, _anchor="notes"))


@blueprint.post("/letters/<int:number>/assign")
@needs(Role.OPERATOR)
def assign(number: int) -> Response:
    own = parts()
    find_letter(own, number)
    # The last one: "Assign to me" is a button with a name of its own beside the field.
    to = (request.form.getlist("to") or [""])[-1].replace("\x00", "").strip()[:200]
    own.ledger.letters.assign([number], to, person().name)
    flash(f"Assigned to {to}." if to else "Unassigned.", "good")
    return redirect(url_for("letters.one", number=number))


def find_letter(own: ConsoleParts, number: int) -> Letter:
    """Aborts with 404 where there is none."""
    letter = own.ledger.letters.get(number) if number < 2**63 else None
    if letter is None:
        abort(404, f"There is no dead letter {number}: unknown, or pruned.")
    return letter


def _context(own: ConsoleParts, letter: Letter, *, reveal: bool) -> dict[str, Any]:
    detail = own.clean(letter_detail(letter, own.ledger, reveal=reveal))
    edits = own.ledger.edits.of(letter.id)
    return {
        "letter": detail,
        "evidence": {key: value for key, value in detail["evidence"].items() if value is not None},
        "edits": own.clean([edit_row(edit, letter, reveal=reveal) for edit in edits]),
        "reveal": reveal,
    }
