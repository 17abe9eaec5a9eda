"""The sources: who posts webhooks, how they prove who they are, and what their bodies mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from marshmallow import ValidationError

from bellhop.schemas.expressions import Finder
from bellhop.schemas.mapping import NO_MAP, FieldMap
from bellhop.schemas.results import signing_key
from bellhop.schemas.settings.accounts import AccountKind
from bellhop.schemas.settings.fields import Duration, TextList, choice, number, one_number, string, web
from bellhop.schemas.settings.floods import FloodLimits
from bellhop.schemas.settings.keys import Key, Section, group, key, keys_of, settings_section
from bellhop.schemas.settings.source_tables import ListPlace, MapTable, SourceVenue, SourceVenues

FORMATS: Final = ("bellhop", "sevenrooms", "tripleseat", "mapped")
"""How an upstream's bodies are written, beside the vendors' own callbacks: see `formats`."""
RAW: Final = "raw:"
"""Before a secret that is used as the text it is, and not as base64 of it."""
_MAKES_SECRETS: Final = ("acuity", "mindbody", "square", "tripleseat")
_TOLERANCES: Final = {"calendly": 180.0, "tripleseat": 180.0}
_ANSWERS: Final = {"tripleseat": 200}  # it takes any other for a failure


def formats(kinds: Mapping[str, AccountKind]) -> tuple[str, ...]:
    """How an upstream's bodies may be written: see `ingest.formats`."""
    return (*FORMATS, *(name for name, kind in kinds.items() if kind.posts_callbacks))


def check_receiver_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValidationError("must have neither a user nor a fragment")
    try:
        address = ip_address(parts.hostname or "")
    except ValueError:
        return  # a name: where it leads is looked at before each post
    if address.is_link_local or address.is_unspecified or address.is_multicast:
        raise ValidationError("must not be a link-local address: a cloud's own services answer there")


