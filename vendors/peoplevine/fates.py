"""What becomes of each field of a member and of a booking at Peoplevine.

Source: "Sync Member" and "Create Reservation" of `peoplevine-bookings`.
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
    refuses,
    warns,
)

_OWN_RECORD: Final = warns("sync_member names the member alone, and the rest is read from Peoplevine's own record")
_MEMBER_ALONE: Final = warns("a reservation is made for the member, whose own record counts")
_NO_PLACE: Final = refuses("must be left out: Peoplevine's API takes none")
_BY_HAND: Final = refuses("the API has no cancel: a dead letter `unsupported` asks a person for it, with all of this")

FATES: Final = (
    CallFates(
        "sync_member",
        ("member.created", "member.updated"),
        {"member_id": carries("`member_id`"), "profile": _OWN_RECORD, "attributes": _OWN_RECORD},
    ),
    CallFates(
        "create_service_reservation",
        ("booking.requested", "booking.changed"),
        {
            **OF_EVERY_BOOKING,
            "member_id": carries("`member_id`"),
            "client.name": _MEMBER_ALONE,
            "client.email": _MEMBER_ALONE,
            "client.phone": _MEMBER_ALONE,
            "client.timezone": _MEMBER_ALONE,
            "notes": carries("`notes`"),
            "services.service_id": carries("`offers.service_id`"),
            "services.provider_id": carries("`offers.technician_id`; left out, the best offer's is taken, and told"),
            "services.facility_id": carries("`offers.facility_id`; left out, the best offer's is taken, and told"),
            "services.start": carries("`offers.start`; the best offer's where something is left open, and told"),
            "services.end": carries("`offers.end`; the best offer's where something is left open, and told"),
            "services.duration": carries("`offers.end`, which it becomes"),
            "services.price": carries("`offers.price`; left out, the best offer's is taken, and told"),
            "services.count": refuses("must be 1: name the service as often as it is booked"),
            "additional": _NO_PLACE,
            "promo_code": _NO_PLACE,
            "recurring": _NO_PLACE,
        },
    ),
    CallFates(
        "",
        (CANCELLED,),
        {**OF_EVERY_CANCEL, **dict.fromkeys(BEYOND_A_CANCEL, _BY_HAND)},
    ),
)
