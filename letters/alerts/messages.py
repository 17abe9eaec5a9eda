"""A message in each receiver's form.

Slack: api.slack.com/messaging/webhooks. Teams: learn.microsoft.com, "Create incoming webhooks with Workflows"
(an Adaptive Card as its one attachment). PagerDuty: developer.pagerduty.com, Events API v2, "Send an alert event":
an incident's later events bear its dedup_key. Webhook: standardwebhooks.com.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Final

from bellhop.letters.alerts.facts import Alert
from bellhop.schemas.moments import local_text
from bellhop.schemas.settings.alerts import AlertReceiver

_LEAST_TITLE: Final = {"open": "", "more": "Now ", "over": "Over: ", "test": ""}
_PAGERDUTY_SEVERITY: Final = {"critical": "critical", "warning": "warning", "notice": "info"}
_PAGERDUTY_SUMMARY: Final = 1024
"""Characters; more is refused."""


@dataclass(frozen=True, slots=True)
class AlertNotice:
    """What is to be said: open, more, over or test. incident: the same for all that is said of one thing. link: to its
    page of the console, "" where its public address is not set. about: this message's own id."""

    says: str
    incident: str
    alert: Alert
    link: str
    at: datetime

    @property
    def id(self) -> str:
        return f"{self.incident}/{self.says}" + (f"-{self.alert.count}" if self.says == "more" else "")

    @property
    def title(self) -> str:
        severity = "" if self.says in ("over", "test") else f"[{self.alert.severity}] "
        return f"{severity}{_LEAST_TITLE[self.says]}{self.alert.title}"

    @property
    def lines(self) -> list[str]:
        alert = self.alert
        told = [
            alert.detail if self.says != "over" else "",
            f"Since {_moment(alert.since)}." if alert.since else "",
            f"The soonest booking starts {_moment(alert.starts)}." if alert.starts and self.says != "over" else "",
            f"On Bellhop's host: {alert.command}" if self.says != "over" else "",
        ]
        return [line for line in told if line]


def slack(notice: AlertNotice) -> dict[str, Any]:
    link = f"<{notice.link}|Open in Bellhop>" if notice.link else ""
    text = "\n".join((f"*{_plain(notice.title)}*", *map(_plain, notice.lines)))
    return {"text": f"{text}\n{link}" if link else text}


def teams(notice: AlertNotice) -> dict[str, Any]:
    title = {"type": "TextBlock", "text": notice.title, "weight": "Bolder", "wrap": True}
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [title, *({"type": "TextBlock", "text": line, "wrap": True} for line in notice.lines)],
    }
    if notice.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open in Bellhop", "url": notice.link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def pagerduty(notice: AlertNotice) -> dict[str, Any]:
    """Without the routing_key, which is a secret."""
    event: dict[str, Any] = {
        "event_action": "resolve" if notice.says == "over" else "trigger",
        "dedup_key": notice.incident,
    }
    if notice.says == "over":
        return event
    event["payload"] = {
        "summary": notice.title[:_PAGERDUTY_SUMMARY],
        "source": "bellhop",
        "severity": _PAGERDUTY_SEVERITY[notice.alert.severity],
        "timestamp": notice.at.isoformat(),
        "custom_details": {name: value for name, value in notice.alert.to_json().items() if name != "path"},
    }
    if notice.link:
        event["links"] = [{"href": notice.link, "text": "Open in Bellhop"}]
    return event | {"client": "Bellhop"} | ({"client_url": notice.link} if notice.link else {})


def webhook(notice: AlertNotice) -> dict[str, Any]:
    told = {name: value for name, value in notice.alert.to_json().items() if name != "path"}
    data = {"id": notice.incident, **told, "link": notice.link}
    return {"type": f"alert.{notice.says}", "timestamp": notice.at.isoformat(), "data": data}


def email(notice: AlertNotice, receiver: AlertReceiver) -> EmailMessage:
    """Its id is the same for each try, and names the first of its incident: programs show them as one thread."""
    host = receiver.sender.rpartition("@")[2]
    message = EmailMessage()
    message["Subject"] = f"Bellhop: {notice.title}"
    message["From"], message["To"] = receiver.sender, ", ".join(receiver.to)
    message["Date"] = format_datetime(notice.at)
    message["Message-ID"] = f"<{notice.id.replace('/', '.')}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    if notice.says in ("more", "over"):
        message["In-Reply-To"] = message["References"] = f"<{notice.incident}.open@{host}>"
    message.set_content("\n\n".join((notice.title, *notice.lines, *filter(None, [notice.link]))) + "\n")
    return message


BODIES: Final[Mapping[str, Callable[[AlertNotice], dict[str, Any]]]] = {
    "slack": slack,
    "teams": teams,
    "pagerduty": pagerduty,
    "webhook": webhook,
}
"""Of what is posted, by the receiver's kind."""


def _moment(text: str) -> str:
    """An ISO 8601 time for people: by the clock that it is told by, beside UTC."""
    moment = datetime.fromisoformat(text)
    return local_text(moment, moment.tzinfo if moment.utcoffset() else None, "%Y-%m-%d")


def _plain(text: str) -> str:
    """Slack reads these three as marks of its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
