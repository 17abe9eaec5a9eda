from __future__ import annotations

import json
from typing import Any

from bellhop.schemas.observe import silent
from bellhop.schemas.redact import Redactor
from bellhop.schemas.settings import SentrySettings
from bellhop.telemetry.sentry import fingerprint, release, scrub, scrubbed_crumb, start, title_of

_REDACTOR = Redactor(["top-secret"])


def _event() -> dict[str, Any]:
    """What Sentry's Flask, urllib3 and threading parts gather."""
    return {
        "exception": {
            "values": [
                {"type": "KeyError", "module": "builtins", "value": "'Ada Lee'"},
                {"type": "LedgerUnavailable", "module": "bellhop.schemas.errors", "value": "away: top-secret"},
            ]
        },
        "request": {
            "method": "POST",
            "url": "http://bellhop/webhooks/crm/a-mistyped-path-secret?secret=yesterdays",
            "data": {"client": "Ada Lee"},
            "headers": {"Webhook-Signature": "v1,abc"},
            "query_string": "email=ada@example.com",
            "env": {"REMOTE_ADDR": "10.0.0.1"},
        },
        "user": {"ip_address": "10.0.0.1"},
        "breadcrumbs": {
            "values": [
                {
                    "type": "http",
                    "data": {"url": "http://v/res/sync_member?member_id=777", "method": "GET", "status_code": 200},
                    "message": "GET /res/sync_member?member_id=777",
                }
            ]
        },
        "spans": [{"description": "GET http://v/res/x?member_id=777", "data": {"http.query": "member_id=777"}}],
        "contexts": {"trace": {"op": "http.server", "data": {"url": "http://v/webhooks/crm?email=ada@example.com"}}},
        "tags": {"route": "members"},
    }


def test_an_event_leaves_without_secrets_bodies_and_personal_data() -> None:
    told = json.dumps(scrub(_event(), _REDACTOR))
    for private in ("Ada", "ada@", "10.0.0.1", "top-secret", "v1,abc", "777", "mistyped", "yesterdays"):
        assert private not in told


def test_what_helps_to_mend_it_stays() -> None:
    told = scrub(_event(), _REDACTOR)
    assert [error["type"] for error in told["exception"]["values"]] == ["KeyError", "LedgerUnavailable"]
    assert told["exception"]["values"][1]["value"] == "away: ***"
    assert told["request"] == {"method": "POST", "url": "http://bellhop/webhooks/crm"}
    assert told["tags"] == {"route": "members"}
    assert told["breadcrumbs"]["values"][0]["data"] == {"method": "GET", "status_code": 200}


def test_a_breadcrumb_without_data_passes() -> None:
    assert scrubbed_crumb({"category": "log", "message": "top-secret"}, _REDACTOR)["message"] == "***"


def test_without_a_dsn_nothing_is_started() -> None:
    assert start(SentrySettings("", "production", 0.0), "work", _REDACTOR) is silent


def test_of_a_span_only_known_facts_stay() -> None:
    data = {"messaging.message.id": "crm/e-1", "http.response.status_code": 200, "http.query": "member_id=777"}
    event = {
        "spans": [{"description": "POST peoplevine sync_member", "data": data}],
        "contexts": {"trace": {"data": data}},
    }
    told = scrub(event, _REDACTOR)
    kept = {"messaging.message.id": "crm/e-1", "http.response.status_code": 200}
    assert told["spans"][0]["data"] == kept
    assert told["contexts"]["trace"]["data"] == kept


def test_the_release_is_the_packages_version_also_where_a_secret_is_a_word_of_it() -> None:
    told = scrub({"release": "bellhop-bookings@0.1.0", "tags": {"x": "bellhop"}}, Redactor(["bellhop"]))
    assert told["release"] == "bellhop-bookings@0.1.0"
    assert told["tags"]["x"] == "***"
    assert (release() or "bellhop-bookings@").startswith("bellhop-bookings@")


def _died(detail: str, **more: object) -> dict[str, object]:
    return {
        "reason": "rejected",
        "route": "members",
        "account": "pv",
        "method": "sync_member",
        "detail": detail,
        **more,
    }


def test_two_messages_of_one_cause_are_one_error_and_two_causes_are_two() -> None:
    one, same = _died("member 77 is unknown"), _died("member 78 is unknown")
    other = _died("the club is closed")
    assert fingerprint("event.settled", one) == fingerprint("event.settled", same)
    assert fingerprint("event.settled", one) != fingerprint("event.settled", other)
    assert fingerprint("event.settled", one) != fingerprint("event.settled", {**one, "code": "-32080"})


def test_neither_what_errors_are_grouped_by_nor_their_title_quotes_the_vendors_words() -> None:
    told = _died("Ada Lee is unknown", code="-1", id="e-1")
    assert "Ada" not in json.dumps([fingerprint("event.settled", told), title_of("event.settled", told)])
    assert title_of("event.settled", told) == "event.settled: rejected sync_member -1"
    assert title_of("worker.stalled", {"problem": "its loop has not turned"}) == "worker.stalled"


def test_of_what_libraries_log_neither_the_text_nor_its_values_leave() -> None:
    told = scrub(
        {
            "logger": "gunicorn.error",
            "logentry": {
                "message": "Error handling request %s",
                "formatted": "Error handling request /webhooks/crm?email=ada@example.com",
                "params": ["/webhooks/crm?email=ada@example.com"],
            },
            "breadcrumbs": {
                "values": [{"type": "log", "category": "sqlalchemy", "level": "warning", "message": "row ('Ada Lee',)"}]
            },
        },
        _REDACTOR,
    )
    assert "ada" not in json.dumps(told).lower()
    assert told["logentry"] == {"message": "gunicorn.error logged an error"}
    assert told["breadcrumbs"]["values"] == [{"type": "log", "category": "sqlalchemy", "level": "warning"}]
