from __future__ import annotations

import runpy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import argon2
import pytest

from bellhop.console.access import passwords
from bellhop.console.access.login import TRIES_OF_AN_ADDRESS, TRIES_OF_BOTH, LoginRefused, TooManyTries, sign_in
from bellhop.console.access.oidc import OidcFailed, Provider, person_of
from bellhop.console.access.passwords import PasswordUnfit
from bellhop.console.access.sessions import LOCAL_ADMIN, OneTimeLink, Sessions
from bellhop.ledger.records import Role, Session, User
from bellhop.schemas.settings import OidcSettings
from tests.support.ledger import NOON, Clock

GOOD = "correct horse battery"
KEPT = passwords.hash_password(GOOD)


@dataclass
class People:
    """`ledger.people` in memory."""

    known: dict[str, User] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    opened: dict[str, Session] = field(default_factory=dict)

    def user(self, name: str) -> User | None:
        return self.known.get(name)

    def failed_login(self, key: str) -> int:
        self.failures[key] = self.failures.get(key, 0) + 1
        return self.failures[key]

    def failed_logins(self, key: str) -> int:
        return self.failures.get(key, 0)

    def forgive_login(self, key: str) -> None:
        self.failures[key] -= 1

    def clear_logins(self, key: str) -> None:
        self.failures.pop(key, None)

    def open_session(self, user: str, role: Role, session_sha256: str, csrf: str, expires: datetime) -> None:
        self.opened[session_sha256] = Session(user, role, csrf, expires)

    def session(self, sha256: str) -> Session | None:
        return self.opened.get(sha256)

    def close_session(self, sha256: str) -> None:
        self.opened.pop(sha256, None)


@pytest.fixture
def people() -> People:
    return People({"ann": User("ann", Role.OPERATOR, KEPT, NOON, disabled=False)})


# --- passwords ----------------------------------------------------------------------------------------------------


def test_a_password_is_kept_as_argon2id_with_the_librarys_parameters() -> None:
    kept = runpy.run_path(passwords.__file__)["hash_password"](GOOD)  # as it is without the tests' hasher
    assert argon2.extract_parameters(kept) == argon2.profiles.get_default_parameters()
    assert kept.startswith("$argon2id$")


def test_a_password_is_known_again() -> None:
    assert KEPT.startswith("$argon2id$")
    assert passwords.matches(GOOD, KEPT)
    assert not passwords.matches(GOOD.upper(), KEPT)
    assert not passwords.matches("", "")
    assert not passwords.matches(GOOD, "")
    assert not passwords.matches(GOOD, "no hash at all")


@pytest.mark.parametrize("password", ["short", "x" * 201, "aaaaaaaaaaaaaa", "PasswordPassword"])
def test_a_password_that_others_try_first_is_not_taken(password: str) -> None:
    with pytest.raises(PasswordUnfit):
        passwords.hash_password(password)


# --- login --------------------------------------------------------------------------------------------------------


def test_the_right_password_lets_in_and_forgets_the_failures_of_that_name_and_address(people: People) -> None:
    for _ in range(3):
        for _ in range(TRIES_OF_BOTH - 1):
            with pytest.raises(LoginRefused):
                sign_in(people, "ann", "wrong", "10.0.0.1")
        assert sign_in(people, " ann ", GOOD, "10.0.0.1").role is Role.OPERATOR


def test_a_wrong_name_is_told_the_same_as_a_wrong_password_or_one_shut_out(people: People) -> None:
    people.known["eve"] = replace(people.known["ann"], name="eve", disabled=True)
    told = set()
    for name, password in (("ann", "wrong"), ("nobody", GOOD), ("eve", GOOD), ("", "")):
        with pytest.raises(LoginRefused) as refused:
            sign_in(people, name, password, "10.0.0.1")
        told.add(str(refused.value))
    assert len(told) == 1


def test_after_so_many_tries_even_the_right_password_waits(people: People) -> None:
    for _ in range(TRIES_OF_BOTH):
        with pytest.raises(LoginRefused):
            sign_in(people, "ann", "wrong", "10.0.0.1")
    with pytest.raises(TooManyTries):
        sign_in(people, "ann", GOOD, "10.0.0.1")


def test_an_address_that_tries_many_names_is_stopped(people: People) -> None:
    for number in range(TRIES_OF_AN_ADDRESS):
        with pytest.raises(LoginRefused):
            sign_in(people, f"name-{number}", "wrong", "10.0.0.1")
    with pytest.raises(TooManyTries):
        sign_in(people, "ann", GOOD, "10.0.0.1")
    assert sign_in(people, "ann", GOOD, "10.0.0.2").name == "ann"


# --- sessions -----------------------------------------------------------------------------------------------------


def test_the_ledger_never_sees_a_sessions_key(people: People) -> None:
    sessions = Sessions(people, 3600, Clock())
    key = sessions.open("ann", Role.VIEWER)
    (stored,) = people.opened
    assert key not in stored
    person = sessions.person(key)
    assert person is not None
    assert (person.name, person.role, person.expires) == ("ann", Role.VIEWER, NOON + timedelta(hours=1))
    assert sessions.person(stored) is None
    assert sessions.person("") is None
    sessions.close(key)
    assert sessions.person(key) is None


def test_who_came_by_the_link_has_a_name_in_the_audit(people: People) -> None:
    sessions = Sessions(people, 3600, Clock())
    person = sessions.person(sessions.open("", Role.ADMIN))
    assert person is not None
    assert person.name == LOCAL_ADMIN


def test_a_one_time_link_lets_in_once_and_a_wrong_one_does_not_use_it_up() -> None:
    link = OneTimeLink()
    assert not link.use("wrong")
    assert link.use(link.secret)
    assert not link.use(link.secret)


# --- a provider ---------------------------------------------------------------------------------------------------

OIDC = OidcSettings("https://id.example.test", "bellhop", "very-secret", "realm.roles", "email")


@pytest.mark.parametrize(
    ("roles", "expected"),
    [("viewer", Role.VIEWER), (["staff", "operator"], Role.OPERATOR), (["viewer", "admin"], Role.ADMIN)],
)
def test_a_persons_role_is_the_highest_the_provider_says(roles: Any, expected: Role) -> None:
    claims = {"email": "ann@example.test", "email_verified": True, "realm": {"roles": roles}}
    assert person_of(claims, OIDC) == ("ann@example.test", expected)


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "ann@example.test", "realm": {"roles": ["staff"]}},
        {"email": "ann@example.test"},
        {"email": "", "realm": {"roles": "admin"}},
        {"email": 7, "realm": {"roles": "admin"}},
        {"email": "ann@example.test", "email_verified": False, "realm": {"roles": "admin"}},
    ],
)
def test_who_has_no_role_or_no_name_is_not_let_in(claims: dict[str, Any]) -> None:
    with pytest.raises(OidcFailed) as failed:
        person_of(claims, OIDC)
    assert "ann@" not in str(failed.value)


def test_an_answer_that_nobody_asked_for_is_refused_before_the_provider_is_asked() -> None:
    with pytest.raises(OidcFailed, match="expired"):
        Provider(OIDC, "https://bellhop.example.test/oidc/back").finish("state", "code", "browser")
