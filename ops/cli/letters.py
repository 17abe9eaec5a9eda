"""How dead letters are shown: as JSON and to people, without what is a guest's own unless it is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from ops.cli.common import iso, plain, table, when
from schemas.envelope import decode
from schemas.errors import EnvelopeError
from schemas.redact import MASK

if TYPE_CHECKING:
    from ledger.records import Letter

_SHOWN: Final = frozenset(
    (
        *("booking_id", "venue", "status", "member_id", "promo_code", "services"),
        *("service_id", "provider_id", "facility_id", "start", "end", "price", "count"),
    )
)
"""The keys of an event's data that name no guest. All others are masked: a list of what to hide would miss some."""

_CODES: Final = ("status", "code")
"""Of a vendor's answer: numbers that name no guest."""


def listed(letter: Letter) -> dict[str, Any]:
    """A letter as lists have it."""
    new = letter.new
    return {
        "id": letter.id,
        "state": letter.state.value,
        "reason": new.reason,
        "error": new.error,
        "route": new.route,
        "account": new.account,
        "source": new.source,
        "event_id": new.event_id,
        "type": new.type,
        "subject": new.subject,
        "generation": new.generation,
        "attempts": new.attempts,
        "died": iso(new.died),
        "archived": iso(letter.archived),
        "not_after": iso(new.not_after),
        "message_id": new.message_id,
    }


def shown(letter: Letter, *, reveal: bool) -> dict[str, Any]:
    """A letter with everything needed to decide. reveal: without masking what is a guest's own."""
    told = listed(letter)
    told["evidence"] = letter.new.evidence if reveal else _without_answers(letter.new.evidence)
    told["body_bytes"] = len(letter.new.body)
    try:
        data = decode(letter.new.body).data
        told["data"] = dict(data) if reveal else masked(data)
    except EnvelopeError as error:
        told["data"] = None
        told["unreadable"] = str(error)
        if reveal:
            told["body"] = letter.new.body.decode("utf-8", "backslashreplace")
    return told


def masked(data: Any) -> Any:
    """An event's data with its shape, but only the values that name no guest."""
    if isinstance(data, Mapping):
        return {key: masked(value) if key in _SHOWN else _hidden(value) for key, value in data.items()}
    if isinstance(data, list):
        return [masked(item) for item in data]
    return data


def _hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: inner if key in _CODES else _hidden(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    return MASK if value not in (None, "") else value


def _without_answers(evidence: Mapping[str, Any]) -> Any:
    """The attempts, and of the vendor's answers only their shape: an answer may repeat the guest it was asked for."""
    return {
        key: [_hidden_answer(attempt) for attempt in value]
        if key == "attempts" and isinstance(value, list)
        else _hidden(value)
        for key, value in evidence.items()
    }


def _hidden_answer(attempt: Any) -> Any:
    if not isinstance(attempt, Mapping):
        return _hidden(attempt)
    return {key: _hidden(value) if key == "answer" else value for key, value in attempt.items()}


def letters_table(rows: Sequence[Mapping[str, Any]]) -> Any:
    """The table of a list, of rows as `listed` makes them."""
    from datetime import datetime

    cells = [
        (
            row["id"],
            row["reason"] if row["state"] == "open" else f"{row['reason']} ({row['state']})",
            row["type"] or "?",
            f"{row['source']}/{row['event_id']}" if row["source"] else row["message_id"],
            row["route"],
            when(datetime.fromisoformat(row["died"])),
            row["error"],
        )
        for row in rows
    ]
    return table((">number", "reason", "type", "event", "route", "died (UTC)", "error"), cells)


def echo_letter(told: Mapping[str, Any]) -> None:
    """One letter for people."""
    click.echo(plain(f"dead letter {told['id']}  {told['reason']}  {told['state']}"))
    for label, key in (
        *(("error", "error"), ("event", "event_id"), ("source", "source"), ("type", "type"), ("subject", "subject")),
        *(("route", "route"), ("account", "account"), ("attempts", "attempts"), ("replays", "generation")),
        *(("died", "died"), ("starts", "not_after"), ("unreadable", "unreadable")),
    ):
        if told.get(key) not in (None, ""):
            click.echo(plain(f"  {label:<11}{told[key]}"))
    for label in ("data", "evidence", "body"):
        if told.get(label) is not None:
            click.echo(f"  {label}")
            for line in json.dumps(told[label], indent=2, ensure_ascii=False).splitlines():
                click.echo(f"    {plain(line)}")
