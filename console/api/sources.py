"""The sources: the links to their own pages, what they ask for, and their secrets."""

from __future__ import annotations

from marshmallow import fields

from bellhop.console.access.source_links import LASTS, make_link
from bellhop.console.api import requests
from bellhop.console.api.problems import not_found, too_late
from bellhop.console.api.requests import one_of, why
from bellhop.console.api.responses import ApiAnswer, maybe_when, time_field
from bellhop.console.api.routes import ApiCall, ApiParts, ApiSection, Route
from bellhop.console.api.times import Instant
from bellhop.ledger.records import AskState, Role, TakeAsk
from bellhop.letters.serializers import JsonObject
from bellhop.letters.source_secrets import in_use, rotate_secret
from bellhop.letters.sources import end_ask, link_row, source_rows
from bellhop.schemas.clock import iso
from bellhop.schemas.contract import Strict
from bellhop.schemas.errors import SettingsError
from bellhop.schemas.problems import Problem
from bellhop.schemas.rotations import OVERLAPS


class NewSourceLink(Strict):
    why = why()
    expires = Instant(metadata={"description": "Default: in 30 days."})


class NewSecret(Strict):
    overlap = one_of(*OVERLAPS, load_default="24h", metadata={"description": "So long the old secret stays good."})
    why = why()


class MaybeWhy(Strict):
    why = why(required=False, minimum=0, load_default="")


class SourceLinkLine(ApiAnswer):
    number = fields.Integer()
    source = fields.String()
    who = fields.String()
    why = fields.String()
    created = time_field()
    expires = time_field()
    last_used = maybe_when()
    revoked = fields.Boolean()


class SourceLinkMade(SourceLinkLine):
    url = fields.String(metadata={"description": "Told this once: the ledger keeps its hash."})


class TakeAskLine(ApiAnswer):
    """A source asks that its refused posts of one cause be taken again."""

    number = fields.Integer()
    source = fields.String()
    cause = fields.String()
    why = fields.String()
    asked = time_field()
    asked_by = fields.String()
    posts = fields.Integer(metadata={"description": "How many of its cause wait."})


class AskEnded(ApiAnswer):
    told = fields.String(metadata={"description": "What came of it, in words."})
    ended = fields.Boolean(metadata={"description": "false: some are refused still, and the ask stays open."})


class SourceLine(ApiAnswer):
    name = fields.String()
    format = fields.String()
    verifier = fields.String()
    heard = maybe_when()
    silent = fields.Boolean(metadata={"description": "Whether it is silent beyond its habit."})
    refused = fields.Integer(metadata={"description": "Refused posts that wait."})
    rotated = maybe_when()
    links = fields.List(fields.Nested(SourceLinkLine))
    asks = fields.List(fields.Nested(TakeAskLine))


class SourceList(ApiAnswer):
    rows = fields.List(fields.Nested(SourceLine))


class SecretMade(ApiAnswer):
    secret = fields.String(metadata={"description": "Told this once. The old one is good until `ends`."})
    ends = time_field()
    taken = fields.Boolean(metadata={"description": "Whether the ingress has taken it: from then on sign with it."})


def section(parts: ApiParts) -> ApiSection:
    api = SourceRoutes(parts)
    operator, number = Role.OPERATOR, "<number:number>"
    routes = (
        Route("GET", "/sources", api.index, "List sources, with the links to their pages and what they ask for",
              SourceList),
        Route("POST", "/sources/<id:source>/links", api.make_link, "Make a link to a source's page; it is told once",
              SourceLinkMade, operator, body=NewSourceLink, status=201, refuses=True),
        Route("POST", f"/source-links/{number}/revoke", api.revoke, "Revoke a link to a source's page",
              SourceLinkLine, operator, body=requests.Why),
        Route("POST", "/sources/<id:source>/rotate", api.rotate, "Rotate a source's secret; the new one is told once",
              SecretMade, operator, body=NewSecret, status=201, refuses=True),
        Route("POST", f"/asks/{number}/grant", api.grant, "Take the refused posts that a source asks for",
              AskEnded, operator, body=MaybeWhy, refuses=True),
        Route("POST", f"/asks/{number}/decline", api.decline, "Decline what a source asks for", AskEnded, operator,
              body=requests.Why, refuses=True),
    )  # fmt: skip
    return ApiSection("sources", "Who posts webhooks.", routes)


class SourceRoutes:
    def __init__(self, parts: ApiParts) -> None:
        self._parts = parts
        self._ledger = parts.ledger

    def index(self, _call: ApiCall) -> JsonObject:
        rows = source_rows(self._parts.settings, self._ledger, self._parts.now())
        return {"rows": self._parts.redactor.value(rows)}

    def make_link(self, call: ApiCall, source: str) -> JsonObject:
        if source not in self._parts.settings.sources:
            raise not_found("source of that name")
        expires = call.body.get("expires") or self._parts.now() + LASTS
        if expires <= self._parts.now():
            raise too_late("expires")
        made, url = make_link(
            self._ledger.source_links,
            self._parts.settings.console,
            source,
            expires,
            who=call.who,
            why=call.body["why"],
        )
        return link_row(made) | {"url": url}

    def revoke(self, call: ApiCall, number: int) -> JsonObject:
        gone = self._ledger.source_links.revoke(number, who=call.who, why=call.body["why"])
        if gone is None:
            raise not_found("such link that lasts; GET /sources lists them")
        return link_row(gone)

    def rotate(self, call: ApiCall, source: str) -> JsonObject:
        try:
            found = self._parts.read_settings().sources.get(source)
        except SettingsError as error:
            raise Problem(409, "refused", f"The settings cannot be read: {error}.") from None
        if found is None:
            raise not_found("source of that name")
        made, secret = rotate_secret(
            self._ledger.rotations,
            found,
            now=self._parts.now(),
            overlap=OVERLAPS[call.body["overlap"]],
            who=call.who,
            why=call.body["why"],
        )
        self._parts.observe("source.secret_rotated", source=source)
        return {"secret": secret, "ends": iso(made.ends), "taken": in_use(self._ledger.rotations, made)}

    def grant(self, call: ApiCall, number: int) -> JsonObject:
        if self._parts.take_refused is None:
            raise Problem(409, "refused", "This process takes no posts: run `bellhop refused take`.")
        return self._end(call, number, AskState.GRANTED)

    def decline(self, call: ApiCall, number: int) -> JsonObject:
        return self._end(call, number, AskState.DECLINED)

    def _end(self, call: ApiCall, number: int, state: AskState) -> JsonObject:
        ask: TakeAsk | None = self._ledger.take_asks.one(number)
        if ask is None or ask.state is not AskState.OPEN:
            raise not_found("such open ask; GET /sources lists them")
        try:
            told, ended = end_ask(
                self._ledger, ask, state, self._parts.take_refused, who=call.who, why=call.body["why"]
            )
        except SettingsError as error:
            raise Problem(409, "refused", f"The settings cannot be read: {error}.") from None
        return {"told": self._parts.redactor.text(told), "ended": ended}
