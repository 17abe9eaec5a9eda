"""Edits of letters: proposed by one, approved by another where the settings ask for it, then replayed."""

from __future__ import annotations

from bellhop.broker.port import Publisher
from bellhop.console.api import requests, responses
from bellhop.console.api.problems import RETRY_AFTER, invalid, not_found
from bellhop.console.api.routes import ApiCall, ApiParts, ApiSection, Route
from bellhop.ledger.records import Edit, EditState, Letter, LetterState, Role
from bellhop.letters.edits import EditInvalid, edit_body
from bellhop.letters.replay import replay_edited
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
        letter = self._letter(number)
        if letter.state is not LetterState.OPEN:
            raise Problem(409, "refused", f"Dead letter {number} is {letter.state.value}: only an open one is edited.")
        try:
            body = edit_body(letter.new.body, call.body["changes"], self._parts.settings.venues.get)
        except EditInvalid as error:
            raise invalid(*error.problems) from None
        except EnvelopeError:
            raise Problem(409, "refused", "The letter cannot be read, so it cannot be edited.") from None
        if (known := self._find_proposal(number, call.who, body)) is not None:
            return self._row(known) | {"replayed": False}
        publisher = self._parts.publisher  # before anything is kept, as the broker may be away
        edit = self._edits.propose(number, call.who, call.body["why"], body)
        replayed = edit.state is EditState.APPROVED and self._replay(edit, call.who, publisher)
        return self._row(edit) | {"replayed": replayed}

    def _find_proposal(self, number: int, who: str, body: bytes) -> Edit | None:
        """The same, where they have proposed it already and it waits: the answer was lost."""
        same = (edit for edit in self._edits.of(number) if (edit.who, edit.body) == (who, body))
        return next((edit for edit in same if edit.state is EditState.PROPOSED), None)

    def approve(self, call: ApiCall, number: int) -> JsonObject:
        self._edit(number)
        publisher = self._parts.publisher  # before anything is kept, as the broker may be away
        edit = self._edits.approve(number, call.who)
        return self._row(edit) | {"replayed": self._replay(edit, call.who, publisher)}

    def refuse(self, call: ApiCall, number: int) -> JsonObject:
        self._edit(number)
        return self._row(self._edits.refuse(number, call.who, call.body["why"]))

    def _replay(self, edit: Edit, who: str, publisher: Publisher) -> bool:
        """Whether it was: not where its letter is not open any more. Raises Problem where nobody knows."""
        done = replay_edited(self._parts.ledger, publisher, edit.id, who=who)
        if done.error:
            detail = "The broker did not confirm it. The letter is still open: propose the same edit again."
            raise Problem(503, "broker-away", detail, headers=RETRY_AFTER)
        return bool(done.replayed)

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
