"""What a SimplyBook.me company asks of a booking, checked before it is sent: its timeframe, the client's fields it
requires, its intake forms.

What a company says of itself is kept (`vendors.kept_answers`): asking before every booking would double the calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Protocol

from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.kept_answers import (
    FRESH_SECONDS,
    KEPT_SECONDS,
    KeptAnswers,
    Share,
    ask_alone,
    side_by_side,
)
from bellhop.vendors.simplybook.forms import is_set

PROMO: Final = "promocode"
_MOST_AHEAD: Final = 3
"""Services of which is asked ahead, two calls each; of others when they are first booked: nobody knows which are."""

_OTHER: Final = ("getTimeframe",)
_ANOTHER: Final = ("getCompanyParam", "require_fields")
_CHECKED: Final = ("1", "0", "true", "false", "on", "off", "")
_FREE_TEXT: Final = ("text", "textarea")
_DIGITS: Final = re.compile(r"[0-9]+")


class Caller(Protocol):
    """What is needed of the client."""

    def call(self, name: str, *arguments: Any) -> Any: ...


class CompanyRules:
    """One account's, as the company tells them. Safe from any thread.

    Every method raises VendorFailure where the vendor cannot be asked, Held where it may not. patience_seconds: how
    long a thread waits for another that asks the same. share: see `KeptAnswers`.
    """

    def __init__(
        self,
        client: Caller,
        patience_seconds: float = 35.0,
        *,
        share: Share = ask_alone,
        kept: KeptAnswers | None = None,
        most_seconds: float = KEPT_SECONDS,
    ) -> None:
        self._client = client
        self._kept = kept or KeptAnswers(partial(_ask, client), patience_seconds, share=share)
        self._most_seconds = most_seconds

    def fresh(self) -> CompanyRules:
        """The same by answers of the last minutes alone: for what is to refuse a booking."""
        return CompanyRules(self._client, kept=self._kept, most_seconds=FRESH_SECONDS)

    def timeframe(self) -> int | None:
        """Minutes between starts; None where the company does not tell."""
        minutes = self._answer("getTimeframe")
        return minutes or None

    def required_fields(self) -> frozenset[str]:
        """The client's fields that a booking must have: of `phone` and `email`."""
        told = str(self._answer("getCompanyParam", "require_fields") or "")
        return frozenset(field for field in ("email", "phone") if field in told)

    def intake(self, event_id: int) -> Sequence[Mapping[str, Any]]:
        """The fields of a service's intake form."""
        fields: Sequence[Mapping[str, Any]] = self._answer("getAdditionalFields", event_id) or ()
        return fields

    def minutes(self, event_id: int) -> int:
        """How long a service lasts; 0 where the company does not tell."""
        rows = self._answer("getEventList") or ()
        return next((int(row.get("duration") or 0) for row in rows if str(row.get("id")) == str(event_id)), 0)

    def end_time(self, start: str, event_id: int, unit_id: int, wanted: str) -> str:
        """When a service that starts then ends, Y-m-d H:i:s; "" where it is not free, or the vendor does not say.

        wanted: the end asked for. Where the service has lasted as long minutes ago, nothing more is asked.
        """

        def ask() -> timedelta | None:
            end = self._ask_end(start, event_id, unit_id)
            return datetime.fromisoformat(end) - datetime.fromisoformat(start) if end else None

        try:
            lasts = self._kept.get(("lasts", event_id, unit_id), FRESH_SECONDS, ask)
            if lasts is not None and f"{datetime.fromisoformat(start) + lasts:%Y-%m-%d %H:%M:%S}" == wanted:
                return wanted
        except (TimeoutError, ValueError):
            pass  # asked by itself, then
        return self._ask_end(start, event_id, unit_id)

    def _ask_end(self, start: str, event_id: int, unit_id: int) -> str:
        return str(_ask(self._client, "calculateEndTime", start, event_id, unit_id) or "")

    def available_units(self, event_id: int, start: str, count: int) -> Sequence[str]:
        """The ids of the providers who are free for the service then."""
        found: Sequence[str] = self._client.call("getAvailableUnits", event_id, start, count) or ()
        return found

    def free_starts(self, event_id: int, day: str, count: int) -> Sequence[str]:
        """The starts of that day (H:i:s) at which some provider is free."""
        told: Mapping[str, Sequence[str]] = (
            self._client.call("getStartTimeMatrix", day, day, event_id, None, count) or {}
        )
        return told.get(day, ())

    def picks_at_random(self) -> bool:
        """Whether the company has any of the employees picked at random."""
        told = self._answer("getAnyUnitData") or {}
        return is_set(told.get("random_selection"))

    def payment_terms(self) -> dict[str, Any]:
        """timeout: within what a booking must be paid, in the vendor's words, "" where it does not say.
        may_be_delayed: whether the company allows to pay later."""
        timeout, delayed = (self._answer("getCompanyParam", key) for key in ("payment_timeout", "allow_delay_payment"))
        return {"timeout": str(timeout or ""), "may_be_delayed": is_set(delayed)}

    def due_payment(self, event_id: int) -> dict[str, Any] | None:
        """The terms, where a booking of the service is to be paid; None where it is not, or nobody says."""
        return self.payment_terms() if self._answer("isPaymentRequired", event_id) else None

    def ask_ahead(self) -> None:
        """Asks what bookings will be held against, so that none has to wait for it: a few threads' work."""
        side_by_side([self.timeframe, self.required_fields, self._ask_of_services])

    def ask_together(self, event_id: int) -> Sequence[Mapping[str, Any]]:
        """As `intake`; what else is not known of all that a booking of the service is held against is asked beside."""
        asking: dict[tuple[Any, ...], Callable[[], object]] = {
            ("getTimeframe",): self.timeframe,
            ("getCompanyParam", "require_fields"): self.required_fields,
            ("getAdditionalFields", event_id): partial(self.intake, event_id),
            ("isPaymentRequired", event_id): partial(self.due_payment, event_id),
        }
        unknown = [ask for question, ask in asking.items() if not self._kept.has(question, self._most_seconds)]
        if len(unknown) > 1:
            side_by_side(unknown)
        return self.intake(event_id)

    def _ask_of_services(self) -> None:
        services = [int(row["id"]) for row in self._answer("getEventList", True, True) or ()][:_MOST_AHEAD]
        side_by_side(partial(ask, one) for one in services for ask in (self.intake, self.due_payment))

    def _answer(self, *question: Any) -> Any:
        try:
            return self._kept.get(question, self._most_seconds)
        except TimeoutError:
            message = "no answer in time to another that asks the same"
            raise VendorFailure(Kind.TRANSIENT, vendor="simplybook", method=str(question[0]), message=message) from None


