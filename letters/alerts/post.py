"""Sends a message to a receiver. Nothing but what the settings name is ever called, and redirects are not followed."""

from __future__ import annotations

import json
import smtplib
import socket
import ssl
from datetime import datetime
from typing import Final
from urllib.parse import unquote, urlsplit

from bellhop.letters.alerts.messages import BODIES, AlertNotice, email
from bellhop.schemas.errors import BellhopError
from bellhop.schemas.redact import Redactor
from bellhop.schemas.settings.alerts import AlertReceiver
from bellhop.vendors.failure import VendorFailure
from bellhop.vendors.http import HttpClient, Where
from bellhop.vendors.outward import ENOUGH_BYTES, NameLeadsInside, outward, refuse_inside, signature_headers

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 15.0
_SMTP_PORTS: Final = {"smtp": 587, "smtps": 465}


class AlertUnsent(BellhopError):
    """Raised where a receiver did not take a message. Its text is in words of our own. after: seconds that the receiver
    asked for, None where it did not."""

    def __init__(self, text: str, after: float | None = None) -> None:
        super().__init__(text)
        self.after = after


class AlertPosts:
    """Safe from any thread."""

    def __init__(self, redactor: Redactor) -> None:
        self._http = HttpClient(pool_size=1, redactor=redactor, connections=outward(0), enough_bytes=ENOUGH_BYTES)

    def send(self, notice: AlertNotice, receiver: AlertReceiver, now: datetime) -> None:
        """Returns once the receiver has taken it. Raises AlertUnsent."""
        if receiver.kind == "email":
            _send_mail(notice, receiver)
        else:
            self._post(notice, receiver, now)

    def _post(self, notice: AlertNotice, receiver: AlertReceiver, now: datetime) -> None:
        told = BODIES[receiver.kind](notice)
        if receiver.routing_key:
            told = {"routing_key": receiver.routing_key, **told}
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        signed = signature_headers(notice.id, body, receiver.secrets, now) if receiver.secrets else {}
        where = Where("", "POST alert")
        try:
            answer = self._http.request(
                where,
                "POST",
                receiver.address,
                body=body.encode(),
                headers=signed,
                connect_seconds=CONNECT_SECONDS,
                read_seconds=READ_SECONDS,
            )
        except VendorFailure as failure:
            text = f"HTTP {failure.status}" if failure.status else failure.message
            raise AlertUnsent(text, failure.retry_after) from None
        if 300 <= answer.status < 400:
            raise AlertUnsent(f"HTTP {answer.status}: its url is redirected, which is not followed")
        if not 200 <= answer.status < 300:
            raise AlertUnsent(f"HTTP {answer.status}", answer.retry_after)


def _send_mail(notice: AlertNotice, receiver: AlertReceiver) -> None:
    parts = urlsplit(receiver.url)
    host = parts.hostname or ""
    port = parts.port or _SMTP_PORTS[parts.scheme]
    tls = ssl.create_default_context()
    try:
        kind = _Plain if parts.scheme == "smtp" else _Tls
        with kind(host, port, tls) as server:
            if parts.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=tls)
                server.ehlo()
            elif parts.scheme == "smtp" and parts.username:
                raise AlertUnsent("the mail server offers no TLS, and a password is not sent without")
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(email(notice, receiver))
    except smtplib.SMTPAuthenticationError as error:
        raise AlertUnsent(f"the mail server refuses its user and password (SMTP {error.smtp_code})") from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({code for code, _ in error.recipients.values()})
        raise AlertUnsent(f"the mail server refuses its addresses (SMTP {', '.join(map(str, codes))})") from None
    except smtplib.SMTPResponseException as error:
        raise AlertUnsent(f"the mail server refuses it (SMTP {error.smtp_code})") from None
    except NameLeadsInside:
        raise AlertUnsent("its name leads to this host or to a link-local address, which is not called") from None
    except (smtplib.SMTPException, OSError) as error:
        raise AlertUnsent(f"the mail server could not be reached ({type(error).__name__})") from None


class _Plain(smtplib.SMTP):
    """Looks where a name led to before a word is said."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext) -> None:
        self.tls = tls
        super().__init__(host, port, timeout=READ_SECONDS)
        self.ehlo()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        made = socket.create_connection((host, port), CONNECT_SECONDS)
        try:
            refuse_inside(host, made.getpeername()[0])
            made.settimeout(timeout)
            return self.wrap(made, host)
        except BaseException:
            made.close()
            raise

    def wrap(self, made: socket.socket, host: str) -> socket.socket:
        return made


class _Tls(_Plain):
    def wrap(self, made: socket.socket, host: str) -> socket.socket:
        return self.tls.wrap_socket(made, server_hostname=host)
