"""SimplyBook.me's switches, see `sandbox/switch.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bellhop.sandbox.limits import Limit
from bellhop.sandbox.switch import ControlError, comma_list, switch

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
        *("promo", "user_license", "cancelation_policy"),
    )
)


@dataclass(frozen=True, slots=True)
class SimplybookSwitches:
    simplybook_token_seconds: int = switch(3600, "V", "how long a token lives")
    simplybook_token: str = switch(
        "given", "V", "what getToken answers: a token, an empty one, or null", ("given", "empty", "null")
    )
    simplybook_token_words: str = switch(
        "Access denied", "S", "the words that refuse a token: expired, ended by a newer one, or none"
    )
    simplybook_token_code: int = switch(
        -32600, "S", "the code that goes with simplybook_token_words", (-32600, -32000, -32001, -32603, 0, 401, 403)
    )
    simplybook_token_status: int = switch(200, "S", "and the HTTP status", (200, 401, 403))
    simplybook_new_token_ends_earlier: bool = switch(False, "S", "getToken makes the company's earlier tokens invalid")
    simplybook_login_error: int = switch(
        0,
        "S",
        "getToken fails with this code: company unknown, wrong key, wrong login, user blocked, HIPAA; 0: it does not",
        (0, -33001, -33002, -33003, -33004, -33005),
    )
    simplybook_service_url: str = switch("", "V", "what getServiceUrl names; empty: the address it was called at")
    simplybook_error_status: int = switch(200, "V", "HTTP status of an RPC error (401, 500: S)", (200, 401, 500))
    simplybook_id_echo: str = switch(
        "text",
        "I",
        "how an id is echoed: always as text, null as \"\" (Zend's server); a result's number as text and an error's "
        "as it was (the document's examples); exactly",
        ("text", "document", "exact"),
    )
    simplybook_error_data: bool = switch(True, "I", "an error has `data`, {} or null (Zend's server)")
    simplybook_codes_replaced: bool = switch(
        True,
        "I",
        "a code outside -32099…-32000 and the five standard ones arrives as -32000, its words kept (Zend's server)",
    )
    simplybook_broken_request: str = switch(
        "500",
        "I",
        "what a request is answered that is no JSON, begins with a byte order mark or is not UTF-8: HTTP 500 without a "
        "body (Zend's server), or an RPC error",
        ("500", "rpc"),
    )
    simplybook_type_error: str = switch(
        "500",
        "I",
        "what a parameter of a type that the method does not take is answered, and a name that is missing: HTTP 500 "
        "without a body (Zend's server), or an RPC error",
        ("500", "rpc"),
    )
    simplybook_missing_as_null: bool = switch(
        True,
        "I",
        "parameters that are missing at the end are null or their default, and what is too much is left out (Zend's "
        "server); otherwise -32602",
    )
    simplybook_named_parameters: bool = switch(
        True, "I", "parameters are taken by name, too (Zend's server); otherwise -32602"
    )
    simplybook_notifications: bool = switch(
        True, "I", "a request without an id is carried out and answered HTTP 204 without a body (Zend's server)"
    )
    simplybook_service_map: bool = switch(True, "L", "GET answers the service map; otherwise HTTP 405")
    simplybook_unencodable: str = switch(
        "",
        "I",
        "methods whose results hold bytes that are no UTF-8, separated by commas, or *: carried out, and answered HTTP "
        "200 without a body (Zend's server)",
    )
    simplybook_numbers_as_text: bool = switch(True, "V", "numbers in a result are texts, as PHP sends them")
    simplybook_empty_map_as_list: bool = switch(True, "V", "an empty map in a result is [], as PHP sends it, not {}")
    simplybook_null_members: bool = switch(
        False, "V", "a success carries error: null and a failure result: null, as the document's prose has it"
    )
    simplybook_calculate_end_time_null: bool = switch(
        False, "V", "calculateEndTime answers null (L) where the document has false"
    )
    simplybook_require_confirm: bool = switch(
        False, "V", "Approve booking is active: bookings wait for confirmBooking, occupying their slots"
    )
    simplybook_cancel_twice_is_true: bool = switch(
        False, "I", "cancelling a cancelled booking answers true; otherwise -32080, as for one that never was"
    )
    simplybook_tells_cancelled: bool = switch(
        False, "I", "a cancelled booking's details are still told, with is_cancelled; otherwise -32080"
    )
    simplybook_payment_timeout: str = switch(
        "1 hour",
        "V",
        "payment_timeout: with paid_events, what has a price and is not paid by then is cancelled",
        ("5 minutes", "15 minutes", "30 minutes", "1 hour", "1 day"),
    )
    simplybook_says_require_payment: bool = switch(
        True, "L", "book answers require_payment (and invoice); otherwise only isPaymentRequired tells of it"
    )
    simplybook_tells_payment: bool = switch(
        True, "I", "a booking's details tell payment_status, paid or not_paid; otherwise nothing of it"
    )
    simplybook_books_minutes_later: int = switch(
        0, "I", "book answers, and keeps, a start so many minutes later than asked"
    )
    simplybook_unconfirmed: bool = switch(False, "I", "book answers is_confirmed 0, though it asks for no confirmation")
    simplybook_payment_fails: bool = switch(False, "I", "confirming a payment answers -32099")
    simplybook_plugins: str = switch(
        _PLUGINS_ON,
        "I",
        "the Custom Features that are active, separated by commas (approve_booking: see simplybook_require_confirm)",
        words=tuple(name for name in PLUGINS if name != "approve_booking"),
    )
    simplybook_per_second: int = switch(0, "S", "calls a second, 5 by hearsay; 0: without limit")
    simplybook_at_once: int = switch(0, "S", "calls in progress at once, 2 by hearsay; 0: without limit")
    simplybook_per_day: int = switch(0, "S", "calls a day (of UTC), 5000 by hearsay; 0: without limit")
    simplybook_throttle_answer: str = switch(
        "429", "S", "what a call above a limit is answered: HTTP 429, HTTP 403, or an RPC error", ("429", "403", "rpc")
    )

    simplybook_throttle_words: str = switch("Too many requests", "S", "the words that go with it")
    simplybook_newer_methods: bool = switch(
        True, "L", "getCartesianStartTimeMatrix and getCaptchaChallenge are offered, as to the vendor's newer clients"
    )
    simplybook_reschedule: bool = switch(False, "L", "rescheduleBook is offered, as to the vendor's newer clients")
    simplybook_bookings_per_ip: int = switch(
        0, "V", "bookings an hour from one IP address, as the anti-fraud limits count; 0: without limit"
    )
    simplybook_ip_words: str = switch(
        "You have exceeded the number of bookings allowed. Please contact the company",
        "I",
        "the words that refuse a booking above that limit, with a code of no table",
    )
    simplybook_captcha: bool = switch(False, "V", "book wants the captcha_token of a getCaptchaChallenge")
    simplybook_captcha_words: str = switch(
        "Captcha validation failed", "I", "the words that refuse a booking without it, with a code of no table"
    )
    simplybook_batch_requests: str = switch(
        "refused",
        "I",
        "a list of requests: refused as one that is none (Zend's server), or each answered, in a list",
        ("refused", "answered"),
    )
    simplybook_newer_fields: bool = switch(
        False, "L", "book answers invoice (null where nothing is to be paid), client_hash and time_offset, too"
    )
    simplybook_callback_url: str = switch(
        "", "V", "where callbacks are posted when a booking is made, changed or cancelled; empty: nowhere"
    )
    simplybook_callback_delays: str = switch(
        "600,1800,3600,21600,43200,86400",
        "S",
        "seconds after which a callback that was not answered 2xx is posted again, separated by commas",
    )
    simplybook_callback_copies: int = switch(
        0, "S", "so many times a callback is posted once more at once, though it was answered 2xx"
    )
    simplybook_callback_newer_fields: bool = switch(
        False, "S", "callbacks have webhook_timestamp and signature_algo, and of a change old_data"
    )
    simplybook_validator_words: str = switch(
        "", "V", "the words with which an External Booking Validator refuses every booking; empty: there is none"
    )

    simplybook_admin_tells_hash: bool = switch(
        True, "I", "the administration's getBookingDetails tells a booking's hash, by which it can be cancelled"
    )

    @property
    def simplybook_limit(self) -> Limit:
        return Limit(self.simplybook_per_second, self.simplybook_at_once, self.simplybook_per_day)

    def plugins(self, changes: Mapping[str, object]) -> dict[str, object]:
        """The switches that put Custom Features on or off. Raises ControlError."""
        on = {name: self.plugin(name) for name in PLUGINS}
        for name, value in changes.items():
            if name not in on:
                raise ControlError(f"{name} is no Custom Feature; they are {comma_list(PLUGINS)}")
            if not isinstance(value, bool):
                raise ControlError(f"{name} must be true or false")
            on[name] = value
        waits = on.pop("approve_booking")  # it is a switch of its own, as it changes what `book` does
        names = ",".join(name for name, value in on.items() if value)
        return {"simplybook_plugins": names, "simplybook_require_confirm": waits}

    def plugin(self, name: str) -> bool:
        """Whether this Custom Feature of SimplyBook.me is active."""
        if name == "approve_booking":
            return self.simplybook_require_confirm
        return name in self.simplybook_plugins.split(",")