def _ask(client: Caller, name: str, *arguments: Any) -> Any:
    """None for a question that this account may not ask: the vendor holds the booking against its rules itself. Where
    it may ask no other either, its credentials are refused, and that is no answer to keep."""
    try:
        return client.call(name, *arguments)
    except VendorFailure as failure:
        if _is_away(failure):
            raise
        if failure.kind is Kind.AUTH:
            client.call(*(_OTHER if name != _OTHER[0] else _ANOTHER))
        return None


def _is_away(failure: VendorFailure) -> bool:
    """Whether asking again may help. A refusal, or an answer nobody can read, stays one: the booking goes without the
    check, and the vendor says itself what it does not like."""
    if failure.kind is Kind.UNKNOWN:
        return failure.status is None or failure.status >= 500
    return failure.kind in (Kind.TRANSIENT, Kind.THROTTLED)


def off_timeframe(start: datetime, minutes: int) -> str:
    """What is wrong with a start that is no multiple of the timeframe, with the nearest that are; "" where it is.

    "Time value should be multiple to 'timeframe' configuration of company".
    """
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    over = (start - midnight) % timedelta(minutes=minutes)
    if not over:
        return ""
    before = start - over
    after = before + timedelta(minutes=minutes)
    nearest = f"{before:%H:%M} and {after:%H:%M}"
    return f"its start is no multiple of the company's timeframe of {minutes} minutes; the nearest are {nearest}"


