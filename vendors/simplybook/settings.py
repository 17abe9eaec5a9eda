"""SimplyBook.me's accounts: what the settings say of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from bellhop.schemas.settings import Limits, accounts
from bellhop.schemas.settings.accounts import AccountKind
from bellhop.schemas.settings.fields import boolean, string, web
from bellhop.schemas.settings.keys import Section, key, secret_values, settings_section
from bellhop.vendors.simplybook.rules import check_booking


@settings_section
class SimplybookAccount(Section):
    """One set of SimplyBook.me's credentials."""

    name: str
    base_url: str = key(web(), "", left_out="https://user-api.simplybook.me")
    company: str = key(string(1), "The company login.")
    api_key: str = key(string(1), "", secret=True)
    secret_key: str = key(
        string(1, missing="is required: it signs confirmBooking and cancelBooking"),
        "Signs confirmBooking and cancelBooking.",
        secret=True,
    )
    confirm: bool = key(boolean(), "Whether to confirm a booking whose answer asks for it.", default=True)
    connect_seconds: float = accounts.connect_timeout()
    read_seconds: float = accounts.read_timeout()
    late_after: float = accounts.late_after()
    kind: str = accounts.kind("simplybook")
    batch: bool = key(
        boolean(),
        """Books the services of one booking as one batch (createBatch), confirmed together: needs "Multiple
        bookings".""",
        default=False,
    )
    mark: str = key(
        string(),
        """Where a number of ours goes in each booking, so that one whose call was never answered is known as ours for
        certain: the title or name of an intake field, or client.KEY for one of the client's data. "": nowhere.""",
        default="",
    )
    notes_field: str = key(
        string(),
        """The intake field, by its title or name, that takes a booking's notes: needs "Intake forms". "": they are not
        sent, and whoever posts them is told so.""",
        default="",
    )
    discover: bool = key(
        boolean(),
        "true asks getServiceUrl, at base_url, where the company's API is: for the hosts of other regions.",
        default=False,
    )
    admin_user: str = key(
        string(),
        """A user of the company who may see its list of bookings (getBookings of the administration): by it most calls
        whose end nobody knows are settled without a person. "": none, and the list is not asked.""",
        default="",
        needs="admin_password",
    )
    admin_password: str = key(
        string(), "The user's password, or their API User Key.", secret=True, default="", needs="admin_user"
    )
    limits: Limits = accounts.limits(Limits(5.0, 2, 5000))  # as others report
    system: ClassVar[str] = ""
    pulls: ClassVar[Mapping[str, str]] = {}
    shares_token: ClassVar[bool] = True

    @property
    def has_list(self) -> bool:
        """Whether the company's list of bookings can be asked."""
        return bool(self.admin_user)

    @property
    def secrets(self) -> tuple[str, ...]:
        return secret_values(self)


ACCOUNT: Final = AccountKind(
    SimplybookAccount,
    "SimplyBook.me",
    check_booking,
    example_name="salon",
    example_venue="mayfair-salon",
)
