"""Every route of the API against everything that may be wrong with a request. The cases are made from the OpenAPI
document, so that no route is forgotten."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import TestResponse

from bellhop.console.api.routes import MAX_BODY
from bellhop.ledger.records import Role, SourceLink
from bellhop.schemas.errors import BrokerUnavailable, LedgerUnavailable
from bellhop.schemas.reasons import Reason
from tests.support.api import Api, problem
from tests.support.ledger import BOOK_A_SLOT, NOON, die_in_doubt, event, flood, letter

_THERE = {"number": "1", "source": "crm", "id_": "e-1", "route": "members", "name": "ann"}
_NOT_THERE = {"number": "4711", "source": "nobody", "id_": "nowhere", "route": "nowhere", "name": "nobody"}


@pytest.fixture
def api(tmp_path: Path, ledger_url: str) -> Iterator[Api]:
    one = Api(tmp_path, ledger_url=ledger_url)
    one.dead(1)
    yield one
    one.close()


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    told: Mapping[str, Any]
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def role(self) -> Role:
        return Role(self.told["x-role"])

    def url(self, values: Mapping[str, str] = _THERE) -> str:
        return re.sub(r"{(\w+)}", lambda found: values[found[1]], self.path)

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The body's schema."""
        if "requestBody" not in self.told:
            return None
        return self.resolved(self.told["requestBody"]["content"]["application/json"]["schema"])

    @property
    def query(self) -> Mapping[str, Mapping[str, Any]]:
        return {one["name"]: one for one in self.told.get("parameters", ()) if one["in"] == "query"}

    def resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema

    def sample(self, schema: Mapping[str, Any]) -> Any:
        """A value that the schema allows, as small as it may be."""
        schema = self.resolved(schema)
        kind = schema.get("type")
        kind = kind[0] if isinstance(kind, list) else kind
        if schema.get("enum"):
            return schema["enum"][0]
        if kind == "object":
            required = schema.get("required", ())
            made = {name: self.sample(schema["properties"][name]) for name in required}
            return made or {"x": 1} if schema.get("minProperties") else made
        if kind == "array":
            return [self.sample(schema["items"])]
        if kind == "string":
            return "2030-01-01T00:00:00Z" if schema.get("format") == "date-time" else "x" * schema.get("minLength", 1)
        return {"integer": schema.get("minimum", 1), "number": 1.0, "boolean": True}[str(kind)]

    def sent(self, **changes: Any) -> dict[str, Any]:
        """A request that nothing is wrong with, but for `changes` to its body."""
        query = {name: self.sample(one["schema"]) for name, one in self.query.items() if one.get("required")}
        made: dict[str, Any] = {"query_string": query}
        if self.body is not None:
            made["json"] = self.sample(self.body) | changes
        return made


def operations(api: Api) -> list[Operation]:
    document = api.get("/openapi.json")
    return [
        Operation(method.upper(), path, told, document)
        for path, methods in document["paths"].items()
        for method, told in methods.items()
        if method != "parameters"
    ]


def refused(answer: TestResponse, status: int, what: str, one: Operation | None = None) -> list[str]:
    """What is wrong with the answer to something that is wrong."""
    if answer.status_code != status:
        return [f"{what}: {answer.status_code} instead of {status}: {answer.text[:200]}"]
    problem(answer)
    if one is not None and str(status) not in one.told["responses"]:
        return [f"{what}: {status} is not described"]
    return []


