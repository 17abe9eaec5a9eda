"""Coming in at the console: what an attacker tries, and what must not stop whom it should let in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bellhop.console.access import login
from bellhop.console.access.passwords import hash_password
from bellhop.console.access.sessions import LINK_LASTS, OneTimeLink, Sessions
from bellhop.console.views import entry
from bellhop.ledger.records import Role
from bellhop.schemas.errors import LedgerUnavailable
from tests.support.console import Console

PASSWORD = "correct horse battery"
KEPT = hash_password(PASSWORD)
OTHER = hash_password("another battery")
FORM = {"name": "cat", "password": PASSWORD}


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    made = Console(tmp_path)
    made.ledger.people.add_user("cat", Role.OPERATOR, KEPT, "root")
    yield made
    made.close()


def _sign_in(console: Console, form: dict[str, str], at: str = "10.0.0.1", **headers: str) -> int:
    environ = {"REMOTE_ADDR": at}
    return console.nobody().client.post("/sign-in", data=form, headers=headers, environ_base=environ).status_code


def test_a_busy_office_that_signs_in_well_is_never_told_to_wait(console: Console) -> None:
    for number in range(3):
        console.ledger.people.add_user(f"p-{number}", Role.VIEWER, KEPT, "root")
    for number in range(login.TRIES_OF_AN_ADDRESS + 3):
        assert _sign_in(console, {"name": f"p-{number % 3}", "password": PASSWORD}) == 302, number


def test_a_sign_in_that_succeeds_forgives_nothing_else_of_its_address(console: Console) -> None:
    """Else whoever has one account could guess at all others for ever."""
    for number in range(login.TRIES_OF_AN_ADDRESS):
        assert _sign_in(console, {"name": f"x-{number}", "password": "no"}) == 401
        if number % 4 == 0 and number < login.TRIES_OF_AN_ADDRESS - 1:
            assert _sign_in(console, FORM) == 302
    assert _sign_in(console, FORM) == 429


def test_nobody_is_locked_out_by_a_stranger_who_guesses(console: Console) -> None:
    for _ in range(login.TRIES_OF_AN_ADDRESS + 5):
        _sign_in(console, {"name": "cat", "password": "no"}, "203.0.113.5")
    assert _sign_in(console, FORM, "203.0.113.5") == 429
    assert _sign_in(console, FORM, "10.0.0.1") == 302


def test_guessing_from_many_addresses_is_stopped_too(console: Console) -> None:
    for number in range(login.TRIES_OF_A_NAME):
        assert _sign_in(console, {"name": "cat", "password": "no"}, f"203.0.113.{number}") == 401
    assert _sign_in(console, FORM, "203.0.113.250") == 429


def test_the_addresses_of_one_ipv6_network_count_as_one(console: Console) -> None:
    tries = [_sign_in(console, {"name": "cat", "password": "no"}, f"2001:db8::{number:x}") for number in range(1, 8)]
    assert tries[-1] == 429


def test_who_is_no_proxy_cannot_say_where_the_request_came_from(tmp_path: Path) -> None:
    console = Console(tmp_path, 'public_url = "https://bellhop.example.test"')
    console.ledger.people.add_user("cat", Role.OPERATOR, KEPT, "root")
    origin = {"Origin": "https://bellhop.example.test"}

    def tries(at: str) -> set[int]:
        guess = {"name": "cat", "password": "no"}
        return {_sign_in(console, guess, at, **origin, **{"X-Forwarded-For": f"198.51.100.{n}"}) for n in range(7)}

    assert tries("8.8.8.8") == {401, 429}
    assert tries("127.0.0.1") == {401}
    console.close()


@pytest.mark.parametrize("change", [{"disabled": True}, {"role": Role.VIEWER}, {"password_hash": OTHER}])
def test_what_is_changed_while_somebody_signs_in_holds_for_them(
    console: Console, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    real = entry.sign_in

    def slow(*given: Any) -> Any:
        user = real(*given)
        console.ledger.people.change_user("cat", "root", **change)
        return user

    monkeypatch.setattr(entry, "sign_in", slow)
    somebody = console.nobody()
    assert somebody.client.post("/sign-in", data=FORM).status_code == 401
    assert somebody.client.get("/").status_code == 302


def test_signing_in_again_ends_the_session_before_it(console: Console) -> None:
    somebody = console.nobody()
    somebody.client.post("/sign-in", data=FORM)
    old = somebody.client.get_cookie("bellhop")
    assert old is not None
    somebody.client.post("/sign-in", data=FORM)
    other = console.nobody()
    other.client.set_cookie("bellhop", old.value)
    assert other.client.get("/").status_code == 302


@pytest.mark.parametrize("where", ["//[", "//evil.test", "/\\evil.test", "https://evil.test", "/\t/evil.test", "evil"])
def test_nobody_is_sent_elsewhere_after_signing_in(console: Console, where: str) -> None:
    assert console.nobody().client.get("/sign-in", query_string={"next": where}).status_code == 200
    answer = console.nobody().client.post("/sign-in", data={**FORM, "next": where})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_a_session_that_ends_under_a_live_page_leads_back_to_it(console: Console) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/jobs/1?state=failed"}
    answer = console.nobody().client.get("/jobs/1", headers=headers)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in?next=/jobs/1?state%3Dfailed")


@pytest.mark.parametrize("header", [{"Origin": "http://["}, {"Origin": "https://evil.test"}])
def test_an_origin_that_is_none_of_ours_is_refused(console: Console, header: dict[str, str]) -> None:
    assert console.nobody().client.post("/sign-in", data=FORM, headers=header).status_code == 403
    assert [event for event, _ in console.told if event == "console.crashed"] == []


@pytest.mark.parametrize("host", ["127.0.0.1:8091", "localhost:8091", "[::1]:8091", "localhost"])
def test_on_loopback_the_console_answers_to_this_machines_own_names(console: Console, host: str) -> None:
    assert console.nobody().client.get("/sign-in", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.test", "evil.test:8091", "127.0.0.1.evil.test", "10.0.0.1"])
def test_on_loopback_a_name_made_to_lead_here_is_refused(console: Console, host: str) -> None:
    """DNS rebinding: another site's page may not become one of ours by its name's changing its address."""
    for path in ("/sign-in", "/", "/static/console.js"):
        assert console.ann.client.get(path, headers={"Host": host}).status_code == 403, path
    assert console.nobody().client.get("/healthz", headers={"Host": host}).status_code == 200


# --- the one-time link --------------------------------------------------------------------------------------------


@pytest.fixture
def linked(tmp_path: Path) -> Iterator[tuple[Console, str]]:
    link = OneTimeLink()
    made = Console(tmp_path, link=link)
    yield made, f"/enter/{link.secret}"
    made.close()


def test_a_link_is_not_used_up_by_a_ledger_that_is_away(
    linked: tuple[Console, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    console, url = linked

    def away(*_: object) -> None:
        raise LedgerUnavailable("the database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(console.ledger.people, "open_session", away)
        assert console.nobody().client.get(url).status_code == 503
    assert console.nobody().client.get(url).status_code == 302


def test_who_came_by_the_link_may_click_on_it_again(linked: tuple[Console, str]) -> None:
    console, url = linked
    guest = console.nobody()
    assert guest.client.get(url).status_code == 302
    assert guest.client.get(url).headers["Location"] == "/"
    assert console.nobody().client.get(url).status_code == 403


def test_a_link_that_nobody_used_ends() -> None:
    at = [0.0]
    link = OneTimeLink(lambda: at[0])
    at[0] = LINK_LASTS.total_seconds() - 1
    assert link.good
    at[0] += 1
    assert not link.good
    assert not link.use(link.secret)
    assert timedelta(hours=1) <= LINK_LASTS <= timedelta(days=1)


def test_a_fresh_link_for_a_running_console_lets_in_once_and_not_as_a_cookie(console: Console) -> None:
    secret = Sessions(console.ledger.people, 60, console.clock).make_link()
    assert console.ledger.people.count_sessions().get("") is None
    thief = console.nobody()
    thief.client.set_cookie("bellhop", secret)
    assert thief.client.get("/").status_code == 302  # to the sign-in
    assert thief.client.head(f"/enter/{secret}").status_code == 403
    somebody = console.nobody()
    assert somebody.client.get(f"/enter/{secret}").status_code == 302
    assert "local admin" in somebody.get("/")
    assert console.nobody().client.get(f"/enter/{secret}").status_code == 403
    old = Sessions(console.ledger.people, 60, console.clock).make_link()
    console.clock.advance(seconds=601)
    assert console.nobody().client.get(f"/enter/{old}").status_code == 403
