"""Events: state, timeline and search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bellhop.console.api import requests, state_responses
from bellhop.console.api.routes import ApiCall, ApiParts, ApiSection, Route
from bellhop.ledger.records import Letter, LetterFilter, LetterState, Order, Role
from bellhop.letters.serializers import JsonObject
from bellhop.letters.serializers.events import event_detail, event_row, moment_row
from bellhop.letters.serializers.letters import letter_row
from bellhop.letters.timeline import timeline
from bellhop.schemas.envelope import Envelope, decode
from bellhop.schemas.errors import EnvelopeError
from bellhop.schemas.problems import Problem

_MOST_LETTERS = 100
_MOST_ACTS = 50


def section(parts: ApiParts) -> ApiSection:
    api = EventRoutes(parts)
    routes = (
        Route("GET", "/events", api.of_subject, "List the newest 200 events of a booking or member",
              state_responses.EventList, query=requests.SubjectQuery),
        Route("GET", "/events/<source>/<id:id_>", api.one, "Show one event: state, attempts, letters",
              state_responses.EventWhole),
        Route("GET", "/timeline", api.timeline, "Show one event's timeline",
              state_responses.Timeline, query=requests.TimelineQuery),
        Route("GET", "/search", api.search, "Search events and dead letters by id, reference, member or vendor id",
              state_responses.Found, query=requests.SearchQuery),
        Route("POST", "/search", api.search, "Search by a guest's name or address, which stays out of the URL",
              state_responses.Found, body=requests.SearchRequest),
    )  # fmt: skip
    return ApiSection("events", "Where an event stands.", routes)


class EventRoutes:
    def __init__(self, parts: ApiParts) -> None:
        self._parts = parts
        self._ledger = parts.ledger

    def of_subject(self, call: ApiCall) -> JsonObject:
        return self._rows(self._ledger.events_of(call.query["source"], call.query["subject"]))

    def search(self, call: ApiCall) -> JsonObject:
        words, most = call.params["q"], call.params["limit"]
        which = LetterFilter(text=words, states=tuple(LetterState))
        letters = self._ledger.letters.page(which, Order.NEWEST, most).rows
        told = [letter_row(letter, self._parts.settings.venues) for letter in letters]
        return self._rows(self._ledger.find_events(words, most)) | {"letters": self._parts.redactor.value(told)}

    def timeline(self, call: ApiCall) -> JsonObject:
        source, id_, reveal = call.query["source"], call.query["id"], call.query["reveal"]
        if reveal:
            call.needs(Role.OPERATOR)
        view, desk = self._ledger.event(source, id_), self._ledger.letters
        letters = self._letters_of(source, id_)
        if view is None and not letters:
            raise _unknown(source, id_)
        acts = [act for letter in letters for act in desk.audit_page(_MOST_ACTS, letter=letter.id).rows]
        notes = {letter.id: desk.notes(letter.id) for letter in letters}
        if reveal:
            desk.note_act(call.who, "reveal", "", f"event {source}/{id_}")
        clean = self._parts.redactor.value
        moments = timeline(view, letters, acts, notes, _envelope(letters), reveal=reveal, clean=clean)
        return {"rows": [moment_row(moment) for moment in moments]}

    def one(self, call: ApiCall, source: str, id_: str) -> Any:
        view = self._ledger.event(source, id_)
        if view is None:
            raise _unknown(source, id_)
        return self._parts.redactor.value(event_detail(view, self._letters_of(source, id_)))

    def _letters_of(self, source: str, id_: str) -> list[Letter]:
        which = LetterFilter(source=source, event_id=id_, states=tuple(LetterState))
        return self._ledger.letters.find(which, _MOST_LETTERS)

    def _rows(self, views: Any) -> JsonObject:
        return {"rows": self._parts.redactor.value([event_row(view) for view in views])}


def _unknown(source: str, id_: str) -> Problem:
    return Problem(404, "not-found", f"No worker has taken event {id_} of {source} yet, or there is none.")


def _envelope(letters: Sequence[Letter]) -> Envelope | None:
    """The event as it came, where a letter still has it."""
    for letter in letters:
        try:
            return decode(letter.new.body)
        except EnvelopeError:
            continue
    return None
