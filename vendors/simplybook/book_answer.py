"""`book`'s answer, as "book response" of `simplybook-public-service-methods` has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, post_load, pre_load, validate

from bellhop.vendors.simplybook.forms import BookingId, Rows, lower_keys
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
