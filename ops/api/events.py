"""Where events stand, and the search for everything about somebody or something."""

from __future__ import annotations

from typing import Any

from ledger.records import LetterFilter, LetterState
from ops.api import answers, requests
from ops.api.problems import Problem
from ops.api.routes import Call, Parts, Route, Section
from ops.seen import Seen, event_line, event_seen

_MOST_LETTERS = 100


def section(parts: Parts) -> Section:
    api = Events(parts)
    routes = (
        Route("GET", "/events", api.of_subject, "All events of a booking or member", answers.Events,
              query=requests.SubjectQuery),
        Route("GET", "/events/<source>/<id:id_>", api.one, "One event's whole way", answers.EventWhole),
        Route("GET", "/search", api.search, "Events by any id, reference, member, vendor id or address",
              answers.Events, query=requests.SearchQuery),
    )  # fmt: skip
    return Section("events", "Where an event stands.", routes)


class Events:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ledger = parts.ledger

    def of_subject(self, call: Call) -> Seen:
        return self._rows(self._ledger.events_of(call.query["source"], call.query["subject"]))

    def search(self, call: Call) -> Seen:
        return self._rows(self._ledger.find_events(call.query["q"], call.query["limit"]))

    def one(self, call: Call, source: str, id_: str) -> Any:
        view = self._ledger.event(source, id_)
        if view is None:
            raise Problem(404, "not-found", f"No worker has taken event {id_} of {source} yet, or there is none.")
        which = LetterFilter(source=source, event_id=id_, states=tuple(LetterState))
        return self._parts.redactor.value(event_seen(view, self._ledger.letters.find(which, _MOST_LETTERS)))

    def _rows(self, views: Any) -> Seen:
        return {"rows": self._parts.redactor.value([event_line(view) for view in views])}
