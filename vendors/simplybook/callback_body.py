"""SimplyBook.me's own callback: what it posts when a booking is made, changed, cancelled or reminded of.

It is thin, unsigned, and sent again for up to two days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate

from bellhop.schemas.contract import Identifier, Moment, load_valid
from bellhop.schemas.errors import EventInvalid, FieldProblem
from bellhop.vendors.simplybook.settings import SimplybookAccount
from bellhop.vendors.vendor import Notice

ONCE: Final = ("create", "cancel")
"""These happen to a booking once: whatever else tells so is the same, sent again."""

NOTIFICATIONS: Final = (*ONCE, "change", "notify")
_DIGITS: Final = 11
_YEARS: Final = range(2000, 2200)


class _Callback(Schema):
    class Meta:
        unknown = EXCLUDE  # the vendor adds to it: webhook_timestamp, signature_algo, old_data

    booking_id = Identifier(required=True)
    booking_hash = fields.String(required=True, validate=validate.Regexp(r"[\x21-\x7e]{1,128}\Z"))
    company = fields.String(required=True, validate=validate.Length(min=1, max=200))
    notification_type = fields.String(required=True, validate=validate.OneOf(NOTIFICATIONS))

    @pre_load
    def _object(self, body: Any, **kwargs: Any) -> Any:
        if not isinstance(body, dict):
            raise ValidationError("must be a JSON object")
        return body


_CALLBACK: Final = _Callback()


@dataclass(frozen=True, slots=True)
class Callback:
    """time: when it was sent, UTC; None where it does not say so, or not legibly."""

    booking_id: str
    booking_hash: str
    notification_type: str
    time: datetime | None

    @property
    def data(self) -> Mapping[str, str]:
        return {
            "booking_id": self.booking_id,
            "booking_hash": self.booking_hash,
            "notification_type": self.notification_type,
        }


def read_notice(body: object, account: SimplybookAccount, received: datetime, own_id: str) -> Notice:
    """A booking is created and cancelled once, so these are known by that whenever they come. Changes and reminders
    come many times: one without a time of its own is taken for a new one each time."""
    callback = parse_callback(body, account.company)
    kind = callback.notification_type
    name, at = f"{callback.booking_id}-{kind}", callback.time or received
    if kind not in ONCE:
        name = f"{name}-{own_id}" if callback.time is None else f"{name}-{at:%Y%m%dT%H%M%SZ}"
    # Its kind is part of the subject: two callbacks of one booking may bear the same second.
    subject = f"{callback.booking_id}/{kind}"
    return Notice(name, subject, callback.data, at, has_own_time=kind not in ONCE)


def parse_callback(body: object, company: str) -> Callback:
    """Checks a decoded body. company: the login of the company it must be from. Raises EventInvalid."""
    found, problems = load_valid(_CALLBACK, body, "")
    if "company" in found and found["company"].strip().lower() != company.strip().lower():
        problems.append(FieldProblem("company", "is not the company of this source's account"))
    if problems:
        raise EventInvalid(tuple(problems))
    sent = _sent_at(body.get("webhook_timestamp") if isinstance(body, Mapping) else None)
    return Callback(found["booking_id"], found["booking_hash"], found["notification_type"], sent)


def _sent_at(value: object) -> datetime | None:
    """Seconds since 1970, as a number or a text, or ISO 8601. Nobody documents it, and what cannot be read is no
    reason to lose a callback."""
    moment: datetime | None = None
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if text.isascii() and text.isdigit():
        moment = datetime.fromtimestamp(int(text), UTC) if len(text) <= _DIGITS else None
    elif text:
        try:
            moment = Moment().deserialize(text)
        except ValidationError:
            return None
        moment = moment.astimezone(UTC) if moment and moment.tzinfo else None
    return moment if moment is not None and moment.year in _YEARS else None
