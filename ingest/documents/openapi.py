"""The ingress as OpenAPI 3.1: its paths, and under `webhooks` what it posts itself."""

from __future__ import annotations

from typing import Any, Final

from bellhop.ingest.documents import answers
from bellhop.ingest.documents.events import TYPES, VenueKinds, event_definitions, event_schema
from bellhop.ingest.documents.json_schemas import BEYOND, DIALECT, NULL, JsonSchema
from bellhop.ingest.documents.refusals import REFUSALS
from bellhop.schemas.events import MAX_ID, TEST_TYPE
from bellhop.schemas.patterns import END, TEXT
from bellhop.schemas.problems import CONTENT_TYPE
from bellhop.schemas.version import LICENSE, VERSION

_DESCRIPTION: Final = f"""Posts of events, and where each of them stands. `docs/webhooks.md` has the same in words.

The bodies are those of the format `bellhop`; a source of another format posts its own. A source may take more than is
said here, where its settings say so: `missing_time`, `unknown`, `unknown_venues`, `pull_account`.

Beyond what JSON Schema can say: {"; ".join(BEYOND.values())}."""
_TAGS: Final = {
    "webhooks": "What is posted: events to Bellhop, results by it.",
    "events": "Where an event stands.",
    "health": "For load balancers and orchestrators.",
}
_SOURCE: Final = {"type": "string", "pattern": f"^[a-z0-9_-]+{END}"}
_ID: Final = {"type": "string", "minLength": 1, "maxLength": MAX_ID, "pattern": f"^{TEXT}+{END}"}
_SIGNATURE: Final = (
    "Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,<base64>` of HMAC-SHA256 over"
    " `<id>.<timestamp>.<body>`. Sources may have other schemes: `bellhop sources list`."
)


def openapi(venues: VenueKinds, public_url: str = "") -> JsonSchema:
    """The whole document. venues: those there are, with the kind of vendor of each."""
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": DIALECT,
        "info": {"title": "Bellhop ingress", "version": VERSION, "description": _DESCRIPTION, "license": LICENSE},
        "servers": [{"url": public_url or "/"}],
        "tags": [{"name": name, "description": words} for name, words in _TAGS.items()],
        "paths": _paths(),
        "webhooks": {type_: _webhook(type_) for type_ in answers.RESULT_TYPES},
        "components": {
            "schemas": _schemas(venues),
            "responses": {str(status): _problem(one.words) for status, one in REFUSALS.items()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "One of the source's secrets."},
                "signature": {"type": "apiKey", "in": "header", "name": "webhook-signature", "description": _SIGNATURE},
            },
        },
    }


def component(type_: str) -> str:
    """The name of an event's or result's schema among the components."""
    return "".join(word.capitalize() for word in type_.split("."))


