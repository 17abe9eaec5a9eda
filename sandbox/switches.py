"""The quirks nobody can settle from public material, as switches.

`grade` tells how well a default is known: V vendor's own document or code, L seen on the live API by others,
S second hand, I inferred.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from bellhop.sandbox.limits import Limit

PLUGINS: Final = (
    *("advanced_notification", "any_unit", "api", "approve_booking", "back_to_site", "contact_widget", "counter"),
    *("custom_css", "data_security", "description", "event_category", "event_field", "facebookImage"),
    *("financial_dashboard", "google_analytics", "google_calendar_export", "group_booking", "hipaa", "limit_bookings"),
    *("location", "mobile_app_backend", "multiple_booking", "news", "paid_events", "promo", "recap", "secure"),
    *("status", "unit_colors", "user_license", "cancelation_policy"),
)
"""SimplyBook.me's Custom Features, by the document's identifiers."""

_PLUGINS_ON: Final = ",".join(
    (
        *("any_unit", "api", "event_category", "event_field", "group_booking", "location", "multiple_booking"),
        *("paid_events", "promo", "user_license", "cancelation_policy"),
    )
)


class ControlError(ValueError):
    """Raised for control input that cannot be followed; its text says what is wrong."""


def _switch(default: Any, grade: str, means: str, allowed: tuple[object, ...] = (), words: tuple[str, ...] = ()) -> Any:
    """allowed: the only values there are. words: what a comma-separated text is made of."""
    return field(default=default, metadata={"grade": grade, "means": means, "allowed": allowed, "words": words})


@dataclass(frozen=True, slots=True)
class Switches:
    simplybook_token_seconds: int = _switch(3600, "V", "how long a token lives")
    simplybook_token: str = _switch(
        "given", "V", "what getToken answers: a token, an empty one, or null", ("given", "empty", "null")
    )
    simplybook_new_token_ends_earlier: bool = _switch(False, "S", "getToken makes the company's earlier tokens invalid")
    simplybook_login_error: int = _switch(
        0,
        "S",
        "getToken fails with this code: company unknown, wrong key, wrong login, user blocked, HIPAA; 0: it does not",
        (0, -33001, -33002, -33003, -33004, -33005),
    )
    simplybook_service_url: str = _switch("", "V", "what getServiceUrl names; empty: the address it was called at")
    simplybook_error_status: int = _switch(200, "V", "HTTP status of an RPC error (401, 500: S)", (200, 401, 500))
    simplybook_numbers_echoed_as_text: bool = _switch(
        True, "V", "a result echoes the request's id 1 as \"1\", as in the document's example; errors echo it as it was"
    )
    simplybook_numbers_as_text: bool = _switch(True, "V", "numbers in a result are texts, as PHP sends them")
    simplybook_empty_map_as_list: bool = _switch(True, "V", "an empty map in a result is [], as PHP sends it, not {}")
    simplybook_null_members: bool = _switch(
        False, "V", "a success carries error: null and a failure result: null, as the document's prose has it"
    )
    simplybook_calculate_end_time_null: bool = _switch(
        False, "V", "calculateEndTime answers null (L) where the document has false"
    )
    simplybook_require_confirm: bool = _switch(
        False, "V", "Approve booking is active: bookings wait for confirmBooking, occupying their slots"
    )
    simplybook_cancel_twice_is_true: bool = _switch(
        False, "I", "cancelling a cancelled booking answers true; otherwise -32080, as for one that never was"
    )
    simplybook_tells_cancelled: bool = _switch(
        False, "I", "a cancelled booking's details are still told, with is_cancelled; otherwise -32080"
    )
    simplybook_payment_fails: bool = _switch(False, "I", "confirming a payment answers -32099")
    simplybook_plugins: str = _switch(
        _PLUGINS_ON,
        "I",
        "the Custom Features that are active, separated by commas (approve_booking: see simplybook_require_confirm)",
        words=tuple(name for name in PLUGINS if name != "approve_booking"),
    )
    simplybook_per_second: int = _switch(0, "S", "calls a second, 5 by hearsay; 0: without limit")
    simplybook_at_once: int = _switch(0, "S", "calls in progress at once, 2 by hearsay; 0: without limit")
    simplybook_per_day: int = _switch(0, "S", "calls a day (of UTC), 5000 by hearsay; 0: without limit")
    simplybook_throttle_answer: str = _switch(
        "429", "S", "what a call above a limit is answered: HTTP 429, HTTP 403, or an RPC error", ("429", "403", "rpc")
    )
    peoplevine_refuses_overlap: bool = _switch(
        True, "I", "a technician's time that is taken is refused; otherwise it is booked a second time"
    )
    peoplevine_failure_status: int = _switch(
        200, "V", "HTTP status of success:false (others are not public: I)", (200, 400, 401, 404, 422, 500)
    )
    peoplevine_products_success: bool = _switch(
        False, "V", "what products answers as success, beside its data: false in the document's own example"
    )
    peoplevine_offsets: bool = _switch(True, "V", "availability's times carry the venue's offset")
    peoplevine_from: str = _switch(
        "iso",
        "I",
        "how `from` must be written: an ISO 8601 time, a date, or seconds since 1970",
        ("iso", "date", "epoch"),
    )
    peoplevine_region: str = _switch(
        "1", "V", "the region (`host`) that knows the accounts; the other one refuses their credentials", ("1", "2")
    )
    sevenrooms_app_not_in_audience: bool = _switch(
        False, "V", "the app is missing in SevenRooms' access rules: no availability, and no error"
    )
    sevenrooms_client_must_specify_duration: bool = _switch(
        False, "V", "SevenRooms wants a duration, which its API does not take: no availability, and no error"
    )

    def changed(self, values: Mapping[str, object]) -> Switches:
        """These switches with `values` laid over them. Raises ControlError for an unknown name or a wrong value."""
        known = {item.name: item for item in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ControlError(f"{name} is not a switch; the switches are {', '.join(known)}")
            _check(name, known[name].default, known[name].metadata, value)
        return replace(self, **values)  # type: ignore[arg-type]

    def told(self, pairs: Iterable[str]) -> Switches:
        """These switches with NAME=VALUE texts laid over them. Raises ControlError."""
        defaults = {item.name: item.default for item in fields(self)}
        values: dict[str, object] = {}
        for pair in pairs:
            name, equals, value = pair.partition("=")
            if not equals:
                raise ControlError(f"{pair} must be written NAME=VALUE")
            values[name] = _read(value, type(defaults.get(name, "")))
        return self.changed(values)

    @property
    def simplybook_limit(self) -> Limit:
        return Limit(self.simplybook_per_second, self.simplybook_at_once, self.simplybook_per_day)

    def plugins(self, changes: Mapping[str, object]) -> Switches:
        """These switches with Custom Features of SimplyBook.me on or off. Raises ControlError."""
        on = {name: self.plugin(name) for name in PLUGINS}
        for name, value in changes.items():
            if name not in on:
                raise ControlError(f"{name} is no Custom Feature; they are {_listed(PLUGINS)}")
            if not isinstance(value, bool):
                raise ControlError(f"{name} must be true or false")
            on[name] = value
        waits = on.pop("approve_booking")  # it is a switch of its own, as it changes what `book` does
        listed = ",".join(name for name, value in on.items() if value)
        return self.changed({"simplybook_plugins": listed, "simplybook_require_confirm": waits})

    def plugin(self, name: str) -> bool:
        """Whether this Custom Feature of SimplyBook.me is active."""
        if name == "approve_booking":
            return self.simplybook_require_confirm
        return name in self.simplybook_plugins.split(",")

    def described(self) -> dict[str, dict[str, object]]:
        """Value, grade and meaning by name; what a value may be, where there are few."""
        return {
            item.name: {
                "value": getattr(self, item.name),
                "grade": item.metadata["grade"],
                "means": item.metadata["means"],
                **({"one_of": list(item.metadata["allowed"])} if item.metadata["allowed"] else {}),
            }
            for item in fields(self)
        }


def _check(name: str, default: object, metadata: Mapping[str, Any], value: object) -> None:
    allowed, words, wanted = metadata["allowed"], metadata["words"], type(default)
    kind = {bool: "true or false", int: "a whole number from 0", str: "a text"}[wanted]
    if type(value) is not wanted or (not allowed and isinstance(value, int) and value < 0):
        raise ControlError(f"{name} must be {f'one of {_listed(allowed)}' if allowed else kind}")
    if allowed and value not in allowed:
        raise ControlError(f"{name} must be one of {_listed(allowed)}")
    if words and isinstance(value, str):
        for word in filter(None, value.split(",")):
            if word not in words:
                raise ControlError(f"{name}: {word} is none of {_listed(words)}")


def _read(text: str, wanted: type[object]) -> object:
    """The value a text stands for; the text itself where it stands for none, which is refused then."""
    if wanted is bool:
        return {"true": True, "false": False}.get(text, text)
    if wanted is int and text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 18:
        return int(text)
    return text


def _listed(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))
