from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from bellhop.cli import remote
from bellhop.cli.common import Failed, Misused
from bellhop.cli.remote import Remote, token_of
from bellhop.cli.selection import Selection
from bellhop.console.api import requests, responses, state_responses
from bellhop.console.api.problems import handle_errors, invalid
from bellhop.console.api.tokens import hash_token, is_well_formed, new_token
from bellhop.ledger.records import Role
from bellhop.schemas.contract import Strict
from bellhop.schemas.errors import FieldProblem
from bellhop.schemas.observe import silent
from bellhop.schemas.problems import MAX_ERRORS, NOTHING_HERE


def _schemas(module: object, kind: type[Schema]) -> list[type[Schema]]:
    found = [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, kind)]
    return [one for one in found if one is not kind]


def test_tokens_are_long_and_never_the_same() -> None:
    made = {new_token() for _ in range(100)}
    assert len(made) == 100
    assert all(is_well_formed(token) and len(token) == 46 for token in made)


@pytest.mark.parametrize("token", ["", "bh_", "bh_" + "x" * 42, "bh_" + "x" * 44, "xx_" + "x" * 43, "bh_" + "ä" * 43])
def test_what_is_no_token_is_not_looked_up(token: str) -> None:
    assert not is_well_formed(token)


def test_of_a_token_its_sha256_is_kept() -> None:
    assert hash_token("bh_x") == hashlib.sha256(b"bh_x").hexdigest()


def test_every_request_refuses_unknown_fields() -> None:
    schemas = _schemas(requests, Strict)
    assert len(schemas) > 15
    for schema in schemas:
        with pytest.raises(ValidationError) as raised:
            schema().load({"bogus": 1})
        assert raised.value.messages_dict["bogus"] == ["Unknown field."]


def test_every_text_of_a_request_has_a_limit() -> None:
    for schema in _schemas(requests, Strict):
        for name, field in schema().fields.items():
            if isinstance(field, requests.fields.String):
                assert field.validators, f"{schema.__name__}.{name}"


def test_no_answer_has_a_place_for_a_secret() -> None:
    for schema in {*_schemas(responses, Schema), *_schemas(state_responses, Schema)}:
        names = {name for name in schema().fields if any(word in name for word in ("hash", "secret", "csrf", "sha"))}
        assert names == ({"hash", "words_hash"} if schema is responses.AuditLine else set())  # the chain's, no secret's
    assert [one.__name__ for one in _schemas(responses, Schema) if "token" in one().fields] == ["TokenMade"]


@given(st.text(max_size=50))
def test_a_line_is_printable_or_refused(text: str) -> None:
    try:
        loaded = requests.Why().load({"why": text})["why"]
    except ValidationError:
        assert not text or not text.isprintable() or not text.strip()
    else:
        assert loaded == text.strip()
        assert loaded


def test_a_problem_lists_a_hundred_errors_and_says_how_many_there_are() -> None:
    problem = invalid(*(FieldProblem("x" * 1000, "is wrong") for _ in range(1000)))
    told = json.loads(problem.body("/x"))
    assert len(told["errors"]) == MAX_ERRORS
    assert "100 of 1000" in told["detail"]
    assert len(told["errors"][0]["field"]) == 200


def test_a_failure_of_the_server_itself_is_a_problem_without_its_text() -> None:
    app = Flask("x")
    handle_errors(app, silent)
    app.add_url_rule("/", "home", lambda: {"x": 1 / 0})
    answer = app.test_client().get("/")
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert "division" not in answer.text


def test_roles_cover_those_below_them() -> None:
    assert [[one.covers(other) for other in Role] for one in Role] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


# --- the command line far away ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ({"detail": "There is no dead letter 7."}, "there is no dead letter 7"),
        (
            {"detail": "x", "errors": [{"field": "ids", "rule": "is wrong"}, {"field": "y", "rule": "z"}]},
            "ids is wrong; y z",
        ),
        ({"detail": "No\x1b[2Jthing."}, "no\N{REPLACEMENT CHARACTER}[2Jthing"),
        ({}, "the API answered 418"),
        ({"detail": None, "errors": "x"}, "the API answered 418"),
    ],
)
def test_a_problem_is_told_in_one_line(told: dict[str, object], line: str) -> None:
    assert remote._problem(told, 418) == line


def test_an_address_that_is_no_consoles_is_told_as_such() -> None:
    told = {"detail": NOTHING_HERE}
    assert remote._problem(told, 404) == (
        "there is nothing at this address: is it the console's, and does that have this version?"
    )


@pytest.mark.parametrize(
    "url",
    [
        *("bellhop", "ftp://bellhop", "http://", "/api/v1", "http://[::1", "https://bellhop:99999", "https://b:x"),
        *("https://bellhop/?x=1", "https://bellhop/#x", "https://ann:secret@bellhop", "http://bellhop.example.com"),
        *("http://127.0.0.1.example.com", "http://10.0.0.7", "http://localhost.example.com"),
    ],
)
def test_what_is_no_address_is_wrong_usage(url: str) -> None:
    with pytest.raises(Misused) as raised:
        Remote(url, "bh_x")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8070/",
        "http://127.9.9.9",
        "http://[::1]:8070",
        "http://LOCALHOST",
        "https://b.example/api/v1/",
    ],
)
def test_http_is_for_this_host_alone(url: str) -> None:
    assert not Remote(url, "bh_x").server.endswith(("/", "/api/v1"))


def test_a_token_that_would_break_the_request_is_refused_without_being_told(tmp_path: Path) -> None:
    file = tmp_path / "token"
    for text in ("bh_x\r\nX-Evil: 1", "bh_ä", "", "  \n"):
        file.write_text(text)
        with pytest.raises(Failed) as raised:
            token_of(None, file)
        assert "Evil" not in str(raised.value)
    assert token_of("  bh_x\n", None) == "bh_x"


def test_a_selection_is_asked_for_as_the_api_takes_it() -> None:
    query = Selection((3, 1), "rejected", None, None, "crm", None, None, None).query
    assert requests.LetterQuery().load({key: value for key, value in query.items() if value})["id"] == [3, 1]
