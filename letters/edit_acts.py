"""An edit proposed by a person, and replayed where nobody else must approve it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bellhop.broker.port import Publisher
from bellhop.ledger.edits import EditRefused
from bellhop.ledger.records import Edit, EditState, Letter, LetterState
from bellhop.ledger.store import Ledger
from bellhop.letters.edits import edit_body
from bellhop.letters.replay import replay_edited
from bellhop.schemas.errors import BrokerError
from bellhop.schemas.events import VenueFacts


class EditUnsent(BrokerError):
    """Raised where the broker did not confirm an edited letter's replay: the letter is still open."""


def propose_edit(
    ledger: Ledger,
    venues: Callable[[str], VenueFacts | None],
    publisher: Callable[[], Publisher],
    letter: Letter,
    changes: Mapping[str, Any],
    *,
    who: str,
    why: str,
) -> tuple[Edit, bool]:
    """The edit, and whether it was replayed: not where another person must approve it first, nor where its letter is
    not open any more. The same proposed again is the same edit. changes: fields of the event's data, None takes one
    away.

    Raises EditInvalid; EnvelopeError where the letter cannot be read; EditRefused; BrokerError where the broker is
    away; EditUnsent; LedgerUnavailable.
    """
    if letter.state is not LetterState.OPEN:
        raise EditRefused(f"dead letter {letter.id} is {letter.state.value}: only an open one is edited")
    body = edit_body(letter.new.body, changes, venues)
    same = (edit for edit in ledger.edits.of(letter.id) if (edit.who, edit.body) == (who, body))
    if (known := next((edit for edit in same if edit.state is EditState.PROPOSED), None)) is not None:
        return known, False
    opened = publisher()  # before anything is kept, as the broker may be away
    edit = ledger.edits.propose(letter.id, who, why, body)
    return edit, edit.state is EditState.APPROVED and replay_approved(ledger, opened, edit, who)


def replay_approved(ledger: Ledger, publisher: Publisher, edit: Edit, who: str) -> bool:
    """Whether it was: not where its letter is not open any more. Raises EditUnsent, LedgerUnavailable."""
    done = replay_edited(ledger, publisher, edit.id, who=who)
    if done.error:
        raise EditUnsent("the broker did not confirm it: the letter is still open, propose the same edit again")
    return bool(done.replayed)