@settings_section
class SourceSettings(Section):
    """Who posts webhooks, to /webhooks/<name>. Names: a-z, 0-9, - and _.
    `bellhop sources list` shows them, `bellhop sources try <name> <file>` what becomes of a body."""

    name: str
    # Which verifiers exist, and what a secret must look like for each, is `ingest.verify`'s to say at start.
    verifier: str = key(
        string(1),
        """How a webhook proves where it comes from:
          standard-webhooks  signatures, standardwebhooks.com
          bearer             Authorization: Bearer <secret>
          path-secret        POST /webhooks/<name>/<secret>, for upstreams that can only be given an address
          query-secret       POST /webhooks/<name>?secret=<secret>, likewise
          calendly, tripleseat, mindbody, square, calcom: their own signatures
          acuity: its signature, for bodies that hold the booking. Acuity's own webhooks hold no more than an
            appointment's id, and Bellhop fetches nothing from it: bookings cannot be made of them.
        The secrets of path-secret and query-secret have 16 or more of A-Z, a-z, 0-9, - and _. Keep such addresses out
        of the logs of a proxy before Bellhop.""",
        example="standard-webhooks",
    )
    secrets: tuple[str, ...] = key(
        TextList(),
        """Several while a secret is rotated: each is good. standard-webhooks: "whsec_" and base64; or "raw:" and the
        secret, where the upstream uses it as the text it is.""",
        secret=True,
        example=["whsec_…"],
    )
    tolerance_seconds: float = key(
        Duration(minimum=1),
        "How old a signature may be. Left out, it is 3m for calendly and tripleseat.",
        name="tolerance",
        required=False,
        example="5m",
    )
    answer: int = key(
        one_number((200, 202)),
        "The status of an accepted webhook: 202, or 200 for upstreams that insist. Left out: 200 for tripleseat.",
        required=False,
        example=202,
    )
    member_account: str = key(
        string(),
        "The account (of Peoplevine) whose members this source tells of. Empty: member events are refused.",
        default="",
        example="club",
    )
    format: str = key(
        choice(*FORMATS),
        """
        How its bodies are written:
          bellhop     type, timestamp and data, as documented
          sevenrooms  SevenRooms' reservation (and client) webhooks, one or a list of them
          tripleseat  Tripleseat's event webhooks; its leads are answered 200 and ignored
          mapped      anything else, by the map below""",
        default="bellhop",
    )
    map: FieldMap = key(
        MapTable(),
        """Where an event's fields stand in the upstream's body. With sevenrooms and tripleseat it is laid over what
        they say themselves, with a vendor's own callbacks it is for feed_venue: there the details stand under
        "details".
        A rule is a path, or an expression of JMESPath (jmespath.org), with values (their word = ours) and a default; or
        a value for all events:
          "id" = "payload.uid"
          "type" = { path = "triggerEvent", values = { BOOKING_CREATED = "booking.requested" }, default = "ignored" }
          "timestamp" = "createdAt"
          "data.booking_id" = "payload.bookingId"
          "data.venue" = { value = "mayfair-salon" }
          "data.client.name" = { expression = "join(' ', [payload.first, payload.last])" }
          "data.services.0.start" = "payload.startTime"
          "data.replaces" = "payload.rescheduleUid"  # whose place it takes, where a move brings a new id
        Times are ISO 8601, or count from 1970 in seconds or milliseconds. Beside JMESPath's own functions there are
        moment(text, '%d/%m/%Y %H:%M'), later(moment, '90 min'), in_zone(moment, 'Europe/London'), split(text, ',') and
        multiply(cents, '0.01'); null makes null, and join leaves it out.
        A list of services is gone through, with each item and those before it beside the body:
          "data.services.*" = "payload.segments"
          "data.services.*.service_id" = { path = "item.service", values = { SV1 = "7", SV2 = "8" } }
          "data.services.*.start" = { expression = "later(body.payload.startTime, sum(before[*].minutes))" }
          "data.services.*.duration" = "item.minutes"
        Where services are read by their place instead, a body with more of them than rules is refused; of any other
        list, what no rule reads is warned of.
        A rule that comes to "ignored" answers 2xx and does nothing; of one service among several, it leaves that one
        out. A value that `values` does not name is refused, unless there is a default. Without an id, it is the body's
        hash. Of what cancels only type and data.booking_id can refuse. A member event needs no timestamp: then each
        receipt is an event of its own, also of a body that came before (Peoplevine's {"customer_no": 6448} comes again
        whenever the member changes).""",
        default=NO_MAP,
    )
    venues: Mapping[str, SourceVenue] = key(
        SourceVenues(),
        """sevenrooms and tripleseat: their venues' ids, each with the venue of ours it is, and the service its
        bookings are for:""",
        default_factory=dict,
    )
    items: Finder | None = key(
        ListPlace(),
        """mapped only: where the body holds a list of events, as a path or an expression. The map is then read for each
        of its items, of {"item": …, "body": the whole body}. A body that is itself a list needs none: its items are
        read as they are.""",
        default=None,
    )
    unknown_venues: str = key(
        choice("refuse", "ignore"),
        """What becomes of an event of a venue that the settings do not name: refuse (422), or ignore (2xx, and recorded
        alone), for an upstream that posts the events of all its places. One of a booking that stands here counts all
        the same: the cancel is done, and what moved away, by a change or another request, comes to a person.""",
        default="refuse",
    )
    unknown: str = key(
        choice("refuse", "warn"),
        """What becomes of what nobody here knows: refuse (422), or warn. Then a field that events do not have is left
        out with a warning, and an event of a type that nobody knows is kept as recorded, without a call. One that an
        upstream adds to its webhooks would otherwise stop them all.""",
        default="refuse",
    )
    retake: str = key(
        choice("ask", "allow"),
        """What becomes of it when the source's own page asks that refused posts be taken again: ask, and a person
        grants it; or allow, and they are taken at once, as far as the settings take them now.""",
        default="ask",
    )
    missing_time: str = key(
        choice("refuse", "receipt"),
        """What becomes of an event that bears no time: refuse (422), or receipt: the time at which it came stands for
        it. Events that come out of their order are then taken in the order in which they came.""",
        default="refuse",
    )
    resend_window_seconds: float = key(
        Duration(),
        """For upstreams that send a webhook again, hours later, with the signature and the time of the first attempt:
        so old such a signature may be. 0: as the tolerance says. At most as long as keep of [ledger]: what is played
        back is known by its id.""",
        name="resend_window",
        default=0.0,
    )
    silence: str = key(
        choice("notice", "ignore"),
        """A source that is silent beyond its habit needs a person (attention, `[alerts]`). The habit is learned from
        when it was heard, by the hour of the week, for six weeks; a new source's is not known for two. ignore: not
        this one's.""",
        default="notice",
    )
    silent_after_seconds: float = key(
        Duration(),
        "In the place of what is learned: so long it may be silent, at any hour. 0: as learned.",
        name="silent_after",
        default=0.0,
    )
    per_second: float = key(
        number(0, 100_000),
        """How many events a second it may post, over ten seconds, and in all processes together; what is more is
        answered 429 with Retry-After, and nothing of it is taken. 0: any number.""",
        default=0.0,
    )
    stamps: str = key(
        choice("exact", "seconds", "minutes"),
        """How fine its timestamps are. Two contents with one timestamp are a conflict, which a person ends; of a source
        whose stamps are cut to seconds or minutes, the one that came later counts.""",
        default="exact",
    )
    account: str = key(
        string(), "A vendor's own callbacks only, and needed there: the account whose callbacks these are.", default=""
    )
    feed_venue: str = key(
        string(),
        """A vendor's own callbacks only: a venue of another account that is told of each booking, as the map makes it
        of the details.""",
        default="",
    )
    pull_account: str = key(
        string(),
        """An account (of Peoplevine). The source's bookings are then booked nowhere: the account is pulled, as it sits
        before the system that holds them (SevenRooms, Book4Time, Tripleseat). Their venues need not be named.""",
        default="",
    )
    notification_url: str = key(
        web(may_be_empty=True),
        "square only: the address it posts to, exactly as it was entered there. Its signature covers it.",
        default="",
    )
    result_url: str = key(
        web(may_be_empty=True, check=check_receiver_url),
        """An address that is told the end of this source's events: booking.confirmed, booking.cancelled and
        booking.failed with the vendor's ids, member.synchronised and member.failed. Posts are signed by Standard
        Webhooks with result_secret and retried like any event, at least once each: a webhook-id that came before is
        the same result again. A name that leads to this host, or to a link-local address, is not posted to. "": nobody
        is told.""",
        default="",
        hidden=True,  # may hold a token
    )
    result_secrets: tuple[str, ...] = key(
        TextList(may_be_empty=True, each=signing_key),
        """"whsec_" and base64 of 24 to 64 bytes. A list while it is rotated: each signs, until the receiver has the
        new one.""",
        name="result_secret",
        default=(),
        secret=True,
        needs="result_url",
    )
    flood: FloodLimits = group("flood_", default=FloodLimits())

    @classmethod
    def complete(cls, data: dict[str, Any]) -> dict[str, Any]:
        """What the upstream itself asks for, unless the settings say otherwise."""
        usual = {"tolerance_seconds": _TOLERANCES.get(data["verifier"], 300.0)}
        return {**usual, "answer": _ANSWERS.get(data["format"], 202), **data}

    @property
    def ignores_unknown_venues(self) -> bool:
        return self.unknown_venues == "ignore"

    @property
    def takes_unknown(self) -> bool:
        return self.unknown == "warn"

    @property
    def may_retake(self) -> bool:
        return self.retake == "allow"

    @property
    def makes_own_secrets(self) -> bool:
        """Whether the upstream's product makes the secret, so that nobody can give it another."""
        return self.verifier in _MAKES_SECRETS

    @property
    def takes_receipt_time(self) -> bool:
        return self.missing_time == "receipt"

    @property
    def is_coarse(self) -> bool:
        return self.stamps != "exact"

    def conflicts(self) -> Iterator[tuple[str, str]]:
        if self.items is not None and self.format != "mapped":
            yield "items", "is for the format mapped"
        if self.format == "mapped" and not self.map:
            yield "map", "is required: the format mapped reads nothing else"
        if self.format == "bellhop" and self.map:
            yield "map", "is not for the format bellhop"
        if self.result_url and not self.result_secrets:
            yield "result_secret", "is required: it signs what is posted to result_url"
        if self.silent_after_seconds and self.silence == "ignore":
            yield "silent_after", 'is not for silence = "ignore"'


def source_keys(kinds: Mapping[str, AccountKind]) -> Mapping[str, Key]:
    """A source's keys, with the formats of the vendors' own callbacks."""
    keys = keys_of(SourceSettings)
    theirs = [f"  {name:<10}  {kind.title}'s own callbacks" for name, kind in kinds.items() if kind.posts_callbacks]
    format_ = keys["format"]
    doc = "\n".join((format_.doc, *theirs))
    return {**keys, "format": replace(format_, kind=choice(*formats(kinds)), doc=doc)}
