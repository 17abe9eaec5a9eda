"""Queues, accounts and routes, and to pause, resume and retry now."""

from __future__ import annotations

from bellhop.console.api import requests, state_responses
from bellhop.console.api.problems import Problem, invalid, missing
from bellhop.console.api.routes import Call, Parts, Route, Section
from bellhop.ledger.records import Role
from bellhop.letters.retry_now import retry_now
from bellhop.letters.serializers import Seen, accounts_seen, queues_seen, routes_seen
from bellhop.schemas.errors import FieldProblem
from bellhop.vendors.registry import ROUTES


def section(parts: Parts) -> Section:
    api = Steering(parts)
    operator = Role.OPERATOR
    routes = (
        Route("GET", "/queues", api.queues, "Show what waits on each route", state_responses.Queues),
        Route("GET", "/accounts", api.accounts, "List accounts: breakers, calls, pulls", state_responses.Accounts),
        Route("GET", "/routes", api.routes, "List routes and their pauses", state_responses.RouteList),
        Route("POST", "/routes/<route>/pause", api.pause, "Pause a route: its messages wait",
              state_responses.RouteList, operator, body=requests.Pausing),
        Route("POST", "/routes/<route>/resume", api.resume, "Resume a route", state_responses.RouteList, operator,
              body=requests.Why, refuses=True),
        Route("POST", "/routes/<route>/retry-now", api.retry_now, "Retry now what waits for a retry",
              state_responses.Moved, operator, body=requests.Why),
    )  # fmt: skip
    return Section("routes", "Queues, accounts and routes.", routes)


class Steering:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ledger = parts.ledger

    def queues(self, call: Call) -> Seen:
        return queues_seen(self._parts.broker, self._ledger)

    def accounts(self, call: Call) -> Seen:
        rows = accounts_seen(self._parts.settings, self._ledger, self._parts.now())
        return {"rows": [row | {"error": self._parts.redactor.text(row["error"])} for row in rows]}

    def routes(self, call: Call) -> Seen:
        return {"rows": routes_seen(self._ledger)}

    def pause(self, call: Call, route: str) -> Seen:
        until = call.body.get("until")
        if until is not None and until <= self._parts.now():
            raise invalid(FieldProblem("until", "must be in the future"))
        self._ledger.pauses.pause(_known(route), call.who, call.body["why"], until)
        return self.routes(call)

    def resume(self, call: Call, route: str) -> Seen:
        if not self._ledger.pauses.resume(_known(route), call.who, call.body["why"]):
            raise Problem(409, "refused", f"Route {route} is not paused.")
        return self.routes(call)

    def retry_now(self, call: Call, route: str) -> Seen:
        acts, why = self._ledger.letters, call.body["why"]
        return {"moved": retry_now(self._parts.broker, acts, _known(route), who=call.who, why=why)}


def _known(route: str) -> str:
    if route not in ROUTES:
        raise missing("such route; GET /routes lists them")
    return route
