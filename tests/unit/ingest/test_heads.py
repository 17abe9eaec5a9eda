"""A webhook's head of the common form, and its answer, beside what gunicorn makes of the same."""

from __future__ import annotations

import json
from typing import Any

import gunicorn.http.wsgi
import gunicorn.util
import pytest
from gunicorn import http
from gunicorn.config import Config
from gunicorn.workers.gthread import TConn

from bellhop.ingest.app import create_app
from bellhop.ingest.exchange import Exchange
from bellhop.ingest.heads import read_webhook
from bellhop.schemas.clock import Clock
from tests.support.ingress import NOW, MemoryEvents, MemoryPublisher, body, settings, signed

CLIENT, SERVER = ("192.0.2.7", 40000), ("127.0.0.1", 8080)
BASE = {
    **gunicorn.http.wsgi.base_environ(Config()),
    "wsgi.url_scheme": "http",
    "REQUEST_METHOD": "POST",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SCRIPT_NAME": "",
    "REMOTE_ADDR": CLIENT[0],
    "SERVER_NAME": SERVER[0],
    "SERVER_PORT": str(SERVER[1]),
}
CONTENT = body()
CLOCK = Clock(now=lambda: NOW)
GUNICORNS = {"wsgi.input", "wsgi.errors", "wsgi.early_hints", "gunicorn.socket", "RAW_URI", "REMOTE_PORT"}
"""What is made anew for each, or is of no use to a webhook."""


class Socket:
    def __init__(self) -> None:
        self.sent = b""
        self.is_at_work = False

    def setblocking(self, _is_blocking: bool) -> None: ...

    def sendall(self, piece: bytes) -> None:
        self.sent += piece


def post(*lines: str, target: str = "/webhooks/crm", version: str = "HTTP/1.1", content: bytes = CONTENT) -> bytes:
    fields = ["Host: bellhop.example", f"Content-Length: {len(content)}", *lines]
    return "\r\n".join([f"POST {target} {version}", *fields, "", ""]).encode("latin-1") + content


def by_gunicorn(came: bytes) -> tuple[Any, Any, dict[str, Any], Socket]:
    config, connection = Config(), Socket()
    request = next(http.get_parser(config, iter([came]), CLIENT))
    return (request, *gunicorn.http.wsgi.create(request, connection, CLIENT, SERVER, config), connection)


@pytest.mark.parametrize(
    "came",
    [
        post(),
        post("Content-Type: application/json; charset=utf-8", "webhook-id: msg_1", "webhook-signature: v1,a= v1,b="),
        post(target="/webhooks/crm/a-secret_of-thirty.two~characters/"),
        post(target="/webhooks/crm?secret=abc%2F&x=+1"),
        post(target="/webhooks/crm?"),
        post("X-Empty:", "X-Space: \t in the  midst \t ", "X-Colon: a:b::c", "lower-case: 1", "X-1: ~!@#$^&*()\"'"),
        post("Connection: keep-alive", "X-Forwarded-Proto: https", "X-Forwarded-For: 192.0.2.7", "User-Agent: x/1"),
        post("Connection: Close"),
        post(content=b""),
        post(content=b"\r\n\r\n\x00\xff"),
    ],
)
def test_a_common_head_is_read_as_gunicorn_reads_it(came: bytes) -> None:
    ours = read_webhook(came, BASE)
    request, _, theirs, _ = by_gunicorn(came)
    assert ours is not None
    assert {key: value for key, value in ours.items() if key not in GUNICORNS} == {
        key: value for key, value in theirs.items() if key not in GUNICORNS
    }
    assert ours["wsgi.input"].read() == theirs["wsgi.input"].read()
    assert request.method == "POST"


@pytest.mark.parametrize(
    "came",
    [
        post("Transfer-Encoding: chunked"),
        post("Expect: 100-continue"),
        post("Upgrade: h2c", "Connection: upgrade"),
        post("Connection: keep-alive, upgrade"),
        post("Content-Length: 0"),
        post("content-length: 1"),
        post("Host: other.example"),
        post("X-Twice: 1", "x-twice: 2"),
        post("webhook_id: msg_1"),
        post("SCRIPT_NAME: /webhooks"),
        post("X-Forwarded-Proto: http", "X-Forwarded-Ssl: on"),
        post("X-Folded: 1", " 2"),
        post("No colon"),
        post(": no name"),
        post("X-Space : 1"),
        post("X-Umlaut: \xe4"),
        post("X-Control: \x01"),
        post("X-Long: " + "x" * 5000),
        post(*[f"X-{number}: 1" for number in range(100)]),
        post(target="/webhooks/crm%2Fa"),
        post(target="/webhooks/crm#top"),
        post(target="/webhooks/crm?a?b"),
        post(target="/events/crm/1"),
        post(target="http://bellhop.example/webhooks/crm"),
        post(version="HTTP/1.0"),
        post(version="HTTP/2.0"),
        post(version=""),
        post().replace(b"POST", b"PUT"),
        post().replace(b"POST", b"post"),
        post().replace(b"\r\n", b"\n"),
        post().replace(b"Content-Length: ", b"Content-Length: +"),
        post().replace(b"Content-Length: ", b"Content-Length: 0x"),
        post().replace(b"Content-Length", b"X-Length"),
        b"\r\n" + post(),
        post()[:-1],
        post() + b"P",
        post() + post(),
        post()[:30],
        b"",
    ],
)
def test_what_is_not_common_or_not_whole_is_left_to_gunicorn(came: bytes) -> None:
    assert read_webhook(came, BASE) is None


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({}, CONTENT, b"202"),
        ({"connection": "close"}, CONTENT, b"202"),
        ({"webhook-signature": "v1,bm90aGluZw=="}, CONTENT, b"401"),
        ({"content-type": "text/csv"}, CONTENT, b"415"),
        ({}, body("member.unheard_of"), b"422"),
        ({}, b"{", b"400"),
        ({"content-encoding": "br"}, CONTENT, b"415"),
    ],
)
def test_an_answer_is_written_as_gunicorn_writes_it(
    headers: dict[str, str], content: bytes, status: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gunicorn.util, "http_date", lambda: "Fri, 20 Nov 2026 12:00:00 GMT")
    app = create_app(settings(), MemoryPublisher(), MemoryEvents(), clock=CLOCK)
    came = post(*[f"{name}: {value}" for name, value in (signed(content) | headers).items()], content=content)
    environ = read_webhook(came, BASE)
    assert environ is not None
    answer, keeps = Exchange(TConn(Config(), Socket(), CLIENT, SERVER), environ, app).answer(True)

    _, response, theirs, connection = by_gunicorn(came)
    for piece in app(theirs, response.start_response):
        response.write(piece)
    response.close()
    assert answer == connection.sent
    assert answer.split(b" ")[1] == status
    assert keeps == (b"\r\nConnection: keep-alive\r\n" in answer) == (headers.get("connection") != "close")


def test_a_connection_that_the_server_does_not_keep_is_told_so() -> None:
    app = create_app(settings(), MemoryPublisher(), MemoryEvents(), clock=CLOCK)
    environ = read_webhook(post(*[f"{name}: {value}" for name, value in signed(CONTENT).items()]), BASE)
    assert environ is not None
    answer, keeps = Exchange(TConn(Config(), Socket(), CLIENT, SERVER), environ, app).answer(False)
    head, _, told = answer.partition(b"\r\n\r\n")
    assert (keeps, b"\r\nConnection: close" in head, json.loads(told)["id"]) == (False, True, "msg-1")
