"""What people and programs do by the API, on a real ledger and a real (embedded) broker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from bellhop.broker.topology import work_queue
from bellhop.console.api.app import mount
from bellhop.ledger.records import ItemState, JobState, LetterState, Role
from bellhop.letters.bulk import JobRunner
from bellhop.schemas.clock import Clock
from bellhop.schemas.envelope import decode
from bellhop.schemas.errors import BrokerUnavailable
from bellhop.schemas.reasons import Reason
from tests.support.api import Api, problem
from tests.support.ledger import NOON, conflict, event, finish, letter


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    one = Api(tmp_path)
    yield one
    one.close()


def acts(api: Api) -> list[tuple[str, str, int | None, str]]:
    """Who did what to which letter, and why; the oldest first."""
    rows = api.get("/audit")["rows"]
    return [(row["who"], row["act"], row["letter"], row["why"]) for row in reversed(rows) if "token" not in row["act"]]


OPERATOR = "token 2 operators"


# --- letters ----------------------------------------------------------------------------------------------------


def test_pages_hold_every_letter_once_in_each_order(api: Api) -> None:
    numbers = api.dead(7)
    for order, expected in (("newest", numbers[::-1]), ("oldest", numbers), ("urgent", numbers[::-1])):
        found: list[int] = []
        cursor: dict[str, str] = {}
        while True:
            page = api.get("/letters", order=order, limit=3, **cursor)
            assert page["count"] == 7
            found += [row["id"] for row in page["rows"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert found == expected


def test_a_cursor_of_another_order_is_refused(api: Api) -> None:
    api.dead(3)
    cursor = api.get("/letters", order="newest", limit=1)["next"]
    answer = api.ask("GET", "/letters", query_string={"order": "oldest", "cursor": cursor})
    assert problem(answer)["errors"][0]["field"] == "cursor"


def test_letters_are_chosen_by_all_that_is_given(api: Api) -> None:
    api.dead(2)
    (late,) = api.dead(1, Reason.TOO_LATE)
    assert [row["id"] for row in api.get("/letters", reason="too_late")["rows"]] == [late]
    assert [row["id"] for row in api.get("/letters", id=[1, 2], order="oldest")["rows"]] == [1, 2]
    assert [row["id"] for row in api.get("/letters", text="ada r-2")["rows"]] == [2]
    assert api.get("/letters", route="members")["rows"] == []
    assert api.get("/letters", until="2026-11-21T11:59:59")["rows"] == []
    assert len(api.get("/letters", since="2026-11-21T13:00:00+01:00")["rows"]) == 3
    api.post("/letters/discard", {"ids": [1], "why": "a test"})
    assert [row["id"] for row in api.get("/letters", state=["discarded"])["rows"]] == [1]
    assert len(api.get("/letters")["rows"]) == 2


def test_letters_are_grouped_by_cause_and_counted_by_reason(api: Api) -> None:
    api.dead(2)
    api.dead(1, Reason.TOO_LATE)
    causes = api.get("/letters/causes")["rows"]
    assert [(row["reason"], row["count"]) for row in causes] == [("rejected", 2), ("too_late", 1)]
    assert api.get("/letters", cause=causes[0]["cause"])["count"] == 2
    assert api.get("/letters/reasons")["reasons"] == {"rejected": 2, "too_late": 1}


def test_a_guest_is_masked_until_an_operator_looks_which_is_audited(api: Api) -> None:
    api.dead(1)
    masked = api.get("/letters/1")
    assert masked["data"]["client"] == {"name": "***", "email": "***"}
    assert masked["data"]["booking_id"] == "R-1"
    refused = api.ask("GET", "/letters/1?reveal=true", Role.VIEWER)
    assert (refused.status_code, problem(refused)["type"]) == (403, "urn:bellhop:problem:forbidden")
    assert acts(api) == []
    revealed = api.get("/letters/1", Role.OPERATOR, reveal="true")
    assert revealed["data"]["client"]["name"] == "Ada Lee"
    assert acts(api) == [(OPERATOR, "reveal", 1, "")]


def test_a_conflict_tells_what_stands_and_what_the_letter_asks_side_by_side(api: Api) -> None:
    conflict(api.ledger)
    told = api.get("/letters/1")["conflict"]
    assert [(row["field"], row["stands"], row["letter"]) for row in told] == [
        ("client.name", "***", "***"),
        ("services.0.start", "2026-12-24T10:00:00+00:00", "2026-12-24T11:00:00+00:00"),
    ]
    revealed = api.get("/letters/1", Role.OPERATOR, reveal="true")["conflict"]
    assert (revealed[0]["stands"], revealed[0]["letter"]) == ("Ada Lee", "Ada Low")


def test_lists_hold_nothing_of_the_guest_and_no_secret(api: Api) -> None:
    gone = event("e-9", subject="R-9", data={"client": {"name": "Ada Lee"}})
    new = letter(gone)
    told = type(new)(**{name: getattr(new, name) for name in new.__slots__} | {"error": "no: sandbox-secret-key"})
    api.ledger.letters.archive([told])
    answers = [
        *(json.dumps(api.get(path)) for path in ("/letters", "/letters/1", "/letters/causes")),
        json.dumps(api.get("/search", q="e-9")),
    ]
    assert "R-9" in answers[0]
    assert not [one for one in answers if "Ada" in one or "sandbox-secret-key" in one]


def test_letters_are_noted_and_assigned(api: Api) -> None:
    api.dead(2)
    api.post("/letters/1/notes", {"text": "rang the guest\nshe comes at ten"})
    assert [(row["who"], row["text"]) for row in api.get("/letters/1/notes")["rows"]] == [
        (OPERATOR, "rang the guest\nshe comes at ten")
    ]
    assert api.post("/letters/assign", {"ids": [1, 2], "to": "ann"}) == {"assigned": 2}
    assert [row["id"] for row in api.get("/letters", assignee="ann", order="oldest")["rows"]] == [1, 2]
    assert api.post("/letters/assign", {"ids": [1], "to": ""}) == {"assigned": 1}
    assert api.get("/letters/1")["assignee"] == ""


def test_letters_are_discarded_and_restored_with_a_reason(api: Api) -> None:
    api.dead(2)
    assert api.post("/letters/discard", {"ids": [1, 2, 4711], "why": "a test"}) == {"discarded": 2}
    assert api.post("/letters/discard", {"ids": [1], "why": "again"}) == {"discarded": 0}
    assert api.post("/letters/restore", {"ids": [1], "why": "not a test"}) == {"restored": 1}
    assert [row["id"] for row in api.get("/letters")["rows"]] == [1]
    assert acts(api)[-1] == (OPERATOR, "restore", 1, "not a test")


# --- preflight and jobs -----------------------------------------------------------------------------------------


def test_a_preflight_says_of_each_letter_what_a_replay_would_come_to(api: Api) -> None:
    api.dead(2)
    api.dead(1, Reason.IN_DOUBT)
    api.post("/letters/discard", {"ids": [1], "why": "a test"})
    told = api.post("/letters/preflight", {"ids": [1, 2, 3]})
    assert [row["verdict"] for row in told["rows"]] == ["closed", "would_apply", "in_doubt"]
    assert told["counts"] == {"closed": 1, "in_doubt": 1, "would_apply": 1}
    assert told["more"] is False
    told = api.post("/letters/preflight", {"filter": {"reason": "in_doubt"}})
    assert [row["letter"] for row in told["rows"]] == [3]


@pytest.mark.parametrize("body", [{}, {"ids": [1], "filter": {}}])
def test_a_preflight_is_of_numbers_or_of_a_filter(api: Api, body: dict[str, Any]) -> None:
    api.dead(1)
    answer = api.ask("POST", "/letters/preflight", json=body)
    assert problem(answer)["errors"] == [{"field": "body", "rule": "must have either ids or filter"}]


def test_a_number_that_no_letter_has_is_named(api: Api) -> None:
    api.dead(1)
    for path, more in (("/letters/preflight", {}), ("/jobs", {"why": "mended"})):
        answer = api.ask("POST", path, json={"ids": [1, 4711], **more})
        assert problem(answer)["errors"] == [{"field": "ids", "rule": "there is no dead letter 4711"}]
    assert api.get("/jobs")["rows"] == []


def test_a_job_is_of_exactly_the_letters_that_were_approved(api: Api) -> None:
    api.dead(2)
    job = api.post("/jobs", {"ids": [2, 1, 2], "why": "mended", "rate": 5})
    api.dead(1)
    assert (job["state"], job["total"], job["who"], job["rate"]) == ("running", 2, OPERATOR, 5.0)
    items = api.get(f"/jobs/{job['id']}/items")["rows"]
    assert [(item["letter"], item["verdict"], item["state"]) for item in items] == [
        (2, "would_apply", "waiting"),
        (1, "would_apply", "waiting"),
    ]
    assert api.get(f"/jobs/{job['id']}/items", state="done")["rows"] == []


def test_a_job_is_worked_and_says_how_each_letter_ended(api: Api) -> None:
    api.dead(2)
    job = api.post("/jobs", {"ids": [1, 2], "why": "mended"})["id"]
    runner = JobRunner(api.ledger, api.broker.publisher(), api.settings, by="w-1", clock=Clock(now=api.clock))
    consumer = api.broker.consumer(work_queue("bookings.simplybook"), 10)
    for _ in range(8):
        runner.step()
        for delivery in consumer.take(10, 0.1):
            finish(api.ledger, decode(delivery.message.body))
            consumer.ack([delivery])
    consumer.close()
    told = api.get(f"/jobs/{job}")
    assert (told["state"], told["counts"]["done"]) == ("done", 2)
    assert [row["state"] for row in api.get(f"/jobs/{job}/items", limit=1)["rows"]] == ["done"]
    assert {row["state"] for row in api.get("/letters", state="replayed")["rows"]} == {"replayed"}


def test_a_job_is_paused_resumed_and_cancelled_and_says_why_not(api: Api) -> None:
    api.dead(1)
    job = api.post("/jobs", {"ids": [1], "why": "mended", "kind": "discard"})["id"]
    assert api.post(f"/jobs/{job}/pause", {"why": "wait"})["state"] == JobState.PAUSED
    answer = api.ask("POST", f"/jobs/{job}/pause", json={"why": "wait"})
    assert (answer.status_code, problem(answer)["type"]) == (409, "urn:bellhop:problem:refused")
    assert "paused" in problem(answer)["detail"]
    assert api.post(f"/jobs/{job}/resume", {"why": "go on"})["state"] == JobState.RUNNING
    cancelled = api.post(f"/jobs/{job}/cancel", {"why": "no"})
    assert (cancelled["state"], cancelled["counts"]["skipped"]) == (JobState.CANCELLED, 1)
    assert [row["state"] for row in api.get(f"/jobs/{job}/items")["rows"]] == [ItemState.SKIPPED]
    assert [act for _, act, _, _ in acts(api)] == ["approve discard", "pause job", "resume job", "cancel job"]


# --- events, routes, accounts -----------------------------------------------------------------------------------


def test_an_events_way_is_told_without_the_vendors_answers(api: Api) -> None:
    api.dead(1)
    told = api.get("/events/crm/e-1")
    assert (told["state"], told["reason"], [one["id"] for one in told["letters"]]) == ("dead", "rejected", [1])
    assert [row["id"] for row in api.get("/events", source="crm", subject="R-1")["rows"]] == ["e-1"]
    for text in ("e-1", "R-1", "ada@example.com"):
        assert [row["id"] for row in api.get("/search", q=text)["rows"]] == ["e-1"]
    assert api.get("/search", q="nobody")["rows"] == []


@pytest.mark.parametrize("id_", ["a/b", "a//b", "//", "ü", "100%"])
def test_an_events_id_may_hold_anything(api: Api, id_: str) -> None:
    finish(api.ledger, event(id_))
    answer = api.ask("GET", f"/events/crm/{id_.replace('%', '%25')}")
    assert (answer.status_code, answer.json["id"]) == (200, id_)


def test_a_route_is_held_until_it_is_resumed(api: Api) -> None:
    until = (NOON + timedelta(hours=1)).isoformat()
    held = api.post("/routes/members/pause", {"why": "it is ill", "until": until})["rows"]
    assert {row["route"]: row["pause"] and row["pause"]["why"] for row in held}["members"] == "it is ill"
    assert [pause.route for pause in api.ledger.pauses.all()] == ["members"]
    api.post("/routes/members/resume", {"why": "it is well"})
    assert [row["pause"] for row in api.get("/routes")["rows"]] == [None] * len(held)
    answer = api.ask("POST", "/routes/members/resume", json={"why": "again"})
    assert (answer.status_code, problem(answer)["detail"]) == (409, "Route members is not paused.")


def test_a_pause_that_is_over_already_is_refused(api: Api) -> None:
    answer = api.ask("POST", "/routes/members/pause", json={"why": "x", "until": NOON.isoformat()})
    assert problem(answer)["errors"] == [{"field": "until", "rule": "must be in the future"}]


def test_what_waits_for_a_retry_is_tried_now_and_audited(api: Api) -> None:
    assert api.post("/routes/members/retry-now", {"why": "it is well"}) == {"moved": 0}
    assert acts(api) == [(OPERATOR, "retry now", None, "it is well")]


def test_queues_and_accounts_are_told(api: Api) -> None:
    api.dead(1)
    queues = api.get("/queues")
    assert queues["dead"]["letters"] == 1
    assert {row["route"]: row["dead"] for row in queues["routes"]}["bookings.simplybook"] == 1
    (account,) = api.get("/accounts")["rows"]
    assert (account["account"], account["breaker"], account["limits"]["per_day"]) == ("sb", "closed", 5000)


# --- edits ------------------------------------------------------------------------------------------------------


def test_an_edit_that_may_not_be_or_breaks_the_event_s_contract_is_409(api: Api) -> None:
    api.dead(1)
    for changes, field in (
        ({"booking_id": "R-2"}, "data.booking_id"),
        ({"venue": "spa"}, "data.venue"),
        ({"client": {"name": ""}}, "data.client.name"),
        ({"services": [{"service_id": "1", "start": "yesterday"}]}, "data.services.0.start"),
        ({"notes": None}, "data"),
    ):
        answer = api.ask("POST", "/letters/1/edits", json={"changes": changes, "why": "x"})
        assert (answer.status_code, problem(answer)["errors"][0]["field"]) == (409, field)
    assert api.get("/letters/1/edits")["rows"] == []


@pytest.fixture
def careful(tmp_path: Path) -> Iterator[Api]:
    """With a second approver."""
    one = Api(tmp_path, second_approver=True)
    one.dead(1)
    yield one
    one.close()


def propose(api: Api) -> dict[str, Any]:
    return api.post("/letters/1/edits", {"changes": {"client": {"name": "Ada Lea"}}, "why": "misspelt"})


def test_an_edit_is_masked_until_an_operator_looks(careful: Api) -> None:
    propose(careful)
    (edit,) = careful.get("/letters/1/edits")["rows"]
    assert edit["state"] == "proposed"
    assert {(one["field"], one["before"], one["after"]) for one in edit["changes"]} == {
        ("data.client.name", "***", "***"),
        ("data.client.email", "***", None),
    }
    assert careful.ask("GET", "/letters/1/edits?reveal=true", Role.VIEWER).status_code == 403
    (edit,) = careful.get("/letters/1/edits", Role.OPERATOR, reveal="true")["rows"]
    assert ("data.client.name", "Ada Lee", "Ada Lea") in {
        (one["field"], one["before"], one["after"]) for one in edit["changes"]
    }


def test_nobody_approves_their_own_edit_nor_by_another_token_of_theirs(careful: Api) -> None:
    edit = propose(careful)
    for role in (Role.OPERATOR, Role.ADMIN):  # ann made both tokens
        answer = careful.ask("POST", f"/edits/{edit['id']}/approve", role, json={})
        assert answer.status_code == 409
        problem(answer)
    assert [row["id"] for row in careful.get("/edits")["rows"]] == [edit["id"]]


def test_an_edit_is_refused_once(careful: Api) -> None:
    edit = propose(careful)
    assert careful.post(f"/edits/{edit['id']}/refuse", {"why": "no"})["state"] == "refused"
    answer = careful.ask("POST", f"/edits/{edit['id']}/refuse", json={"why": "no"})
    assert (answer.status_code, "refused already" in problem(answer)["detail"]) == (409, True)


def test_an_edit_that_another_approves_is_replayed(careful: Api) -> None:
    careful.tokens[Role.ADMIN], _ = careful.add_token(Role.ADMIN, who="bob")
    approved = careful.post(f"/edits/{propose(careful)['id']}/approve", {}, Role.ADMIN)
    assert approved["state"] == "approved"
    assert _sent(careful) == [("e-1", 1, "Ada Lea")]


def test_an_edit_that_needs_no_approval_is_replayed_at_once(api: Api) -> None:
    api.dead(1)
    assert propose(api)["state"] == "approved"
    assert _sent(api) == [("e-1", 1, "Ada Lea")]
    found = api.ledger.letters.get(1)
    assert found is not None
    assert found.state is LetterState.REPLAYED


def test_an_edit_is_not_kept_while_the_broker_is_away_and_is_of_an_open_letter_alone(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.dead(1)
    body = {"changes": {"notes": "by the window"}, "why": "asked for"}

    def away() -> None:
        raise BrokerUnavailable("it is away")

    with monkeypatch.context() as patched:
        patched.setattr(api.broker, "declare", away)
        assert api.ask("POST", "/letters/1/edits", json=body).status_code == 503
    assert api.get("/letters/1/edits")["rows"] == []
    api.post("/letters/discard", {"ids": [1], "why": "a test"})
    answer = api.ask("POST", "/letters/1/edits", json=body)
    assert (answer.status_code, "discarded" in problem(answer)["detail"]) == (409, True)


def _sent(api: Api) -> list[tuple[str, int, str]]:
    consumer = api.broker.consumer(work_queue("bookings.simplybook"), 10)
    envelopes = [decode(delivery.message.body) for delivery in consumer.take(10, 1.0)]
    consumer.close()
    return [(one.id, one.generation, one.data["client"]["name"]) for one in envelopes]


# --- people -----------------------------------------------------------------------------------------------------


def test_a_token_is_shown_once_works_at_once_and_ends_at_once(api: Api) -> None:
    made = api.post("/tokens", {"name": "dashboard", "role": "viewer"}, Role.ADMIN)
    token = made["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert api.client.get("/queues", headers=headers).status_code == 200
    assert token not in json.dumps(api.get("/tokens", Role.ADMIN))
    assert token not in json.dumps(api.get("/audit"))
    assert token.encode() not in (api.folder / "ledger.db").read_bytes()
    assert api.post(f"/tokens/{made['id']}/revoke", {}, Role.ADMIN)["revoked"] is True
    assert api.client.get("/queues", headers=headers).status_code == 401


def test_users_are_added_and_changed_without_their_passwords_being_told(api: Api) -> None:
    password = "correct horse battery"
    made = api.post("/users", {"name": "bob/ann", "role": "viewer", "password": password}, Role.ADMIN)
    assert made["has_password"] is True
    answer = api.ask("POST", "/users", json={"name": "bob/ann", "role": "viewer"})
    assert answer.status_code == 409
    changed = api.ask("PATCH", "/users/bob/ann", json={"role": "operator", "disabled": True})
    assert (changed.json["role"], changed.json["disabled"]) == ("operator", True)
    kept = api.ledger.people.user("bob/ann")
    assert kept is not None
    assert kept.password_hash.startswith("$argon2id$")
    assert password not in json.dumps([api.get("/users", Role.ADMIN), api.get("/audit")])
    assert "$argon2" not in json.dumps([api.get("/users", Role.ADMIN), api.get("/audit")])


@pytest.mark.parametrize("password", ["short", "passwordpassword"])
def test_a_password_that_is_too_easy_is_refused_and_not_repeated(api: Api, password: str) -> None:
    answer = api.ask("POST", "/users", json={"name": "bob", "role": "viewer", "password": password})
    assert problem(answer)["errors"][0]["field"] == "password"
    assert password not in answer.text.replace("password", "", 1) or password == "short"
    assert api.get("/users", Role.ADMIN)["rows"] == []


def test_the_audit_is_paged_and_filtered(api: Api) -> None:
    api.dead(3)
    api.post("/letters/discard", {"ids": [1, 2, 3], "why": "a test"})
    page = api.get("/audit", act="discard", limit=2)
    rest = api.get("/audit", act="discard", limit=2, cursor=page["next"])
    assert [row["letter"] for row in page["rows"] + rest["rows"]] == [3, 2, 1]
    assert rest["next"] is None
    assert [row["letter"] for row in api.get("/audit", letter=2)["rows"]] == [2]
    assert api.get("/audit", who="nobody")["rows"] == []


def test_mounted_it_answers_under_its_prefix_and_leaves_the_rest_alone(api: Api) -> None:
    outer = Flask("outer")
    outer.add_url_rule("/", "home", lambda: "home")
    mount(outer, api.app)
    client = outer.test_client()
    headers = {"Authorization": f"Bearer {api.tokens[Role.VIEWER]}"}
    assert client.get("/api/v1/queues", headers=headers).status_code == 200
    assert problem(client.get("/api/v1/bogus", headers=headers))["instance"] == "/api/v1/bogus"
    assert client.get("/").text == "home"
    assert client.get("/bogus").content_type.startswith("text/html")


def test_all_that_match_are_acted_on_by_their_filter_and_no_others(api: Api) -> None:
    api.dead(3)
    api.dead(1, Reason.AUTH)
    job = api.post("/jobs", {"filter": {"reason": "rejected"}, "why": "mended"})
    assert job["total"] == 3
    assert api.post("/letters/assign", {"filter": {"text": "R-4"}, "to": "ann"}) == {"assigned": 1}
    for body in ({"why": "x"}, {"why": "x", "ids": [1], "filter": {}}):
        assert api.ask("POST", "/jobs", json=body).status_code == 422
    assert api.ask("POST", "/letters/assign", json={"to": "ann"}).status_code == 422


def test_a_cause_tells_its_life_its_advice_and_its_key(api: Api) -> None:
    api.dead(2)
    (cause,) = api.get("/letters/causes")["rows"]
    assert (cause["life"]["state"], cause["advice"]["act"], len(cause["key"])) == ("new", "replay", 8)
    said = api.post("/letters/causes", {"cause": cause["cause"], "said": "acknowledged", "why": "asked them"})
    assert (said["state"], said["why"], said["since"]) == ("acknowledged", "asked them", 0)
    assert api.get("/letters/causes")["rows"][0]["life"] == said
    wrong = api.ask("POST", "/letters/causes", json={"cause": cause["cause"], "said": "snoozed"})
    assert (wrong.status_code, "until when" in wrong.json["detail"]) == (409, True)
    assert api.ask("POST", "/letters/causes", json={"cause": "none", "said": "resolved"}).status_code == 409


def test_a_preflight_tells_what_is_sent_where_with_its_guest_masked(api: Api) -> None:
    api.dead(2)
    told = api.post("/letters/preflight", {"filter": {}})
    (call,) = told["calls"]
    assert (call["account"], call["method"], call["count"], call["letters"]) == ("sb", "book", 2, [1, 2])
    assert call["example"]["event_id"] == "1"
    assert "Ada" not in json.dumps(told)
    assert 0 < told["seconds"] < 60


def test_only_an_admin_forgets_and_only_what_was_seen(api: Api) -> None:
    api.dead(1)

    def ask(what: str, role: Role = Role.ADMIN, **body: object) -> tuple[int, dict[str, Any]]:
        answer = api.ask("POST", f"/guests/{what}", role, json={"guest": "ada@example.com", **body})
        return answer.status_code, answer.get_json()

    wanted = {"why": "she asked", "also_open": True}
    assert [ask("find", role)[0] for role in (Role.VIEWER, Role.OPERATOR)] == [403, 403]
    confirm = ask("find")[1]["confirm"]
    assert ask("forget", Role.OPERATOR, **wanted, confirm=confirm)[0] == 403
    api.dead(1)
    status, told = ask("forget", **wanted, confirm=confirm)
    assert (status, "has changed since" in told["detail"]) == (409, True)
    assert ask("forget", **wanted)[0] == 422
    status, told = ask("forget", **wanted, confirm=ask("find")[1]["confirm"])
    assert (status, told["letters"]) == (200, 2)
    assert ask("find")[1]["letters"] == 0


def test_the_audits_chain_is_told_and_a_noted_row_is_held_to_it(api: Api) -> None:
    api.post("/letters/discard", {"ids": api.dead(1), "why": "a test"})
    told = api.get("/audit/chain")
    assert (told["whole"], told["broken"]) == (True, None)
    assert api.get("/audit/chain", noted=f"{told['last']}:{told['hash']}")["whole"]
    other = api.get("/audit/chain", noted=f"{told['last']}:{'0' * 64}")
    assert other["broken"]["what"] == "changed"
    assert api.ask("GET", "/audit/chain", query_string={"noted": "1"}).status_code == 422
