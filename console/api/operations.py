"""Queues, parts, accounts and routes, and to pause, resume and retry now."""

from __future__ import annotations

from marshmallow import fields

from bellhop.console.api import requests, state_responses
from bellhop.console.api.problems import not_found, too_late
from bellhop.console.api.responses import ApiAnswer
from bellhop.console.api.routes import ApiCall, ApiParts, ApiSection, Route
from bellhop.ledger.records import Role
from bellhop.letters.parts import count_running, part_rows
from bellhop.letters.retry_now import retry_now
from bellhop.letters.serializers import JsonObject
from bellhop.letters.serializers.flow import account_rows, queue_summary, route_rows
from bellhop.schemas.errors import SettingsError
from bellhop.schemas.problems import Problem
from bellhop.vendors.registry import ROUTES


class ReloadAccepted(ApiAnswer):
    number = fields.Integer()
    digest = fields.String(metadata={"description": "Of the settings as they are here: what each part is to have."})


def section(parts: ApiParts) -> ApiSection:
    api = SteeringRoutes(parts)
    operator = Role.OPERATOR
    routes = (
        Route("GET", "/queues", api.queues, "Show what waits on each route", state_responses.Queues),
        Route("GET", "/parts", api.parts, "List the processes that run, and those gone within the hour",
              state_responses.PartList),
        Route("POST", "/reload", api.reload, "Have every part read its settings anew, once they are checked here",
              ReloadAccepted, operator, body=requests.Why, status=202, refuses=True),
        Route("GET", "/accounts", api.accounts, "List accounts: breakers, calls, pulls", state_responses.AccountList),
        Route("GET", "/routes", api.routes, "List routes and their pauses", state_responses.RouteList),
        Route("POST", "/routes/<route>/pause", api.pause, "Pause a route: its messages wait",
              state_responses.RouteList, operator, body=requests.Pausing, refuses=True),
        Route("POST", "/routes/<route>/resume", api.resume, "Resume a route", state_responses.RouteList, operator,
              body=requests.Why, refuses=True),
        Route("POST", "/routes/<route>/retry-now", api.retry_now, "Retry now what waits for a retry",
              state_responses.Moved, operator, body=requests.Why),
    )  # fmt: skip
    return ApiSection("routes", "Queues, parts, accounts and routes.", routes)


class SteeringRoutes:
    def __init__(self, parts: ApiParts) -> None:
        self._parts = parts
        self._ledger = parts.ledger

    def queues(self, call: ApiCall) -> JsonObject:
        return queue_summary(self._parts.broker.stats(), self._ledger)

    def parts(self, call: ApiCall) -> JsonObject:
        beating, now = self._ledger.parts, self._parts.now()
        return {"rows": part_rows(beating, now), "running": count_running(beating.all(), now)}

    def reload(self, call: ApiCall) -> JsonObject:
        try:
            digest = self._parts.digest_now()
        except SettingsError as error:
            told = "; ".join(str(one) for one in error.problems[:10])
            raise Problem(409, "refused", f"Nothing was asked: the settings here are wrong: {told}.") from None
        asked = self._ledger.parts.ask_reload(call.who, call.body["why"])
        return {"number": asked.number, "digest": digest}

    def accounts(self, call: ApiCall) -> JsonObject:
        rows = account_rows(self._parts.settings, self._ledger, self._parts.now())
        return {"rows": [row | {"error": self._parts.redactor.text(row["error"])} for row in rows]}

    def routes(self, call: ApiCall) -> JsonObject:
        return {"rows": route_rows(self._ledger)}

    def pause(self, call: ApiCall, route: str) -> JsonObject:
        until = call.body.get("until")
        _check_route(route)
        if until is not None and until <= self._parts.now():
            raise too_late("until")
        self._ledger.pauses.pause(route, call.who, call.body["why"], until)
        return self.routes(call)

    def resume(self, call: ApiCall, route: str) -> JsonObject:
        if not self._ledger.pauses.resume(_check_route(route), call.who, call.body["why"]):
            raise Problem(409, "refused", f"Route {route} is not paused.")
        return self.routes(call)

    def retry_now(self, call: ApiCall, route: str) -> JsonObject:
        acts, why = self._ledger.letters, call.body["why"]
        return {"moved": retry_now(self._parts.broker, acts, _check_route(route), who=call.who, why=why)}


def _check_route(route: str) -> str:
    if route not in ROUTES:
        raise not_found("such route; GET /routes lists them")
    return route
