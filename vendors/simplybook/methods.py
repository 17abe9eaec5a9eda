"""SimplyBook.me's methods, all of the document's, by their own names: what each takes and gives back.

Source: "Methods" of `simplybook-public-service-methods`; `getToken` and `getServiceUrl` are called at /login.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from marshmallow import ValidationError, fields

from bellhop.vendors.simplybook.book_answer import BookResult
from bellhop.vendors.simplybook.forms import Token
from bellhop.vendors.simplybook.types import (
    Check,
    DetailsRow,
    EventRow,
    Flag,
    Id,
    Identified,
    IntakeFieldRow,
    ListedRow,
    ListOf,
    LocationRow,
    MapOf,
    Nothing,
    Object,
    Param,
    Text,
    UnitRowSchema,
    Whole,
    anything,
    count,
    date_time,
    integers,
    mapping,
    mapping_or_list,
    sign,
    text,
    texts,
    time,
    unit,
)
from bellhop.vendors.words import date, flag, integer


@dataclass(frozen=True, slots=True)
class Method:
    """One method. changes: it alters something at the vendor. repeatable: calling it twice does no more than once.
    deprecated: the document says so."""

    name: str
    params: tuple[Param, ...]
    result: fields.Field[Any]
    changes: bool = False
    repeatable: bool = True
    deprecated: bool = False

    def arguments(self, given: Sequence[Any]) -> list[Any]:
        """The parameters as they are sent; those left out at the end are not. Raises ValueError, which names the
        parameter and the rule, never the value."""
        if len(given) > len(self.params):
            raise ValueError(f"takes at most {len(self.params)} arguments: {self.signature}")
        sent, least = [], 0
        for place, param in enumerate(self.params):
            value = given[place] if place < len(given) else None
            if value is None and param.nullable and place < len(given):
                least = place + 1  # null, and said so
            elif value is None and not param.optional:
                raise ValueError(f"{param.name} is missing: {self.signature}")
            try:
                sent.append(None if value is None else param.check(value))
            except ValueError as error:
                raise ValueError(f"{param.name} {error}") from None
        while len(sent) > least and sent[-1] is None:
            sent.pop()
        return sent

    def parse_result(self, result: Any) -> Any:
        """The result as this table types it. Raises ValueError where it has another form."""
        try:
            return self.result.deserialize(result)
        except (ValidationError, RecursionError):
            raise ValueError("an answer of an unknown form") from None

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(map(str, self.params))})"


def _required_params(**checks: Check) -> tuple[Param, ...]:
    return tuple(Param(name, check) for name, check in checks.items())


def _optional(**checks: Check) -> tuple[Param, ...]:
    return tuple(Param(name, check, optional=True) for name, check in checks.items())


def _nullable(**checks: Check) -> tuple[Param, ...]:
    return tuple(Param(name, check, nullable=True) for name, check in checks.items())


def _list_params(**names: Check) -> tuple[Param, ...]:
    """ "$isVisibleOnly boolean, $asArray boolean" """
    return _optional(**names)


def _read(name: str, params: tuple[Param, ...], result: fields.Field[Any]) -> Method:
    return Method(name, params, result)


def _change(
    name: str, params: tuple[Param, ...], result: fields.Field[Any] | None = None, *, repeatable: bool = True
) -> Method:
    return Method(name, params, result or Flag(), changes=True, repeatable=repeatable)


_ID_SIGN: Final = _required_params(id=integer, sign=sign)
_BATCH: Final = _required_params(batchId=integer, batchType=text)
_SPAN: Final = _required_params(eventId=integer, unitId=unit) + _optional(count=count)

_ROWS: Final = (
    _change(
        "book",
        _required_params(eventId=integer, unitId=integer, date=date, time=time, clientData=mapping)
        + _optional(additional=mapping_or_list, count=count, batchId=integer, recurringData=mapping_or_list),
        BookResult(),
        repeatable=False,
    ),
    _read(
        "calculateEndTime",
        _required_params(startDateTime=date_time, eventId=integer) + _nullable(unitId=integer),
        Nothing(Text()),
    ),
    _change("cancelBooking", _ID_SIGN),
    _change("confirmBooking", _ID_SIGN),
    _change("confirmBookingBatch", _BATCH + _required_params(sign=sign)),
    _change("confirmBookingBatchPayment", _BATCH + _required_params(paymentProcessor=text, sign=sign)),
    _change("confirmBookingCart", _required_params(cartId=integer, paymentProcessor=text, sign=sign)),
    replace(
        _change("confirmBookingPayment", _required_params(id=integer, paymentProcessor=text, sign=sign)),
        deprecated=True,  # "confirmBookingPayment !Deprecated!"
    ),
    _change("createBatch", (), Id()),
    _read(
        "filterAvailableUnits",
        _required_params(eventId=integer, dateTime=date_time, unitIds=integers) + _optional(count=count),
        ListOf(Text()),
    ),
    _read("getAdditionalFields", _required_params(eventId=integer), ListOf(fields.Nested(IntakeFieldRow))),
    _read("getAnyUnitData", (), Nothing(Object())),
    _read(
        "getAvailableTimeIntervals",
        _required_params(dateFrom=date, dateTo=date) + _SPAN,
        MapOf(MapOf(ListOf(ListOf(Text())))),
    ),
    _read(
        "getAvailableUnits",
        _required_params(eventId=integer, dateTime=date_time) + _optional(count=count),
        ListOf(Text()),
    ),
    _read("getBooking", _ID_SIGN, fields.Nested(DetailsRow)),
    _read("getBookingCart", _required_params(bookingIds=integers), Object()),
    _read("getBookingDetails", _ID_SIGN, fields.Nested(DetailsRow)),
    _read("getCategoriesList", _optional(isPublic=flag), ListOf(fields.Nested(Identified))),
    _read("getCompanyInfo", (), Object()),
    _read("getCompanyParam", _required_params(key=text), fields.Raw(allow_none=True)),
    _read("getCompanyParams", _required_params(keys=texts), MapOf(fields.Raw(allow_none=True))),
    _read("getCompanyTimezoneOffset", (), fields.Raw(allow_none=True)),
    _read("getCountryPhoneCodes", (), ListOf(fields.Raw(allow_none=True))),
    _read("getEventList", _list_params(isVisibleOnly=flag, asArray=flag), ListOf(fields.Nested(EventRow))),
    _read("getFirstWorkingDay", _nullable(unitId=integer), Nothing(Text())),
    _read("getLocationsList", _list_params(isPublic=flag, asArray=flag), ListOf(fields.Nested(LocationRow))),
    _read("getPaymentProcessorConfig", _required_params(paymentProcessor=text), Nothing(Object())),
    _read("getPluginPromoInfoByCode", _required_params(code=text), Nothing(Object())),
    _read("getPluginStatuses", _required_params(pluginNames=texts), MapOf(Flag())),
    _read("getPromocodeInfo", _required_params(code=text), Nothing(Object())),
    _read(
        "getPromotionRewardInfo",
        _required_params(commonPromotionId=integer, clientId=integer, hash=text),
        Nothing(Object()),
    ),
    _read(
        "getRecurringDatetimes",
        _required_params(eventId=integer, unitId=integer, date=date, time=time)
        + _optional(recurringData=mapping_or_list),
        ListOf(fields.Raw(allow_none=True)),
    ),
    _read("getReservedTime", _required_params(**{"from": date, "to": date}) + _SPAN, MapOf(ListOf(Object()))),
    _read("getReservedTimeIntervals", _required_params(dateFrom=date, dateTo=date) + _SPAN, MapOf(ListOf(Object()))),
    _read(
        "getStartTimeMatrix",
        _required_params(**{"from": date, "to": date, "eventId": integer}) + _optional(unitId=unit, count=count),
        MapOf(ListOf(Text())),
    ),
    _read("getTimeframe", (), Whole()),
    _read("getTimelineType", (), Text()),
    _read("getUnitList", _list_params(isVisibleOnly=flag, asArray=flag), ListOf(fields.Nested(UnitRowSchema))),
    _read("getUserLicenseText", (), Text()),
    _read("getWorkCalendar", _required_params(year=integer, month=count, unitId=integer), MapOf(Object())),
    _read(
        "getWorkDaysInfo",
        _required_params(**{"from": date, "to": date}) + _optional(unitId=integer, eventId=integer, count=count),
        MapOf(ListOf(Object())),
    ),
    _read("hasUpcommingPromotions", (), Flag()),
    _read("isPaymentRequired", _optional(eventId=integer), Flag()),
    _read("isPluginActivated", _required_params(pluginName=text), Flag()),
    _change("validatePayment", _required_params(paymentInfo=anything, cartId=integer)),
    _read(
        "validatePromoCode",
        _required_params(code=text, startDateTime=date_time, eventId=integer)
        + _optional(count=count, clientData=mapping),
        Flag(),
    ),
)

METHODS: Final[Mapping[str, Method]] = {method.name: method for method in _ROWS}
"""The 46 methods of the public service."""

NEWER_METHODS: Final[Mapping[str, Method]] = {
    "rescheduleBook": _change(
        "rescheduleBook",
        _required_params(id=integer, sign=sign, startDate=date, startTime=time)
        + _nullable(endDate=date, endTime=time, additional=mapping, offset=integer, timezone=text),
        BookResult(),
    )
}
"""What the vendor's newer clients call, and the document does not have: of use where a company's service map has it."""

TOKEN_METHODS: Final[Mapping[str, Method]] = {**METHODS, **NEWER_METHODS}
"""What is called with a session token."""

ADMIN_METHODS: Final[Mapping[str, Method]] = {
    "getUserToken": _read(
        "getUserToken", _required_params(companyLogin=text, userLogin=text, userPassword=text), Token()
    ),
    "getBookings": _read("getBookings", _required_params(filter=mapping), ListOf(fields.Nested(ListedRow))),
    "getBookingDetails": _read("getBookingDetails", _required_params(id=integer), fields.Nested(DetailsRow)),
}
"""What is called at /admin, with the token that the first of them gives at /login: see `admin`."""

LOGIN_METHODS: Final[Mapping[str, Method]] = {
    "getToken": _read("getToken", _required_params(companyLogin=text, apiKey=text), Token()),
    "getServiceUrl": _read("getServiceUrl", _required_params(companyLogin=text), Id()),
}
"""What is called at /login, without a token."""
