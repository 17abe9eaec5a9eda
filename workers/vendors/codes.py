"""What each error code of SimplyBook.me means for us, in the words of its document.

Source: "Error codes" of `simplybook-public-service-methods`; the login codes are second hand. A code that is in no
row is UNKNOWN: nobody can tell whether the call had an effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from workers.vendors.failure import Kind

MEND: Final = "mend the booking's data at the upstream and let it send again, or discard"
SLOT: Final = "agree another time with the guest"
SETUP: Final = "compare the venue's ids with the company's services and providers"
PROMO: Final = "agree with the guest whether to book without the code"
SIGN: Final = "check the account's secret_key"
PAY: Final = "settle the payment with the guest"
ACCESS: Final = "check api_key, company and the permissions of the API custom feature"


@dataclass(frozen=True, slots=True)
class Row:
    """`text` narrows a code with several messages; `advice` is what a person does."""

    code: int
    words: str
    kind: Kind
    advice: str
    text: str = ""


def _rejected(advice: str, **words: str) -> tuple[Row, ...]:
    return tuple(Row(-int(code.removeprefix("c")), text, Kind.REJECTED, advice) for code, text in words.items())


ROWS: Final[tuple[Row, ...]] = (
    *_rejected("activate the custom feature at SimplyBook.me", c32001="Custom Feature is not activated"),
    *_rejected(
        MEND,
        c32010="Some required params are missed",
        c32011="Params is not array",
        c32012="Sheduler id not found",
        c32015="Passed event id is not reccuren",
    ),
    Row(-32020, "Sorry, you have no permissions to perform this action", Kind.AUTH, ACCESS),
    *_rejected(
        PROMO,
        c32030="Invalid promotion code",
        c32031="Promotion has expired",
        c32032="Promotion is not active yet",
        c32033="This promocode is not valid for selected service",
        c32034="Exceed max usage limit",
        c32035="Exceed max usage per customer limit",
        c32036="This promocode is not available for datetime range",
    ),
    *_rejected(
        SETUP,
        c32051="Selected event id is not available",
        c32052="Selected unit id is not available",
    ),
    *_rejected(
        SLOT,
        c32053="Selected date start is not available",
        c32054="Selected time start is not available",
        c32055="One or more appointments couldn't be reserved",
        c32056="Booking is not allowed at this time",
    ),
    *_rejected(
        MEND,
        c32061="Client name value is wrong",
        c32062="Client email value is wrong",
        c32063="Client phone value is wrong",
        c32070="Intake forms values are wrong",
    ),
    *_rejected("look the booking up at SimplyBook.me", c32080="Appointemnt couldn't be found"),
    *_rejected(SIGN, c32085="Signature error"),
    *_rejected(
        "look the booking up at SimplyBook.me",
        c32090="Confirmation with this key type is not available",
        c32095="Batch not found",
    ),
    *_rejected(PAY, c32097="Unsupported payment system", c32099="Payment failed"),
    Row(-32600, "Access denied", Kind.AUTH, ACCESS, text="access denied"),
    Row(-32600, "Company does not exists", Kind.AUTH, ACCESS, text="company"),
    *_rejected(
        "report it: Bellhop called what is not there",
        c32601="Method not found",
        c32602="Invalid params",
    ),
    Row(-32603, "Internal error", Kind.UNKNOWN, "look whether the booking is there"),
    *_rejected("look the client up at SimplyBook.me", c3264="Client with given id not found"),
)

LOGIN_ROWS: Final[tuple[Row, ...]] = (
    Row(-33001, "Company does not exist", Kind.AUTH, ACCESS),
    Row(-33002, "Wrong API key", Kind.AUTH, ACCESS),
    Row(-33003, "User with this login and password not found", Kind.AUTH, ACCESS),
    Row(-33004, "User is blocked", Kind.AUTH, ACCESS),
    Row(-33005, "HIPAA", Kind.AUTH, "the company's HIPAA rules forbid this login"),
)

TOO_MANY: Final = Row(0, "too many requests", Kind.THROTTLED, "nothing: it is tried again more slowly")
NOT_KNOWN: Final = Row(0, "an error code that is not documented", Kind.UNKNOWN, "look whether the booking is there")


def classify(code: int | None, message: str) -> Row:
    """The row of an RPC error."""
    said = message.lower()
    if "too many requests" in said:
        return TOO_MANY
    rows = [row for row in (*ROWS, *LOGIN_ROWS) if row.code == code]
    return next((row for row in rows if row.text in said), rows[0] if rows else NOT_KNOWN)
