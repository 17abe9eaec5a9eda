"""Edits of a letter's content: the form, the diff, the approval."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bellhop.console.context import ConsoleParts, parts, person
from bellhop.console.form_fields import Field, changes_of, fields_of
from bellhop.console.selection import clean_text
from bellhop.console.views.letters import find_letter
from bellhop.ledger.edits import EditRefused
from bellhop.ledger.records import Edit, EditState, Letter, LetterState
from bellhop.letters.edits import EDITABLE, EditInvalid, edit_body, field_changes
from bellhop.letters.serializers.letters import edit_row, letter_row
from bellhop.schemas.envelope import decode
from bellhop.schemas.errors import EnvelopeError, FieldProblem

blueprint = Blueprint("edits", __name__)

_LOOKED: Final = timedelta(hours=1)
"""So long one look, as the audit has it, is the same one."""


@blueprint.get("/edits")
def waiting() -> str:
    own = parts()
    rows = []
    for edit in own.ledger.edits.waiting():
        letter = own.ledger.letters.get(edit.letter)
        if letter is not None:
            rows.append(own.clean({"letter": letter_row(letter), "edit": edit_row(edit, letter)}))
    return render_template("edits.html", rows=rows, second=own.settings.console.second_approver)


@blueprint.post("/letters/<int:number>/edit")
def edit(number: int) -> str | Response | tuple[str, int]:
    """step: "open" shows the form (a look at what is masked, so it is audited), "check" the diff or what is wrong,
    "propose" does it."""
    own, form = parts(), request.form
    letter = find_letter(own, number)
    fields = _fields(letter)
    step = form.get("step", "open")
    if step == "open" or not _has_looked(own, number):
        own.ledger.letters.note_reveal(number, person().name)
    if step == "open":
        return _form(own, letter, fields)
    given = {field.path: form.get(f"data.{field.path}", "").replace("\r\n", "\n") for field in fields}
    fields = [field.with_text(given[field.path]) for field in fields]
    if step == "back":
        return _form(own, letter, fields)
    try:
        body = edit_body(letter.new.body, _changes(letter, fields, given), own.settings.venues.get)
    except EditInvalid as invalid:
        return _form(own, letter, fields, invalid.problems), 422
    if step == "check":
        return _check(own, letter, fields, body)
    why = clean_text(form.get("why", ""))
    if not why:
        return _check(own, letter, fields, body, "A reason is required."), 422
    made = own.ledger.edits.propose(number, person().name, why, body)
    if made.state is EditState.APPROVED:
        _replay(own, made)
    else:
        flash("Submitted. It is replayed once another person approves it.", "good")
    return redirect(url_for("letters.one", number=number))


@blueprint.post("/edits/<int:number>/<step>")
def decide(number: int, step: str) -> Response:
    own, who = parts(), person().name
    found_ = own.ledger.edits.get(number) if number < 2**63 else None
    if found_ is None or step not in ("approve", "refuse"):
        abort(404, f"There is no edit {number}.")
    here = redirect(url_for("letters.one", number=found_.letter, _anchor="edits"))
    if step == "refuse":
        why = clean_text(request.form.get("why", ""))
        if not why:
            flash("A reason is required.", "bad")
            return here
        own.ledger.edits.refuse(number, who, why)
        flash("Refused.", "good")
        return here
    try:
        approved = own.ledger.edits.approve(number, who)
    except EditRefused as refused:
        flash(f"{str(refused)[:1].upper()}{str(refused)[1:]}.", "bad")
    else:
        _replay(own, approved)
    return here


def _has_looked(own: ConsoleParts, number: int) -> bool:
    """Whether the audit knows that this person sees the letter: the diff shows what is masked as well as the form."""
    rows = own.ledger.letters.audit_page(1, who=person().name, act="reveal", letter=number).rows
    return bool(rows) and own.now() - rows[0].at < _LOOKED


def _replay(own: ConsoleParts, approved: Edit) -> None:
    from bellhop.letters.replay import replay_edited

    done = replay_edited(own.ledger, own.publisher, approved.id, who=person().name)
    if done.error:
        told = "The letter is still open, unchanged: submit the same edit again."
        flash(f"The broker did not confirm it: {done.error}. {told}", "bad")
    elif done.replayed:
        flash("Replayed with the edit. Its event, under Details, says what becomes of it.", "good")
    else:
        flash("Nothing was replayed: the letter is no longer open.", "bad")


def _second(own: ConsoleParts) -> bool:
    return own.settings.console.second_approver


def _fields(letter: Letter) -> list[Field]:
    """Aborts where it cannot be edited."""
    if letter.state is not LetterState.OPEN:
        abort(409, f"Dead letter {letter.id} is {letter.state.value}: only open letters can be edited.")
    allowed = EDITABLE.get(letter.new.type, ())
    try:
        data = decode(letter.new.body).data
    except EnvelopeError:
        abort(409, "The letter is unreadable and cannot be edited.")
    if not allowed:
        abort(409, f"{letter.new.type} has no editable fields.")
    return fields_of(data, allowed)


def _changes(letter: Letter, fields: list[Field], given: Mapping[str, str]) -> dict[str, Any]:
    """Raises EditInvalid for a number that is none."""
    data = decode(letter.new.body).data
    return changes_of(data, EDITABLE[letter.new.type], fields, given)


def _check(own: ConsoleParts, letter: Letter, fields: list[Field], body: bytes, problem: str = "") -> str:
    """What would change, unmasked: whoever gets here has looked at what is masked."""
    diff, second = field_changes(letter.new.body, body), _second(own)
    row = letter_row(letter)
    return render_template("edit_check.html", letter=row, fields=fields, diff=diff, second=second, problem=problem)


def _form(own: ConsoleParts, letter: Letter, fields: list[Field], problems: tuple[FieldProblem, ...] = ()) -> str:
    wrong = {problem.field.removeprefix("data."): problem.rule for problem in problems}
    known = {field.path for field in fields}
    others = {path: rule for path, rule in wrong.items() if path not in known}
    return render_template(
        "edit.html", letter=letter_row(letter), fields=fields, wrong=wrong, others=others, second=_second(own)
    )
