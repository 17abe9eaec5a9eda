"""What SimplyBook.me's own guide says, for whoever has to put an account right.

Source: `simplybook-public-service-methods`, quoted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

API_KEY: Final = (
    "\"You can copy your API-key at admin interface: go to the 'Custom Features' link and select API Custom Feature "
    "'Settings'.\""
)
API_FEATURE: Final = "in SimplyBook.me's admin interface, under 'Custom Features', activate the Custom Feature API"
COMPANY: Final = "set company to the company's login: the first part of its address, COMPANY.simplybook.me"

LOGIN: Final[Mapping[str, tuple[str, ...]]] = {
    "-33001": (COMPANY,),
    "-33002": (f"set api_key anew: {API_KEY}",),
    "-33003": (f"set api_key anew: {API_KEY}", COMPANY),
    "-33004": ("the user is blocked: have the company's administrator unblock it at SimplyBook.me",),
    "-33005": ("the company's HIPAA Custom Feature forbids this login: settle it with SimplyBook.me",),
}
"""By getToken's error code."""

USER: Final[Mapping[str, tuple[str, ...]]] = {
    "getUserToken": (
        "set admin_user and admin_password anew: the password is the user's, or their API User Key",
        "the user must be one who may log in to the company's admin interface",
    ),
    "getBookings": ("have the company's administrator let the user of admin_user see all bookings",),
}
"""What refuses the user of `admin_user`, by the method."""
USER_LOGIN: Final[Mapping[str, tuple[str, ...]]] = {code: LOGIN[code] for code in ("-33001", "-33004", "-33005")}
"""By getUserToken's error code, where it is not about the two keys."""
WITHOUT_LIST: Final = "until then a call without an answer is settled by a callback or a person, as without admin_user"
