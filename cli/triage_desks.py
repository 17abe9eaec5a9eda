"""Where the commands say what they say of letters and causes: this host's ledger, or a console on another host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

from bellhop.cli.common import App, Failed, Misused, acting_as
from bellhop.cli.remote import Remote

Row = dict[str, Any]

MOST_CAUSES = 500


class TriageDesk(Protocol):
    """Every method may raise Failed, or what the ledger and the broker raise. who: None for the default name."""

    def causes(self) -> list[Row]:
        """Of what waits for a person, as `cause_row`: what nobody has in hand first."""
        ...

    def say(self, cause: str, said: str | None, who: str | None, why: str, until: datetime | None) -> Row:
        """acknowledged, snoozed or resolved; None takes it back. As `life_row`."""
        ...

    def assign(self, numbers: Sequence[int], to: str, who: str | None) -> int: ...

    def notes(self, number: int) -> list[Row]: ...

    def note(self, number: int, text: str, who: str | None) -> None: ...

    def data(self, number: int) -> Mapping[str, Any]:
        """A letter's data, unmasked; audited."""
        ...

    def edit(self, number: int, changes: Mapping[str, Any], who: str | None, why: str) -> Row:
        """As `edit_row`, and whether it was `replayed`."""
        ...

    def search(self, words: str, limit: int) -> Row:
        """Events and letters by what is known of them: `rows` and `letters`."""
        ...


@contextmanager
def triage_desk(app: App) -> Iterator[TriageDesk]:
    if app.remote is not None:
        yield RemoteTriage(app.remote)
        return
    with app.ledger() as ledger:
        yield LocalTriage(app, ledger)


def cause_named(desk: TriageDesk, key: str) -> Row:
    """Raises Failed."""
    found = [row for row in desk.causes() if row["key"].startswith(key.lower())]
    if len(found) != 1:
        why = "begins more than one cause's key" if found else "is no cause's key"
        raise Failed(f"{key} {why}: `bellhop dead causes` lists them")
    return found[0]


class LocalTriage:
    def __init__(self, app: App, ledger: Any) -> None:
        self._app = app
        self._ledger = ledger

    def causes(self) -> list[Row]:
        from bellhop.ledger.records import LetterFilter
        from bellhop.letters.archive import WAITING
        from bellhop.letters.serializers.letters import cause_row, sort_causes

        found = sort_causes(self._ledger.causes.find(LetterFilter(states=WAITING), MOST_CAUSES))
        rows: list[Row] = self._app.redact([cause_row(cause, self._app.settings.venues) for cause in found])
        return rows

    def say(self, cause: str, said: str | None, who: str | None, why: str, until: datetime | None) -> Row:
        from bellhop.ledger.records import CauseSaid
        from bellhop.letters.serializers.letters import life_row

        return life_row(self._ledger.causes.say(cause, CauseSaid(said) if said else None, acting_as(who), why, until))

    def assign(self, numbers: Sequence[int], to: str, who: str | None) -> int:
        count: int = self._ledger.letters.assign(numbers, to, acting_as(who))
        return count

    def notes(self, number: int) -> list[Row]:
        from bellhop.letters.serializers.letters import note_row

        self._letter(number)
        return [note_row(note) for note in self._ledger.letters.notes(number)]

    def note(self, number: int, text: str, who: str | None) -> None:
        self._letter(number)
        self._ledger.letters.note(number, acting_as(who), text)

    def data(self, number: int) -> Mapping[str, Any]:
        from bellhop.letters.serializers.letters import letter_detail

        letter = self._letter(number)
        self._ledger.letters.note_reveal(number, acting_as(None))
        return letter_detail(letter, self._ledger, reveal=True)["data"] or {}

    def edit(self, number: int, changes: Mapping[str, Any], who: str | None, why: str) -> Row:
        from bellhop.letters.edit_acts import propose_edit
        from bellhop.letters.serializers.letters import edit_row

        letter, venues = self._letter(number), self._app.settings.venues.get
        with self._app.broker() as broker:
            broker.declare()
            publisher = broker.publisher()
            name = acting_as(who)
            edit, replayed = propose_edit(self._ledger, venues, lambda: publisher, letter, changes, who=name, why=why)
            publisher.close()
        told: Row = self._app.redact(edit_row(edit, letter) | {"replayed": replayed})
        return told

    def search(self, words: str, limit: int) -> Row:
        from bellhop.ledger.records import LetterFilter, LetterState, Order
        from bellhop.letters.serializers.events import event_row
        from bellhop.letters.serializers.letters import letter_row

        letters = self._ledger.letters.page(LetterFilter(text=words, states=tuple(LetterState)), Order.NEWEST, limit)
        told: Row = self._app.redact({
            "rows": [event_row(view) for view in self._ledger.find_events(words, limit)],
            "letters": [letter_row(letter, self._app.settings.venues) for letter in letters.rows],
        })  # fmt: skip
        return told

    def _letter(self, number: int) -> Any:
        letter = self._ledger.letters.get(number)
        if letter is None:
            raise Failed(f"there is no dead letter {number}")
        return letter


class RemoteTriage:
    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def causes(self) -> list[Row]:
        rows: list[Row] = self._remote.get("/letters/causes", limit=MOST_CAUSES)["rows"]
        return rows

    def say(self, cause: str, said: str | None, who: str | None, why: str, until: datetime | None) -> Row:
        _as_the_token(who)
        told = {"cause": cause, "said": said or "new", "why": why, "until": until.isoformat() if until else None}
        return self._remote.post("/letters/causes", told)

    def assign(self, numbers: Sequence[int], to: str, who: str | None) -> int:
        _as_the_token(who)
        count: int = self._remote.post("/letters/assign", {"ids": list(numbers), "to": to})["assigned"]
        return count

    def notes(self, number: int) -> list[Row]:
        rows: list[Row] = self._remote.get(f"/letters/{number}/notes")["rows"]
        return rows

    def note(self, number: int, text: str, who: str | None) -> None:
        _as_the_token(who)
        self._remote.post(f"/letters/{number}/notes", {"text": text})

    def data(self, number: int) -> Mapping[str, Any]:
        return self._remote.get(f"/letters/{number}", reveal="true")["data"] or {}

    def edit(self, number: int, changes: Mapping[str, Any], who: str | None, why: str) -> Row:
        _as_the_token(who)
        return self._remote.post(f"/letters/{number}/edits", {"changes": dict(changes), "why": why})

    def search(self, words: str, limit: int) -> Row:
        return self._remote.post("/search", {"q": words, "limit": limit})


def _as_the_token(who: str | None) -> None:
    if who:
        raise Misused("--who is for this host: with --server the audit names the token")
