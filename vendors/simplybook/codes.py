"""What each error code of SimplyBook.me means for us, in the words of its document; each has an exception of its own.

Source: "Error codes" of `simplybook-public-service-methods`; the login codes are second hand. The words count before
the code: a Zend server, as this one probably is, turns every code outside its range into -32000 and keeps the words.
What is in no row and in no phrase is UNKNOWN: nobody can tell whether the call had an effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.phrases import PHRASES, THROTTLED, Phrase, find_phrase, normal

FEATURE: Final = "activate the custom feature at SimplyBook.me"
MEND: Final = "mend the booking's data at the upstream and let it send again, or discard"
SLOT: Final = "agree another time with the guest"
SETUP: Final = "compare the venue's ids with the company's services and providers (bellhop catalog)"
PROMO: Final = "agree with the guest whether to book without the code"
LOOK: Final = "look the booking up at SimplyBook.me"
SIGN: Final = "check the account's secret_key"
PAY: Final = "settle the payment with the guest"
ACCESS: Final = "check api_key, company and the permissions of the API custom feature (bellhop doctor)"
REPORT: Final = "report it: Bellhop called what is not there"


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """name: the exception's. words: the document's; `more` are other ways to write them. `text` narrows a code with
    several messages; `advice` is what a person does."""

    code: int
    name: str
    words: str
    kind: Kind
    advice: str
    text: str = ""
    more: tuple[str, ...] = ()


def _rejection(code: int, name: str, words: str, advice: str, *more: str) -> ErrorCode:
    return ErrorCode(code, name, words, Kind.REJECTED, advice, more=more)


ROWS: Final[tuple[ErrorCode, ...]] = (
    _rejection(-32001, "FeatureNotActivated", "Custom Feature is not activated", FEATURE),
    _rejection(-32010, "ParamsMissed", "Some required params are missed", MEND),
    _rejection(-32011, "ParamsNotArray", "Params is not array", MEND),
    _rejection(-32012, "SchedulerNotFound", "Sheduler id not found", MEND, "Scheduler id not found"),
    _rejection(-32015, "NotRecurring", "Passed event id is not reccuren", MEND, "Passed event id is not recur"),
    ErrorCode(-32020, "NoPermission", "Sorry, you have no permissions to perform this action", Kind.AUTH, ACCESS),
    _rejection(-32030, "PromoInvalid", "Invalid promotion code", PROMO),
    _rejection(-32031, "PromoExpired", "Promotion has expired", PROMO),
    _rejection(-32032, "PromoNotActiveYet", "Promotion is not active yet", PROMO),
    _rejection(-32033, "PromoNotForService", "This promocode is not valid for selected service", PROMO),
    _rejection(-32034, "PromoUsedUp", "Exceed max usage limit", PROMO),
    _rejection(-32035, "PromoUsedUpByClient", "Exceed max usage per customer limit", PROMO),
    _rejection(-32036, "PromoNotForTime", "This promocode is not available for datetime range", PROMO),
    _rejection(-32051, "ServiceNotAvailable", "Selected event id is not available", SETUP),
    _rejection(-32052, "UnitNotAvailable", "Selected unit id is not available", SETUP),
    _rejection(-32053, "DateNotAvailable", "Selected date start is not available", SLOT),
    _rejection(-32054, "TimeNotAvailable", "Selected time start is not available", SLOT),
    _rejection(-32055, "NotAllReserved", "One or more appointments couldn't be reserved", SLOT),
    _rejection(-32056, "NotAllowedAtThisTime", "Booking is not allowed at this time", SLOT),
    _rejection(-32061, "ClientNameWrong", "Client name value is wrong", MEND),
    _rejection(-32062, "ClientEmailWrong", "Client email value is wrong", MEND),
    _rejection(-32063, "ClientPhoneWrong", "Client phone value is wrong", MEND),
    _rejection(-32070, "IntakeWrong", "Intake forms values are wrong", MEND),
    _rejection(-32080, "BookingNotFound", "Appointemnt couldn't be found", LOOK, "Appointment couldn't be found"),
    _rejection(-32085, "SignatureWrong", "Signature error", SIGN),
    _rejection(-32090, "ConfirmationNotAvailable", "Confirmation with this key type is not available", LOOK),
    _rejection(-32095, "BatchNotFound", "Batch not found", LOOK),
    _rejection(-32097, "PaymentSystemUnsupported", "Unsupported payment system", PAY),
    _rejection(-32099, "PaymentFailed", "Payment failed", PAY),
    ErrorCode(-32600, "AccessDenied", "Access denied", Kind.AUTH, ACCESS, text="access denied"),
    ErrorCode(-32600, "CompanyUnknown", "Company does not exists", Kind.AUTH, ACCESS, text="company"),
    _rejection(-32601, "MethodNotFound", "Method not found", REPORT),
    _rejection(-32602, "ParamsInvalid", "Invalid params", REPORT),
    ErrorCode(-32603, "InternalError", "Internal error", Kind.UNKNOWN, "look whether the booking is there"),
    _rejection(-3264, "ClientNotFound", "Client with given id not found", "look the client up at SimplyBook.me"),
)

LOGIN_ROWS: Final[tuple[ErrorCode, ...]] = (
    ErrorCode(-33001, "LoginCompanyUnknown", "Company does not exist", Kind.AUTH, ACCESS),
    ErrorCode(-33002, "LoginKeyWrong", "Wrong API key", Kind.AUTH, ACCESS),
    ErrorCode(-33003, "LoginUserUnknown", "User with this login and password not found", Kind.AUTH, ACCESS),
    ErrorCode(-33004, "LoginUserBlocked", "User is blocked", Kind.AUTH, ACCESS),
    ErrorCode(-33005, "LoginHipaa", "HIPAA", Kind.AUTH, "the company's HIPAA rules forbid this login"),
)


_NAMES: Final = (
    *("TooManyRequests", "CaptchaAsked", "CredentialsRefused", "ServerCrashed", "NotNow"),
    *("LimitReached", "ValidatorRefused", "NotFree"),
)
SPOKEN: Final[Mapping[Phrase, ErrorCode]] = {
    phrase: ErrorCode(0, name, phrase.title, phrase.kind, phrase.advice)
    for name, phrase in zip(_NAMES, PHRASES, strict=True)
}
"""The row of each way of speaking that is in no document."""
NOT_KNOWN: Final = ErrorCode(
    0, "UndocumentedError", "a refusal that is not documented", Kind.UNKNOWN, "look whether the booking is there"
)

_GENERIC: Final = frozenset((-32600, -32601, -32602, -32603))
"""JSON-RPC's own: a server may put them before words of any kind."""
_SLIPS: Final = {-32064: -3264}
"""A code of the vendor's older app, which its list writes so."""
_SHORTEST: Final = 6
"""Of words that are looked for in longer ones: "HIPAA" alone might be said of anything."""


