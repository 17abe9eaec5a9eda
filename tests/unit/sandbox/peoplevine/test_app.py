from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from bellhop.sandbox.app import create_sandbox

NOW = datetime(2022, 5, 1, 12, 0, tzinfo=UTC)
ACCOUNT = {"auth_id": "sandbox", "company": "4711", "user": "bellhop", "pass": "sandbox-password"}
OFFER = {
    "start": "2022-05-10T09:15:00",
    "end": "2022-05-10T10:15:00",
    "price": 100.00,
    "technician_id": "17138931",
    "service_id": "24422569",
    "facility_id": "24422054",
}
WINDOW = {
    "date": "2022-05-10",
    "startTime": "09:15",
    "endTime": "10:15",
    "alternateTime": False,
    "nextAvailableDate": False,
    "services": ["24422569"],
}


@pytest.fixture
def client() -> FlaskClient:
    return create_sandbox(now=lambda: NOW).test_client()


def create(client: FlaskClient, *offers: dict[str, Any], member: object = 3125141) -> Any:
    body = {"member_id": member, "notes": "test reservation", "offers": offers}
    answer = client.post("/res/create_service_reservation", query_string=ACCOUNT, json=body)
    assert answer.status_code == 200
    return answer.json


def available(client: FlaskClient, **window: object) -> Any:
    answer = client.post("/res/get_service_availability", query_string=ACCOUNT, json=WINDOW | window)
    assert answer.status_code == 200
    return answer.json


def test_a_member_is_synchronised_as_in_the_document(client: FlaskClient) -> None:
    answer = client.get("/res/sync_member", query_string=ACCOUNT | {"host": "1", "member_id": "3125141"})
    assert answer.json == {
        "success": True,
        "reason": None,
        "message": None,
        "success_count": 1,
        "error_count": 0,
    }
    assert client.get("/_sandbox/state").json["members_synced"] == {"3125141": 1}


def test_an_unknown_member_is_refused_as_in_the_document(client: FlaskClient) -> None:
    answer = client.get("/res/sync_member", query_string=ACCOUNT | {"member_id": "5"})
    assert (answer.status_code, answer.json) == (
        200,
        {"success": False, "reason": "Member not found", "message": None, "success_count": 0, "error_count": 0},
    )
    assert create(client, OFFER, member=5) == {
        "success": False,
        "reason": "Invalid member ID",
        "message": None,
        "success_count": 0,
        "error_count": 0,
    }


@pytest.mark.parametrize("name", list(ACCOUNT))
def test_every_credential_is_checked(client: FlaskClient, name: str) -> None:
    for account in ({**ACCOUNT, name: "wrong"}, {k: v for k, v in ACCOUNT.items() if k != name}):
        answer = client.get("/res/sync_member", query_string=account | {"member_id": "3125141"})
        assert answer.json["reason"] == "Invalid credentials"
        assert answer.json["success"] is False


def test_a_host_that_is_none_of_the_regions_is_refused(client: FlaskClient) -> None:
    answer = client.get("/res/sync_member", query_string=ACCOUNT | {"host": "3", "member_id": "3125141"})
    assert answer.json["reason"] == "Invalid host"


def test_a_reservation_answers_its_id_as_text_in_message_and_counts_nothing(client: FlaskClient) -> None:
    made = create(client, OFFER)
    assert made["message"].isdigit()
    assert made == {
        "success": True,
        "reason": None,
        "message": made["message"],
        "success_count": 0,
        "error_count": 0,
    }
    [reservation] = client.get("/_sandbox/state").json["reservations"]
    assert (reservation["id"], reservation["member_id"]) == (made["message"], "3125141")
    assert reservation["offers"] == [OFFER]


def test_a_technicians_time_is_given_once(client: FlaskClient) -> None:
    assert create(client, OFFER)["success"] is True
    later = OFFER | {"start": "2022-05-10T10:00:00", "end": "2022-05-10T11:00:00", "facility_id": "46384654"}
    assert create(client, later, member=1000)["reason"] == "Time is not available"
    assert create(client, later | {"technician_id": "100"}, member=1000)["success"] is True


