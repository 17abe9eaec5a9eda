"""The signatures of SimplyBook.me's methods: parameters by position and by name, and the service map that tells them.

Source: `simplybook-public-service-methods`; those of `LOGIN`, `NEWER`, `RESCHEDULE` and `ADMIN` are
of the vendor's clients.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Parameter:
    """type: as the service map writes it. default: what is passed where an optional one is left out."""

    name: str
    type: str
    optional: bool
    default: Any = None


@dataclass(frozen=True, slots=True)
class Signature:
    """returns: a type, or several."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: tuple[str, ...]


def _read(lines: str) -> dict[str, Signature]:
    """One a line: `name(type name, type name = default): type|type`."""
    found = {}
    for line in lines.strip().splitlines():
        name, _, rest = line.partition("(")
        inside, _, returns = rest.partition("): ")
        parameters = tuple(_parameter(one) for one in inside.split(", ") if one)
        found[name] = Signature(name, parameters, tuple(returns.split("|")))
    return found


def _parameter(text: str) -> Parameter:
    words, equals, default = text.partition(" = ")
    type_, name = words.split()
    return Parameter(name, type_, bool(equals), json.loads(default) if equals else None)


LOGIN: Final = _read("""
getToken(string companyLogin, string apiKey): string
getUserToken(string companyLogin, string userLogin, string userPassword): string
getServiceUrl(string companyLogin): string
""")

PUBLIC: Final = _read("""
book(integer eventId, integer unitId, string date, string time, object clientData, any additional = null, \
integer count = 1, integer batchId = null, any recurringData = null): object
calculateEndTime(string startDateTime, integer eventId, integer unitId): string|boolean
cancelBooking(integer id, string sign): boolean
confirmBooking(integer id, string sign): boolean
confirmBookingBatch(integer batchId, string batchType, string sign): boolean
confirmBookingBatchPayment(integer batchId, string batchType, string paymentProcessor, string sign): boolean
confirmBookingCart(integer cartId, string paymentProcessor, string sign): boolean
confirmBookingPayment(integer id, string paymentProcessor, string sign): boolean
createBatch(): integer
filterAvailableUnits(integer eventId, string dateTime, array unitIds, integer count = 1): array
getAdditionalFields(integer eventId): array
getAnyUnitData(): object|null
getAvailableTimeIntervals(string dateFrom, string dateTo, integer eventId, any unitId, integer count = 1): object
getAvailableUnits(integer eventId, string dateTime, integer count = 1): array
getBooking(integer id, string sign): object
getBookingCart(array bookingIds): object
getBookingDetails(integer id, string sign): object
getCategoriesList(boolean isPublic = false): array
getCompanyInfo(): object
getCompanyParam(string key): any
getCompanyParams(array keys): array
getCompanyTimezoneOffset(): array
getCountryPhoneCodes(): array
getEventList(boolean isVisibleOnly = false, boolean asArray = false): array
getFirstWorkingDay(integer unitId): string
getLocationsList(boolean isPublic = false, boolean asArray = false): array
getPaymentProcessorConfig(string paymentProcessor): array
getPluginPromoInfoByCode(any code): array
getPluginStatuses(array pluginNames): array
getPromocodeInfo(string code): array|null
getPromotionRewardInfo(integer commonPromotionId, integer clientId, string hash): array|null
getRecurringDatetimes(integer eventId, integer unitId, string date, string time, any recurringData = null): array
getReservedTime(string from, string to, integer eventId, any unitId, integer count = 1): object
getReservedTimeIntervals(string dateFrom, string dateTo, integer eventId, any unitId, integer count = 1): object
getStartTimeMatrix(string from, string to, integer eventId, any unitId = null, integer count = 1): object
getTimeframe(): integer
getTimelineType(): string
getUnitList(boolean isVisibleOnly = false, boolean asArray = false): array
getUserLicenseText(): string
getWorkCalendar(integer year, integer month, integer unitId = null): object
getWorkDaysInfo(string from, string to, integer unitId = null, integer eventId = null, integer count = 1): object
hasUpcommingPromotions(): boolean
isPaymentRequired(integer eventId = null): boolean
isPluginActivated(string pluginName): boolean
validatePayment(any paymentInfo, integer cartId): boolean
validatePromoCode(string code, string startDateTime, integer eventId, integer count = 1, any clientData = null): boolean
""")

NEWER: Final = _read("""
getCaptchaChallenge(): object
getCartesianStartTimeMatrix(string from, string to, integer eventId, any unitId = null, integer count = 1, \
integer locationId = null, any additional = null): array
""")

RESCHEDULE: Final = _read("""
rescheduleBook(integer id, string sign, string startDate, string startTime, string endDate = null, \
string endTime = null, any additional = null, integer offset = null, string timezone = null): object
""")


ADMIN: Final = _read("""
getBookings(object filter = null): object
getBookingDetails(integer id): object
""")


def service_map(signatures: Iterable[Signature], target: str) -> Mapping[str, Any]:
    """What GET answers: a Service Mapping Description, its methods under `services` and again under `methods`."""
    services = {one.name: _service(one) for one in signatures}
    return {
        "transport": "POST",
        "envelope": "JSON-RPC-2.0",
        "contentType": "application/json",
        "SMDVersion": "2.0",
        "target": target,
        "services": services,
        "methods": services,
    }


def _service(signature: Signature) -> Mapping[str, Any]:
    return {
        "envelope": "JSON-RPC-2.0",
        "transport": "POST",
        "parameters": [
            {
                "type": one.type,
                "name": one.name,
                "optional": one.optional,
                **({} if one.default is None else {"default": one.default}),
            }
            for one in signature.parameters
        ],
        "returns": signature.returns[0] if len(signature.returns) == 1 else list(signature.returns),
    }
