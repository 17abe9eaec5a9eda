"""What a webhook may be answered when it is not taken, and whether it is to be sent again: for the documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class WebhookRefusal:
    """names: the problems that are answered so, as the last word of their `type`. again: whether sending the same again
    may help."""

    words: str
    names: tuple[str, ...]
    again: str = "no"


_AS_IT_IS: Final = "yes, as it is"

REFUSALS: Final[Mapping[int, WebhookRefusal]] = {
    400: WebhookRefusal(
        "The body is not what it says it is, or its id cannot be one.",
        ("malformed-json", "malformed-form", "body-broken", "bad-id"),
        "no; a body that was cut off: yes",
    ),
    401: WebhookRefusal(
        "The post does not prove where it comes from.",
        ("not-verified",),
        "once the secret or the clock is right, signed anew",
    ),
    404: WebhookRefusal("There is no such source, or nothing at this address.", ("unknown-source", "not-found")),
    405: WebhookRefusal(
        "The address does not take that method: `Allow` names those it takes.", ("method-not-allowed",)
    ),
    408: WebhookRefusal("The body did not come in time.", ("body-too-slow",), _AS_IT_IS),
    413: WebhookRefusal("The body is too large, also once it is unpacked.", ("body-too-large",)),
    415: WebhookRefusal(
        "The body is of a type, or packed in a way, that is not taken.", ("media-type", "content-encoding")
    ),
    422: WebhookRefusal(
        "The event breaks its contract: `errors` names each field and rule. Of a list the others are taken: `events`.",
        ("invalid-event",),
        "no: mend it. The operator may take it once the source's settings are mended",
    ),
    429: WebhookRefusal(
        "It is more than this source may post: nothing of it was taken.", ("too-many-events",), "after `Retry-After`"
    ),
    500: WebhookRefusal("Bellhop failed: nothing was taken.", ("internal",), "later, with the same id"),
    503: WebhookRefusal(
        "The queue did not confirm, or rotated secrets are not known yet: nothing was promised.",
        ("not-accepted", "secrets-not-known"),
        "after `Retry-After`, same id",
    ),
}