def _schemas(venues: VenueKinds) -> JsonSchema:
    made = _events(venues)
    made |= {f"Result{component(type_)}": answers.result_schema(type_) for type_ in answers.RESULT_TYPES}
    made |= {kind.__name__: answers.answer_schema(kind) for kind in _ANSWERS}
    made["Event"] = {"oneOf": [_ref(component(type_)) for type_ in TYPES]}
    made["Taken"] = {"anyOf": [_ref(name) for name in ("Accepted", "IgnoredEvent", "TestedEvent", "TakenList")]}
    rows = {"anyOf": [_ref(name) for name in ("Accepted", "IgnoredEvent", "TestedEvent")]}
    made["TakenList"] = {
        "type": "object",
        "required": ["events"],
        "properties": {"events": {"type": "array", "items": rows}},
    }
    made["Health"] = {"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}}
    return made | {name: among_components(schema) for name, schema in event_definitions().items()}


def _events(venues: VenueKinds) -> JsonSchema:
    """Each alternative, and each event's data, under a name of its own: makers of clients name what has none twice."""
    made: JsonSchema = {}
    for type_ in TYPES:
        name, whole = component(type_), event_schema(type_, venues)
        if type_ == TEST_TYPE:
            inner = {"anyOf": [NULL, *(_ref(component(one)) for one in TYPES if one != TEST_TYPE)]}
            whole["properties"]["data"]["properties"] = {"event": inner}
        forms = {f"{name}{end}": one for end, one in zip(("Booking", "Cancel"), whole.get("anyOf", ()), strict=False)}
        made |= {name: {"anyOf": [_ref(form) for form in forms]}} if forms else {}
        for form, body in (forms or {name: whole}).items():
            made[f"{form}Data"] = body["properties"]["data"]
            properties = body["properties"] | {"data": _ref(f"{form}Data")}
            made[form] = {"type": "object", **_of_body(body), "properties": properties}
    told: JsonSchema = among_components(made)
    return told


def _of_body(body: JsonSchema) -> JsonSchema:
    return {key: body[key] for key in ("required", "additionalProperties") if key in body}


_ANSWERS: Final = (
    answers.WebhookProblem,
    answers.Accepted,
    answers.IgnoredEvent,
    answers.TestedEvent,
    answers.ProbeAnswer,
    answers.EventStanding,
)


def among_components(schema: Any) -> Any:
    """With its `$defs` looked for among the components."""
    if isinstance(schema, dict):
        return {
            name: one.replace("#/$defs/", "#/components/schemas/") if name == "$ref" else among_components(one)
            for name, one in schema.items()
        }
    return [among_components(one) for one in schema] if isinstance(schema, list) else schema


def _ref(name: str) -> JsonSchema:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(schema: JsonSchema, description: str) -> JsonSchema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _problem(words: str) -> JsonSchema:
    return {"description": words, "content": {CONTENT_TYPE: {"schema": _ref("WebhookProblem")}}}


def _problems(*statuses: int) -> JsonSchema:
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def _parameter(name: str, schema: JsonSchema, description: str) -> JsonSchema:
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": description}


def _paths() -> JsonSchema:
    source = _parameter("source", _SOURCE, "The source's name.")
    event_id = _parameter("id", _ID, "The event's id; what is not fit for an address is percent-encoded.")
    return {
        "/webhooks/{source}": {
            "parameters": [source],
            "post": _post(),
            "get": _operation(
                "probe_source",
                "webhooks",
                "Ask whether there is someone",
                {"200": _json(_ref("ProbeAnswer"), "There is."), **_problems(404)},
            ),
        },
        "/events/{source}/{id}": {
            "parameters": [source, event_id],
            "get": _operation(
                "get_event_status",
                "events",
                "Where an event stands",
                {"200": _json(_ref("EventStanding"), "Where it stands."), **_problems(401, 404, 503)},
                is_secured=True,
            ),
        },
        "/healthz": {
            "get": _operation("get_health", "health", "Whether it runs", {"200": _json(_ref("Health"), "It runs.")})
        },
        "/readyz": {
            "get": _operation(
                "get_readiness",
                "health",
                "Whether webhooks are accepted",
                {"200": _json(_ref("Health"), "They are."), "503": _json(_ref("Health"), "They are not.")},
            )
        },
    }


def _post() -> JsonSchema:
    taken = "Taken: it survives whatever dies from now on."
    headers = [
        {"name": name, "in": "header", "required": False, "schema": {"type": "string"}, "description": words}
        for name, words in (
            ("webhook-id", "Signed, and the event's id: the same for the same event, however often it is sent."),
            ("webhook-timestamp", "Seconds since 1970, within the source's tolerance."),
        )
    ]
    made = _operation(
        "post_webhook",
        "webhooks",
        "Post an event",
        {
            "200": _json(_ref("Taken"), f"{taken} Of sources whose upstream insists on 200."),
            "202": _json(_ref("Taken"), taken),
            **_problems(*REFUSALS),
        },
        is_secured=True,
    )
    return made | {
        "parameters": headers,
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("Event")}}},
    }


def _webhook(type_: str) -> JsonSchema:
    content = {"application/json": {"schema": _ref(f"Result{component(type_)}")}}
    answered = {
        "2XX": {"description": "Told. The same `webhook-id` may come again: answer it so again."},
        "410": {"description": "Ends it, without another try."},
    }
    made = _operation(
        f"on_{type_.replace('.', '_')}", "webhooks", f"What `{type_}` tells a source's result_url", answered
    )
    return {"post": made | {"requestBody": {"required": True, "content": content}}}


def _operation(name: str, tag: str, summary: str, answered: JsonSchema, *, is_secured: bool = False) -> JsonSchema:
    security: list[JsonSchema] = [{"bearer": []}, {"signature": []}] if is_secured else []
    return {"operationId": name, "tags": [tag], "summary": summary, "security": security, "responses": answered}
