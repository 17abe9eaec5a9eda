"""A refusal in words that nobody knows: whether everything is refused so, which makes it the account's credentials."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from bellhop.schemas.redact import Redactor
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.http import HttpAnswer, Where
from bellhop.vendors.peoplevine.client import PeoplevineClient
from bellhop.vendors.peoplevine.settings import PeoplevineAccount
from bellhop.vendors.simplybook.client import SimplybookClient
from bellhop.vendors.simplybook.settings import SimplybookAccount

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


def book(http: Http) -> str:
    account = SimplybookAccount("salon", "http://x", "salon", "key", "secret", True, 1.0, 1.0)
    client = SimplybookClient(account, http, Tokens())  # type: ignore[arg-type]
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


@pytest.mark.parametrize("words", [ODD, "Error"])
def test_what_one_call_alone_is_refused_with_proves_nothing(words: str) -> None:
    http = Http(lambda method, _: rpc(error=words) if method == "book" or words == "Error" else rpc("15"))
    with pytest.raises(VendorFailure) as caught:
        book(http)
    assert (caught.value.kind, caught.value.said_no) == (Kind.UNKNOWN, True)
    assert [method for method, _ in http.calls].count("book") == 1


@pytest.mark.parametrize(
    ("everything", "words", "kind"),
    [(True, ODD, Kind.AUTH), (False, ODD, Kind.UNKNOWN), (True, "Error", Kind.UNKNOWN)],
)
def test_peoplevines_no_in_odd_words_is_asked_about(everything: bool, words: str, kind: Kind) -> None:
    refused = {"success": False, "reason": words, "message": None}
    fine = {"success": True, "metaData": []}
    http = Http(lambda method, _: refused if everything or method == "create_service_reservation" else fine)
    account = PeoplevineAccount("pv", "http://x", "a", "c", "u", "p", "", True, 1.0, 1.0)
    with pytest.raises(VendorFailure) as caught:
        PeoplevineClient(account, http).create_service_reservation("1000", "", [])  # type: ignore[arg-type]
    assert caught.value.kind is kind
    assert caught.value.said_no is (kind is Kind.UNKNOWN)
    assert [method for method, _ in http.calls].count("create_service_reservation") == 1
