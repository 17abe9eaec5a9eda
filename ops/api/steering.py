"""Queues, accounts and routes: what waits, what ails, and what people hold."""

from __future__ import annotations

from ledger.records import Role
from ops.api import requests, sights
from ops.api.problems import Problem, invalid, missing
from ops.api.routes import Call, Parts, Route, Section
from ops.routes import retry_now
from ops.seen import Seen, accounts_seen, queues_seen, routes_seen
from schemas.errors import FieldProblem
from schemas.settings import ROUTES


def section(parts: Parts) -> Section:
    api = Steering(parts)
    operator = Role.OPERATOR
    routes = (
        Route("GET", "/queues", api.queues, "What waits, and where", sights.Queues),
        Route("GET", "/accounts", api.accounts, "Breakers, calls of the day, pulls", sights.Accounts),
        Route("GET", "/routes", api.routes, "Every route, and who holds it", sights.RouteList),
        Route("POST", "/routes/<route>/pause", api.pause, "Hold a route: nothing of it is worked",
              sights.RouteList, operator, body=requests.Pausing),
        Route("POST", "/routes/<route>/resume", api.resume, "Let it go on", sights.RouteList, operator,
              body=requests.Why, refuses=True),
        Route("POST", "/routes/<route>/retry-now", api.retry_now, "Try now what waits for a retry", sights.Moved,
              operator, body=requests.Why),
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
            raise Problem(409, "refused", f"Route {route} is not held.")
        return self.routes(call)

    def retry_now(self, call: Call, route: str) -> Seen:
        acts, why = self._ledger.letters, call.body["why"]
        return {"moved": retry_now(self._parts.broker, acts, _known(route), who=call.who, why=why)}


def _known(route: str) -> str:
    if route not in ROUTES:
        raise missing("such route; GET /routes lists them")
    return route
