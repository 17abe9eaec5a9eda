"""A source's own page: what its developers see and do, and that they see nothing of anybody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from bellhop.ingest.again import RefusedTaker
from bellhop.ledger.records import TO_CANCEL, AskState, Booking, Entry, EntryState, State
from bellhop.letters.by_hand import HandResults
from bellhop.schemas.envelope import decode
from bellhop.schemas.reasons import Reason
from bellhop.schemas.rotations import good_secrets
from tests.contract.ledger.test_refusals import post
from tests.support.console import Console
from tests.support.ingress import MemoryPublisher
from tests.support.ledger import NOON, die, end, event, finish, letter

SECRETS = {name: f"whsec_{letter * 40}" for name, letter in (("crm", "A"), ("pms", "B"))}
SOURCES = "".join(
    f'[sources.{name}]\nverifier = "standard-webhooks"\nsecrets = ["{secret}"]\n' for name, secret in SECRETS.items()
)
THEIRS = ("pms-event", "PMS-REF", "pms-field", "Theo of the PMS", "pms-became", "vendor-of-pms")
"""What stands in the ledger of the source pms: none of it is for crm's eyes."""


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    made = Console(tmp_path, SOURCES)
    made.parts.take_refused = RefusedTaker(lambda: made.settings, lambda: made.parts.publisher, made.ledger.event).take
    made.parts.sleep = lambda _seconds: None
    yield made
    made.close()


def new_link(console: Console, source: str = "crm", why: str = "Mia of the CRM") -> str:
    """Its token."""
    answer = console.ann.send(f"/sources/{source}/links", {"why": why, "lasts": "7d"})
    found = re.search(r'id="link">http://127\.0\.0\.1:8070/source/enter#([\w-]+)<', answer.text)
    assert found, answer.text[-2000:]
    return found[1]


def enter(console: Console, token: str) -> FlaskClient:
    client = console.app.test_client()
    answer = client.post("/source/enter", data={"token": token})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/source/")
    return client


def send(client: FlaskClient, path: str, **form: str) -> TestResponse:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/source/secret").text)
    assert found
    return client.post(path, data={"csrf": found[1], **form}, follow_redirects=True)


def fill(console: Console) -> None:
    """Both sources have events, refusals, links and asks."""
    ledger = console.ledger
    for name in ("crm", "pms"):
        finish(ledger, event(f"{name}-event", subject=f"{name.upper()}-REF", source=name))
        gone = event(f"{name}-dead", source=name)
        end(ledger, gone, State.DEAD, reason=Reason.REJECTED, detail=f"vendor-of-{name}")
        ledger.refusals.enter(
            [post(f"{name}-1", name, problems=((f"data.{name}-field", "is unknown"),), signed_id=f"{name}-msg")]
        )
    ledger.refusals.note_taken({ledger.refusals.last("pms")[0].number: "pms-became"}, "ann", "mended")
    ledger.refusals.enter([post("pms-2", "pms", problems=(("data.pms-field", "is unknown"),))])


def test_a_link_opens_the_page_of_its_source(console: Console) -> None:
    fill(console)
    client = enter(console, new_link(console))

    page = client.get("/source/").text
    assert "crm-event" in page
    assert "CRM-REF" in page
    one = client.get("/source/event?id=crm-event").text
    assert "Done: it is at the vendor." in one
    assert "No." in one
    dead = client.get("/source/event?id=crm-dead").text
    assert "The vendor refused it." in dead
    assert "vendor-of-crm" not in dead  # a vendor's words may name a guest
    refused = client.get("/source/refused").text
    assert "crm-field" in refused


def test_the_results_of_what_an_operator_did_by_hand_are_listed(console: Console) -> None:
    ledger, publisher = console.ledger, MemoryPublisher()
    cancel = event("c-1", "booking.cancelled", at=5)
    asked = Entry("77", 0, "e-1", EntryState.CONFIRMED, left_by=f"{TO_CANCEL}c-1")
    die(ledger, cancel, Reason.UNSUPPORTED, applies=True, booking=Booking("crm", "R-1", "sb", (asked,)))
    ledger.letters.archive([letter(cancel, Reason.UNSUPPORTED)])
    client = enter(console, new_link(console))
    assert "settings name no result_url of yours" in client.get("/source/event?id=c-1").text
    ledger.letters.discard([1], "ann", "cancelled there")
    HandResults(ledger, publisher, ["crm"], lambda: NOON).step()
    for message, _ in publisher.published:
        end(ledger, decode(message.body), State.DONE)
    assert "what the operator did by hand" in client.get("/source/event?id=c-1").text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_link_shows_nothing_of_another_source_whatever_is_asked_for(console: Console, data: st.DataObject) -> None:
    if not console.ledger.events_of_source("pms"):
        fill(console)
        new_link(console, "pms", "Theo of the PMS")
    client = enter(console, new_link(console))
    cause = console.ledger.refusals.causes("pms")[0].cause
    own = [rule for rule in console.app.url_map.iter_rules() if rule.endpoint.startswith("source_page.")]
    path = data.draw(st.sampled_from([rule.rule for rule in own if "<" not in rule.rule]))
    words = st.sampled_from([*THEIRS, cause, "pms", "1", "2", "0", "999", "%", "pms-dead"])
    names = ("id", "q", "source", "before", "cause", "name", "token", "number")
    asked = data.draw(st.dictionaries(st.sampled_from(names), words, max_size=4))
    acts = data.draw(st.booleans())

    answer = send(client, path, **asked, why="mended") if acts else client.get(path, query_string=asked)

    hidden = {*THEIRS, SECRETS["pms"]} - set(asked.values())  # what was asked for stands in its own field
    assert not [word for word in hidden if word in answer.text]
    assert "/source/event?id=pms" not in answer.text
    assert len(console.ledger.refusals.waiting("pms")) == 1
    assert console.ledger.take_asks.open("pms") == []
    assert not console.ledger.rotations.of("pms")


