"""The queues as AsyncAPI 3, for who looks at the broker: each queue, what lies in it, who sends and who takes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bellhop.broker import headers
from bellhop.broker.topology import DEAD_QUEUE, UNROUTABLE_QUEUE, retry_queue, work_queue
from bellhop.ingest.documents.answers import RESULT_TYPES, result_schema
from bellhop.ingest.documents.json_schemas import JsonSchema
from bellhop.schemas.envelope import MAX_GENERATION
from bellhop.schemas.envelope import VERSION as ENVELOPE_VERSION
from bellhop.schemas.reasons import Reason
from bellhop.schemas.routes import RESULTS_ROUTE
from bellhop.schemas.version import LICENSE, VERSION
from bellhop.vendors.registry import ROUTES

_LICENSE: Final = {"name": LICENSE["name"], "url": "https://www.apache.org/licenses/LICENSE-2.0"}
_TEXT: Final[JsonSchema] = {"type": "string", "minLength": 1}
_TIME: Final[JsonSchema] = {"type": "string", "format": "date-time"}
_NEEDED: Final[JsonSchema] = {
    "specversion": {"const": "1.0"},
    "bellhopversion": {"const": ENVELOPE_VERSION},
    "id": {**_TEXT, "description": "The delivery id, unique in its source."},
    "source": _TEXT,
    "type": _TEXT,
    "subject": {**_TEXT, "description": "What events are ordered by: the booking's reference, or the member's id."},
    "time": {**_TIME, "description": "The upstream's own timestamp."},
    "datacontenttype": {"const": "application/json"},
    "route": _TEXT,
    "account": {"type": "string", "description": "Empty where a cancel does not say where its booking is."},
    "received": _TIME,
    "contenthash": {"type": "string", "description": "SHA-256, in hex, of type, time and data."},
    "generation": {
        "type": "integer",
        "minimum": 0,
        "maximum": MAX_GENERATION,
        "description": "One more by each replay.",
    },
    "data": {"type": "object"},
}
_OPTIONAL: Final[JsonSchema] = {
    "notafter": {**_TIME, "description": "The booking's start: nothing is tried past it."},
    "trace": {"type": "object", "additionalProperties": {"type": "string"}},
    "warnings": {"type": "array", "items": {"type": "string"}},
    "coarse": {"type": "boolean", "description": "Of one stamp the order of arrival counts."},
}
ENVELOPE: Final[JsonSchema] = {
    "type": "object",
    "required": [*_NEEDED],
    "properties": _NEEDED | _OPTIONAL,
    "description": "An event on its way, with CloudEvents' names.",
}
_HEADERS: Final[JsonSchema] = {
    headers.ATTEMPT: {"type": "integer", "minimum": 0},
    headers.ENQUEUED: {"type": "number", "description": "Seconds since 1970."},
    headers.ROUTE: {"type": "string"},
    headers.LANE: {"type": "string", "description": "The lane it waits in: its account's, or `<account>:soon`."},
    headers.DEATHS: {"type": "integer", "minimum": 0},
}
_DEAD_HEADERS: Final[JsonSchema] = {
    headers.REASON: {"enum": [one.value for one in Reason]},
    headers.ERROR: {"type": "string"},
    headers.EVIDENCE: {"type": "string", "description": "JSON: attempts and answers, without secrets."},
    headers.DIED: {"type": "number", "description": "Seconds since 1970."},
}


def asyncapi(ladder: Sequence[float]) -> JsonSchema:
    """The whole document. ladder: the delays between tries, in seconds."""
    works = {f"work.{route}": _channel(work_queue(route), f"Events of the route {route}.", route) for route in ROUTES}
    retries = {
        f"retry.{delay:g}s": _channel(retry_queue(delay), f"What is tried again after {delay:g} seconds.")
        for delay in ladder
    }
    dead = {
        "dead": _channel(DEAD_QUEUE, "What ended without success, for the archive.", message="DeadEvent"),
        "unroutable": _channel(UNROUTABLE_QUEUE, "What no queue took: the topology is incomplete."),
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Bellhop's queues", "version": VERSION, "description": _DESCRIPTION, "license": _LICENSE},
        "defaultContentType": "application/json",
        "channels": {**works, **retries, **dead},
        "operations": {
            **{_name("accept", route): _act("send", f"work.{route}", "The ingress, confirmed.") for route in ROUTES},
            **{
                _name("work", route): _act("receive", f"work.{route}", "A worker, and acks its end.")
                for route in ROUTES
            },
            **{_name("retry", name): _act("send", name, "A worker: comes back to its route.") for name in retries},
            "bury": _act("send", "dead", "A worker."),
            "archive": _act("receive", "dead", "The archive."),
            "archive_unroutable": _act("receive", "unroutable", "The archive."),
        },
        "components": {"messages": _messages(), "schemas": {"Envelope": ENVELOPE, "Result": _result()}},
    }


_DESCRIPTION: Final = (
    "RabbitMQ's queues; the embedded broker has the same by their routes. A route of many accounts has numbered lanes,"
    " `bellhop.work.<route>:<number>`, and for bookings that start within the hour"
    " `bellhop.work.<route>:<number>:soon`. On RabbitMQ the headers stand as JSON in one header."
)


def _channel(address: str, words: str, route: str = "", message: str = "") -> JsonSchema:
    name = message or ("ResultEvent" if route == RESULTS_ROUTE else "Event")
    queue = {"name": address, "durable": True, "exclusive": False, "autoDelete": False}
    return {
        "address": address,
        "description": words,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {"amqp": {"is": "queue", "queue": queue, "bindingVersion": "0.3.0"}},
    }


def _name(verb: str, of: str) -> str:
    return f"{verb}_{of.replace('.', '_')}"


def _act(action: str, channel: str, words: str) -> JsonSchema:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "description": words}


def _messages() -> JsonSchema:
    def message(payload: str, carried: JsonSchema) -> JsonSchema:
        told = {"type": "object", "properties": carried}
        return {
            "headers": told,
            "payload": {"$ref": f"#/components/schemas/{payload}"},
            "contentType": "application/json",
        }

    return {
        "Event": message("Envelope", _HEADERS),
        "DeadEvent": message("Envelope", _HEADERS | _DEAD_HEADERS),
        "ResultEvent": message("Result", _HEADERS),
    }


def _result() -> JsonSchema:
    told = {"anyOf": [result_schema(type_) for type_ in RESULT_TYPES]}
    return {"allOf": [{"$ref": "#/components/schemas/Envelope"}, {"type": "object", "properties": {"data": told}}]}