def test_offers_are_reserved_all_or_none(client: FlaskClient) -> None:
    assert create(client, OFFER)["success"] is True
    free = OFFER | {"technician_id": "100"}
    assert create(client, free, OFFER)["reason"] == "Time is not available"
    assert create(client, free, free)["reason"] == "Time is not available"
    assert create(client, free)["success"] is True
    assert len(client.get("/_sandbox/state").json["reservations"]) == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"start": "2022-05-10T09:15:00+01:00"}, "Invalid date"),
        ({"end": "2022-05-10T09:15:00"}, "Invalid date"),
        ({"start": "soon"}, "Invalid date"),
        ({"start": "2022-04-10T09:15:00", "end": "2022-04-10T10:15:00"}, "Time is not available"),
        ({"technician_id": "9"}, "Invalid technician ID"),
        ({"service_id": "9"}, "Invalid service ID"),
        ({"facility_id": "9"}, "Invalid facility ID"),
        ({"price": "100"}, "Invalid price"),
    ],
)
def test_an_offer_that_cannot_be_is_refused(client: FlaskClient, change: dict[str, str], reason: str) -> None:
    assert create(client, OFFER | change)["reason"] == reason
    assert client.get("/_sandbox/state").json["reservations"] == []


def test_a_body_that_is_none_is_refused(client: FlaskClient) -> None:
    for method in ("create_service_reservation", "get_service_availability"):
        answer = client.post(f"/res/{method}", query_string=ACCOUNT, data="{")
        assert answer.json["reason"] == "Invalid request"
    assert create(client)["reason"] == "Invalid offers"
    assert available(client, services=["9"])["reason"] == "Invalid service ID"
    assert available(client, startTime="late")["reason"] == "Invalid request"


def test_availability_offers_free_times_with_the_venues_offset(client: FlaskClient) -> None:
    answer = available(client)
    assert {key: answer[key] for key in answer if key != "offers"} == {
        "success": True,
        "reason": None,
        "message": None,
    }
    offered = {**OFFER, "start": "2022-05-10T09:15:00+01:00", "end": "2022-05-10T10:15:00+01:00"}
    assert offered in answer["offers"]
    create(client, OFFER)
    left = available(client)["offers"]
    assert left
    assert OFFER["technician_id"] not in {offer["technician_id"] for offer in left}


def test_availability_looks_further_only_where_it_is_asked_to(client: FlaskClient) -> None:
    past = {"date": "2022-05-01", "startTime": "10:00", "endTime": "12:00"}
    assert available(client, **past)["offers"] == []
    same_day = available(client, **past, alternateTime=True)["offers"]
    assert {offer["start"][:10] for offer in same_day} == {"2022-05-01"}
    assert min(offer["start"] for offer in same_day) == "2022-05-01T13:15:00+01:00"
    next_day = available(client, **past, nextAvailableDate=True)["offers"]
    assert {offer["start"][:10] for offer in next_day} == {"2022-05-02"}


def test_a_method_is_served_at_its_own_verb_only(client: FlaskClient) -> None:
    assert client.post("/res/sync_member", query_string=ACCOUNT, json={}).status_code == 405
    assert client.get("/res/nothing_of_the_kind", query_string=ACCOUNT).status_code == 404


def test_switches_let_a_second_booking_through_and_choose_the_status_of_failures(client: FlaskClient) -> None:
    switches = {"peoplevine_refuses_overlap": False, "peoplevine_failure_status": 422}
    assert client.post("/_sandbox/switches", json=switches).status_code == 200
    assert create(client, OFFER)["success"] is True
    assert create(client, OFFER)["success"] is True
    assert client.get("/res/sync_member", query_string=ACCOUNT | {"member_id": "5"}).status_code == 422


def test_a_switch_has_part_of_every_sync_fail(client: FlaskClient) -> None:
    client.post("/_sandbox/switches", json={"peoplevine_error_count": 2})
    since = {"from": "2022-08-01T09:00:00"}
    for method, query, made in (("sync_profiles", since, 2), ("sync_member", {"member_id": "1000"}, 0)):
        answer = client.get(f"/res/{method}", query_string=ACCOUNT | query).json
        assert (answer["success"], answer["success_count"], answer["error_count"]) == (True, made, 2)
        assert answer["message"]
    assert client.get("/_sandbox/state").json["members_synced"] == {}
