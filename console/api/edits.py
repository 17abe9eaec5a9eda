"""Edits of letters: proposed by one, approved by another where the settings ask for it, then replayed."""

from __future__ import annotations

from bellhop.console.api import requests, responses
from bellhop.console.api.problems import RETRY_AFTER, not_found
from bellhop.console.api.routes import ApiCall, ApiParts, ApiSection, Route
from bellhop.ledger.records import Edit, Letter, Role
from bellhop.letters.edit_acts import EditUnsent, propose_edit, replay_approved
from bellhop.letters.edits import EditInvalid
from bellhop.letters.serializers import JsonObject
from bellhop.letters.serializers.letters import edit_row
from bellhop.schemas.errors import EnvelopeError
from bellhop.schemas.problems import Problem

_NUMBER = "<number:number>"


def section(parts: ApiParts) -> ApiSection:
    api = EditRoutes(parts)
    operator = Role.OPERATOR
    routes = (
        Route("GET", f"/letters/{_NUMBER}/edits", api.of_letter, "A letter's edits", responses.EditList,
              query=requests.RevealQuery),
        Route("POST", f"/letters/{_NUMBER}/edits", api.propose,
              "Change fields of its data, and replay it once it is approved", responses.EditDone, operator,
              body=requests.NewEdit, status=201, refuses=True),
        Route("GET", "/edits", api.waiting, "List edits awaiting approval", responses.EditList),
        Route("POST", f"/edits/{_NUMBER}/approve", api.approve, "Approve another person's edit and replay it",
              responses.EditDone, operator, body=requests.NoArguments, refuses=True),
        Route("POST", f"/edits/{_NUMBER}/refuse", api.refuse, "Refuse an edit", responses.EditLine, operator,
              body=requests.Why, refuses=True),
    )  # fmt: skip
    return ApiSection("edits", "Letters' contents changed by people.", routes)


class EditRoutes:
    def __init__(self, parts: ApiParts) -> None:
        self._parts = parts
        self._edits = parts.ledger.edits
        self._letters = parts.ledger.letters

    def of_letter(self, call: ApiCall, number: int) -> JsonObject:
        reveal = call.query["reveal"]
        if reveal:
            call.needs(Role.OPERATOR)
        self._letter(number)
        if reveal:
            self._letters.note_reveal(number, call.who)
        return {"rows": [self._row(edit, reveal=reveal) for edit in self._edits.of(number)]}

    def waiting(self, call: ApiCall) -> JsonObject:
        return {"rows": [self._row(edit) for edit in self._edits.waiting()]}

    def propose(self, call: ApiCall, number: int) -> JsonObject:
        letter, parts = self._letter(number), self._parts
        changes, why = call.body["changes"], call.body["why"]
        try:
            edit, replayed = propose_edit(
                parts.ledger, parts.settings.venues.get, lambda: parts.publisher, letter, changes,
                who=call.who, why=why,
            )  # fmt: skip
        except EditInvalid as error:
            # What may be edited, and into what, is the letter's event's to say.
            raise Problem(409, "refused", "The event would break its contract.", error.problems) from None
        except EnvelopeError:
            raise Problem(409, "refused", "The letter cannot be read, so it cannot be edited.") from None
        except EditUnsent as error:
            raise _unsent(error) from None
        return self._row(edit) | {"replayed": replayed}

    def approve(self, call: ApiCall, number: int) -> JsonObject:
        self._edit(number)
        publisher = self._parts.publisher  # before anything is kept, as the broker may be away
        edit = self._edits.approve(number, call.who)
        try:
            replayed = replay_approved(self._parts.ledger, publisher, edit, call.who)
        except EditUnsent as error:
            raise _unsent(error) from None
        return self._row(edit) | {"replayed": replayed}

    def refuse(self, call: ApiCall, number: int) -> JsonObject:
        self._edit(number)
        return self._row(self._edits.refuse(number, call.who, call.body["why"]))

    def _row(self, edit: Edit, *, reveal: bool = False) -> JsonObject:
        row: JsonObject = self._parts.redactor.value(edit_row(edit, self._letters.get(edit.letter), reveal=reveal))
        return row

    def _letter(self, number: int) -> Letter:
        letter = self._letters.get(number)
        if letter is None:
            raise not_found(f"dead letter {number}")
        return letter

    def _edit(self, number: int) -> Edit:
        edit = self._edits.get(number)
        if edit is None:
            raise not_found(f"edit {number}")
        return edit


def _unsent(error: EditUnsent) -> Problem:
    return Problem(503, "broker-away", f"{str(error)[:1].upper()}{str(error)[1:]}.", headers=RETRY_AFTER)
