"""What the set-up guides of the systems behind Peoplevine say, for whoever has to put an account right.

Source: `sevenrooms-setup`, quoted; Book4Time publishes no guide, what it asks for is known from its integration's form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

AUDIENCE: Final = (
    "in the Sevenrooms manager tool: Settings > Access Rules under Availability > click on a rule, click edit > "
    'Edit all days > Audience, "Who gets access?" > select the Peoplevine App or <company> App at the top of the list '
    '> Save. "Repeat for all rules": "Make sure Peoplevine is selected in the audience list in access rules."'
)
DURATION: Final = (
    '"If you are still unable to get availability, you will need to uncheck the Client must specify duration feature '
    "as it's not currently supported by Sevenroom's API.\""
)
LABELS: Final = '"make sure that the attribute labels match those in Sevenrooms (this is case sensitive), otherwise the data will not sync"'  # noqa: E501
EMAILS: Final = '"We recommend sending confirmation/ cancellation emails via Sevenrooms"'
GROUPS: Final = (
    'beyond the ten default attributes: "you can create additional tags and enter them in the section below"; "You can '
    'also sync custom groups at the bottom of this page"'
)
APP_NAME: Final = (
    'the App in the audience list: "the name depends on what your Sevenrooms rep setup, so please confirm with them"'
)
STATUSES: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("HOLD", "Pre-Service", "Hold", "A reservation is being held for the guest."),
    ("NOT_RECONCILED", "Pre-Service", "Booked", "A reservation is incomplete at the current time."),
    ("BOOKED", "Pre-Service", "Booked", "The guest has booked the reservation, but it has yet to be confirmed."),
    ("LEFT_MESSAGE", "Pre-Service", "Left Message", "The guest has been contacted by venue staff and left a message."),
    ("NO_ANSWER", "Pre-Service", "No Answer", "The guest has been contacted by venue staff and there was no answer."),
    (
        "WRONG_NUMBER",
        "Pre-Service",
        "Wrong Number",
        "An attempt to contact the guest was made, but they provided the wrong phone number.",
    ),
    ("CONFIRMED", "Pre-Service", "Confirmed", "The guest has confirmed the booking."),
    ("PRE_ARRIVED", "Pre-Service", "Arrived", "The expected number of guests in the party have arrived at the venue."),
    (
        "PREPARTIALLYARRIVED",
        "Pre-Service",
        "Partially Arrived",
        "A partial number of guests in the party has arrived at the venue.",
    ),
    (
        "LATE",
        "Pre-Service",
        "Late",
        "The guest has not arrived at the expected arrival time of the booked reservation.",
    ),
    ("CANCELED", "Pre-Service", "Canceled", "The guest has canceled the previously booked reservation."),
    ("NO_SHOW", "Pre-Service", "No Show", "The guest never arrived at the venue to fulfill the reservation."),
    ("NO_ENTRY", "Pre-Service", "No Entry", "The guest was not permitted entry to the venue (Nightlife Only)."),
)
"""The guide's table of a reservation's statuses: status, category, display, description."""
_SEVENROOMS: Final = (
    'Sevenrooms: in Peoplevine\'s company menu select "integrated platforms", click on the Sevenrooms logo, and check '
    '"your client ID, secret ID, default venue ID and the group ID as sent to you by your Sevenrooms rep"'
)
_SCHEDULERS: Final = (
    "the same page can create the schedulers (dining spaces); if they exist already: DO NOT CHECK THIS BOX"
)
_BOOK4TIME: Final = (
    "Book4Time: in Peoplevine's integration check the API token, account token, location id, guest type id and tender "
    "type id, all as Book4Time gave them"
)
_TRIPLESEAT: Final = "Tripleseat: check in Peoplevine that its integration is connected to the right location"

CONNECTION: Final[Mapping[str, tuple[str, ...]]] = {
    "sevenrooms": (_SEVENROOMS, _SCHEDULERS),
    "book4time": (_BOOK4TIME,),
    "tripleseat": (_TRIPLESEAT,),
    "": ("say in the settings what stands behind Peoplevine (system), and the advice here will be that system's",),
}
"""What to check where a list of Peoplevine's is empty, by the system behind."""

AVAILABILITY: Final[Mapping[str, tuple[str, ...]]] = {
    "sevenrooms": (AUDIENCE, DURATION),
    "book4time": (_BOOK4TIME, "and that the treatments have technicians and facilities on these days"),
    "tripleseat": (_TRIPLESEAT, "and that its rooms are open to booking on these days"),
    "": (
        "check in the system behind Peoplevine that these services can be booked on these days",
        f"if that is Sevenrooms: {AUDIENCE}",
        DURATION,
    ),
}
CREDENTIALS: Final = "set auth_id (the integration's account id), company (the company's id), user and password anew"
