"""Refused posts: what was refused, by cause, and to take it once that is mended."""

from __future__ import annotations

from marshmallow import fields

from bellhop.console.api import requests
from bellhop.console.api.requests import of
from bellhop.console.api.responses import ApiAnswer, maybe_when, time_field
from bellhop.console.api.routes import ApiCall, ApiParts, ApiSection, Route
from bellhop.ledger.records import Role, TakenVerdict
from bellhop.letters.refused import take_refused
from bellhop.letters.serializers import JsonObject
from bellhop.letters.serializers.refusals import refusal_cause_row, refused_row, taken_row
from bellhop.schemas.errors import SettingsError
from bellhop.schemas.problems import Problem


class FieldProblemLine(ApiAnswer):
    field = fields.String()
    rule = fields.String()


class RefusedPostLine(ApiAnswer):
    """A post of a source that had proved where it came from, which was answered 4xx."""

    number = fields.Integer()
    cause = fields.String(metadata={"description": "What it has in common with others that one mending may help."})
    source = fields.String()
    digest = fields.String(metadata={"description": "SHA-256 of its body; sent again it is the same post."})
    status = fields.Integer()
    reason = fields.String()
    detail = fields.String()
    problems = fields.List(fields.Nested(FieldProblemLine))
    media = fields.String()
    size = fields.Integer(metadata={"description": "Of its body, in bytes."})
    body = fields.String(metadata={"description": "Masked: letters are a, digits are 9."})
    first = time_field()
    last = time_field()
    times = fields.Integer(metadata={"description": "How often it came."})
    taken = maybe_when()
    became = fields.String(metadata={"description": "The id of the first event that it became when it was taken."})


class RefusalCauseLine(ApiAnswer):
    """Posts that one mending may help, of those that wait. The rest is the newest one's."""

    cause = fields.String()
    source = fields.String()
    status = fields.Integer()
    reason = fields.String()
    detail = fields.String()
    problems = fields.List(fields.Nested(FieldProblemLine))
    posts = fields.Integer()
    attempts = fields.Integer(metadata={"description": "Counted as often as each came."})
    first = time_field()
    last = time_field()


class RefusalCauseList(ApiAnswer):
    rows = fields.List(fields.Nested(RefusalCauseLine))


class TakenPostLine(ApiAnswer):
    number = fields.Integer()
    source = fields.String()
    verdict = of(TakenVerdict)
    event_ids = fields.List(fields.String(), metadata={"description": "What it became, or would."})
    detail = fields.String()
    problems = fields.List(fields.Nested(FieldProblemLine))


class TakenPostList(ApiAnswer):
    rows = fields.List(fields.Nested(TakenPostLine))


class RefusedPostList(ApiAnswer):
    rows = fields.List(fields.Nested(RefusedPostLine))


def section(parts: ApiParts) -> ApiSection:
    api = RefusalRoutes(parts)
    operator = Role.OPERATOR
    routes = (
        Route("GET", "/refused-posts", api.refused_posts, "List the last posts that were refused, newest first",
              RefusedPostList, query=requests.RefusedQuery),
        Route("GET", "/refused-posts/causes", api.refusal_causes, "Group the refused posts that wait by their cause",
              RefusalCauseList, query=requests.RefusedSource),
        Route("POST", "/refused-posts/take", api.take_refused, "Take refused posts now, by the settings as they are",
              TakenPostList, operator, body=requests.TakeRefusedPosts, refuses=True),
    )  # fmt: skip
    return ApiSection("refused posts", "What the ingress did not take.", routes)


class RefusalRoutes:
    def __init__(self, parts: ApiParts) -> None:
        self._parts = parts
        self._ledger = parts.ledger

    def refused_posts(self, call: ApiCall) -> JsonObject:
        posts = self._ledger.refusals.last(call.query.get("source", ""), call.query["limit"])
        return {"rows": self._parts.redactor.value([refused_row(post) for post in posts])}

    def refusal_causes(self, call: ApiCall) -> JsonObject:
        causes = self._ledger.refusals.causes(call.query.get("source", ""))
        return {"rows": self._parts.redactor.value([refusal_cause_row(cause) for cause in causes])}

    def take_refused(self, call: ApiCall) -> JsonObject:
        take, body, refusals = self._parts.take_refused, call.body, self._ledger.refusals
        if take is None:
            raise Problem(409, "refused", "This process takes no posts: it was started without the ingress' part.")
        posts = refusals.waiting(body.get("source", ""), cause=body.get("cause", ""), numbers=body.get("numbers", ()))
        try:
            if body["dry_run"]:
                made = take(posts, publish=False)
            else:
                made = take_refused(refusals, posts, take, who=call.who, why=body["why"])
        except SettingsError as error:
            raise Problem(409, "refused", f"The settings as they are now cannot be used: {error}.") from None
        return {"rows": self._parts.redactor.value([taken_row(one) for one in made])}
