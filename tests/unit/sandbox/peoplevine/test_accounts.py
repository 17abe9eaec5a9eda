"""Peoplevine's other methods, and the accounts with a system behind them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from bellhop.sandbox.app import create_sandbox

NOW = datetime(2022, 8, 10, 12, 0, tzinfo=UTC)
ACCOUNT = {"auth_id": "sandbox", "company": "4711", "user": "bellhop", "pass": "sandbox-password"}
BOOK4TIME = ACCOUNT | {"auth_id": "sandbox-book4time", "company": "4712"}
SEVENROOMS = ACCOUNT | {"auth_id": "sandbox-sevenrooms", "company": "4713"}
TRIPLESEAT = ACCOUNT | {"auth_id": "sandbox-tripleseat", "company": "4714"}
BEHIND = [(BOOK4TIME, "b4t", "2000"), (SEVENROOMS, "7rooms", "3000"), (TRIPLESEAT, "tripleseat", "4000")]
DINNER = {
    "start": "2022-08-12T19:00:00",
    "end": "2022-08-12T21:00:00",
    "price": 30,
    "technician_id": "6201",
    "service_id": "6101",
    "facility_id": "6301",
}


@pytest.fixture
def client() -> FlaskClient:
    return create_sandbox(now=lambda: NOW).test_client()


def get(client: FlaskClient, method: str, account: dict[str, str] = ACCOUNT, **query: str) -> Any:
    answer = client.get(f"/res/{method}", query_string=account | query)
    assert answer.status_code == 200
    return answer.json


def offers(client: FlaskClient, account: dict[str, str], service: str, **window: object) -> list[dict[str, Any]]:
    asked = {"date": "2022-08-12", "startTime": "10:00", "endTime": "14:00", "services": [service]} | window
    answer = client.post("/res/get_service_availability", query_string=account, json=asked).json
    assert answer["success"] is True
    found: list[dict[str, Any]] = answer["offers"]
    return found


def switch(client: FlaskClient, **values: object) -> None:
    assert client.post("/_sandbox/switches", json=values).status_code == 200


@pytest.mark.parametrize(("method", "count"), [("sync_profiles", 4), ("sync_reservations", 5)])
def test_what_changed_since_a_moment_is_counted_as_in_the_document(
    client: FlaskClient, method: str, count: int
) -> None:
    assert get(client, method, **{"from": "2022-08-01T00:00:00Z"}) == {
        "success": True,
        "reason": None,
        "message": None,
        "success_count": count,
        "error_count": 0,
    }
    assert get(client, method, **{"from": "2022-08-01T10:00:01+01:00"})["success_count"] == 0
    assert get(client, method, **{"from": "2022-08-01T09:00:00"})["success_count"] == count


@pytest.mark.parametrize("text", ["", "soon", "01/08/2022", "2022-08-01T00:00:00 01:00"])
@pytest.mark.parametrize("method", ["sync_profiles", "sync_reservations"])
def test_a_from_that_is_missing_or_unreadable_is_refused(client: FlaskClient, method: str, text: str) -> None:
    answer = get(client, method, **{"from": text})
    assert (answer["success"], answer["reason"]) == (False, "Invalid from" if text else "Missing from")


def test_the_form_of_from_is_a_switch(client: FlaskClient) -> None:
    switch(client, peoplevine_from="date")
    assert get(client, "sync_profiles", **{"from": "2022-08-01"})["success_count"] == 4
    assert get(client, "sync_profiles", **{"from": "2022-08-01T00:00:00Z"})["success"] is False
    switch(client, peoplevine_from="epoch")
    assert get(client, "sync_profiles", **{"from": "1659312000"})["success_count"] == 4
    assert get(client, "sync_profiles", **{"from": "2022-08-01"})["success"] is False


def test_what_a_test_adds_and_what_was_reserved_is_counted_once_each(client: FlaskClient) -> None:
    since = {"from": "2022-08-10T00:00:00Z"}
    assert get(client, "sync_reservations", SEVENROOMS, **since)["success_count"] == 0
    for at in ("2022-08-10T01:00:00Z", "2022-08-10T02:00:00+00:00"):
        change = {"what": "reservations", "id": "R-77", "at": at, "auth_id": "sandbox-sevenrooms"}
        assert client.post("/_sandbox/changes", json=change).status_code == 200
    body = {"member_id": 3000, "notes": "", "offers": [DINNER]}
    assert client.post("/res/create_service_reservation", query_string=SEVENROOMS, json=body).json["success"] is True
    assert get(client, "sync_reservations", SEVENROOMS, **since)["success_count"] == 2
    assert get(client, "sync_reservations", **since)["success_count"] == 0


@pytest.mark.parametrize(
    "change",
    [
        {"what": "members", "id": "1"},
        {"what": "profiles"},
        {"what": "profiles", "id": "1", "at": "soon"},
        {"what": "profiles", "id": "1", "at": "2022-08-10T01:00:00"},
        {"what": "profiles", "id": "1", "auth_id": "nobody"},
    ],
)
def test_a_change_that_is_none_is_refused(client: FlaskClient, change: dict[str, str]) -> None:
    assert client.post("/_sandbox/changes", json=change).status_code == 400


def test_services_are_synchronised_and_count_nothing(client: FlaskClient) -> None:
    assert get(client, "sync_services") == {
        "success": True,
        "reason": None,
        "message": None,
        "success_count": 0,
        "error_count": 0,
    }
    assert client.get("/_sandbox/state").json["pulled"] == {"services": 1}


def test_products_come_with_success_false_as_in_the_documents_example(client: FlaskClient) -> None:
    answer = get(client, "products")
    assert {key: answer[key] for key in answer if key != "products"} == {
        "success": False,
        "reason": None,
        "message": None,
    }
    product = next(one for one in answer["products"] if one["id"] == "72446947")
    assert product["description"].startswith("Providing the revitalizing benefits of seawater")
    assert {key: product[key] for key in product if key != "description"} == {
        "id": "72446947",
        "name": "Baia Waters Massage 60min",
        "type": "46312357",
        "charging": 1,
        "rate": {"net": 0, "sell": 150, "tax": 0, "currency": None, "taxes": None},
    }
    switch(client, peoplevine_products_success=True)
    assert get(client, "products")["success"] is True


def test_locations_and_guest_types_are_the_documents(client: FlaskClient) -> None:
    assert get(client, "metadata", type="location") == {
        "metaData": [
            {"id": "16176174", "name": "Biana Activity Paradise", "description": ""},
            {"id": "14765817", "name": "Biana Spa", "description": "Great place to relax!"},
        ],
        "success": True,
        "reason": None,
        "message": None,
    }
    types = get(client, "metadata", type="guest_type")["metaData"]
    assert [one["id"] for one in types] == [
        *("16001176", "16583119", "4275426", "17057748", "4406559", "4255968", "4255969"),
    ]
    assert types[0] == {"id": "16001176", "name": "VIP", "description": None}
    assert get(client, "metadata")["reason"] == "Invalid type"


@pytest.mark.parametrize(("account", "system", "member"), BEHIND)
def test_each_account_has_its_own_members_services_places_and_credentials(
    client: FlaskClient, account: dict[str, str], system: str, member: str
) -> None:
    assert get(client, "sync_member", account, member_id=member)["success"] is True
    assert get(client, "sync_member", ACCOUNT, member_id=member)["reason"] == "Member not found"
    assert get(client, "sync_member", account, member_id="1000")["reason"] == "Member not found"
    assert get(client, "sync_member", account | {"company": "4711"}, member_id=member)["reason"] == (
        "Invalid credentials"
    )
    ours = {one["id"] for one in get(client, "products")["products"]}
    assert ours.isdisjoint(one["id"] for one in get(client, "products", account)["products"])
    for kind in ("location", "guest_type"):
        entries = get(client, "metadata", account, type=kind)["metaData"]
        assert entries
        assert entries != get(client, "metadata", type=kind)["metaData"]
    state = client.get("/_sandbox/state").json
    assert state["behind"][system]["members_synced"] == {member: 1}
    assert state["members_synced"] == {}
    calls = client.get("/_sandbox/calls").json["calls"]
    assert (calls[0]["system"], calls[1]["system"]) == (system, "")
    assert account["auth_id"] not in str(calls)


def test_a_member_can_be_added_to_one_account(client: FlaskClient) -> None:
    client.post("/_sandbox/members", json={"id": "9", "auth_id": "sandbox-tripleseat"})
    assert get(client, "sync_member", TRIPLESEAT, member_id="9")["success"] is True
    assert get(client, "sync_member", ACCOUNT, member_id="9")["success"] is False
    client.delete("/_sandbox/members", json={"id": "9", "auth_id": "sandbox-tripleseat"})
    assert get(client, "sync_member", TRIPLESEAT, member_id="9")["success"] is False
    assert client.post("/_sandbox/members", json={"id": "9", "auth_id": "nobody"}).status_code == 400


@pytest.mark.parametrize("name", ["sevenrooms_app_not_in_audience", "sevenrooms_client_must_specify_duration"])
def test_sevenrooms_set_up_wrongly_has_no_offers_and_says_nothing(client: FlaskClient, name: str) -> None:
    assert offers(client, SEVENROOMS, "6101")
    switch(client, **{name: True})
    assert offers(client, SEVENROOMS, "6101", alternateTime=True, nextAvailableDate=True) == []
    assert offers(client, BOOK4TIME, "5101")
    assert offers(client, ACCOUNT, "24422569")


def test_every_second_technician_is_cheaper(client: FlaskClient) -> None:
    prices = {offer["technician_id"]: offer["price"] for offer in offers(client, ACCOUNT, "24422569")}
    assert (prices["17138931"], prices["58458149"], prices["72521939"]) == (100, 85, 100)


def test_whether_offers_have_an_offset_is_a_switch(client: FlaskClient) -> None:
    assert offers(client, ACCOUNT, "24422569")[0]["start"] == "2022-08-12T10:00:00+01:00"
    switch(client, peoplevine_offsets=False)
    assert offers(client, ACCOUNT, "24422569")[0]["start"] == "2022-08-12T10:00:00"


@pytest.mark.parametrize(
    ("region", "host", "known"),
    [("1", None, True), ("1", "1", True), ("1", "2", False), ("2", "2", True), ("2", "1", False), ("2", None, False)],
)
def test_the_other_region_does_not_know_the_account(
    client: FlaskClient, region: str, host: str | None, known: bool
) -> None:
    switch(client, peoplevine_region=region)
    query = {"member_id": "1000"} | ({"host": host} if host else {})
    answer = get(client, "sync_member", **query)
    assert answer["success"] is known
    assert answer["reason"] == (None if known else "Invalid credentials")


def test_no_two_accounts_give_the_same_id(client: FlaskClient) -> None:
    made = []
    for account, member, offer in (
        (ACCOUNT, 1000, DINNER | {"technician_id": "100", "service_id": "7", "facility_id": "24422054"}),
        (SEVENROOMS, 3000, DINNER),
    ):
        body = {"member_id": member, "notes": "", "offers": [offer]}
        answer = client.post("/res/create_service_reservation", query_string=account, json=body)
        made.append(answer.json["message"])
    assert len(set(made)) == 2


def test_a_from_is_seen_in_the_calls_and_credentials_are_not(client: FlaskClient) -> None:
    get(client, "sync_reservations", BOOK4TIME, **{"from": "2022-08-01T00:00:00Z"})
    [call] = client.get("/_sandbox/calls").json["calls"]
    assert (call["method"], call["effect"], call["query"]["from"]) == (
        "sync_reservations",
        "pulled",
        "2022-08-01T00:00:00Z",
    )
    assert not set(BOOK4TIME.values()) & set(call["query"].values())


def test_book4time_passes_reservations_on_in_a_batch_after_each_day() -> None:
    moment = NOW
    client = create_sandbox(now=lambda: moment).test_client()
    change = {"what": "reservations", "id": "R-77", "auth_id": "sandbox-book4time"}
    assert client.post("/_sandbox/changes", json=change).status_code == 200
    since = {"from": "2022-08-10T00:00:00Z"}
    assert get(client, "sync_reservations", BOOK4TIME, **since)["success_count"] == 0
    moment = datetime(2022, 8, 10, 23, 0, tzinfo=UTC)  # midnight in London
    assert get(client, "sync_reservations", BOOK4TIME, **since)["success_count"] == 1
    assert get(client, "sync_reservations", BOOK4TIME, **{"from": "2022-08-10T23:00:01Z"})["success_count"] == 0
    moment = NOW
    switch(client, book4time_daily_batches=False)
    assert get(client, "sync_reservations", BOOK4TIME, **since)["success_count"] == 1


def test_a_reservation_in_sevenrooms_has_its_statuses(client: FlaskClient) -> None:
    body = {"member_id": 3000, "notes": "", "offers": [DINNER]}
    id_ = client.post("/res/create_service_reservation", query_string=SEVENROOMS, json=body).json["message"]
    for status in ("SEATED", "PREPARTIALLYARRIVED", "CUSTOM_STATUS_27"):
        asked = {"id": id_, "status": status, "auth_id": "sandbox-sevenrooms"}
        assert client.post("/_sandbox/statuses", json=asked).status_code == 200
        behind = client.get("/_sandbox/state").json["behind"]["7rooms"]
        assert behind["reservations"][0]["status"] == status
    wrong = ({"status": "LOST"}, {"id": "9"}, {"auth_id": "sandbox-tripleseat"}, {"status": "CUSTOM_STATUS_"})
    assert {client.post("/_sandbox/statuses", json=asked | one).status_code for one in wrong} == {400}


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("reason", {"reason": "Member not found", "message": None}),
        ("message", {"reason": "Error", "message": "Member not found"}),
        ("both", {"reason": "Member not found", "message": "Member not found"}),
    ],
)
def test_where_a_failures_words_stand_is_a_switch(client: FlaskClient, where: str, told: dict[str, str]) -> None:
    switch(client, peoplevine_failure_words=where, peoplevine_credentials_words="Login failed for user")
    answer = get(client, "sync_member", member_id="5")
    assert {name: answer[name] for name in told} == told
    wrong = get(client, "sync_member", ACCOUNT | {"pass": "wrong"}, member_id="5")
    assert "Login failed for user" in (wrong["reason"], wrong["message"])
