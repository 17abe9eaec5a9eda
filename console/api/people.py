"""The audit, users and tokens."""

from __future__ import annotations

from typing import Any

from bellhop.console.access.passwords import PasswordUnfit, hash_password
from bellhop.console.access.people import NameUnfit, fit_name
from bellhop.console.access.sessions import LOCAL_ADMIN
from bellhop.console.api import people_requests, people_responses, requests, responses
from bellhop.console.api.problems import invalid, not_found, too_late
from bellhop.console.api.routes import ApiCall, ApiParts, ApiSection, Route
from bellhop.console.api.tokens import hash_token, new_token
from bellhop.ledger.records import Role
from bellhop.letters.serializers import JsonObject
from bellhop.letters.serializers.people import audit_row, chain_row, token_row, user_row
from bellhop.schemas.errors import FieldProblem
from bellhop.schemas.problems import Problem

_NUMBER = "<number:number>"


def section(parts: ApiParts) -> ApiSection:
    api = PeopleRoutes(parts)
    admin = Role.ADMIN
    routes = (
        Route("GET", "/audit", api.audit, "List who did what, when and why, newest first", responses.AuditPage,
              query=requests.AuditQuery),
        Route("GET", "/audit/chain", api.audit_chain, "Whether the audit is whole, and the first row that does not fit",
              people_responses.ChainState, query=people_requests.ChainQuery),
        Route("GET", "/users", api.users, "List users", responses.Users, admin),
        Route("POST", "/users", api.add_user, "Add a user", responses.UserLine, admin, body=people_requests.NewUser,
              status=201, refuses=True),
        Route("PATCH", "/users/<id:name>", api.change_user, "Change a user; their sessions end", responses.UserLine,
              admin, body=people_requests.UserChange, refuses=True),
        Route("DELETE", "/users/<id:name>", api.remove_user, "Remove a user; the tokens they made stay",
              responses.UserLine, admin),
        Route("GET", "/sessions", api.sessions, "List who is signed in", responses.SessionList, admin),
        Route("POST", "/sessions/end", api.sign_out, "End a person's sessions, also of the provider's",
              responses.SignedOut, admin, body=people_requests.SomebodysName),
        Route("GET", "/tokens", api.tokens, "List API tokens", responses.TokenList, admin),
        Route("POST", "/tokens", api.add_token, "Create a token; it is shown once", responses.TokenMade, admin,
              body=people_requests.NewToken, status=201, refuses=True),
        Route("POST", f"/tokens/{_NUMBER}/revoke", api.revoke, "Revoke a token", responses.TokenLine, admin,
              body=requests.NoArguments),
    )  # fmt: skip
    return ApiSection("people", "The audit, users and tokens.", routes)


class PeopleRoutes:
    def __init__(self, parts: ApiParts) -> None:
        self._parts = parts
        self._people = parts.ledger.people

    def audit(self, call: ApiCall) -> JsonObject:
        chosen: dict[str, Any] = {name: call.query.get(name) for name in ("who", "act", "letter")}
        page = self._parts.ledger.letters.audit_page(call.query["limit"], call.after, **chosen)
        rows = [{**audit_row(row), "why": self._parts.redactor.text(row.why)} for row in page.rows]
        return {"rows": rows, "next": call.next(page.next)}

    def audit_chain(self, call: ApiCall) -> JsonObject:
        noted = call.query.get("noted")
        return chain_row(self._parts.ledger.audit_chain.verify(noted))

    def users(self, call: ApiCall) -> JsonObject:
        return {"rows": [user_row(user) for user in self._people.users()]}

    def add_user(self, call: ApiCall) -> JsonObject:
        body = call.body
        password_hash = _hash_password(body["password"]) if "password" in body else ""
        return user_row(self._people.add_user(_fit(body["name"]), Role(body["role"]), password_hash, call.who))

    def change_user(self, call: ApiCall, name: str) -> JsonObject:
        body = call.body
        if not body:
            raise invalid(FieldProblem("body", "must change something"))
        if self._people.user(name) is None:
            raise not_found("user of that name")
        changed = self._people.change_user(
            name,
            call.who,
            role=Role(body["role"]) if "role" in body else None,
            password_hash=_hash_password(body["password"]) if "password" in body else None,
            disabled=body.get("disabled"),
        )
        return user_row(changed)

    def remove_user(self, call: ApiCall, name: str) -> JsonObject:
        user = self._people.user(name)
        if user is None:
            raise not_found("user of that name")
        self._people.remove_user(name, call.who)
        return user_row(user)

    def sign_out(self, call: ApiCall) -> JsonObject:
        return {"ended": self._people.end_sessions(call.body["name"], call.who)}

    def sessions(self, call: ApiCall) -> JsonObject:
        signed_in = self._people.count_sessions()
        return {"rows": [{"name": name or LOCAL_ADMIN, "sessions": count} for name, count in sorted(signed_in.items())]}

    def tokens(self, call: ApiCall) -> JsonObject:
        return {"rows": [token_row(token) for token in self._people.tokens()]}

    def add_token(self, call: ApiCall) -> JsonObject:
        expires = call.body.get("expires")
        if expires is not None and expires <= self._parts.now():
            raise too_late("expires")
        token = new_token()
        name, role = _fit(call.body["name"]), Role(call.body["role"])
        made = self._people.add_token(name, role, hash_token(token), call.who, expires)
        return token_row(made) | {"token": token}

    def revoke(self, call: ApiCall, number: int) -> JsonObject:
        if all(token.id != number for token in self._people.tokens()):
            raise not_found(f"token {number}")
        return token_row(self._people.revoke_token(number, call.who))


def _fit(name: str) -> str:
    try:
        return fit_name(name)
    except NameUnfit as error:
        raise _unfit("name", error) from None


def _hash_password(password: str) -> str:
    try:
        return hash_password(password)
    except PasswordUnfit as error:
        raise _unfit("password", error) from None


def _unfit(field: str, error: Exception) -> Problem:
    """Of what has the right form, and is none of those that may be taken."""
    return Problem(409, "refused", f"The {field} cannot be taken.", (FieldProblem(field, str(error)),))
