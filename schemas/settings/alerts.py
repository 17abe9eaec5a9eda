"""The table `alerts`: who is told when something needs a person, and how."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import time
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from marshmallow import ValidationError, fields

from bellhop.schemas.results import signing_key
from bellhop.schemas.settings.fields import Duration, TextList, Zone, check_url, choice, string, url_of
from bellhop.schemas.settings.keys import Section, key, settings_section
from bellhop.schemas.settings.sources import check_receiver_url

SEVERITIES: Final = ("critical", "warning", "notice")
"""As `letters.attention` has them, the gravest first."""
PAGERDUTY: Final = "https://events.pagerduty.com/v2/enqueue"
_ADDRESS: Final = re.compile(r"[^\s@,<>]+@[^\s@,<>]+")
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")

Hours = tuple[time, time]
"""From and until, of each day; over midnight where the second is the earlier one."""


class QuietHours(fields.Field["Hours | None"]):
    """As "22:00-07:00"; "" for none."""

    def __init__(self) -> None:
        super().__init__(metadata={"schema": {"type": "string", "pattern": f"^({_HOURS.pattern})?$"}})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Hours | None:
        if value == "":
            return None
        found = _HOURS.fullmatch(value) if isinstance(value, str) else None
        if found is None or found[0][:5] == found[0][6:]:
            raise ValidationError('must be two different times such as "22:00-07:00", or "" for none')
        return time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str:
        return "" if value is None else "-".join(f"{one:%H:%M}" for one in value)


def _check_mail(address: str) -> None:
    """Raises ValueError."""
    if not _ADDRESS.fullmatch(address):
        raise ValueError('must be addresses such as "ops@example.com", without names')


def _check_alert_url(url: str) -> None:
    if urlsplit(url).scheme in ("http", "https"):
        check_receiver_url(url)
    else:
        check_url(url, "smtp", "smtps")
        if not urlsplit(url).hostname:
            raise ValidationError("names no host: write smtp://user:password@mail.example.com:587")


@settings_section
class AlertReceiver(Section):
    """Who is told when something needs a person, without Prometheus: what `bellhop attention` names, and dead letters
    by their cause, one message each with their number, soonest start and a link (console.public_url); and one when it
    is over. `bellhop archive` tells them, once however many archives run, and again only where it has doubled or has
    become graver. Messages name no guest. `bellhop alerts test` tries them. Names: a-z, 0-9, - and _."""

    name: str
    kind: str = key(
        choice("slack", "teams", "email", "pagerduty", "webhook"),
        """
          slack      an incoming webhook of Slack, or of what takes Slack's (Mattermost, Rocket.Chat)
          teams      a workflow of Microsoft Teams: "when a webhook request is received"
          email      by SMTP
          pagerduty  Events API v2
          webhook    JSON, signed by Standard Webhooks as results are""",
        example="slack",
    )
    url: str = key(
        url_of("http", "https", "smtp", "smtps", may_be_empty=True, check=_check_alert_url),
        """Where to. email: "smtp://user:password@mail.example.com:587" with STARTTLS, or smtps://… (port 465); where
        the server offers no TLS, only without a password. pagerduty: left out, it is PagerDuty's own. A name that leads
        to this host, or to a link-local address, is not called.""",
        default="",
        secret=True,  # those of Slack and Teams are; a mail server's holds a password
        example="https://hooks.slack.com/services/T00000000/B00000000/…",
    )
    routing_key: str = key(string(), "pagerduty: the integration key of its service.", default="", secret=True)
    secrets: tuple[str, ...] = key(
        TextList(may_be_empty=True, each=signing_key),
        """webhook: "whsec_" and base64 of 24 to 64 bytes. A list while it is rotated: each signs.""",
        name="secret",
        default=(),
        secret=True,
    )
    to: tuple[str, ...] = key(TextList(may_be_empty=True, each=_check_mail), "email: its addresses.", default=())
    sender: str = key(string(), "email: the address it comes from.", name="from", default="")
    severity: str = key(
        choice(*SEVERITIES),
        """From which on it is told: critical (a booking in doubt, unpaid, or that starts within 4 hours; an account
        whose credentials are refused; the broker away; a flood), warning, or notice (a paused route).""",
        default="warning",
    )
    quiet: Hours | None = key(
        QuietHours(),
        """Hours such as "22:00-07:00" in which only what is as grave as quiet_severity is told. The rest is told when
        they are over, if it still stands.""",
        default=None,
    )
    quiet_severity: str = key(
        choice(*SEVERITIES), "From which on it is told even then.", default="critical", needs="quiet"
    )
    zone: ZoneInfo = key(Zone(), "The quiet hours' time zone.", name="timezone", default=ZoneInfo("UTC"), needs="quiet")
    wait_seconds: float = key(
        Duration(),
        "So long something stands before it is told, and is over before that is: what comes and goes wakes nobody.",
        name="wait",
        default=30.0,
    )
    again_seconds: float = key(
        Duration(minimum=1),
        "What has doubled since it was told is told again, after so long at the soonest.",
        name="again",
        default=1800.0,
    )

    @property
    def address(self) -> str:
        """Where it posts to."""
        return self.url or (PAGERDUTY if self.kind == "pagerduty" else "")

    def conflicts(self) -> Iterator[tuple[str, str]]:
        is_mail = self.kind == "email"
        needed = {
            "url": (self.kind != "pagerduty", self.url),
            "to": (is_mail, self.to),
            "from": (is_mail, self.sender),
            "routing_key": (self.kind == "pagerduty", self.routing_key),
            "secret": (self.kind == "webhook", self.secrets),
        }
        for name, (is_needed, value) in needed.items():
            if is_needed and not value:
                yield name, f"is required: the kind is {self.kind}"
            elif value and not is_needed and name != "url":
                yield name, f"is not for the kind {self.kind}"
        if self.url and is_mail != self.url.startswith(("smtp:", "smtps:")):
            yield "url", f"must start with {'smtp: or smtps:' if is_mail else 'http: or https:'} for {self.kind}"
        if self.sender and not _ADDRESS.fullmatch(self.sender):
            yield "from", 'must be an address such as "bellhop@example.com"'
