"""What becomes of each field of a booking at SimplyBook.me.

Source: "book", "cancelBooking" and "calculateEndTime" of `simplybook-public-service-methods`.
"""

from __future__ import annotations

from typing import Final

from bellhop.vendors.fates import (
    BEYOND_A_CANCEL,
    CANCELLED,
    OF_EVERY_BOOKING,
    OF_EVERY_CANCEL,
    CallFates,
    carries,
    checks,
    warns,
)

_NO_ARGUMENT: Final = warns("book has no argument for it")
_WHOLE: Final = warns("a cancel names no more than its booking and guest, of which all that stands is cancelled")

FATES: Final = (
    CallFates(
        "book",
        ("booking.requested", "booking.changed"),
        {
            **OF_EVERY_BOOKING,
            "member_id": _NO_ARGUMENT,
            "client.name": carries("`clientData.name`"),
            "client.email": carries("`clientData.email`"),
            "client.phone": carries("`clientData.phone`"),
            "client.timezone": carries("`clientData.client_time_offset`: the difference at the start, in minutes"),
            "notes": carries(
                "`additional`: the intake field that `notes_field` names; warned of for a service without that field",
                needs="notes_field",
                otherwise="name the intake field that takes them by notes_field in the account's settings",
            ),
            "services.service_id": carries("`eventId`"),
            "services.provider_id": carries(
                "`unitId`; left out, one that is free is taken (`getAvailableUnits`), and told"
            ),
            "services.facility_id": _NO_ARGUMENT,
            "services.start": carries("`date` and `time`, the company's own"),
            "services.end": checks("`calculateEndTime`, and the end that `book` answers"),
            "services.duration": checks("as `services.end`, which it becomes"),
            "services.price": warns("the service's own price counts"),
            "services.count": carries("`count`"),
            "additional": carries(
                "`additional`, by the intake field's name or title; warned of where the service has no such field"
            ),
            "promo_code": carries("`additional.promocode`"),
            "recurring": carries("`recurringData`"),
        },
    ),
    CallFates(
        "cancelBooking",
        (CANCELLED,),
        {**OF_EVERY_CANCEL, **dict.fromkeys(BEYOND_A_CANCEL, _WHOLE)},
    ),
)
