"""Signing in at a provider: a small one of our own, that signs what it says as a real one does."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from bellhop.console.access import oidc
from bellhop.console.access.oidc import Provider
from bellhop.console.context import KEY
from bellhop.ledger.records import Role
from bellhop.schemas.settings import OidcSettings
from tests.support.console import Console

_KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
_OTHER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


class Issuer(ThreadingHTTPServer):
    """claims: what the next ID token says beside the usual. key: what it is signed with. asked: token requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.claims: dict[str, Any] = {}
        self.key = _KEY
        self.nonce = self.challenge = ""
        self.asked: list[dict[str, str]] = []

    def id_token(self) -> str:
        now = int(time.time())
        usual = {"iss": self.url, "aud": "bellhop", "sub": "1", "iat": now, "exp": now + 60, "nonce": self.nonce}
        who = {"email": "ann@example.test", "bellhop_role": "operator"}
        claims = {name: value for name, value in (usual | who | self.claims).items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)


class _Handler(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        url = self.server.url
        if self.path.endswith("/openid-configuration"):
            addresses = {"authorization_endpoint": f"{url}/authorize", "token_endpoint": f"{url}/token"}
            self._say({"issuer": url, "jwks_uri": f"{url}/keys", **addresses})
        else:
            self._say({"keys": [_KEY.as_dict(private=False)]})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self.server.asked.append(form)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        right = base64.urlsafe_b64encode(digest).decode().rstrip("=") == self.server.challenge
        token = {"access_token": "a", "token_type": "Bearer", "id_token": self.server.id_token()}
        self._say(token if right else {"error": "invalid_grant"}, 200 if right else 400)

    def _say(self, value: object, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    server = Issuer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def console(tmp_path: Path, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # the test's provider speaks plain HTTP
    made = Console(tmp_path)
    settings = OidcSettings(issuer.url, "bellhop", "very-secret")
    made.app.extensions[KEY].provider = Provider(settings, "http://localhost/oidc/back")
    yield made
    made.close()


def _sent_off(client: FlaskClient, issuer: Issuer, begin: str = "/oidc/begin") -> dict[str, str]:
    """What the provider is told when the browser comes to it."""
    answer = client.get(begin)
    assert answer.status_code == 302, answer.text
    told = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    issuer.nonce, issuer.challenge = told["nonce"], told["code_challenge"]
    return told


def _sign_in(client: FlaskClient, issuer: Issuer) -> TestResponse:
    told = _sent_off(client, issuer)
    return client.get("/oidc/back", query_string={"state": told["state"], "code": "c"})


def test_who_has_a_role_at_the_provider_is_let_in_with_it(console: Console, issuer: Issuer) -> None:
    somebody = console.nobody()
    assert "Sign in with your organisation" in somebody.get("/sign-in")
    told = _sent_off(somebody.client, issuer)
    assert (told["response_type"], told["code_challenge_method"]) == ("code", "S256")
    assert told["redirect_uri"] == "http://localhost/oidc/back"
    answer = somebody.client.get("/oidc/back", query_string={"state": told["state"], "code": "c"})
    assert answer.headers["Location"] == "/"
    page = somebody.get("/")
    assert "ann@example.test" in page
    assert "operator" in page
    again = somebody.client.get("/oidc/back", query_string={"state": told["state"], "code": "c"})
    assert again.status_code == 403


def test_one_comes_back_to_where_one_wanted_to_be(console: Console, issuer: Issuer) -> None:
    somebody = console.nobody().client
    page = somebody.get("/jobs/1?state=failed", follow_redirects=True).text
    begin = unescape(page.partition('href="/oidc/begin')[2].partition('"')[0])
    told = _sent_off(somebody, issuer, "/oidc/begin" + begin)
    answer = somebody.get("/oidc/back", query_string={"state": told["state"], "code": "c"})
    assert answer.headers["Location"] == "/jobs/1?state=failed"
    told = _sent_off(somebody, issuer, "/oidc/begin?next=//evil.test")
    answer = somebody.get("/oidc/back", query_string={"state": told["state"], "code": "c"})
    assert answer.headers["Location"] == "/"


def test_who_is_shut_out_here_is_not_let_in_by_the_provider(console: Console, issuer: Issuer) -> None:
    console.ledger.people.add_user("ann@example.test", Role.OPERATOR, "", "root")
    somebody = console.nobody().client
    assert _sign_in(somebody, issuer).status_code == 302
    console.ledger.people.change_user("ann@example.test", "root", disabled=True)
    assert somebody.get("/").headers["Location"].startswith("/sign-in")
    assert _sign_in(somebody, issuer).status_code == 403
    assert somebody.get("/").status_code == 302


def test_a_stranger_who_begins_ten_thousand_times_shuts_nobody_out(
    console: Console, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "_MOST_ON_THEIR_WAY", 20)
    stranger = console.nobody().client
    for _ in range(25):
        assert stranger.get("/oidc/begin").status_code == 302
    assert _sign_in(console.nobody().client, issuer).status_code == 302


def test_an_answer_belongs_to_the_browser_that_was_sent_off(console: Console, issuer: Issuer) -> None:
    told = _sent_off(console.nobody().client, issuer)
    other = console.nobody().client.get("/oidc/back", query_string={"state": told["state"], "code": "c"})
    assert other.status_code == 403
    assert issuer.asked == []


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "somebody-else"},
        {"iss": "https://evil.test"},
        {"exp": 1},
        {"exp": None},
        {"nonce": "another"},
        {"nonce": None},
        {"bellhop_role": "guest"},
        {"email": None},
        {"email": "ann@example.test\nroot"},
        {"email_verified": "false"},
    ],
)
def test_an_id_token_that_is_not_as_it_should_be_lets_nobody_in(
    console: Console, issuer: Issuer, claims: dict[str, Any]
) -> None:
    issuer.claims = claims
    somebody = console.nobody()
    assert _sign_in(somebody.client, issuer).status_code == 403
    assert somebody.client.get("/").status_code == 302


def test_an_id_token_that_somebody_else_signed_lets_nobody_in(console: Console, issuer: Issuer) -> None:
    issuer.key = _OTHER
    answer = _sign_in(console.nobody().client, issuer)
    assert answer.status_code == 403
    assert "very-secret" not in answer.text


def test_a_code_is_of_use_to_who_asked_for_it_alone(console: Console, issuer: Issuer) -> None:
    somebody = console.nobody().client
    told = _sent_off(somebody, issuer)
    issuer.challenge = "another browser's"
    answer = somebody.get("/oidc/back", query_string={"state": told["state"], "code": "c"})
    assert answer.status_code == 403


def test_a_provider_that_is_away_is_told(console: Console) -> None:
    settings = OidcSettings("http://127.0.0.1:9", "bellhop", "very-secret")
    console.app.extensions[KEY].provider = Provider(settings, "http://localhost/oidc/back")
    answer = console.nobody().client.get("/oidc/begin")
    assert answer.status_code == 503
    assert "cannot be reached" in answer.text


def test_without_a_provider_there_is_no_such_way(tmp_path: Path) -> None:
    made = Console(tmp_path)
    assert made.nobody().client.get("/oidc/begin").status_code == 404
    assert made.nobody().client.get("/oidc/back").status_code == 404
    made.close()
