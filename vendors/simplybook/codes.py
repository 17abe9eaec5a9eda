"""What each error code of SimplyBook.me means for us, in the words of its document; each has an exception of its own.

Source: "Error codes" of `simplybook-public-service-methods`; the login codes are second hand. A code that is in no
row is UNKNOWN: nobody can tell whether the call had an effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from bellhop.vendors.failure import Kind, VendorFailure

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
    """name: the exception's. `text` narrows a code with several messages; `advice` is what a person does."""

    code: int
    name: str
    words: str
    kind: Kind
    advice: str
    text: str = ""


def _rejection(code: int, name: str, words: str, advice: str) -> ErrorCode:
    return ErrorCode(code, name, words, Kind.REJECTED, advice)


ROWS: Final[tuple[ErrorCode, ...]] = (
    _rejection(-32001, "FeatureNotActivated", "Custom Feature is not activated", FEATURE),
    _rejection(-32010, "ParamsMissed", "Some required params are missed", MEND),
    _rejection(-32011, "ParamsNotArray", "Params is not array", MEND),
    _rejection(-32012, "SchedulerNotFound", "Sheduler id not found", MEND),
    _rejection(-32015, "NotRecurring", "Passed event id is not reccuren", MEND),
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
    _rejection(-32080, "BookingNotFound", "Appointemnt couldn't be found", LOOK),
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

TOO_MANY: Final = ErrorCode(
    0, "TooManyRequests", "too many requests", Kind.THROTTLED, "nothing: it is tried again more slowly"
)
NOT_KNOWN: Final = ErrorCode(
    0, "UndocumentedError", "an error code that is not documented", Kind.UNKNOWN, "look whether the booking is there"
)


def classify(code: int | None, message: str) -> ErrorCode:
    """The row of an RPC error."""
    said = message.lower()
    if "too many requests" in said:
        return TOO_MANY
    rows = [row for row in (*ROWS, *LOGIN_ROWS) if row.code == code]
    return next((row for row in rows if row.text in said), rows[0] if rows else NOT_KNOWN)


class SimplybookError(VendorFailure):
    """Base of the exceptions in ERRORS: SimplyBook.me answered with an error code. `row` is what it means."""

    row: ClassVar[ErrorCode]

    def __init__(self, **facts: Any) -> None:
        """facts: as VendorFailure's, all but the kind, which is the row's."""
        super().__init__(self.row.kind, **facts)

    @property
    def advice(self) -> str:
        return self.row.advice


ERRORS: Final[Mapping[ErrorCode, type[SimplybookError]]] = {
    row: type(row.name, (SimplybookError,), {"row": row, "__doc__": f"Raised for {row.code}: {row.words}."})
    for row in (*ROWS, *LOGIN_ROWS, TOO_MANY, NOT_KNOWN)
}
"""An exception class for each row, so that callers, logs and Sentry tell the codes apart by name."""
