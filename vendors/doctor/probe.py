"""Whether a vendor's host can be reached, and what its clock says: one HEAD request, without credentials."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from bellhop.schemas.clock import utc_now
from bellhop.vendors.doctor.checks import Check, Finding, fail, ok, warn
from bellhop.vendors.exchange import HttpConnection, NotSent, Request, Unanswered
from bellhop.vendors.sockets import read_url

CLOCK_SECONDS: Final = 60.0
"""Apart by more than this: signatures with times fail, and so does telling what is past."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """status: HTTP's, None where the connection was made but no answer came. ahead: by how many seconds the vendor's
    clock is ahead of ours, None where it did not tell."""

    status: int | None
    ahead: float | None


class Probe:
    """The checks `reach` and `clock` of the host of `url`."""

    def __init__(
        self,
        url: str,
        *,
        connect_seconds: float,
        read_seconds: float,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._url = url
        self._connect_seconds = connect_seconds
        self._seconds = read_seconds
        self._now = now
        self._sight = ProbeResult(None, None)

    def checks(self) -> list[Check]:
        return [Check("reach", self.reach), Check("clock", self.clock, ("reach",))]

    def reach(self) -> Finding:
        """Fails where no request could be sent. A host that leaves a HEAD unanswered may still be the right one."""
        host = urlsplit(self._url).netloc.rpartition("@")[2]
        began = self._now()
        try:
            to, path = read_url(self._url.rstrip("/") + "/")
            connection = HttpConnection(to, self._connect_seconds)
            answer = connection.exchange(Request("HEAD", path, None, {}, enough=0), time.monotonic() + self._seconds)
        except (NotSent, Unanswered, ValueError) as problem:
            return _unreachable(host, problem)
        connection.end()
        self._sight = ProbeResult(answer.status, _ahead(answer.headers.get("date"), began, self._now()))
        return ok(f"{host} answers")

    def clock(self) -> Finding:
        ahead = self._sight.ahead
        if ahead is None:
            return warn("the vendor's clock is not known: its answer has no date")
        if abs(ahead) <= CLOCK_SECONDS:
            return ok(f"within {CLOCK_SECONDS:g} s of the vendor's")
        return warn(
            f"this host's clock is {abs(ahead):.0f} s {'behind' if ahead > 0 else 'ahead of'} the vendor's",
            "set this host's clock by NTP: signed webhooks and what counts as past depend on it",
        )


def _unreachable(host: str, problem: Exception) -> Finding:
    cause = problem.__cause__
    if isinstance(problem, Unanswered):
        if isinstance(cause, TimeoutError):
            return warn(
                f"{host} takes connections, but did not answer in time", "it may only be slow; see what follows"
            )
        return fail(f"what is at {host} speaks no HTTP ({type(cause).__name__})", "check base_url and its port")
    if isinstance(problem, ValueError) or isinstance(cause, socket.gaierror):
        return fail(f"the name {host} is not known", "check base_url for a misspelling, and this host's DNS")
    if isinstance(cause, ssl.SSLError):
        return _tls_problem(host, cause)
    if isinstance(cause, TimeoutError):
        return fail(f"{host} does not take connections in time", "check base_url, firewalls and connect_timeout")
    return fail(f"{host} refuses connections or has no route", "check base_url, its port, and firewalls")


def _tls_problem(host: str, cause: ssl.SSLError) -> Finding:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return fail(
            f"TLS: the certificate of {host} cannot be trusted ({cause.verify_message})",
            "check base_url and this host's clock; a proxy that opens TLS needs its authority installed here",
        )
    return fail(f"TLS with {host} fails", "check base_url: https where the host speaks plain HTTP looks like this")


def _ahead(date: str | None, began: datetime, ended: datetime) -> float | None:
    try:
        told = parsedate_to_datetime(date or "")
    except (ValueError, TypeError):
        return None
    told = told if told.tzinfo else told.replace(tzinfo=UTC)
    return (told - (began + (ended - began) / 2)).total_seconds()
