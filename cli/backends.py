"""Where the commands on dead letters do their work: on this host's ledger, or at a console on another host."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol

from bellhop.cli.common import App, Failed, Misused, acting_as
from bellhop.cli.remote import Remote
from bellhop.cli.selection import Selection, pages

if TYPE_CHECKING:
    from bellhop.letters.doubts import Answered, Words
    from bellhop.letters.replay import Replayed

Rows = list[dict[str, Any]]
Progress = Callable[[int], None]

CHUNK: Final = 500
_IN_URL: Final = 200
"""Numbers in one request: servers take no endless address."""


class LetterBackend(Protocol):
    """Every method may raise Failed, or what the ledger and the broker raise."""

    def rows(self, selection: Selection, states: Sequence[str], limit: int | None) -> tuple[Rows, int]:
        """Letters as lists have them, at most `limit`, in the order of their numbers; and how many match."""
        ...

    def one(self, number: int, *, reveal: bool) -> dict[str, Any]:
        """A letter with everything needed to decide. Raises Failed where there is none."""
        ...

    def audit(self, limit: int) -> Rows: ...

    def discard(self, numbers: Sequence[int], who: str | None, why: str) -> int: ...

    def restore(self, numbers: Sequence[int], who: str | None, why: str) -> int: ...

    def there(
        self,
        number: int,
        ids: Sequence[tuple[str, str]],
        who: str | None,
        why: str,
        *,
        rest_absent: bool = False,
        force: bool = False,
    ) -> dict[str, Any]:
        """A person's word: ids and hashes ("" where not known) of what the call in doubt made; rest_absent: and what
        else its event wants is not there; force: although the vendor says otherwise. As `answered_row`."""
        ...

    def absent(self, number: int, who: str | None, why: str, *, force: bool = False) -> dict[str, Any]:
        """A person's word: the call in doubt made nothing."""
        ...


@contextmanager
def desk(app: App) -> Iterator[LetterBackend]:
    if app.remote is not None:
        yield RemoteBackend(app.remote)
        return
    with app.ledger() as ledger:
        yield LocalBackend(app, ledger)


class LocalBackend:
    def __init__(self, app: App, ledger: Any) -> None:
        self._app = app
        self._ledger = ledger

    def rows(self, selection: Selection, states: Sequence[str], limit: int | None) -> tuple[Rows, int]:
        from bellhop.ledger.records import LetterState
        from bellhop.letters.serializers.letters import letter_row

        letters = self._ledger.letters
        which = selection.filter([LetterState(state) for state in states])
        venues = self._app.settings.venues
        rows: Rows = self._app.redact([letter_row(letter, venues) for letter in islice(pages(letters, which), limit)])
        return rows, len(rows) if limit is None else letters.count(which)

    def one(self, number: int, *, reveal: bool) -> dict[str, Any]:
        from bellhop.letters.serializers.letters import letter_detail

        letter = self._ledger.letters.get(number)
        if letter is None:
            raise Failed(f"there is no dead letter {number}")
        if reveal:
            self._ledger.letters.note_reveal(number, acting_as(None))
        told: dict[str, Any] = self._app.redact(
            letter_detail(letter, self._ledger, reveal=reveal, venues=self._app.settings.venues)
        )
        return told

    def audit(self, limit: int) -> Rows:
        from bellhop.letters.serializers.people import audit_row

        return [audit_row(row) for row in self._ledger.audit(limit)]

    def replay_at_once(
        self, numbers: Sequence[int], who: str, why: str, rate: float | None, progress: Progress
    ) -> Replayed:
        """Sends them back to work without a job. "Replayed" is here what the broker has confirmed."""
        from bellhop.letters.replay import Replayed, replay

        def report(done: Replayed) -> None:
            progress(done.replayed + done.unreadable + done.closed + done.unconfirmed)

        if not numbers:
            return Replayed()
        with self._app.broker() as broker:
            broker.declare()  # a letter may be older than the queues
            publisher = broker.publisher()
            done = replay(self._ledger.letters, publisher, numbers, who=who, why=why, rate=rate, progress=report)
            publisher.close()
        return done

    def ends(self, numbers: Sequence[int]) -> Mapping[int, str]:
        """What has become of replayed letters, in words; without those that have not ended yet."""
        from bellhop.ledger.records import ItemState, LetterFilter, LetterState
        from bellhop.letters.bulk_ends import Ends

        which = LetterFilter(ids=numbers, states=tuple(LetterState))
        found = Ends(self._ledger).ends_of(self._ledger.letters.find(which, len(numbers)))
        unfinished = (ItemState.SENT, ItemState.WAITING)
        return {number: self._app.redact(words) for number, (state, words) in found.items() if state not in unfinished}

    def discard(self, numbers: Sequence[int], who: str | None, why: str) -> int:
        return sum(self._ledger.letters.discard(some, acting_as(who), why) for some in _chunks(numbers))

    def restore(self, numbers: Sequence[int], who: str | None, why: str) -> int:
        return sum(self._ledger.letters.restore(some, acting_as(who), why) for some in _chunks(numbers))

    def there(
        self,
        number: int,
        ids: Sequence[tuple[str, str]],
        who: str | None,
        why: str,
        *,
        rest_absent: bool = False,
        force: bool = False,
    ) -> dict[str, Any]:
        from bellhop.vendors.vendor import Said

        said = [Said(*one) for one in ids]
        return self._answer(
            lambda words: words.there(number, said, who=acting_as(who), why=why, rest_absent=rest_absent, force=force)
        )

    def absent(self, number: int, who: str | None, why: str, *, force: bool = False) -> dict[str, Any]:
        return self._answer(lambda words: words.absent(number, who=acting_as(who), why=why, force=force))

    def _answer(self, act: Callable[[Words], Answered]) -> dict[str, Any]:
        from bellhop.cli.clients import counted_gate
        from bellhop.letters.doubts import Words, answered_row

        with self._app.broker() as broker:
            broker.declare()
            publisher = broker.publisher()
            gate = counted_gate(self._app, self._ledger, last=False)
            row = answered_row(act(Words(self._ledger, self._app.settings, lambda: publisher, gate)))
            publisher.close()
        told: dict[str, Any] = self._app.redact(row)
        return told


