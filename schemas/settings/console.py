"""The section `console`, with the provider that people sign in at."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from bellhop.schemas.settings.addresses import own_url
from bellhop.schemas.settings.fields import Duration, boolean, string, web, whole_number
from bellhop.schemas.settings.keys import Section, group, key, settings_section


@settings_section
class OidcSettings(Section):
    """None where `issuer` is ""."""

    issuer: str = key(
        web(may_be_empty=True),
        """A provider of OpenID Connect that people sign in at; needs public_url and
        `pip install 'bellhop-bookings[oidc]'`. Its redirect address is <public_url>/oidc/back.""",
        default="",
    )
    client_id: str = key(string(), "", default="", needs="issuer")
    client_secret: str = key(string(), "", default="", secret=True, needs="issuer")
    role_claim: str = key(
        string(1),
        """Where the ID token says a person's role (viewer, operator or admin, or a list that has one), and the name.
        Dots go inside: "realm_access.roles".""",
        default="bellhop_role",
        needs="issuer",
    )
    name_claim: str = key(string(1), "", default="email", needs="issuer")

    def __bool__(self) -> bool:
        return bool(self.issuer)


@settings_section
class ConsoleSettings(Section):
    """`bellhop console`: what people look at and act in. On another address than this machine's own it does not start
    before there is a user (`bellhop users add`) or a provider to sign in at."""

    host: str = key(string(1), "", default="127.0.0.1")
    port: int = key(whole_number(0, 65535), "", default=8070)
    session_seconds: float = key(
        Duration(minimum=60), "After so long people sign in again.", name="session", default=12 * 3600.0
    )
    second_approver: bool = key(
        boolean(),
        "true: an edited dead letter is replayed only once somebody else has approved the edit.",
        default=False,
    )
    public_url: str = key(
        web(may_be_empty=True),
        """The address under which browsers reach it, where a proxy stands before it; with https: its cookies are for
        TLS alone.""",
        default="",
    )
    source_url: str = key(
        web(may_be_empty=True),
        """The address under which upstreams reach /source/, their own pages, where that is another than public_url: a
        proxy that is open to them passes /source/ alone. Empty: public_url.""",
        default="",
    )
    sentry_url: str = key(
        web(may_be_empty=True),
        """Where an event's errors are in Sentry: {id}, {source}, {subject} and {route} are put in, as in
        "https://example.sentry.io/issues/?query=event_id%3A{id}". Empty: no link.""",
        default="",
    )
    oidc: OidcSettings = group("oidc_", default=OidcSettings())

    @property
    def loopback(self) -> bool:
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def base_url(self) -> str:
        """By which people reach it, without a slash at the end."""
        return (self.public_url or own_url(self.host, self.port)).rstrip("/")

    def conflicts(self) -> Iterator[tuple[str, str]]:
        needed = {
            "oidc_client_id": self.oidc.client_id,
            "oidc_client_secret": self.oidc.client_secret,
            "public_url": self.public_url,
        }
        for name, value in needed.items():
            if self.oidc and not value:
                yield name, "is required where oidc_issuer is set"