def test_the_description_is_valid_openapi_3_1(api: Api) -> None:
    document = api.get("/openapi.json")
    assert document["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_route_is_described(api: Api) -> None:
    routes = {
        (method, re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in api.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(one.method, one.path) for one in operations(api)} == routes
    assert len(routes) > 35


def test_an_act_needs_more_than_a_viewer_and_people_an_admin(api: Api) -> None:
    for one in operations(api):
        least = Role.ADMIN if one.path.startswith(("/users", "/tokens", "/sessions", "/guests")) else Role.VIEWER
        if one.method != "GET" and least is Role.VIEWER and not one.path.endswith("/search"):
            least = Role.OPERATOR
        assert one.role is least, one.name


def test_every_description_tells_what_is_asked_what_is_answered_and_how_it_fails(api: Api) -> None:
    for one in operations(api):
        assert one.told["summary"], one.name
        good = [status for status in one.told["responses"] if status.startswith("2")]
        assert len(good) == 1, one.name
        assert {"401", "422", "503", "default"} <= set(one.told["responses"]), one.name
        assert (one.method in ("GET", "DELETE")) == (one.body is None), one.name


def test_an_operation_keeps_its_name(api: Api) -> None:
    """Generated clients have it in their code. A new one is added here; none is changed."""
    assert sorted(one.told["operationId"] for one in operations(api)) == _NAMES


def test_without_a_token_every_route_is_401(api: Api) -> None:
    revoked, made = api.add_token(Role.ADMIN)
    api.ledger.people.revoke_token(made.id, "ann")
    wrong = []
    for one in operations(api):
        for given in (None, "Bearer", f"Bearer {revoked}", "Bearer bh_" + "x" * 43, f"Basic {api.tokens[Role.ADMIN]}"):
            headers = {"Authorization": given} if given else {}
            answer = api.client.open(one.url(), method=one.method, headers=headers, **one.sent())
            wrong += refused(answer, 401, f"{one.name} with {given}", one)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert wrong == []


def test_a_role_that_is_too_low_is_403_and_nothing_is_done(api: Api) -> None:
    before = api.get("/audit")["rows"]
    wrong = []
    for one in operations(api):
        for role in Role:
            if not role.covers(one.role):
                wrong += refused(api.ask(one.method, one.url(), role, **one.sent()), 403, f"{one.name} as {role}", one)
    assert wrong == []
    assert api.get("/audit")["rows"] == before


_NOT_A_BODY: list[tuple[int, Any]] = [
    (400, b"{"),
    (400, b""),
    (400, b"\xff\xfe"),
    (400, b'{"why": NaN}'),
    (400, b"[" * 100_000),
    (400, b'{"why": ' + b"9" * 5000 + b"}"),
    (400, b'{"why": "x", "why": "y"}'),
    (422, b"[]"),
    (422, b'"x"'),
    (422, b"null"),
    (422, b'{"why": "\\ud800"}'),
    (422, b'{"why": "\\u0000"}'),
    (422, b'{"x": ' + b'{"x": ' * 20 + b"1" + b"}" * 21),
    (413, b'{"why": "' + b"x" * MAX_BODY + b'"}'),
]


def test_a_body_that_is_none_is_400_413_415_or_422(api: Api) -> None:
    wrong = []
    for one in [one for one in operations(api) if one.body is not None]:
        for status, data in _NOT_A_BODY:
            answer = api.ask(one.method, one.url(), data=data, content_type="application/json")
            wrong += refused(answer, status, f"{one.name} with {data[:20]!r}", one)
        answer = api.ask(one.method, one.url(), data=b"why=x", content_type="application/x-www-form-urlencoded")
        wrong += refused(answer, 415, f"{one.name} with a form", one)
    assert wrong == []


def test_a_body_in_chunks_is_held_to_the_same_size(api: Api) -> None:
    for size, status in ((MAX_BODY, 413), (100, 201)):
        data = b'{"text": "rang the guest"}' + b" " * size
        more = {"environ_overrides": {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}}
        answer = api.ask(
            "POST", "/letters/1/notes", input_stream=io.BytesIO(data), content_type="application/json", **more
        )
        assert answer.status_code == status, answer.text


def test_an_unknown_field_is_422_and_named(api: Api) -> None:
    wrong = []
    for one in operations(api):
        answer = api.ask(one.method, one.url(), query_string={**one.sent()["query_string"], "bogus": "1"},
                         json=one.sent().get("json"))  # fmt: skip
        wrong += refused(answer, 422, f"{one.name}?bogus", one)
        assert {"field": "bogus", "rule": "unknown field"} in problem(answer)["errors"], one.name
        if one.body is not None:
            answer = api.ask(one.method, one.url(), **one.sent(bogus=1))
            wrong += refused(answer, 422, f"{one.name} with bogus", one)
            assert {"field": "bogus", "rule": "unknown field"} in problem(answer)["errors"], one.name
    assert wrong == []


def test_a_field_of_a_wrong_type_or_size_is_422_and_named(api: Api) -> None:
    wrong, seen = [], 0
    for one in [one for one in operations(api) if one.body is not None]:
        for name, told in (one.body or {}).get("properties", {}).items():
            schema = one.resolved(told)
            bad: list[Any] = [[{}], 10**19, "x" * 20_000, "\a"]
            if schema.get("type") == "array":
                bad = [{}, "x", 1, [1] * 20_000, [], [0], [True], [1.5], ["x"], [None], [-1], [2**70]]
            for value in bad:
                seen += 1
                answer = api.ask(one.method, one.url(), **one.sent(**{name: value}))
                what = f"{one.name} with {name}={str(value)[:20]}"
                wrong += refused(answer, 422, what, one) or _names(answer, name, what)
    assert wrong == []
    assert seen > 60


def test_a_required_field_that_is_missing_is_422_and_named(api: Api) -> None:
    wrong = []
    for one in operations(api):
        for name in (one.body or {}).get("required", ()):
            sent = one.sent()
            del sent["json"][name]
            answer = api.ask(one.method, one.url(), **sent)
            wrong += refused(answer, 422, f"{one.name} without {name}", one) or _names(answer, name, one.name)
        for name, told in one.query.items():
            if told.get("required"):
                sent = one.sent()
                del sent["query_string"][name]
                answer = api.ask(one.method, one.url(), **sent)
                wrong += refused(answer, 422, f"{one.name} without {name}", one) or _names(answer, name, one.name)
    assert wrong == []


def test_a_wrong_value_in_the_query_is_422_and_named(api: Api) -> None:
    wrong, seen = [], 0
    for one in operations(api):
        for name, told in one.query.items():
            schema = one.resolved(told["schema"])
            items = schema.get("items", schema)
            is_free = items.get("type") == "string" and not items.get("enum") and items.get("format") != "date-time"
            for value in ("\0", "x" * 5000, *(() if is_free else ("bogus", "", "-1", "1e99", "9" * 30))):
                seen += 1
                sent = one.sent()["query_string"] | {name: value}
                answer = api.ask(one.method, one.url(), query_string=sent, json=one.sent().get("json"))
                what = f"{one.name}?{name}={value[:20]!r}"
                wrong += refused(answer, 422, what, one) or _names(answer, name, what)
    assert wrong == []
    assert seen > 100


def test_a_cursor_that_no_page_gave_is_422(api: Api) -> None:
    wrong = []
    for one in [one for one in operations(api) if "cursor" in one.query]:
        for cursor in ("x", "####", "bmV3ZXN0OjE6Mg", "YXVkaXQ6eA", "é"):
            url = one.url() if not one.path.startswith("/jobs/") else one.url({"number": str(_a_job(api))})
            answer = api.ask(one.method, url, query_string={"cursor": cursor})
            wrong += refused(answer, 422, f"{one.name}?cursor={cursor}", one) or _names(answer, "cursor", one.name)
    assert wrong == []


def test_what_is_not_there_is_404(api: Api) -> None:
    wrong, seen = [], 0
    for one in [one for one in operations(api) if "{" in one.path]:
        seen += 1
        sent = one.sent() if one.path != "/users/{name}" else {"json": {"disabled": True}}
        wrong += refused(api.ask(one.method, one.url(_NOT_THERE), **sent), 404, one.name, one)
        if "{number}" in one.path:
            for number in ("0", "-1", "x", "9" * 30, "1.5"):
                answer = api.ask(one.method, one.url({"number": number}), **sent)
                wrong += refused(answer, 404, f"{one.name} of {number}", one)
        else:
            values = {name: "%00" for name in _THERE}
            wrong += refused(api.ask(one.method, one.url(values), **sent), 404, f"{one.name} of NUL", one)
    assert wrong == []
    assert seen > 15


@pytest.mark.parametrize("path", ["/", "/bogus", "/letters/", "//letters", "/letters/1/bogus", "/openapi.yaml"])
def test_an_address_that_is_none_is_404(api: Api, path: str) -> None:
    assert refused(api.ask("GET", path), 404, path) == []


def test_a_method_that_an_address_does_not_take_is_405_and_says_which_it_does(api: Api) -> None:
    known = operations(api)
    wrong = []
    for path in {one.path for one in known}:
        taken = {one.method for one in known if one.path == path}
        url = next(one for one in known if one.path == path).url()
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - taken:
            answer = api.ask(method, url)
            wrong += refused(answer, 405, f"{method} {path}")
            assert taken <= set(answer.headers["Allow"].split(", "))
    assert wrong == []


def test_while_the_ledger_is_away_every_route_is_503(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    known = operations(api)

    def away(_sha256: str) -> None:
        raise LedgerUnavailable("the database at postgresql://secret is away")

    monkeypatch.setattr(api.ledger.people, "token", away)
    for one in known:
        answer = api.ask(one.method, one.url(), **one.sent())
        assert refused(answer, 503, one.name, one) == []
        assert answer.headers["Retry-After"]
        assert "secret" not in answer.text


def test_while_the_broker_is_away_queues_are_503(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise BrokerUnavailable("amqp://secret is away")

    monkeypatch.setattr(api.broker, "stats", away)
    answer = api.ask("GET", "/queues")
    assert refused(answer, 503, "queues") == []
    assert "secret" not in answer.text


def test_what_nobody_foresaw_is_500_tells_nothing_of_the_inside_and_is_told(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("the guest's name is Ada")

    monkeypatch.setattr(api.ledger.letters, "page", crash)
    answer = api.ask("GET", "/letters")
    assert refused(answer, 500, "letters") == []
    assert "Ada" not in answer.text
    assert [(name, fields["error"]) for name, fields in api.told] == [("api.crashed", "RuntimeError")]
    assert "Ada" not in str(api.told)


def test_every_answer_that_goes_well_is_as_described(api: Api) -> None:
    job = _a_job(api)
    api.post("/letters/1/notes", {"text": "rang the guest"})
    api.post("/routes/members/pause", {"why": "it is ill"})
    api.post("/users", {"name": "ann", "role": "viewer"}, Role.ADMIN)
    known = operations(api)
    wrong = []
    for one in [one for one in known if one.method == "GET"]:
        values = _THERE | ({"number": str(job)} if one.path.startswith("/jobs") else {})
        query = {"source": "crm", "subject": "R-1", "q": "R-1"}
        query |= {"id": "e-1"} if one.path == "/timeline" else {}
        given = {name: value for name, value in query.items() if name in one.query}
        answer = api.ask("GET", one.url(values), query_string=given)
        assert answer.status_code == 200, (one.name, answer.text)
        assert answer.headers["Cache-Control"] == "no-store"
        wrong += [f"{one.name}: {error}" for error in _misfits(one, answer)]
    assert wrong == []


def test_every_act_that_goes_well_is_answered_as_described(api: Api) -> None:
    api.dead(6)
    for number in (8, 9):
        doubtful = event(f"doubtful-{number}", subject=f"R-{number}")
        die_in_doubt(api.ledger, doubtful, BOOK_A_SLOT)
        api.ledger.letters.archive([letter(doubtful, Reason.IN_DOUBT)])
    for source in ("crm", "pos"):
        flood(api.ledger, source)
        api.ledger.take_asks.ask(SourceLink(1, source, "ann", "x", NOON, NOON), "c1", "mended")
    known = {one.name: one for one in operations(api)}
    careful = {"changes": {"notes": "by the window"}, "why": "asked for"}
    why = {"why": "x"}
    nobody = api.ledger.forgetting.find("nobody@example.com")
    wrong = []
    for method, path, body, number in (
        ("POST", "/letters/search", {"text": "ada", "limit": 1}, 0),
        ("POST", "/letters/assign", {"ids": [1], "to": "ann"}, 0),
        ("POST", "/letters/causes", {"cause": "rejected/sb/-/the vendor said no", "said": "resolved"}, 0),
        ("POST", "/letters/discard", {"ids": [2], **why}, 0),
        ("POST", "/letters/restore", {"ids": [2], **why}, 0),
        ("POST", "/letters/preflight", {"filter": {}}, 0),
        ("POST", "/letters/{number}/notes", {"text": "rang"}, 1),
        ("POST", "/letters/{number}/there", {"bookings": [{"id": "77"}], **why}, 8),
        ("POST", "/letters/{number}/absent", why, 9),
        ("POST", "/letters/{number}/edits", careful, 3),
        ("POST", "/jobs", {"ids": [4, 5], "rate": 1, **why}, 0),
        ("POST", "/jobs/{number}/pause", why, 1),
        ("POST", "/jobs/{number}/resume", why, 1),
        ("POST", "/jobs/{number}/cancel", why, 1),
        ("POST", "/search", {"q": "ada@example.com"}, 0),
        ("POST", "/guests/find", {"guest": "nobody@example.com"}, 0),
        ("POST", "/guests/forget", {"guest": "nobody@example.com", "confirm": nobody.digest, **why}, 0),
        ("POST", "/refused-posts/take", {"source": "crm", "dry_run": True, **why}, 0),
        ("POST", "/routes/{route}/pause", {**why, "until": "2030-01-01T00:00:00Z"}, 0),
        ("POST", "/routes/{route}/resume", why, 0),
        ("POST", "/routes/{route}/retry-now", why, 0),
        ("POST", "/floods/{number}/release", why, 1),
        ("POST", "/floods/{number}/discard", why, 2),
        ("POST", "/reload", why, 0),
        ("POST", "/sources/{source}/links", why, 0),
        ("POST", "/sources/{source}/rotate", {"overlap": "1h", **why}, 0),
        ("POST", "/asks/{number}/grant", {}, 1),
        ("POST", "/asks/{number}/decline", why, 2),
        ("POST", "/source-links/{number}/revoke", why, 1),
        ("POST", "/users", {"name": "ann", "role": "viewer"}, 0),
        ("PATCH", "/users/{name}", {"role": "operator"}, 0),
        ("POST", "/sessions/end", {"name": "ann"}, 0),
        ("DELETE", "/users/{name}", None, 0),
        ("POST", "/tokens", {"name": "x", "role": "viewer", "expires": "2030-01-01T00:00:00Z"}, 0),
        ("POST", "/tokens/{number}/revoke", {}, 4),
    ):
        one = known.pop(f"{method} {path}")
        answer = api.ask(method, one.url(_THERE | {"number": str(number)}), json=body)
        assert answer.status_code in (200, 201, 202), (one.name, answer.text)
        wrong += [f"{one.name}: {error}" for error in _misfits(one, answer)]
    assert wrong == []
    decided_elsewhere = {"POST /edits/{number}/approve", "POST /edits/{number}/refuse"}  # they need a second person
    assert {name for name in known if not name.startswith("GET")} == decided_elsewhere


def _misfits(one: Operation, answer: TestResponse) -> list[str]:
    """How the answer differs from its description; nothing may be in it that is not described."""
    told = one.told["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
    schemas = {
        name: schema | ({"additionalProperties": False} if name != "OpenApi" and "properties" in schema else {})
        for name, schema in one.document["components"]["schemas"].items()
    }
    schema = {**told, "components": {"schemas": schemas}}
    return [error.message for error in Draft202012Validator(schema).iter_errors(answer.json)]


def _names(answer: TestResponse, field: str, what: str) -> list[str]:
    """Whether a problem names the field."""
    named = [error["field"] for error in problem(answer)["errors"]]
    is_named = any(re.match(rf"(body\.)?{field}(\.|$)", name) for name in named)
    return [] if is_named else [f"{what}: names {named}"]


_NAMES = [
    "delete_users_name",
    "get_accounts",
    "get_attention",
    "get_audit",
    "get_audit_chain",
    "get_edits",
    "get_events",
    "get_events_source_id",
    "get_floods",
    "get_jobs",
    "get_jobs_number",
    "get_jobs_number_items",
    "get_letters",
    "get_letters_causes",
    "get_letters_number",
    "get_letters_number_edits",
    "get_letters_number_notes",
    "get_letters_reasons",
    "get_openapi_json",
    "get_overview",
    "get_parts",
    "get_queues",
    "get_refused_posts",
    "get_refused_posts_causes",
    "get_routes",
    "get_search",
    "get_series",
    "get_sessions",
    "get_sources",
    "get_timeline",
    "get_tokens",
    "get_users",
    "patch_users_name",
    "post_asks_number_decline",
    "post_asks_number_grant",
    "post_edits_number_approve",
    "post_edits_number_refuse",
    "post_floods_number_discard",
    "post_floods_number_release",
    "post_guests_find",
    "post_guests_forget",
    "post_jobs",
    "post_jobs_number_cancel",
    "post_jobs_number_pause",
    "post_jobs_number_resume",
    "post_letters_assign",
    "post_letters_causes",
    "post_letters_discard",
    "post_letters_number_absent",
    "post_letters_number_edits",
    "post_letters_number_notes",
    "post_letters_number_there",
    "post_letters_preflight",
    "post_letters_restore",
    "post_letters_search",
    "post_refused_posts_take",
    "post_reload",
    "post_routes_route_pause",
    "post_routes_route_resume",
    "post_routes_route_retry_now",
    "post_search",
    "post_sessions_end",
    "post_source_links_number_revoke",
    "post_sources_source_links",
    "post_sources_source_rotate",
    "post_tokens",
    "post_tokens_number_revoke",
    "post_users",
]


def _a_job(api: Api) -> int:
    number: int = api.post("/jobs", {"ids": [1], "why": "mended"})["id"]
    return number