class RemoteBackend:
    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def rows(self, selection: Selection, states: Sequence[str], limit: int | None) -> tuple[Rows, int]:
        numbers = sorted(set(selection.numbers))
        asked = [numbers[start : start + _IN_URL] for start in range(0, len(numbers), _IN_URL)] or [[]]
        rows: Rows = []
        count = 0
        for some in asked:
            query = {**selection.query, "id": some, "state": list(states), "order": "oldest"}
            if selection.text:  # a guest's name stands in no address
                found, more = self._search({**query, "text": selection.text}, limit)
                rows, count = [*rows, *more], count + found
                continue
            found = self._remote.get("/letters", **query, limit=1)["count"]
            wanted = found if limit is None else limit - len(rows)
            rows += self._remote.rows("/letters", wanted, **query)
            count += found
        return rows, count

    def _search(self, query: dict[str, Any], limit: int | None) -> tuple[int, Rows]:
        body = {name: value for name, value in query.items() if value not in (None, "", [])}
        rows: Rows = []
        while True:
            page = self._remote.post("/letters/search", {**body, "limit": CHUNK})
            rows += page["rows"]
            if not page["next"] or (limit is not None and len(rows) >= limit):
                return page["count"], rows[:limit]
            body["cursor"] = page["next"]

    def one(self, number: int, *, reveal: bool) -> dict[str, Any]:
        return self._remote.get(f"/letters/{number}", reveal="true" if reveal else None)

    def audit(self, limit: int) -> Rows:
        return list(self._remote.rows("/audit", limit))

    def discard(self, numbers: Sequence[int], who: str | None, why: str) -> int:
        return self._act("discard", "discarded", numbers, who, why)

    def restore(self, numbers: Sequence[int], who: str | None, why: str) -> int:
        return self._act("restore", "restored", numbers, who, why)

    def there(
        self,
        number: int,
        ids: Sequence[tuple[str, str]],
        who: str | None,
        why: str,
        *,
        rest_absent: bool = False,
        force: bool = False,
    ) -> dict[str, Any]:
        nobody_else(who)
        said = [{"id": id_, "hash": hash_} for id_, hash_ in ids]
        flags = {name: True for name, is_set in (("rest_absent", rest_absent), ("force", force)) if is_set}
        return self._remote.post(f"/letters/{number}/there", {"bookings": said, "why": why, **flags})

    def absent(self, number: int, who: str | None, why: str, *, force: bool = False) -> dict[str, Any]:
        nobody_else(who)
        return self._remote.post(f"/letters/{number}/absent", {"why": why} | ({"force": True} if force else {}))

    def _act(self, act: str, done: str, numbers: Sequence[int], who: str | None, why: str) -> int:
        nobody_else(who)
        answers = [self._remote.post(f"/letters/{act}", {"ids": some, "why": why}) for some in _chunks(numbers)]
        return sum(answer[done] for answer in answers)


def nobody_else(who: str | None) -> None:
    if who:
        raise Misused("--who is for this host: with --server the audit names the token")


def _chunks(numbers: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(numbers), CHUNK):
        yield list(numbers[start : start + CHUNK])
