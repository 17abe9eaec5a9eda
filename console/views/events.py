"""One event's timeline, and the search over events and dead letters."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bellhop.console.context import ConsoleParts, parts, person
from bellhop.console.guard import needs
from bellhop.console.selection import clean_text
from bellhop.ledger.records import LetterFilter, LetterState, Order, Role
from bellhop.letters.serializers.events import event_row, moment_row
from bellhop.letters.serializers.letters import letter_row
from bellhop.letters.timeline import sentry_link, timeline
from bellhop.schemas.envelope import Envelope, decode
from bellhop.schemas.errors import EnvelopeError

blueprint = Blueprint("events", __name__)

_FOUND: Final = 50
_LETTERS: Final = 50
_LONGEST: Final = 200


@blueprint.get("/event")
def one() -> str:
    own = parts()
    return render_template("event.html", **_context(own, request.args.get("source", ""), request.args.get("id", "")))


@blueprint.post("/event/reveal")
def reveal() -> str:
    """The vendor's answers without masks; who has looked is in the audit."""
    own = parts()
    source, id_ = request.form.get("source", ""), request.form.get("id", "")
    told = _context(own, source, id_, reveal=True)
    own.ledger.letters.note_act(person().name, "reveal", "", f"event {source}/{id_}")
    return render_template("_timeline.html", **told)


def _context(own: ConsoleParts, source: str, id_: str, *, reveal: bool = False) -> dict[str, Any]:
    source, id_ = source.replace("\x00", ""), id_.replace("\x00", "")
    view = own.ledger.event(source, id_)
    which = LetterFilter(source=source, event_id=id_, states=tuple(LetterState))
    letters = own.ledger.letters.find(which, _LETTERS)
    if view is None and not letters:
        abort(404, "No such event: no worker has taken it yet, or it was pruned. It may still be waiting in a queue.")
    subject = view.subject if view else letters[0].new.subject
    others = [each for each in own.ledger.events_of(source, subject) if each.id != id_] if subject else []
    acts = [act for letter in letters for act in own.ledger.letters.audit_page(50, letter=letter.id).rows]
    notes = {letter.id: own.ledger.letters.notes(letter.id) for letter in letters}
    moments = timeline(view, letters, acts, notes, _envelope(letters), reveal=reveal, clean=own.clean)
    return {
        "source": source,
        "id": id_,
        "subject": subject,
        "view": event_row(view) if view else None,
        "letters": [letter_row(letter) for letter in letters],
        "others": [event_row(other) for other in others],
        "moments": [moment_row(moment) for moment in moments],
        "sentry": sentry_link(own.settings.console.sentry_url, view, source, id_),
        "reveal": reveal,
    }


def _envelope(letters: list[Any]) -> Envelope | None:
    """The event as it came, where a letter still has it."""
    for letter in letters:
        try:
            return decode(letter.new.body)
        except EnvelopeError:
            continue
    return None


@blueprint.route("/search", methods=["GET", "POST"])
@needs(Role.VIEWER)
def search() -> str | Response:
    """The words are posted, and stand in no address: see `console.searches`."""
    own = parts()
    if request.method == "POST":
        words = clean_text(request.form.get("q", ""), _LONGEST)
        return redirect(url_for("events.search", k=own.asked.keep(words) if words else None), 303)
    key = request.args.get("k", "")
    words = clean_text(request.args.get("q", ""), _LONGEST) or (own.asked.words(key) if key else "")
    events = [event_row(view) for view in own.ledger.find_events(words, _FOUND)] if words else []
    which = LetterFilter(text=words, states=tuple(LetterState))
    found = own.ledger.letters.page(which, Order.NEWEST, _FOUND).rows if words else []
    letters = [letter_row(letter) for letter in found]
    return render_template(
        "search.html",
        words=words,
        key=own.asked.keep(words) if words else "",
        events=events,
        letters=letters,
        open_count=own.ledger.letters.count(LetterFilter(text=words)) if words else 0,
        most=_FOUND,
    )
