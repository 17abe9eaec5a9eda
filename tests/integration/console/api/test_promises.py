"""What a program may rely on: an act sent again is the same act, pages hold everything once, and what was looked at is
told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bellhop.console.api.app import create_api_app, mount
from bellhop.console.api.tokens import hash_token, new_token
from bellhop.console.trends import Pulse
from bellhop.ledger.records import Role
from bellhop.schemas.errors import BrokerUnavailable
from bellhop.schemas.reasons import Reason
from tests.support.api import Api, problem
from tests.support.console import Console
from tests.support.ledger import NOON, event, finish, letter


@pytest.fixture
def api(tmp_path: Path, ledger_url: str) -> Iterator[Api]:
    one = Api(tmp_path, ledger_url=ledger_url)
    yield one
    one.close()


def job(api: Api, key: str, role: Role = Role.OPERATOR, **body: Any) -> Any:
    sent = {"ids": [1, 2], "why": "mended", **body}
    headers = {"Authorization": f"Bearer {api.tokens[role]}", "Idempotency-Key": key}
    return api.client.post("/jobs", headers=headers, json=sent)


# --- acts sent again --------------------------------------------------------------------------------------------


def test_a_job_that_is_asked_for_again_is_the_same_job(api: Api) -> None:
    api.dead(2)
    first, again = job(api, "night-1"), job(api, "night-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json["id"] == again.json["id"]
    assert len(api.get("/jobs")["rows"]) == 1
    assert [row["act"] for row in api.get("/audit")["rows"]].count("approve replay") == 1


def test_a_key_given_with_another_request_is_409_and_makes_nothing(api: Api) -> None:
    api.dead(2)
    assert job(api, "night-1").status_code == 201
    for other in ({"ids": [2]}, {"ids": [2, 1]}, {"why": "other"}, {"rate": 5}, {"kind": "discard"}):
        answer = job(api, "night-1", **other)
        assert (answer.status_code, "made job 1" in problem(answer)["detail"]) == (409, True)
    assert len(api.get("/jobs")["rows"]) == 1


def test_keys_of_one_token_are_nothing_to_another(api: Api) -> None:
    api.dead(2)
    assert job(api, "night-1").json["id"] != job(api, "night-1", Role.ADMIN).json["id"]


def test_the_same_request_many_times_at_once_makes_one_job(api: Api) -> None:
    api.dead(2)
    token = api.ledger.people.token(hash_token(api.tokens[Role.OPERATOR]))
    assert token is not None
    made: list[int] = []

    def ask() -> None:
        made.append(job(api, "night-1").json["id"])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert made == [made[0]] * 8


def test_what_is_in_doubt_is_in_a_job_only_where_somebody_says_so(api: Api) -> None:
    api.dead(1)
    api.dead(1, Reason.IN_DOUBT)
    answer = api.ask("POST", "/jobs", json={"ids": [1, 2], "why": "mended"})
    told = problem(answer)
    assert (answer.status_code, told["type"]) == (409, "urn:bellhop:problem:in-doubt")
    assert "twice: 2." in told["detail"]
    assert api.get("/jobs")["rows"] == []
    assert api.post("/jobs", {"ids": [1, 2], "why": "looked: nothing is booked", "in_doubt": True})["total"] == 2
    assert api.post("/jobs", {"ids": [2], "why": "is booked", "kind": "discard"})["total"] == 1


def test_an_edit_that_is_proposed_again_is_the_same_edit(tmp_path: Path) -> None:
    api = Api(tmp_path, second_approver=True)
    api.dead(1)
    body = {"changes": {"notes": "by the window"}, "why": "asked for"}
    first, again = api.post("/letters/1/edits", body), api.post("/letters/1/edits", body)
    other = api.post("/letters/1/edits", {**body, "changes": {"notes": "by the door"}})
    assert (first["id"], again["id"], other["id"]) == (1, 1, 2)
    api.post("/edits/1/refuse", {"why": "no"})
    assert api.post("/letters/1/edits", body)["id"] == 3
    api.close()


# --- pages ------------------------------------------------------------------------------------------------------


def test_a_cursor_is_bound_to_its_filter_and_list(api: Api) -> None:
    api.dead(4)
    cursor = api.get("/letters", route="bookings.simplybook", limit=1)["next"]
    assert [row["id"] for row in api.get("/letters", route="bookings.simplybook", limit=2, cursor=cursor)["rows"]]
    first = api.post("/jobs", {"ids": [1, 2], "why": "x"})["id"]
    other = api.post("/jobs", {"ids": [3, 4], "why": "x"})["id"]
    items = api.get(f"/jobs/{first}/items", limit=1)["next"]
    for path, query in (
        ("/letters", {"route": "members", "cursor": cursor}),
        ("/letters", {"cursor": cursor}),
        ("/letters", {"route": "bookings.simplybook", "order": "oldest", "cursor": cursor}),
        (f"/jobs/{other}/items", {"cursor": items}),
        (f"/jobs/{first}/items", {"cursor": items, "state": "done"}),
    ):
        answer = api.ask("GET", path, query_string=query)
        assert (answer.status_code, problem(answer)["errors"][0]["field"]) == (409, "cursor"), (path, query)


def pages(api: Api, order: str, between: Any) -> list[int]:
    """Every letter of an order, two at a time; `between` is called after each page."""
    found: list[int] = []
    body: dict[str, Any] = {"order": order, "limit": 2}
    while True:
        page = api.post("/letters/search", body, Role.VIEWER)
        found += [row["id"] for row in page["rows"]]
        if page["next"] is None:
            return found
        body["cursor"] = page["next"]
        between()


@pytest.mark.parametrize("order", ["newest", "oldest", "urgent"])
def test_pages_skip_and_repeat_nothing_while_letters_come_and_go(api: Api, order: str) -> None:
    for number in range(8):  # some start soon, some later, some are over, one has no start
        starts = None if number == 7 else NOON + timedelta(hours=(number % 4) * 2 - 1)
        gone = event(f"e-{number}", subject=f"R-{number}", not_after=starts)
        api.ledger.letters.archive([replace(letter(gone), not_after=starts)])
    api.post("/letters/discard", {"ids": [8], "why": "x"})
    stays = set(range(1, 8))

    def between() -> None:
        api.dead(1)
        api.clock.advance(hours=1)  # starts to come go by meanwhile

    found = pages(api, order, between)
    assert len(found) == len(set(found))
    assert stays <= set(found)


def test_a_filter_by_no_letter_at_all_is_not_one_for_every_letter(api: Api) -> None:
    api.dead(2)
    for empty in ({"id": []}, {"state": []}):
        answer = api.ask("POST", "/letters/preflight", json={"filter": empty})
        assert answer.status_code == 422, answer.text
        problem(answer)


def test_an_address_need_not_be_in_an_address(api: Api) -> None:
    api.dead(2)
    told = api.post("/search", {"q": "ada@example.com"}, Role.VIEWER)
    assert ({row["id"] for row in told["rows"]}, {row["id"] for row in told["letters"]}) == ({"e-1", "e-2"}, {1, 2})
    assert api.post("/letters/search", {"text": "ada r-2"}, Role.VIEWER)["count"] == 1
    assert "Ada" not in str(told)


# --- at a glance ------------------------------------------------------------------------------------------------


def test_the_overview_tells_what_needs_a_person_and_how_routes_go(api: Api) -> None:
    api.dead(2)
    api.ledger.pauses.pause("pulls", "ann", "it is ill")
    stopped = api.post("/jobs", {"ids": [1], "why": "mended"})["id"]
    api.ledger.jobs.finish(stopped, api.ledger.jobs.get(stopped).state.STOPPED, "the same cause came back")
    assert api.get("/overview")["measured"] is None
    pulse = Pulse(api.broker, api.ledger, lambda *_, **__: None, api.clock)
    pulse.beat()
    app = create_api_app(api.settings, api.ledger, api.broker, now=api.clock, pulse=pulse)
    api.client = app.test_client()
    finish(api.ledger, event("e-9", "member.updated"))
    api.clock.advance(seconds=5)
    pulse.beat()
    told = api.get("/overview")
    assert (told["problem"], told["open"], told["reasons"]) == ("", 2, {"rejected": 2})
    assert [row["id"] for row in told["urgent"]] == [2, 1]
    assert {(need["what"], need["name"], need["why"]) for need in told["needs"]} == {
        ("job", str(stopped), "the same cause came back"),
        ("route", "pulls", "it is ill"),
    }
    assert {row["route"]: row["success"] for row in told["routes"]}["members"] == 1.0
    series = api.get("/series")
    assert series["beat_seconds"] == 5.0
    assert {row["route"]: len(row["ended_per_second"]) for row in series["rows"]}["members"] == 2


def test_an_events_timeline_is_masked_until_an_operator_looks_which_is_audited(api: Api) -> None:
    api.dead(1)
    api.post("/letters/1/notes", {"text": "rang the guest"})
    masked = api.get("/timeline", source="crm", id="e-1")["rows"]
    assert masked[0]["title"].startswith("Received")
    assert ("rang the guest", 1) in [(row["text"], row["letter"]) for row in masked]
    assert "Ada" not in str(masked)
    answer = api.ask("GET", "/timeline?source=crm&id=e-1&reveal=true", Role.VIEWER)
    assert (answer.status_code, problem(answer)["title"]) == (403, "Forbidden")
    assert "Ada Lee" in str(api.get("/timeline", Role.OPERATOR, source="crm", id="e-1", reveal="true"))
    looked = [(row["who"], row["what"]) for row in api.get("/audit", act="reveal")["rows"]]
    assert looked == [("token 2 operators", "event crm/e-1")]
    assert api.ask("GET", "/timeline?source=crm&id=nowhere").status_code == 404


# --- people -----------------------------------------------------------------------------------------------------


def test_a_token_ends_when_it_was_to(api: Api) -> None:
    until = NOON + timedelta(days=1)
    made = api.post("/tokens", {"name": "x", "role": "viewer", "expires": until.isoformat()}, Role.ADMIN)
    assert made["expires"] == "2026-11-22T12:00:00Z"
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert api.client.get("/routes", headers=headers).status_code == 200
    api.clock.time = until
    assert api.client.get("/routes", headers=headers).status_code == 401
    answer = api.ask("POST", "/tokens", json={"name": "x", "role": "viewer", "expires": NOON.isoformat()})
    assert problem(answer)["errors"] == [{"field": "expires", "rule": "must be in the future"}]


def test_nobody_approves_their_own_edit_by_a_token_that_their_token_made(tmp_path: Path) -> None:
    api = Api(tmp_path, second_approver=True)
    api.dead(1)
    made = api.post("/tokens", {"name": "grandchild", "role": "operator"}, Role.ADMIN)  # ann made the admins' token
    body = {"changes": {"notes": "by the window"}, "why": "asked for"}
    edit = api.post("/letters/1/edits", body)  # by ann's operators' token
    headers = {"Authorization": f"Bearer {made['token']}"}
    answer = api.client.post(f"/edits/{edit['id']}/approve", headers=headers, json={})
    assert (answer.status_code, "yours" in problem(answer)["detail"]) == (409, True)
    other = new_token()
    api.ledger.people.add_token("bobs", Role.OPERATOR, hash_token(other), "bob")
    answer = api.client.post(f"/edits/{edit['id']}/approve", headers={"Authorization": f"Bearer {other}"}, json={})
    assert answer.json["replayed"] is True
    api.close()


def test_a_session_of_the_console_opens_nothing_here(tmp_path: Path) -> None:
    console = Console(tmp_path)
    mount(console.app, create_api_app(console.settings, console.ledger, console.broker, now=console.clock))
    browser = console.bob.client
    assert browser.get("/letters").status_code == 200
    pause = {"why": "x"}
    for answer in (browser.get("/api/v1/queues"), browser.post("/api/v1/routes/members/pause", json=pause)):
        assert answer.status_code == 401
        problem(answer)
    assert console.ledger.pauses.all() == []
    console.close()


def test_every_503_says_when_to_try_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.dead(1)
    publisher = api.broker.publisher()

    class Deaf:
        def publish(self, *_: object) -> Any:
            raise BrokerUnavailable("amqp://secret is away")

    monkeypatch.setattr(type(api.broker), "publisher", lambda _self: Deaf())
    body = {"changes": {"notes": "by the window"}, "why": "asked for"}
    answer = api.ask("POST", "/letters/1/edits", json=body)
    publisher.close()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "secret" not in answer.text
