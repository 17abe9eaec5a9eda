"""`POST /webhooks/<source>` for upstreams that write, and prove themselves, in their own way."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from typing import Any

import pytest
from flask.testing import FlaskClient

from bellhop.ingest.app import create_app
from bellhop.schemas.clock import Clock
from bellhop.schemas.envelope import Envelope, decode
from bellhop.schemas.errors import BrokerUnavailable
from bellhop.vendors.settings import build
from tests.support.ingress import DOCUMENT, NOW, TOKEN, MemoryEvents, MemoryPublisher, Told, bearing

KEY = "a-signing-key"
SECRET = "secret-in-the-address-42"
SOURCES: dict[str, dict[str, Any]] = {
    "seven": {"format": "sevenrooms", "pull_account": "club", "verifier": "path-secret", "secrets": [SECRET]},
    "seats": {"format": "tripleseat", "pull_account": "club", "verifier": "tripleseat", "secrets": [KEY]},
    "acuity": {
        "format": "mapped",
        "verifier": "acuity",
        "secrets": [KEY],
        "member_account": "club",
        "map": {"type": {"value": "member.updated"}, "data.member_id": "id"},
    },
    "vine": {
        "format": "mapped",
        "verifier": "query-secret",
        "secrets": [SECRET],
        "member_account": "club",
        "map": {"type": {"value": "member.updated"}, "data.member_id": "customer_no"},
    },
    "labels": {"verifier": "bearer", "secrets": [TOKEN], "member_account": "club"},
    "salon": {"format": "simplybook", "account": "salon", "verifier": "query-secret", "secrets": [SECRET]},
}


class Ingress:
    def __init__(self) -> None:
        club = DOCUMENT["accounts"]["club"] | {"system": "sevenrooms"}
        settings = build(DOCUMENT | {"sources": SOURCES, "accounts": DOCUMENT["accounts"] | {"club": club}})
        self.publisher, self.told = MemoryPublisher(), Told()
        app = create_app(settings, self.publisher, MemoryEvents(), observe=self.told, clock=Clock(now=lambda: NOW))
        self.client: FlaskClient = app.test_client()

    def post(self, path: str, content: object, **headers: str) -> Any:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        given = {"content-type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return self.client.post(f"/webhooks/{path}", data=data, headers=given)

    @property
    def envelopes(self) -> list[Envelope]:
        return [decode(message.body) for message, _ in self.publisher.published]


@pytest.fixture
def ingress() -> Ingress:
    return Ingress()


def item(id_: str = "r-1", **more: Any) -> dict[str, Any]:
    return {"event_type": "updated", "entity": {"id": id_, "updated": "2026-11-20T11:00:00"}} | more


def seated(trigger: str = "UPDATE_EVENT") -> bytes:
    event = {"id": 7, "site_id": 4, "updated_at": "11/20/2026 11:00 AM"}
    return json.dumps({"webhook_trigger_type": trigger, "event": event}).encode()


def timed(content: bytes) -> str:
    at = str(int(NOW.timestamp()))
    return f"t={at},v1={hmac.new(KEY.encode(), f'{at}.'.encode() + content, hashlib.sha256).hexdigest()}"


# --- several in one ---------------------------------------------------------------------------------------------


def test_a_list_is_published_whole_and_each_event_is_answered(ingress: Ingress) -> None:
    answer = ingress.post(f"seven/{SECRET}", [item("r-1"), item("r-2"), item(entity_type="feedback")])
    assert answer.status_code == 202
    first, second, third = answer.get_json()["events"]
    assert [envelope.id for envelope in ingress.envelopes] == [first["id"], second["id"]]
    assert first["status_url"] == f"/events/seven/{first['id']}"
    assert third == {"ignored": "its entity_type is neither a reservation nor a client"}
    ((name, told),) = ingress.told.calls
    assert (name, told["events"], told["id"]) == ("webhook.accepted", 2, first["id"])


def test_a_list_of_one_is_answered_as_one(ingress: Ingress) -> None:
    assert set(ingress.post(f"seven/{SECRET}", [item()]).get_json()) == {"id", "status_url"}


def test_one_invalid_event_of_a_list_is_refused_and_the_others_are_taken_and_each_is_told(ingress: Ingress) -> None:
    client = {"event_type": "created", "entity_type": "client", "entity": {"id": "c", "created": "2026-11-20T11:00:00"}}
    answer = ingress.post(f"seven/{SECRET}", [item("r-1"), item(entity={"id": "x"}), client, item("r-2")])
    assert answer.status_code == 422
    told = answer.get_json(force=True)
    assert told["errors"] == [{"field": "1.entity.created", "rule": "is required"}]
    assert told["detail"].startswith("1 of the 4 events break their contract.")
    first, refused, ignored, last = told["events"]
    assert refused == {"errors": told["errors"]}
    assert list(ignored) == ["ignored"]
    assert [first["id"], last["id"]] == [one.id for one in ingress.envelopes]
    assert first["id"] != last["id"]


def test_a_list_with_a_refused_event_sent_again_is_known_and_what_was_mended_is_taken(ingress: Ingress) -> None:
    for second in ({"id": "x"}, {"id": "x"}, item("r-2")["entity"]):
        ingress.post(f"seven/{SECRET}", [item("r-1"), item(entity=second)])
    ids = [one.id for one in ingress.envelopes]
    assert len(ids) == 4
    assert len({*ids[:3]}) == 1


def test_where_all_of_a_list_is_refused_nothing_is_taken(ingress: Ingress) -> None:
    answer = ingress.post(f"seven/{SECRET}", [item(entity={"id": "x"}), item(entity={"id": "y"})])
    assert (answer.status_code, len(answer.get_json(force=True)["errors"])) == (422, 2)
    assert ingress.publisher.published == []


def test_where_the_broker_is_away_a_list_with_a_refused_event_is_to_be_sent_again(ingress: Ingress) -> None:
    ingress.publisher.fail = BrokerUnavailable("away")
    assert ingress.post(f"seven/{SECRET}", [item("r-1"), item(entity={"id": "x"})]).status_code == 503


def test_where_one_is_not_confirmed_none_is_promised_and_the_ids_are_the_same_again(ingress: Ingress) -> None:
    body = [item("r-1"), item("r-2")]
    ingress.publisher.fail = BrokerUnavailable("away")
    assert ingress.post(f"seven/{SECRET}", body).status_code == 503
    ingress.publisher.fail = None
    answers = [ingress.post(f"seven/{SECRET}", body).get_json() for _ in range(2)]
    assert answers[0] == answers[1]


# --- ignored, warned --------------------------------------------------------------------------------------------


def test_a_lead_is_answered_200_and_told_of_as_ignored(ingress: Ingress) -> None:
    content = seated("CREATE_LEAD")
    answer = ingress.post("seats", content, X_Signature=timed(content))
    assert (answer.status_code, list(answer.get_json())) == (200, ["ignored"])
    ((name, told),) = ingress.told.calls
    assert (name, told["source"], told["status"]) == ("webhook.ignored", "seats", 200)
    assert ingress.publisher.published == []


def test_tripleseat_is_answered_200(ingress: Ingress) -> None:
    answer = ingress.post("seats", seated(), X_Signature=timed(seated()))
    assert (answer.status_code, ingress.envelopes[0].account) == (200, "club")


def test_a_label_that_will_not_sync_is_warned_of_in_the_answer_and_the_envelope(ingress: Ingress) -> None:
    body = {
        "type": "member.updated",
        "timestamp": "2026-11-20T11:00:00Z",
        "data": {"member_id": 1, "attributes": {"wine": "red"}},
    }
    warnings = ingress.post("labels", body, **bearing()).get_json()["warnings"]
    assert 'spelled "Wine"' in warnings[0]
    assert list(ingress.envelopes[0].warnings) == warnings


# --- forms ------------------------------------------------------------------------------------------------------

FORM = b"action=scheduled&id=1&calendarID=2&appointmentTypeID=3&note=caf%C3%A9+au+lait"


def acuity(content: bytes) -> dict[str, str]:
    signature = b64encode(hmac.new(KEY.encode(), content, hashlib.sha256).digest()).decode()
    return {"X_Acuity_Signature": signature, "content-type": "application/x-www-form-urlencoded"}


def test_acuitys_form_is_taken(ingress: Ingress) -> None:
    assert ingress.post("acuity", FORM, **acuity(FORM)).status_code == 202
    assert ingress.envelopes[0].subject == "1"


@pytest.mark.parametrize("content", [b"", b"no form", b"id=1&id=2", b"id=%FF", b"id=\xff", b"&".join([b"a=1"] * 1001)])
def test_what_is_no_form_is_refused(ingress: Ingress, content: bytes) -> None:
    answer = ingress.post("acuity", content, **acuity(content))
    assert (answer.status_code, answer.get_json(force=True)["type"]) == (400, "urn:bellhop:problem:malformed-form")


def test_no_other_source_takes_a_form(ingress: Ingress) -> None:
    answer = ingress.post(f"vine?secret={SECRET}", FORM, **{"content-type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 415


# --- secrets in the address -------------------------------------------------------------------------------------


def test_a_secret_in_the_query_is_good(ingress: Ingress) -> None:
    answers = [ingress.post(f"vine?secret={SECRET}", {"customer_no": 6448}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert len({envelope.id for envelope in ingress.envelopes}) == 2  # the member changed twice


@pytest.mark.parametrize(
    "path", [f"seven/{SECRET}x", "seven", "seven/", f"seven/{SECRET}x/", f"vine?secret={SECRET}x", f"seven/x/{SECRET}"]
)
def test_neither_the_answer_nor_what_is_told_repeats_an_address_secret(ingress: Ingress, path: str) -> None:
    answer = ingress.post(path, item())
    assert answer.status_code in (401, 404)
    told = answer.get_json(force=True)
    assert told["instance"] in ("/webhooks/seven", "/webhooks/vine")
    assert SECRET not in answer.text
    assert SECRET not in repr(ingress.told.calls)


def test_an_address_with_a_secret_may_end_in_a_slash(ingress: Ingress) -> None:
    assert ingress.post(f"seven/{SECRET}/", item()).status_code == 202
    assert ingress.post(f"vine/?secret={SECRET}", {"customer_no": 6448}).status_code == 202


@pytest.mark.parametrize("path", [f"seven/{SECRET}", f"vine?secret={SECRET}"])
def test_a_refused_body_does_not_tell_the_secret_either(ingress: Ingress, path: str) -> None:
    for content in (b"{", b"{}", b"x" * 70_000):
        answer = ingress.post(path, content)
        assert answer.status_code in (400, 413, 422)
        assert SECRET not in answer.text
    ingress.publisher.fail = RuntimeError(SECRET)  # type: ignore[assignment]
    answer = ingress.post(path, item() if "seven" in path else {"customer_no": 1})
    assert (answer.status_code, SECRET in answer.text) == (500, False)
    assert SECRET not in repr(ingress.told.calls)


@pytest.mark.parametrize("path", ["vine?secret=%FF", "vine?secret=&secret=", "seven/%FF%00", "vine?%", "seven/%2F"])
def test_an_address_that_is_no_text_is_refused_and_makes_nothing_crash(ingress: Ingress, path: str) -> None:
    assert ingress.post(path, item()).status_code in (401, 404)
    assert "webhook.crashed" not in ingress.told.names


def test_no_other_source_has_an_address_below_its_own(ingress: Ingress) -> None:
    assert ingress.post(f"vine/{SECRET}", {"customer_no": 1}).status_code == 404
    assert ingress.client.get(f"/webhooks/vine/{SECRET}").status_code == 404


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["acuity", "seats", "seven", f"seven/{SECRET}", "seven/wrong", "vine?secret=x"])
def test_a_probe_is_answered_200_whatever_the_secret(ingress: Ingress, method: str, path: str) -> None:
    assert ingress.client.open(f"/webhooks/{path}", method=method, data=b"{").status_code == 200


def test_a_callback_of_simplybook_is_taken(ingress: Ingress) -> None:
    body = {"booking_id": "8", "booking_hash": "f3653d53", "company": "salon-ltd", "notification_type": "create"}
    answer = ingress.post(f"salon?secret={SECRET}", body)
    assert answer.get_json()["id"] == "8-create"
    assert ingress.envelopes[0].route == "callbacks.simplybook"