def missing_fields(client: Mapping[str, Any], required: frozenset[str]) -> list[str]:
    """The rules that the client's data break."""
    return [f"client.{field} is required by the company" for field in sorted(required) if not client.get(field)]


def fill_fields(given: Mapping[str, Any], fields: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], list[str]]:
    """The values by the fields' names, as `book` takes them, and the rules that are broken. A value may be given by
    its field's name (32 hexadecimal digits) or its title. What belongs to no field is passed on as it is: whether it
    is one, only the vendor knows."""
    by_key = {str(field[key]): field for field in reversed(fields) for key in ("title", "name") if field.get(key)}
    values: dict[str, Any] = {}
    problems: list[str] = []
    for key, value in given.items():
        field = by_key.get(key)
        if field is None:
            values[key] = value
            continue
        values[str(field["name"])] = value
        if rule := _broken_rule(field, value):
            problems.append(f"additional: {_title(field)} {rule}")
    for field in fields:
        # "is_null": null is mandatory, "1" optional.
        if not field.get("is_null") and _is_empty(values.get(str(field["name"]))):
            problems.append(f"additional: {_title(field)} is required")
    return values, problems


def unknown_fields(given: Mapping[str, Any], fields: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names under which a value is given, and which no field has."""
    known = {str(field.get(key)) for field in fields for key in ("title", "name")}
    return [name for name in given if name not in known]


def place_notes(
    notes: str, wanted: str, given: Mapping[str, Any], fields: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], str]:
    """`given` with the notes as the value of the field of that title or name; and what is wrong with that, "" for
    nothing. Notes decide nothing: a form that cannot take them keeps no booking from being made."""
    field = find_field(wanted, fields)
    if field is None:
        return dict(given), f'not sent to SimplyBook.me: no field "{wanted}" (notes_field) in the form'
    if any(name.casefold() in _names(field) for name in given):
        return dict(given), f'not sent to SimplyBook.me: `additional` fills "{wanted}" (notes_field) in the form'
    if not takes_text(field):
        kind = field.get("type")
        return dict(given), f'not sent to SimplyBook.me: the field "{wanted}" (notes_field) takes a {kind} in the form'
    most = str(field.get("length") or "")
    limit = int(most) if most.isdecimal() and int(most) else len(notes)
    cut = f'cut to {limit} characters, as the field "{wanted}" takes no more in the form' if len(notes) > limit else ""
    return {**given, str(field["name"]): notes[:limit]}, cut


def with_promo(values: Mapping[str, Any], code: str | None) -> dict[str, Any]:
    """ "To create a booking with promo code you should pass it as additional field.  For example: {"name":
    "promocode", "value": "some code", "type": "text"}" """
    if not code:
        return dict(values)
    return {**values, PROMO: {"name": PROMO, "value": code, "type": "text"}}


def find_field(wanted: str, fields: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The field of that title or name."""
    return next((one for one in fields if wanted.strip().casefold() in _names(one)), None)


def takes_text(field: Mapping[str, Any]) -> bool:
    """Whether it takes any text, as notes are."""
    return field.get("type") in _FREE_TEXT


def _names(field: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(field.get(key) or "").strip().casefold() for key in ("title", "name"))


def _title(field: Mapping[str, Any]) -> str:
    return f'"{field.get("title") or field["name"]}"'


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value is False


def _broken_rule(field: Mapping[str, Any], value: Any) -> str:
    """The rule of its type that a value breaks, "" for none. Types: select, checkbox, text, textarea, digits."""
    if _is_empty(value):
        return ""
    kind = field.get("type")
    if kind == "checkbox":
        return "" if isinstance(value, bool) or str(value).lower() in _CHECKED else "must be true or false"
    if isinstance(value, dict | list):
        return "must be a text"
    if kind == "digits" and not _DIGITS.fullmatch(str(value)):
        return "must be digits only"
    if kind == "select":
        allowed = [choice.strip() for choice in str(field.get("values") or "").split(",")]
        if str(value).strip() not in allowed:
            return f"must be one of {', '.join(allowed)}"
    return ""
