"""What an answer without the vendor's own words proves, by its HTTP status alone.

Firewalls, load balancers and proxies stand before a vendor and answer for it: with a page, or with JSON of their own.
What they turned away the vendor never saw. What they gave up waiting for it may have carried out.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from bellhop.vendors.failure import Kind


@dataclass(frozen=True, slots=True)
class PageRule:
    statuses: Container[int]
    title: str
    kind: Kind
    why: str


PAGES: Final[tuple[PageRule, ...]] = (
    PageRule((401,), "401", Kind.AUTH, "credentials are refused, whoever says so"),
    PageRule((429,), "429", Kind.THROTTLED, "nothing was done"),
    PageRule(
        (408, 409, 460, 499),
        "408, 409, 460, 499",
        Kind.UNKNOWN,
        "told of a request that may have been passed on before it was given up",
    ),
    PageRule(
        range(400, 500), "400, 403, 404 and any other 4xx", Kind.TRANSIENT, "turned away before the vendor saw it"
    ),
    PageRule(
        (501, 505, 511, 521, 523, 525, 526, 530),
        "501, 505, 511, 521, 523, 525, 526, 530",
        Kind.TRANSIENT,
        "the vendor was not reached, or a proxy wants something first",
    ),
    PageRule(
        range(500, 600),
        "500, 502, 503, 504 and any other 5xx",
        Kind.UNKNOWN,
        "a server that crashed may have done so after the effect, and a gateway gives up (Varnish with 503) on what is "
        "still being carried out",
    ),
    PageRule(range(300, 400), "3xx", Kind.UNKNOWN, "a form that was taken is often answered with a redirect"),
    PageRule(range(200, 300), "2xx", Kind.UNKNOWN, "it says that all went well, and nothing of what did"),
)
"""In the order in which they count."""


def page_kind(status: int) -> Kind:
    return next((rule.kind for rule in PAGES if status in rule.statuses), Kind.UNKNOWN)