def test_a_link_opens_no_page_of_the_console_and_a_session_no_sources_page(console: Console) -> None:
    client = enter(console, new_link(console))
    for rule in console.app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and "<" not in rule.rule and not rule.rule.startswith("/source/"):
            answer = client.get(rule.rule)
            assert answer.status_code in (302, 404) or rule.endpoint.startswith("entry."), rule.rule
    assert console.ann.client.get("/source/").headers["Location"] == "/source/enter"


@pytest.mark.parametrize("how", ["revoked", "expired", "made up", "source gone"])
def test_a_link_that_is_over_opens_nothing(console: Console, how: str) -> None:
    token = new_link(console)
    client = enter(console, token)
    if how == "revoked":
        console.ann.post(f"/source-links/{console.ledger.source_links.all()[0].number}/revoke", {"why": "lost"})
    elif how == "expired":
        console.clock.advance(days=7)
    elif how == "made up":
        client.set_cookie("bellhop_source", "x" * 43, path="/source")
        token = "x" * 43
    else:
        object.__setattr__(console.settings, "sources", {})

    assert client.get("/source/").headers["Location"] == "/source/enter"
    assert client.post("/source/enter", data={"token": token}).status_code == 403


def test_the_token_of_a_link_stands_in_no_address_audit_or_telling(console: Console) -> None:
    token = new_link(console)
    enter(console, token)
    assert token not in repr(console.acts())
    assert token not in repr(console.told)
    assert token not in console.ann.get("/sources")
    assert ("ann", "make source link", None, "Mia of the CRM") in console.acts()


def test_an_act_needs_the_links_own_word(console: Console) -> None:
    client = enter(console, new_link(console))
    for path in ("/source/secret", "/source/refused", "/source/leave"):
        assert client.post(path, data={"csrf": "x"}).status_code == 403
    assert not console.ledger.rotations.of("crm")


def test_a_secret_is_rotated_shown_once_and_good_beside_the_old_one(console: Console) -> None:
    client = enter(console, new_link(console))
    page = send(client, "/source/secret", last="0", overlap="1h").text
    found = re.search(r'id="secret">(whsec_[^<]+)<', page)
    assert found, page[-2000:]
    new = found[1]
    (rotation,) = console.ledger.rotations.of("crm")
    source = console.settings.sources["crm"]
    assert set(good_secrets(source.verifier, source.secrets, [rotation], NOON)) == {new, SECRETS["crm"]}
    assert "has not taken it yet" in page
    assert "not in use yet" in client.get("/source/secret").text
    assert new not in client.get("/source/secret").text
    assert new not in repr(console.acts())
    assert ("link 1 of source crm", "rotate secret") in [act[:2] for act in console.acts()]

    console.ledger.rotations.note_taken([rotation.number])
    assert "in use" in client.get("/source/secret").text
    again = send(client, "/source/secret", last="0")
    assert "has been rotated meanwhile" in again.text
    assert len(console.ledger.rotations.of("crm")) == 1


def test_refused_posts_are_asked_for_and_granted_in_one_act(console: Console) -> None:
    fill(console)
    client = enter(console, new_link(console))
    (cause,) = console.ledger.refusals.causes("crm")
    assert "has been asked" in send(client, "/source/refused", cause=cause.cause, why="the field is known now").text
    (ask,) = console.ledger.take_asks.open()
    console.parts.pulse.beat()
    assert "asks to take 1 refused post again" in console.ann.get("/")
    assert "the field is known now" in console.ann.get("/sources")

    told = console.ann.post(f"/asks/{ask.number}/grant", {"why": ""})
    assert "1 refused still" in told  # its body is none of ours
    assert console.ledger.take_asks.open() == [ask]

    assert "Declined" in console.ann.post(f"/asks/{ask.number}/decline", {"why": "send it anew"})
    (ended,) = console.ledger.take_asks.of_source("crm")
    assert (ended.state, ended.who) == (AskState.DECLINED, "ann")
    assert "send it anew" in client.get("/source/refused").text


def test_where_the_settings_allow_it_a_source_takes_its_posts_itself(console: Console) -> None:
    fill(console)
    object.__setattr__(console.settings.sources["crm"], "retake", "allow")
    client = enter(console, new_link(console))
    (cause,) = console.ledger.refusals.causes("crm")
    page = send(client, "/source/refused", cause=cause.cause, why="mended").text
    assert "1 still break their contract" in page
    assert console.ledger.take_asks.open() == []


def test_a_viewer_makes_no_link(console: Console) -> None:
    assert console.viewer.send("/sources/crm/links", {"why": "me"}).status_code == 403
    assert "Make a link" not in console.viewer.get("/sources")
