"""Dead letters: list, group, look, note, assign, close and open, and what a replay would come to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bellhop.console.api import requests, responses, state_responses
from bellhop.console.api.problems import invalid, not_found
from bellhop.console.api.routes import ApiCall, ApiParts, ApiSection, Route
from bellhop.ledger.records import CauseSaid, Letter, LetterFilter, LetterState, Order, Role
from bellhop.letters.doubts import Answered, Words, answered_row
from bellhop.letters.forecast import preflight
from bellhop.letters.serializers import JsonObject
from bellhop.letters.serializers.letters import (
    cause_row,
    letter_detail,
    letter_row,
    life_row,
    note_row,
    sort_causes,
    sort_counts,
)
from bellhop.schemas.errors import FieldProblem
from bellhop.schemas.problems import Problem
from bellhop.vendors.vendor import Said

_NUMBER = "<number:number>"
_CHUNK = 500


def section(parts: ApiParts) -> ApiSection:
    api = LetterRoutes(parts)
    operator = Role.OPERATOR
    routes = (
        Route("GET", "/letters", api.page, "List dead letters", responses.LetterPage, query=requests.LetterQuery),
        Route("POST", "/letters/search", api.page, "List dead letters; the search stays out of the address",
              responses.LetterPage, body=requests.LetterSearch),
        Route("GET", "/letters/causes", api.causes, "Dead letters grouped by cause", responses.Causes,
              query=requests.CauseQuery),
        Route("POST", "/letters/causes", api.say, "Acknowledge, snooze or resolve a cause, or take it back",
              responses.LifeLine, operator, body=requests.CauseWord, refuses=True),
        Route("GET", "/letters/reasons", api.reasons, "Count dead letters by reason", responses.Reasons,
              query=requests.LetterChoice),
        Route("POST", "/letters/assign", api.assign, "Assign dead letters", responses.Assigned, operator,
              body=requests.Assigning),
        Route("POST", "/letters/discard", api.discard, "Discard dead letters", responses.Discarded, operator,
              body=requests.ActOnLetters),
        Route("POST", "/letters/restore", api.restore, "Restore discarded dead letters", responses.Restored, operator,
              body=requests.ActOnLetters),
        Route("POST", "/letters/preflight", api.preflight, "Preflight a replay; no vendor is called",
              responses.Preflight, operator, body=requests.PreflightRequest, refuses=True),
        Route("GET", f"/letters/{_NUMBER}", api.one, "Show one dead letter", responses.LetterWhole,
              query=requests.RevealQuery),
        Route("POST", f"/letters/{_NUMBER}/there", api.there, "Say that what is in doubt is there",
              state_responses.AnsweredWord, operator, body=requests.SayThere),
        Route("POST", f"/letters/{_NUMBER}/absent", api.absent, "Say that what is in doubt is not there",
              state_responses.AnsweredWord, operator, body=requests.SayAbsent),
        Route("GET", f"/letters/{_NUMBER}/notes", api.notes, "List its notes", responses.Notes),
        Route("POST", f"/letters/{_NUMBER}/notes", api.note, "Add a note", responses.Notes, operator,
              body=requests.NewNote, status=201),
    )  # fmt: skip
    return ApiSection("letters", "Dead letters: what waits for a person.", routes)


class LetterRoutes:
    def __init__(self, parts: ApiParts) -> None:
        self._parts = parts
        self._letters = parts.ledger.letters

    def page(self, call: ApiCall) -> JsonObject:
        which = requests.letter_filter(dict(call.params))
        page = self._letters.page(which, Order(call.params["order"]), call.params["limit"], call.after)
        rows = self._parts.redactor.value([letter_row(letter, self._parts.settings.venues) for letter in page.rows])
        return {"rows": rows, "next": call.next(page.next), "count": self._letters.count(which)}

    def causes(self, call: ApiCall) -> JsonObject:
        rows = self._parts.ledger.causes.find(requests.letter_filter(dict(call.query)), call.query["limit"])
        return {
            "rows": self._parts.redactor.value(
                [cause_row(row, self._parts.settings.venues) for row in sort_causes(rows)]
            )
        }

    def say(self, call: ApiCall) -> JsonObject:
        body = call.body
        said = None if body["said"] == "new" else CauseSaid(body["said"])
        return life_row(self._parts.ledger.causes.say(body["cause"], said, call.who, body["why"], body["until"]))

    def reasons(self, call: ApiCall) -> JsonObject:
        return {"reasons": sort_counts(self._letters.by_reason(requests.letter_filter(dict(call.query))))}

    def one(self, call: ApiCall, number: int) -> Any:
        reveal = call.query["reveal"]
        if reveal:
            call.needs(Role.OPERATOR)
        letter = self._letter(number)
        if reveal:
            self._letters.note_reveal(number, call.who)
        told = letter_detail(letter, self._parts.ledger, reveal=reveal, venues=self._parts.settings.venues)
        return self._parts.redactor.value(told)

    def notes(self, call: ApiCall, number: int) -> JsonObject:
        self._letter(number)
        return {"rows": [note_row(note) for note in self._letters.notes(number)]}

    def note(self, call: ApiCall, number: int) -> JsonObject:
        self._letter(number)
        self._letters.note(number, call.who, call.body["text"])
        return {"rows": [note_row(note) for note in self._letters.notes(number)]}

    def assign(self, call: ApiCall) -> JsonObject:
        return {"assigned": self._letters.assign(chosen_ids(self._parts, call), call.body["to"], call.who)}

    def discard(self, call: ApiCall) -> JsonObject:
        return {"discarded": self._letters.discard(call.body["ids"], call.who, call.body["why"])}

    def restore(self, call: ApiCall) -> JsonObject:
        return {"restored": self._letters.restore(call.body["ids"], call.who, call.body["why"])}

    def there(self, call: ApiCall, number: int) -> JsonObject:
        said = [Said(one["id"], one["hash"]) for one in call.body["bookings"]]
        how = {name: call.body[name] for name in ("why", "rest_absent", "force")}
        return self._answer(lambda words: words.there(number, said, who=call.who, **how), number)

    def absent(self, call: ApiCall, number: int) -> JsonObject:
        how = {name: call.body[name] for name in ("why", "force")}
        return self._answer(lambda words: words.absent(number, who=call.who, **how), number)

    def _answer(self, act: Callable[[Words], Answered], number: int) -> JsonObject:
        self._letter(number)
        words = Words(self._parts.ledger, self._parts.settings, lambda: self._parts.publisher)
        told: JsonObject = self._parts.redactor.value(answered_row(act(words)))
        return told

    def preflight(self, call: ApiCall) -> JsonObject:
        numbers = chosen_ids(self._parts, call)
        some = numbers[: requests.MOST_IDS]
        letters = find_letters(self._parts, some)
        told = preflight(letters, self._parts.ledger, self._parts.settings, self._parts.now())
        redacted: JsonObject = self._parts.redactor.value(told | {"more": len(numbers) > len(some)})
        return redacted

    def _letter(self, number: int) -> Letter:
        letter = self._letters.get(number)
        if letter is None:
            raise not_found(f"dead letter {number}")
        return letter


def chosen_ids(parts: ApiParts, call: ApiCall) -> list[int]:
    """The letters that a request names, or those that match its filter now, one more than a job takes at most. Raises
    Problem where it says both or neither."""
    numbers, chosen = call.body.get("ids"), call.body.get("filter")
    if (numbers is None) == (chosen is None):
        raise invalid(FieldProblem("body", "must have either ids or filter"))
    if chosen is not None:
        numbers = parts.ledger.letters.ids(requests.letter_filter(dict(chosen)), requests.MOST_IDS + 1)
    return list(dict.fromkeys(numbers or ()))


def find_letters(parts: ApiParts, numbers: Sequence[int]) -> list[Letter]:
    """The letters of these numbers, in their order, whatever their state. Raises Problem for one that is not there."""
    letters: dict[int, Letter] = {}
    for start in range(0, len(numbers), _CHUNK):
        some = numbers[start : start + _CHUNK]
        which = LetterFilter(ids=some, states=tuple(LetterState))
        letters |= {letter.id: letter for letter in parts.ledger.letters.find(which, len(some))}
    if unknown := [number for number in numbers if number not in letters]:
        told = [FieldProblem("ids", f"there is no dead letter {number}") for number in unknown]
        raise Problem(409, "refused", "Some of the letters are not there.", told)
    return [letters[number] for number in numbers]
