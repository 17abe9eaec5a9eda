"""What SimplyBook.me's pretended methods share: error codes with their words, parameters, how answers are written."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final

from bellhop.sandbox.simplybook.switches import SimplybookSwitches

WORDS: Final = {
    -32001: "Custom Feature is not activated",
    -32010: "Some required params are missed",
    -32011: "Params is not array",
    -32012: "Sheduler id not found",
    -32015: "Passed event id is not reccuren",
    -32020: "Sorry, you have no permissions to perform this action",
    -32030: "Invalid promotion code",
    -32031: "Promotion has expired",
    -32032: "Promotion is not active yet",
    -32033: "This promocode is not valid for selected service",
    -32034: "Exceed max usage limit",
    -32035: "Exceed max usage per customer limit",
    -32036: "This promocode is not available for datetime range",
    -32051: "Selected event id is not available",
    -32052: "Selected unit id is not available",
    -32053: "Selected date start is not available",
    -32054: "Selected time start is not available",
    -32055: "One or more appointments couldn't be reserved",
    -32056: "Booking is not allowed at this time",
    -32061: "Client name value is wrong",
    -32062: "Client email value is wrong",
    -32063: "Client phone value is wrong",
    -32070: "Intake forms values are wrong",
    -32080: "Appointemnt couldn't be found",
    -32085: "Signature error",
    -32090: "Confirmation with this key type is not available",
    -32095: "Batch not found",
    -32097: "Unsupported payment system",
    -32099: "Payment failed",
    -32600: "Access denied",
    -32601: "Method not found",
    -32602: "Invalid params",
    -32603: "Internal error",
    -3264: "Client with given id not found",
    -33001: "Company does not exist",
    -33002: "Wrong API key",
    -33003: "User with this login and password not found",
    -33004: "User is blocked",
    -33005: "HIPAA",
}
"""The document's own words, its spelling included; the login codes' from the vendor's messages."""

_NUMBER: Final = re.compile(r"-?\d{1,15}(\.\d{1,20})?")
_NUMBERS: Final = frozenset(
    (
        *("", "id", "event_id", "unit_id", "client_id", "batch_id", "recurrent_batch_id", "cart_id", "file_id"),
        *("common_promotion_id", "plugin_promo_message_id", "service_ids", "categories", "units", "events"),
        *(
            "is_confirmed",
            "is_public",
            "is_active",
            "is_visible",
            "is_recurring",
            "is_default",
            "is_day_off",
            "is_null",
        ),
        *(
            "duration",
            "hide_duration",
            "position",
            "qty",
            "price",
            "amount",
            "discount",
            "reward",
            "offset",
            "timeframe",
        ),
        *("lat", "lng", "allow_usage_count", "allow_customer_count", "show_in_catalogue"),
        *("allow_event_day_break", "allow_event_breaktime_break", "is_cancelled"),
    )
)
"""Members that hold numbers ("" is a result that is one itself). A phone number or a hash of digits is none."""
_DAYS: Final = 366


class RpcError(Exception):
    """The call is answered with this code, and the document's words for it unless others are given. thrown: by the
    method that was called, and not by the server before it was."""

    def __init__(self, code: int, message: str | None = None, *, thrown: bool = True, status: int = 200) -> None:
        super().__init__(code)
        self.code = code
        self.thrown = thrown
        self.status = status
        self.message = WORDS[code] if message is None else message


def php_value(value: Any, switches: SimplybookSwitches, key: str = "") -> Any:
    """A result as PHP, or a vendor unlike it, writes it. Every empty dict is an empty map; key: whose value it is."""
    if isinstance(value, dict):
        if not value and switches.simplybook_empty_map_as_list:
            return []
        if switches.simplybook_numbers_as_text:
            return {
                name: php_value(one, switches, name) if isinstance(one, dict | list) else one
                for name, one in value.items()
            }
        return {name: php_value(one, switches, name) for name, one in value.items()}
    if isinstance(value, list):
        return [php_value(one, switches, key) for one in value]
    if isinstance(value, str) and not switches.simplybook_numbers_as_text:
        return _number(value) if key in _NUMBERS and _NUMBER.fullmatch(value) else value
    return value


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def identifier(value: Any) -> str:
    """An Integer of the document as text; PHP takes "7" for 7. Raises RpcError -32602."""
    return str(read_integer(value))


def read_integer(value: Any) -> int:
    """Raises RpcError -32602."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    raise RpcError(-32602)


def seats_of(count: Any) -> int:
    """How many places are asked for; null is one. Raises RpcError -32602."""
    seats = 1 if count is None else read_integer(count)
    if seats < 1:
        raise RpcError(-32602)
    return seats


def text_of(value: Any) -> str:
    """Raises RpcError -32602 for what is no text."""
    if not isinstance(value, str):
        raise RpcError(-32602)
    return value


def read_moment(value: Any) -> tuple[str, str]:
    """Date and time of a text in the form Y-m-d H:i:s. Raises RpcError -32602."""
    date, space, time = text_of(value).partition(" ")
    if not space:
        raise RpcError(-32602)
    return date, time


def days(start: Any, end: Any) -> list[datetime]:
    """The midnights from one date to another, both included. Raises RpcError -32602."""
    try:
        day, last = (datetime.fromisoformat(one) for one in (start, end))
    except (TypeError, ValueError):
        raise RpcError(-32602) from None
    if day.tzinfo or last.tzinfo or day.time() != datetime.min.time():
        raise RpcError(-32602)
    span = (last - day).days
    if not 0 <= span <= _DAYS:
        raise RpcError(-32602)
    return [day + timedelta(days=ahead) for ahead in range(span + 1)]
