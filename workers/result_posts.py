"""The route `results`: a source is told of the end of one of its events.

The post is signed by Standard Webhooks with the secret of the settings, which never stands in the queue. It is made at
least once, always under the same webhook-id, by which the receiver knows it again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlsplit

from bellhop.ledger.records import Booking, VendorCall
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from bellhop.schemas.settings import SourceSettings
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.http import HttpAnswer, HttpClient, Where
from bellhop.vendors.outcome import Dead, Done, InDoubt, Outcome, Recorded
from bellhop.vendors.outward import signature_headers
from bellhop.workers.receivers import Places

METHOD: Final = "POST result"
CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 15.0

_GONE: Final = 410


class ResultPosts:
    """`sources` by name. Nothing but a source's `result_url` is ever called, and redirects are not followed. http: made
    with `ENOUGH_BYTES` and the connections of `vendors.outward`."""

    shares_threads = True

    def __init__(
        self, sources: Mapping[str, SourceSettings], http: HttpClient, places: Places, now: Callable[[], datetime]
    ) -> None:
        self._sources = sources
        self._http = http
        self._places = places
        self._now = now

    def translate(self, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        source = self._sources.get(event.source)
        if source is None or not source.result_url:
            return Dead(Reason.MISCONFIGURED, f"the settings name no result_url for source {event.source}")
        told = {
            "webhook-id": webhook_id(event),
            "type": event.data.get("type"),
            "host": urlsplit(source.result_url).hostname,
        }
        return VendorCall(event.account, METHOD, told, repeatable=True)

    def prepare(self, call: VendorCall, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        return call

    def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Booking | Outcome:
        source = self._sources[event.source]
        body = json.dumps(event.data, ensure_ascii=False, separators=(",", ":"))
        with self._places.one(event.source):
            answer = self._http.request(
                Where("", METHOD),
                "POST",
                source.result_url,
                body=body.encode(),
                headers=signature_headers(webhook_id(event), body, source.result_secrets, self._now()),
                connect_seconds=CONNECT_SECONDS,
                read_seconds=READ_SECONDS,
            )
            return _outcome(answer)

    def resolve(self, call: VendorCall, event: Envelope) -> Dead | InDoubt | None:
        return None


def webhook_id(event: Envelope) -> str:
    """The same for every post of a result, and another for each. Ids may hold anything; a header may not."""
    return quote(event.message_id, safe="/:@+=,;!$&'()*")


def _outcome(answer: HttpAnswer) -> Outcome:
    """Raises VendorFailure."""
    where, status = Where("", METHOD), answer.status
    if 200 <= status < 300:
        return Done(f"the source is told (HTTP {status})")
    if status == _GONE:
        return Recorded("the receiver answered 410: it is gone, and is not asked again")
    if 300 <= status < 400:
        text = f"HTTP {status}: result_url is redirected, which is not followed; name where it leads to"
        raise VendorFailure(Kind.REJECTED, vendor="", method=METHOD, message=text, status=status, answer=answer.kept)
    if status >= 500:
        raise VendorFailure(
            Kind.UNKNOWN,
            vendor="",
            method=METHOD,
            message=f"HTTP {status}",
            retry_after=answer.retry_after,
            status=status,
            answer=answer.kept,
        )
    kind = Kind.AUTH if status in (401, 403) else Kind.UNKNOWN if status == 408 else Kind.REJECTED
    raise where.failure(kind, f"HTTP {status}", answer)
