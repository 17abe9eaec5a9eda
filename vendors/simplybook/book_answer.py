"""`book`'s answer, as "book response" of `simplybook-public-service-methods` has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, fields, post_load, pre_load, validate

from bellhop.vendors.ids import number_of
from bellhop.vendors.simplybook.forms import BookingId, Rows, is_set, lower_keys
from bellhop.vendors.simplybook.types import Flag, Text


@dataclass(frozen=True, slots=True)
class BookedRow:
    """One booking of `book`'s answer. `hash` signs later calls about it and is a secret. confirmed: None where it does
    not say."""

    id: str
    hash: str
    code: str
    start: str
    end: str
    confirmed: bool | None
    event_id: str = ""
    unit_id: str = ""


@dataclass(frozen=True, slots=True)
class BookAnswer:
    """`batch_*` are "" where the answer has no batch; `batch_hash` signs confirmBookingBatch and is a secret.
    require_payment: None where it does not say."""

    require_confirm: bool
    bookings: tuple[BookedRow, ...]
    batch_type: str
    batch_id: str
    batch_hash: str
    require_payment: bool | None = None


class _Exact(Schema):
    class Meta:
        unknown = EXCLUDE


class _Booked(_Exact):
    id = BookingId(required=True)
    hash = Text(load_default="")
    code = Text(load_default="", allow_none=True)
    start = Text(data_key="start_date_time", load_default="")
    end = Text(data_key="end_date_time", load_default="")
    confirmed = Flag(data_key="is_confirmed", load_default=None)
    event_id = Text(load_default="")
    unit_id = Text(load_default="")

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> BookedRow:
        return BookedRow(**{**data, "code": data["code"] or ""})


class BookRow(_Exact):
    """`book`'s answer; see "book response"."""

    require_confirm = Flag(load_default=False)
    require_payment = Flag(load_default=None)
    bookings = Rows(fields.Nested(_Booked), required=True, validate=validate.Length(min=1))
    batch_type = Text(load_default="", allow_none=True)
    batch_id = Text(load_default="", allow_none=True)
    recurrent_batch_id = Text(load_default="", allow_none=True)
    batch_hash = Text(load_default="", allow_none=True)

    @pre_load
    def _lower(self, data: Any, **kwargs: Any) -> Any:
        return lower_keys(data) if isinstance(data, dict) else data

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> BookAnswer:
        return BookAnswer(
            data["require_confirm"],
            tuple(data["bookings"]),
            data["batch_type"] or "",
            data["batch_id"] or data["recurrent_batch_id"] or "",
            data["batch_hash"] or "",
            data["require_payment"],
        )


class BookResult(fields.Nested):
    """`book`'s answer, in any form that `BookRow` reads; the usual one without it, for a tenth of its cost."""

    def __init__(self) -> None:
        super().__init__(BookRow)

    def _deserialize(self, value: Any, attr: str | None, data: Any, partial: Any = None, **kwargs: Any) -> Any:
        return _usual_answer(value) or super()._deserialize(value, attr, data, partial, **kwargs)


_ANSWER_TEXTS: Final = ("batch_type", "batch_id", "recurrent_batch_id", "batch_hash")
_ANSWER_FLAGS: Final = ("require_confirm", "require_payment")
_ROW_TEXTS: Final = ("code", "hash", "start_date_time", "end_date_time", "event_id", "unit_id")
_ROW_FLAGS: Final = ("is_confirmed",)


def _usual_answer(answer: Any) -> BookAnswer | None:
    """What `BookRow` makes of it; None where it is not of the usual form, whatever it may be worth."""
    rows = answer.get("bookings") if isinstance(answer, dict) else None
    if not rows or not isinstance(rows, list) or not _is_usual(answer, _ANSWER_TEXTS, _ANSWER_FLAGS):
        return None
    booked = [row for one in rows if isinstance(one, dict) and (row := _usual_row(one))]
    if len(booked) < len(rows):
        return None
    return BookAnswer(
        is_set(answer.get("require_confirm")),
        tuple(booked),
        answer.get("batch_type", ""),
        answer.get("batch_id") or answer.get("recurrent_batch_id", ""),
        answer.get("batch_hash", ""),
        is_set(answer["require_payment"]) if "require_payment" in answer else None,
    )


def _usual_row(row: Mapping[str, Any]) -> BookedRow | None:
    id_ = number_of(row.get("id"))
    if id_ is None or not _is_usual(row, _ROW_TEXTS, _ROW_FLAGS):
        return None
    code, hash_, start, end, event_id, unit_id = [row.get(name, "") for name in _ROW_TEXTS]
    confirmed = is_set(row["is_confirmed"]) if "is_confirmed" in row else None
    return BookedRow(id_, hash_, code, start, end, confirmed, event_id, unit_id)


def _is_usual(row: Mapping[str, Any], texts: Sequence[str], flags: Sequence[str]) -> bool:
    """Whether its names are without capitals, and what it has of these is text, or text and truth."""
    return (
        all(map(str.islower, row))
        and all([type(row.get(name, "")) is str for name in texts])
        and all([type(row.get(name, "")) in (str, bool) for name in flags])
    )
