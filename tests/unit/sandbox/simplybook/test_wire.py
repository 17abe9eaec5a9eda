"""The bytes that SimplyBook.me's sandbox takes and gives. `SEEN` is what zf1-future 1.25 on PHP 8.2 answered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bellhop.sandbox.app import create_sandbox
from bellhop.schemas.redact import MASK
from tests.support.salon import DAY, GUEST, Caller, Clock

INVALID = b'{"error":{"code":-32600,"message":"Invalid Request","data":null},"id":null}'
INVALID_1 = b'{"error":{"code":-32600,"message":"Invalid Request","data":null},"id":"1","jsonrpc":"2.0"}'
SEEN: list[tuple[bytes, int, bytes]] = [
    # --- ids
    (b'{"jsonrpc":"2.0","method":"getTimeframe","params":[],"id":1}', 200, b'{"result":"15","id":"1","jsonrpc":"2.0"}'),
    (b'{"jsonrpc":"2.0","method":"getTimeframe","id":null}', 200, b'{"result":"15","id":"","jsonrpc":"2.0"}'),
    (b'{"jsonrpc":"2.0","method":"getTimeframe","id":""}', 200, b'{"result":"15","id":"","jsonrpc":"2.0"}'),
    (b'{"jsonrpc":"2.0","method":"getTimeframe","id":0}', 200, b'{"result":"15","id":"0","jsonrpc":"2.0"}'),
    (b'{"jsonrpc":"2.0","method":"getTimeframe","id":1.5}', 200, b'{"result":"15","id":"1.5","jsonrpc":"2.0"}'),
    (b'{"jsonrpc":"2.0","method":"getTimeframe","id":1e3}', 200, b'{"result":"15","id":"1000","jsonrpc":"2.0"}'),
    (b'{"jsonrpc":"2.0","method":"getTimeframe","id":true}', 200, b'{"result":"15","id":"1","jsonrpc":"2.0"}'),
    (b'{"jsonrpc":"2.0","method":"getTimeframe","id":false}', 200, b'{"result":"15","id":"","jsonrpc":"2.0"}'),
    (b'{"jsonrpc":"2.0","method":"getTimeframe","id":[1]}', 200, b'{"result":"15","id":"Array","jsonrpc":"2.0"}'),
    (b'{"jsonrpc":"2.0","method":"getTimeframe","id":{"a":1}}', 200, b'{"result":"15","id":"Array","jsonrpc":"2.0"}'),
    (b'{"jsonrpc":"2.0","method":"getTimeframe","id":1,"id":2}', 200, b'{"result":"15","id":"2","jsonrpc":"2.0"}'),
    (
        b'{"jsonrpc":"2.0","method":"getTimeframe","id":12345678901234567890}',
        200,
        b'{"result":"15","id":"1.2345678901235E+19","jsonrpc":"2.0"}',
    ),
    (
        b'{"jsonrpc":"2.0","method":"getTimeframe","id":"\xd0\xa7/"}',
        200,
        b'{"result":"15","id":"\\u0427\\/","jsonrpc":"2.0"}',
    ),
    (b'{"jsonrpc":"2.0","method":"getTimeframe"}', 204, b""),
    # --- versions
    (b'{"method":"getTimeframe","id":"x1"}', 200, b'{"result":"15","id":"x1"}'),
    (b'{"jsonrpc":"1.0","method":"getTimeframe","id":1}', 200, b'{"result":"15","id":"1"}'),
    (b'{"jsonrpc":2.0,"method":"getTimeframe","id":1}', 200, b'{"result":"15","id":"1","jsonrpc":"2.0"}'),
    (b'{"version":"2.0","method":"getTimeframe","id":1}', 200, b'{"result":"15","id":"1","jsonrpc":"2.0"}'),
    # --- methods
    (
        b'{"jsonrpc":"2.0","method":"nope","params":[],"id":1}',
        200,
        b'{"error":{"code":-32601,"message":"Method not found","data":null},"id":"1","jsonrpc":"2.0"}',
    ),
    (
        b'{"jsonrpc":"2.0","method":"nope","params":[],"id":null}',
        200,
        b'{"error":{"code":-32601,"message":"Method not found","data":null},"id":"","jsonrpc":"2.0"}',
    ),
    (
        b'{"jsonrpc":"2.0","method":"nope","params":[]}',
        200,
        b'{"error":{"code":-32601,"message":"Method not found","data":null},"id":null,"jsonrpc":"2.0"}',
    ),
    (
        b'{"jsonrpc":"2.0","method":"getTIMEFRAME","id":1}',
        200,
        b'{"error":{"code":-32601,"message":"Method not found","data":null},"id":"1","jsonrpc":"2.0"}',
    ),
    (b'{"jsonrpc":"2.0","method":"get timeframe","id":1}', 200, INVALID_1),
    (b'{"jsonrpc":"2.0","method":null,"id":1}', 200, INVALID_1),
    (b'{"jsonrpc":"2.0","method":5,"id":1}', 200, INVALID_1),
    (b'{"jsonrpc":"2.0","method":"","id":1}', 200, INVALID_1),
    (b'{"jsonrpc":"2.0","id":1}', 200, INVALID_1),
    (b'{"jsonrpc":"2.0","method":[],"id":1}', 500, b""),
    # --- what is no request
    (b'[{"jsonrpc":"2.0","method":"getTimeframe","id":1}]', 200, INVALID),
    (b"[]", 200, INVALID),
    (b"{}", 200, INVALID),
    (b"", 200, INVALID),
    (b"0", 200, INVALID),
    (b"5", 500, b""),
    (b'"x"', 500, b""),
    (b"null", 500, b""),
    (b"{", 500, b""),
    (b'\xef\xbb\xbf{"jsonrpc":"2.0","method":"getTimeframe","id":1}', 500, b""),
    (b'{"jsonrpc":"2.0","method":"getTimeframe","params":["\xff"],"id":1}', 500, b""),
    (b'{"jsonrpc":"2.0","method":"getTimeframe","params":["\\ud800"],"id":1}', 500, b""),
    (b'{"jsonrpc":"2.0","method":"getTimeframe","params":[NaN],"id":1}', 500, b""),
    (b' \n{"jsonrpc":"2.0","method":"getTimeframe","id":" a"}\n', 200, b'{"result":"15","id":" a","jsonrpc":"2.0"}'),
    # --- parameters
    (b'{"jsonrpc":"2.0","method":"getTimeframe","params":null,"id":1}', 500, b""),
    (b'{"jsonrpc":"2.0","method":"getTimeframe","params":"x","id":1}', 500, b""),
    (b'{"jsonrpc":"2.0","method":"getTimeframe","params":{},"id":1}', 200, b'{"result":"15","id":"1","jsonrpc":"2.0"}'),
    (
        b'{"jsonrpc":"2.0","method":"getTimeframe","params":[7],"id":1}',
        200,
        b'{"result":"15","id":"1","jsonrpc":"2.0"}',
    ),
    (b'{"jsonrpc":"2.0","method":"cancelBooking","params":{"sign":"s"},"id":1}', 500, b""),
    (b'{"jsonrpc":"2.0","method":"getCompanyParams","params":["timeframe"],"id":1}', 500, b""),
    (
        b'{"jsonrpc":"2.0","method":"getCompanyParam","params":{"other":1,"key":"timeframe"},"id":1}',
        200,
        b'{"result":"15","id":"1","jsonrpc":"2.0"}',
    ),
    (
        b'{"jsonrpc":"2.0","method":"getCompanyParams","params":{"0":["timeframe"]},"id":1}',
        200,
        b'{"result":{"timeframe":"15"},"id":"1","jsonrpc":"2.0"}',
    ),
]


@pytest.fixture
def api() -> Caller:
    return Caller(create_sandbox(now=Clock()).test_client())


def post(api: Caller, body: bytes, path: str = "/") -> TestResponse:
    return api.client.post(path, data=body, headers={"X-Company-Login": "sandbox", "X-Token": api.token})


def ask(api: Caller, method: str, params: Any) -> TestResponse:
    return post(api, json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": 1}).encode())


@pytest.mark.parametrize(("request_", "status", "answer"), SEEN)
def test_every_request_is_answered_as_zends_server_does(
    api: Caller, request_: bytes, status: int, answer: bytes
) -> None:
    given = post(api, request_)
    assert (given.status_code, given.data) == (status, answer)
    assert given.mimetype == ("text/html" if status == 500 else "application/json")


def test_a_booking_needs_no_more_than_its_first_parameters_and_takes_them_by_name(api: Caller) -> None:
    params = ["7", "3", DAY, "13:00:00", GUEST]
    assert ask(api, "book", params).json["result"]["bookings"]
    names = dict(zip(("eventId", "unitId", "date", "time", "clientData"), params, strict=True))
    assert ask(api, "book", {**names, "time": "14:00:00"}).json["result"]["bookings"]
    assert api.code("cancelBooking", "1") == -32080  # without a signature: null


def test_other_servers_refuse_what_zends_takes(api: Caller) -> None:
    api.switch(simplybook_missing_as_null=False, simplybook_named_parameters=False)
    assert api.code("book", "1") == -32602
    assert api.code("getTimeframe", 1) == -32602
    assert ask(api, "getTimeframe", {"a": 1}).json["error"]["code"] == -32602


def test_other_servers_say_what_they_cannot_read(api: Caller) -> None:
    api.switch(simplybook_broken_request="rpc", simplybook_type_error="rpc", simplybook_codes_replaced=False)
    assert post(api, b"{").json["error"] == {"code": -32700, "message": "Parse error", "data": None}
    assert ask(api, "getCompanyParams", ["timeframe"]).json["error"]["code"] == -32602


def test_a_code_that_is_out_of_range_is_replaced_and_its_words_are_kept(api: Caller) -> None:
    wrong = api.rpc("getToken", "sandbox", "wrong", path="/login")
    assert wrong["error"] == {"code": -32000, "message": "Wrong API key", "data": {}}
    assert api.rpc("getPromotionRewardInfo", 132, 34, "x")["error"]["message"] == "Client with given id not found"
    assert api.code("getPromotionRewardInfo", 132, 34, "x") == -32000
    assert api.code("getCompanyParam", "secret_key") == -32602
    api.book()
    assert api.refused() == -32054


def test_a_result_that_is_no_utf_8_is_an_empty_answer_after_the_call(api: Caller) -> None:
    api.switch(simplybook_unencodable="book,getBooking")
    given = ask(api, "book", ["7", "3", DAY, "13:00:00", GUEST])
    assert (given.status_code, given.data) == (200, b"")
    assert len(api.client.get("/_sandbox/state").json["bookings"]) == 1
    assert api.result("getTimeframe") == "15"


def test_a_call_without_an_id_is_carried_out_and_told_to_nobody(api: Caller) -> None:
    body = {"jsonrpc": "2.0", "method": "book", "params": ["7", "3", DAY, "13:00:00", GUEST]}
    given = post(api, json.dumps(body).encode())
    assert (given.status_code, given.data) == (204, b"")
    assert len(api.client.get("/_sandbox/state").json["bookings"]) == 1
    api.switch(simplybook_notifications=False)
    assert post(api, b'{"method":"getTimeframe"}').json == {"result": "15", "id": ""}


@pytest.mark.parametrize(("path", "method"), [("/", "book"), ("/login", "getToken"), ("/login/", "getToken")])
def test_get_answers_the_service_map(path: str, method: str) -> None:
    client: FlaskClient = create_sandbox(now=Clock()).test_client()
    told = client.get(path)
    assert (told.status_code, told.mimetype) == (200, "application/json")
    assert told.json["methods"] == told.json["services"]
    assert told.json["target"] == path
    first = told.json["methods"][method]
    assert first["envelope"] == "JSON-RPC-2.0"
    assert first["parameters"][0] == {
        "type": "integer" if method == "book" else "string",
        "name": "eventId" if method == "book" else "companyLogin",
        "optional": False,
    }
    client.post("/_sandbox/switches", json={"simplybook_service_map": False})
    assert client.get(path).status_code == 405


def test_named_parameters_of_a_login_are_masked_too(api: Caller) -> None:
    body = {"method": "getToken", "params": {"companyLogin": "sandbox", "apiKey": "sandbox-api-key"}, "id": 1}
    assert post(api, json.dumps(body).encode(), "/login").json["result"]
    shown = api.client.get("/_sandbox/calls").json["calls"][-1]
    assert shown["params"] == {"companyLogin": "sandbox", "apiKey": MASK}


def test_an_administrators_token_is_given_for_user_and_password(api: Caller) -> None:
    api.switch(simplybook_codes_replaced=False)
    assert api.rpc("getUserToken", "sandbox", "admin", "sandbox-password", path="/login")["result"]
    assert api.rpc("getUserToken", "sandbox", "admin", "wrong", path="/login")["error"]["code"] == -33003
    assert api.rpc("getUserToken", "nobody", "admin", "wrong", path="/login")["error"]["code"] == -33001