def classify(code: int | None, message: str) -> ErrorCode:
    """The row of an RPC error."""
    said = normal(message)
    rows = [row for row in (*ROWS, *LOGIN_ROWS) if row.code == _SLIPS.get(code or 0, code)]
    own = next((row for row in rows if row.text in said), rows[0] if rows else None)
    if own is not None and not said:
        return own
    if THROTTLED.is_in(said):
        return SPOKEN[THROTTLED]
    if (row := _documented_row(said, (*ROWS, *LOGIN_ROWS))) is not None:
        return row
    if own is not None and own.code not in _GENERIC:
        return own
    if (phrase := find_phrase(said)) is not None:
        return SPOKEN[phrase]
    return own if own is not None and own.kind is not Kind.UNKNOWN else NOT_KNOWN


def _documented_row(said: str, rows: Sequence[ErrorCode]) -> ErrorCode | None:
    """The row whose documented words are in what was said: of several the longest."""
    spelled = [(normal(words), row) for row in rows for words in (row.words, *row.more)]
    found = [
        (len(words), row) for words, row in spelled if words == said or (words in said and len(words) >= _SHORTEST)
    ]
    return max(found, key=lambda one: one[0])[1] if found else None


class SimplybookError(VendorFailure):
    """Base of the exceptions in ERRORS: SimplyBook.me answered with an error code. `row` is what it means."""

    row: ClassVar[ErrorCode]

    def __init__(self, **facts: Any) -> None:
        """facts: as VendorFailure's, all but the kind, which is the row's."""
        super().__init__(self.row.kind, **facts)

    @property
    def advice(self) -> str:
        """The row's; of what refused a login, whatever it said, that of credentials."""
        return ACCESS if self.kind is Kind.AUTH and self.row.kind is not Kind.AUTH else self.row.advice


def is_slot_taken(failure: VendorFailure) -> bool:
    """Whether it says that a slot is not free."""
    return isinstance(failure, SimplybookError) and failure.row.advice == SLOT


ERRORS: Final[Mapping[ErrorCode, type[SimplybookError]]] = {
    row: type(row.name, (SimplybookError,), {"row": row, "__doc__": f"Raised for {row.code}: {row.words}."})
    for row in (*ROWS, *LOGIN_ROWS, *SPOKEN.values(), NOT_KNOWN)
}
"""An exception class for each row, so that callers, logs and Sentry tell the codes apart by name."""
