"""The page of people and tokens, for admins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bellhop.console.access.passwords import hash_password, matches
from bellhop.console.access.sessions import Sessions
from bellhop.console.api.tokens import hash_token as token_hash
from bellhop.console.context import KEY
from bellhop.ledger.records import Role
from tests.support.console import Console, Page, Person

KEPT = hash_password("correct horse battery")


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    made = Console(tmp_path)
    made.ledger.people.add_user("root", Role.ADMIN, KEPT, "setup")
    made.ledger.people.add_user("cat", Role.VIEWER, KEPT, "setup")
    yield made
    made.close()


@pytest.fixture
def root(console: Console) -> Person:
    return Person(console, "root", Role.ADMIN)


def _shown(page: str) -> str:
    found = re.search(r'<pre class="once"[^>]*>([^<]+)</pre>', page)
    assert found, page[-3000:]
    return found[1]


def test_nobody_but_an_admin_sees_or_changes_people(console: Console, root: Person) -> None:
    paths = ("/people", "/people/change", "/people/tokens", "/people/tokens/1/revoke")
    for person in (console.viewer, console.ann):
        assert "requires the role admin" in person.get("/people", 403)
        assert 'href="/people"' not in person.get("/")
        for path in paths:
            assert person.send(path, {"name": "x", "role": "admin", "step": "remove"}).status_code == 403, path
    assert 'href="/people"' in root.get("/")
    assert [user.name for user in console.ledger.people.users()] == ["cat", "root"]


def test_somebody_is_added_and_signs_in_with_a_password_that_is_shown_once(console: Console, root: Person) -> None:
    answer = root.send("/people", {"name": " Zoe Lee ", "role": "operator"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    password = _shown(answer.text)
    assert len(password) >= 20
    assert password not in root.get("/people")
    assert password not in root.get("/audit")
    assert password not in str(answer.headers)
    zoe = console.nobody()
    assert zoe.client.post("/sign-in", data={"name": "Zoe Lee", "password": password}).status_code == 302
    assert "operator" in zoe.get("/")
    assert ("root", "add user", None, "as operator") in console.acts()


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\nb", "guest", "Local Admin", "Token 1 dash"])
def test_a_name_that_would_deceive_the_audit_is_not_taken(console: Console, root: Person, name: str) -> None:
    assert "name" in root.post("/people", {"name": name, "role": "viewer"})
    assert "name" in root.post("/people/tokens", {"name": name, "role": "viewer"})
    assert len(console.ledger.people.users()) == 2
    assert console.ledger.people.tokens() == []


def test_a_name_that_is_taken_stays_as_it_is(console: Console, root: Person) -> None:
    assert "there is a user cat already" in root.post("/people", {"name": "cat", "role": "admin"})
    cat = console.ledger.people.user("cat")
    assert cat is not None
    assert cat.role is Role.VIEWER


def test_a_role_is_changed_and_holds_at_once(console: Console, root: Person) -> None:
    cat = Person(console, "cat", Role.VIEWER)
    assert "cat is now operator" in root.post("/people/change", {"name": "cat", "step": "role", "role": "operator"})
    assert cat.client.get("/").status_code == 302
    assert root.send("/people/change", {"name": "cat", "step": "role", "role": "king"}).status_code == 400
    assert root.send("/people/change", {"name": "cat", "step": "crown"}).status_code == 400


def test_sessions_are_ended_and_a_new_password_is_made(console: Console, root: Person) -> None:
    cat = Person(console, "cat", Role.VIEWER)
    assert "1\N{MULTIPLICATION SIGN}" in root.get("/people")
    assert "is signed out" in root.post("/people/change", {"name": "cat", "step": "sessions"})
    assert cat.client.get("/").status_code == 302
    password = _shown(root.send("/people/change", {"name": "cat", "step": "password"}).text)
    user = console.ledger.people.user("cat")
    assert user is not None
    assert matches(password, user.password_hash)
    assert [act for who, act, _, _ in console.acts() if who == "root"] == ["end sessions", "change user"]


def test_somebody_is_shut_out_let_in_again_and_removed(console: Console, root: Person) -> None:
    cat = Person(console, "cat", Role.VIEWER)
    assert "is disabled" in root.post("/people/change", {"name": "cat", "step": "disable"})
    assert cat.client.get("/").status_code == 302
    assert "is enabled" in root.post("/people/change", {"name": "cat", "step": "enable"})
    cat = Person(console, "cat", Role.VIEWER)
    assert "is removed" in root.post("/people/change", {"name": "cat", "step": "remove"})
    assert cat.client.get("/").status_code == 302
    assert console.ledger.people.user("cat") is None
    assert "there is no user cat" in root.post("/people/change", {"name": "cat", "step": "remove"})
    assert [act for who, act, _, _ in console.acts() if who == "root"][-1] == "remove user"


@pytest.mark.parametrize("step", ["role", "disable", "remove"])
def test_no_admin_locks_themselves_out_by_a_slip(console: Console, root: Person, step: str) -> None:
    assert "You cannot do this to yourself" in root.post(
        "/people/change", {"name": "root", "step": step, "role": "viewer"}
    )
    assert root.client.get("/people").status_code == 200


def test_a_token_may_end_by_itself(console: Console, root: Person) -> None:
    for lasts in ("90", "", "soon"):
        root.send("/people/tokens", {"name": f"lasts {lasts}", "role": "viewer", "lasts": lasts})
    ends = [token.expires for token in sorted(console.ledger.people.tokens(), key=lambda token: token.id)]
    assert ends == [console.clock() + timedelta(days=90), None, None]
    assert "expires " in root.get("/people")


def test_a_token_is_made_shown_once_and_revoked(console: Console, root: Person) -> None:
    token = _shown(root.send("/people/tokens", {"name": "Grafana", "role": "viewer"}).text)
    page = root.get("/people")
    assert token not in page
    assert "1 Grafana" in page
    kept = console.ledger.people.token(token_hash(token))
    assert kept is not None
    assert (kept.role, kept.who) == (Role.VIEWER, "root")
    assert "is revoked" in root.post("/people/tokens/1/revoke")
    assert console.ledger.people.token(token_hash(token)) is None
    assert "there is no token 7" in root.post("/people/tokens/7/revoke")
    assert root.send(f"/people/tokens/{2**63}/revoke").status_code == 404
    assert [act for who, act, _, _ in console.acts() if who == "root"] == ["add token", "revoke token"]


def test_who_the_provider_signed_in_is_seen_and_signed_out(console: Console, root: Person) -> None:
    Sessions(console.ledger.people, 3600, console.clock).open("eve@example.test", Role.OPERATOR)
    assert "eve@example.test" in root.get("/people")
    root.post("/people/change", {"name": "eve@example.test", "step": "sessions"})
    assert "eve@example.test" not in root.get("/people").partition("is signed out")[2]


def test_who_signs_in_by_the_provider_is_added_without_a_password(console: Console, root: Person) -> None:
    assert "Signs in with" not in root.get("/people")
    console.app.extensions[KEY].provider = object()
    assert "Signs in with" in root.get("/people")
    page = root.post("/people", {"name": "eve@example.test", "role": "viewer", "by": "provider"})
    assert "is added" in page
    eve = console.ledger.people.user("eve@example.test")
    assert eve is not None
    assert eve.password_hash == ""


def test_the_page_of_people_can_be_read_by_who_does_not_see_it(console: Console, root: Person) -> None:
    console.ledger.people.add_user('<img src=x onerror="alert(1)">', Role.VIEWER, "", "root")
    console.ledger.people.add_token("<b>", Role.VIEWER, "hash", "<i>")
    text = root.get("/people")
    assert "<img src=x" not in text
    assert "<b>" not in text
    page = Page(text)
    labelled = {label.get("for") for label in page.of("label")}
    fields = [field for field in page.of("input", "select") if field.get("type") != "hidden"]
    assert [field for field in fields if field.get("id") not in labelled] == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_without_users_the_page_says_so(tmp_path: Path) -> None:
    console = Console(tmp_path)
    guest = Person(console, "local admin", Role.ADMIN)
    page = guest.get("/people")
    assert "No users yet" in page
    assert "No tokens" in page
    console.close()
