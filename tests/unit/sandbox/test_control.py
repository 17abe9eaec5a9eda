from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from bellhop.sandbox.app import create_sandbox
from bellhop.schemas.redact import MASK
from tests.support.salon import Caller, Clock

ACCOUNT = {"auth_id": "sandbox", "company": "4711", "user": "bellhop", "pass": "sandbox-password"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(clock: Clock) -> FlaskClient:
    return create_sandbox(now=clock).test_client()


def sync(client: FlaskClient, member: str = "1000") -> Any:
    return client.get("/res/sync_member", query_string=ACCOUNT | {"member_id": member})


def calls(client: FlaskClient, query: str = "") -> Any:
    return client.get(f"/_sandbox/calls{query}").json["calls"]


def test_every_call_is_noted_with_what_it_changed(client: FlaskClient) -> None:
    sync(client)
    sync(client, "5")
    first, second = calls(client)
    assert (first["n"], first["vendor"], first["method"], first["answered"]) == (1, "peoplevine", "sync_member", True)
    assert (first["effect"], first["id"], first["query"]["member_id"]) == ("synced", "1000", "1000")
    assert (second["n"], second["effect"], second["id"], second["refusal"]) == (2, None, None, "Member not found")
    assert [call["n"] for call in calls(client, "?after=1")] == [2]
    assert client.get("/_sandbox/calls?after=x").status_code == 400


def test_no_credential_shows_in_the_calls(client: FlaskClient) -> None:
    sync(client)
    answer = client.post("/login", json={"method": "getToken", "params": ["sandbox", "sandbox-api-key"], "id": "1"})
    headers = {"X-Company-Login": "sandbox", "X-Token": answer.json["result"]}
    sign = "bf429f080b8254c26293cc67b4244e8c"
    client.post("/", json={"method": "cancelBooking", "params": ["434", sign], "id": "1"}, headers=headers)
    shown = json.dumps(calls(client))
    for secret in ("sandbox-password", "sandbox-api-key", sign, answer.json["result"], '"bellhop"', "4711"):
        assert secret not in shown
    assert calls(client)[1]["params"] == ["sandbox", MASK]
    assert calls(client)[2]["params"] == ["434", MASK]


def test_an_error_fault_fails_each_vendor_its_own_way(client: FlaskClient) -> None:
    fault = {"method": "*", "kind": "error", "times": 2, "code": -32603, "message": "out of order"}
    assert client.post("/_sandbox/faults", json=fault).status_code == 200
    assert sync(client).json == {
        "success": False,
        "reason": "out of order",
        "message": None,
        "success_count": 0,
        "error_count": 0,
    }
    answer = client.post("/login", json={"method": "getToken", "params": ["sandbox", "sandbox-api-key"], "id": "a"})
    assert answer.json == {
        "id": "a",
        "error": {"code": -32603, "message": "out of order", "data": {}},
    }
    assert sync(client).json["success"] is True
    assert [(call["fault"], call["effect"], call["answered"]) for call in calls(client)] == [
        ("error", None, True),
        ("error", None, True),
        (None, "synced", True),
    ]


def test_an_http_fault_answers_a_page_that_is_no_json(client: FlaskClient) -> None:
    fault = {"method": "sync_member", "kind": "http", "status": 429, "retry_after": 7}
    client.post("/_sandbox/faults", json=fault)
    answer = sync(client)
    assert (answer.status_code, answer.mimetype, answer.headers["Retry-After"]) == (429, "text/html", "7")
    assert client.get("/_sandbox/state").json["members_synced"] == {}
    assert sync(client).status_code == 200


def test_an_http_fault_may_come_after_the_effect(client: FlaskClient) -> None:
    client.post("/_sandbox/faults", json={"method": "sync_member", "kind": "http", "status": 502, "when": "after"})
    assert sync(client).status_code == 502
    assert client.get("/_sandbox/state").json["members_synced"] == {"1000": 1}
    [call] = calls(client)
    assert (call["effect"], call["fault"]) == ("synced", "http")


def test_a_call_that_failed_may_be_carried_out_late(clock: Clock, client: FlaskClient) -> None:
    late = {"method": "sync_member", "kind": "http", "status": 504, "when": "late"}
    client.post("/_sandbox/faults", json={**late, "late": 30})
    client.post("/_sandbox/faults", json={**late, "late": 20})
    assert [sync(client, member).status_code for member in ("1000", "1001", "1002")] == [504, 504, 200]
    assert client.get("/_sandbox/state").json["members_synced"] == {"1002": 1}
    clock.now += timedelta(seconds=29)
    assert client.get("/_sandbox/state").json["members_synced"] == {"1002": 1, "1001": 1}
    clock.now += timedelta(seconds=1)
    assert [call["effect"] for call in calls(client)] == ["synced"] * 3


def test_what_is_carried_out_late_is_held_against_what_stands_by_then(clock: Clock) -> None:
    api = Caller(create_sandbox(now=clock).test_client())
    fault = {"method": "book", "kind": "error", "when": "late", "late": 5}
    api.client.post("/_sandbox/faults", json=fault)
    assert api.refused() == -32603
    api.book()
    clock.now += timedelta(seconds=5)
    assert len(api.client.get("/_sandbox/state").json["bookings"]) == 1
    first = next(call for call in calls(api.client) if call["method"] == "book")
    assert (first["effect"], first["refusal"]) == (None, "-32054 Selected time start is not available")


def test_a_reset_forgets_what_was_put_off(clock: Clock, client: FlaskClient) -> None:
    client.post("/_sandbox/faults", json={"method": "*", "kind": "error", "when": "late", "late": 1})
    sync(client)
    client.post("/_sandbox/reset")
    clock.now += timedelta(seconds=2)
    assert client.get("/_sandbox/state").json["members_synced"] == {}


def test_a_fault_hits_every_so_many_calls_of_its_vendor_until_it_is_used_up(client: FlaskClient) -> None:
    fault = {"method": "*", "vendor": "peoplevine", "kind": "http", "status": 500, "every": 3, "times": 2}
    client.post("/_sandbox/faults", json=fault)
    assert client.post("/login", json={"method": "getToken", "params": [], "id": 1}).status_code == 200
    assert [sync(client).status_code for _ in range(9)] == [200, 200, 500, 200, 200, 500, 200, 200, 200]


def test_a_fault_without_a_number_of_times_lasts_until_reset(client: FlaskClient) -> None:
    client.post("/_sandbox/faults", json={"method": "sync_member", "kind": "http", "times": None})
    assert {sync(client).status_code for _ in range(5)} == {503}
    client.post("/_sandbox/reset")
    assert sync(client).status_code == 200


def test_reset_goes_back_to_the_seed(client: FlaskClient) -> None:
    sync(client)
    client.post("/_sandbox/members", json={"id": "5"})
    client.post("/_sandbox/switches", json={"peoplevine_failure_status": 404})
    client.post("/_sandbox/reset")
    assert calls(client) == []
    state = client.get("/_sandbox/state").json
    assert (state["bookings"], state["reservations"], state["members_synced"]) == ([], [], {})
    assert client.get("/_sandbox/faults").json == {"faults": []}
    answer = sync(client, "5")
    assert (answer.status_code, answer.json["reason"]) == (200, "Member not found")


def test_a_member_can_be_added_and_taken_away(client: FlaskClient) -> None:
    assert client.post("/_sandbox/members", json={"id": 5}).status_code == 200
    assert sync(client, "5").json["success"] is True
    assert client.delete("/_sandbox/members", json={"id": "5"}).status_code == 200
    assert sync(client, "5").json["reason"] == "Member not found"


def test_every_switch_tells_its_value_its_grade_and_what_it_means(client: FlaskClient) -> None:
    switches = client.get("/_sandbox/switches").json
    assert switches["simplybook_new_token_ends_earlier"]["value"] is False
    assert {switch["grade"] for switch in switches.values()} <= {"V", "L", "S", "I"}
    assert all(switch["means"] for switch in switches.values())


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("faults", None, "JSON object"),
        ("faults", {"kind": "http"}, "method"),
        ("faults", {"method": "book", "kind": "explode"}, "kind"),
        ("faults", {"method": "book", "kind": "http", "status": 99}, "status"),
        ("faults", {"method": "book", "kind": "http", "times": 0}, "times"),
        ("faults", {"method": "book", "kind": "http", "every": True}, "every"),
        ("faults", {"method": "book", "kind": "slow", "seconds": "long"}, "seconds"),
        ("faults", {"method": "book", "kind": "slow", "when": "after"}, "when"),
        ("faults", {"method": "book", "kind": "reset", "when": "later"}, "when"),
        ("faults", {"method": "book", "kind": "timeout_late"}, "late"),
        ("faults", {"method": "book", "kind": "http", "when": "late"}, "late"),
        ("faults", {"method": "book", "kind": "timeout_after", "late": 5}, "late"),
        ("faults", {"method": "book", "kind": "timeout_late", "late": "soon"}, "late"),
        ("faults", {"method": "book", "kind": "http", "vendor": "other"}, "vendor"),
        ("faults", {"method": "book", "kind": "http", "retry_after": 1.5}, "retry_after"),
        ("faults", {"method": "book", "kind": "error", "message": 5}, "message"),
        ("faults", {"method": "book", "kind": "error", "colour": 5}, "colour"),
        ("members", {"id": None}, "id"),
        ("switches", {"no_such": True}, "no_such"),
        ("switches", {"peoplevine_refuses_overlap": 1}, "peoplevine_refuses_overlap"),
        ("switches", {"simplybook_token_seconds": -1}, "simplybook_token_seconds"),
        ("switches", {"simplybook_error_status": 418}, "simplybook_error_status"),
    ],
)
def test_control_that_cannot_be_followed_is_refused_with_what_is_wrong(
    client: FlaskClient, path: str, body: object, words: str
) -> None:
    answer = client.post(f"/_sandbox/{path}", json=body)
    assert answer.status_code == 400
    assert words in answer.json["error"]


def test_faults_are_taken_back_one_by_one_and_what_stands_stays() -> None:
    client = create_sandbox().test_client()
    numbers = [
        client.post("/_sandbox/faults", json={"method": name, "kind": "reset", "times": None}).get_json()["id"]
        for name in ("book", "getToken", "cancelBooking")
    ]
    assert len(set(numbers)) == 3
    gone = client.delete(f"/_sandbox/faults/{numbers[1]}").get_json()
    assert [one["method"] for one in gone["faults"]] == ["getToken"]
    assert [one["method"] for one in client.get("/_sandbox/faults").get_json()["faults"]] == ["book", "cancelBooking"]
    again = client.delete(f"/_sandbox/faults/{numbers[1]}")
    assert (again.status_code, "there is no fault" in again.get_json()["error"]) == (404, True)
    assert len(client.delete("/_sandbox/faults").get_json()["faults"]) == 2
    assert client.delete("/_sandbox/faults").get_json() == client.get("/_sandbox/faults").get_json() == {"faults": []}
