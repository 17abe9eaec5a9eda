"""A refusal in words that nobody knows: whether everything is refused so, which makes it the account's credentials."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bellhop.ledger.records.accounts import Ended
from bellhop.schemas.redact import Redactor
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.http import HttpAnswer, Where
from bellhop.vendors.simplybook.client import SimplybookClient
from bellhop.vendors.simplybook.settings import SimplybookAccount
from bellhop.workers.questions import call_end

ODD = "Kein Zugriff, Fall 4711"


class Http:
    """answer: the decoded body for a method and the token it came with."""

    def __init__(self, answer: Callable[[str, str], dict[str, Any]]) -> None:
        self.calls: list[tuple[str, str]] = []
        self._answer = answer

    def request(self, where: Where, *_: object, **more: Any) -> HttpAnswer:
        token = (more.get("headers") or {}).get("X-Token", "")
        self.calls.append((where.method, token))
        told = self._answer(where.method, token)
        told = {**told, "id": more["body"]["id"]} if "jsonrpc" in told else told
        return HttpAnswer(200, told, json.dumps(told).encode(), None, Redactor([]))


class Tokens:
    def __init__(self) -> None:
        self.shared = "t0"

    def token(self, account: str) -> str | None:
        return self.shared

    def replace_token(self, account: str, stale: str | None, login: Callable[[], str]) -> str:
        if stale == self.shared:
            self.shared = login()
        return self.shared

    def renew_token(self, account: str, login: Callable[[], str]) -> str:
        return self.replace_token(account, self.shared, login)


def rpc(result: Any = None, error: str = "") -> dict[str, Any]:
    return {"jsonrpc": "2.0", **({"error": {"code": -32000, "message": error}} if error else {"result": result})}


class Gate:
    """Notes what each request told of the account."""

    def __init__(self) -> None:
        self.ends: list[Ended] = []

    @contextmanager
    def turn(self, account: str, *, is_login: bool = False) -> Iterator[None]:
        try:
            yield
        except VendorFailure as failure:
            self.ends.append(call_end(failure, is_marked=True))
            raise
        self.ends.append(Ended.LOGGED_IN if is_login else Ended.ANSWERED)


def book(http: Http, gate: Gate | None = None) -> str:
    account = SimplybookAccount("salon", "http://x", "salon", "key", "secret", True, 1.0, 1.0)
    client = SimplybookClient(account, http, Tokens(), gate)  # type: ignore[arg-type]
    return client.book(1, 3, "2027-05-10", "09:00:00", {}, {}, None, None, None).bookings[0].id


def test_a_token_refused_in_odd_words_is_renewed_and_the_call_made_again() -> None:
    def answer(method: str, token: str) -> dict[str, Any]:
        if method == "getToken":
            return rpc("t1")
        if token != "t1":
            return rpc(error=ODD.replace("4711", str(len(method))))
        return rpc({"bookings": [{"id": "7", "hash": "h"}]})

    http = Http(answer)
    assert book(http) == "7"
    assert http.calls == [("book", "t0"), ("getTimeframe", "t0"), ("getToken", ""), ("book", "t1")]


def test_what_is_refused_with_every_token_is_the_accounts_credentials() -> None:
    http = Http(lambda method, _: rpc("t1") if method == "getToken" else rpc(error=ODD))
    with pytest.raises(VendorFailure) as caught:
        book(http)
    assert caught.value.kind is Kind.AUTH
    assert http.calls.count(("book", "t1")) == 1


@pytest.mark.parametrize("words", ["Access denied", ODD])
def test_a_shared_token_that_is_refused_tells_nothing_of_the_credentials(words: str) -> None:
    """Else an account that is held, whose first call tries its old token, would never come to log in."""

    def answer(method: str, token: str) -> dict[str, Any]:
        if method == "getToken":
            return rpc("t1")
        return rpc({"bookings": [{"id": "7", "hash": "h"}]}) if token == "t1" else rpc(error=words)

    gate = Gate()
    assert book(Http(answer), gate) == "7"
    assert Ended.REFUSED not in gate.ends
    assert gate.ends[-1] is Ended.ANSWERED
    refused = Gate()
    with pytest.raises(VendorFailure):
        book(Http(lambda method, _: rpc("t1") if method == "getToken" else rpc(error=words)), refused)
    assert refused.ends.count(Ended.REFUSED) == 1
    assert Ended.ANSWERED not in refused.ends  # it would end the row that holds the account


@pytest.mark.parametrize("words", [ODD, "Error"])
def test_what_one_call_alone_is_refused_with_proves_nothing(words: str) -> None:
    http = Http(lambda method, _: rpc(error=words) if method == "book" or words == "Error" else rpc("15"))
    with pytest.raises(VendorFailure) as caught:
        book(http)
    assert (caught.value.kind, caught.value.said_no) == (Kind.UNKNOWN, True)
    assert [method for method, _ in http.calls].count("book") == 1
