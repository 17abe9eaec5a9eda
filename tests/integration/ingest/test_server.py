"""The ingress behind its real server, over real sockets."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from bellhop.ingest.connection import IngressConnection
from bellhop.ingest.server import processes, serve
from bellhop.schemas.errors import SettingsError
from bellhop.vendors.settings import build
from tests.support.ingress import SECRET, body, settings, signed
from tests.support.service import free_port, wait_for

ROOT = Path(__file__).resolve().parents[3]

# Confirms after as many seconds as the member's id says; what is observed goes to stdout, a line each.
PROGRAM = """
import json, sys, threading
from contextlib import nullcontext
from pathlib import Path
from flask import send_file
from gunicorn import util
from bellhop.ingest import webhooks
from bellhop.ingest.app import create_app
from bellhop.ingest.reloaded_app import ReloadedApp
from bellhop.ingest.server import serve
from bellhop.schemas.envelope import decode
from bellhop.schemas.errors import SettingsError
from tests.support.ingress import MemoryEvents, MemoryPublisher, settings

def observe(event, /, **fields):
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\\n")
    sys.stdout.flush()

class Publisher(MemoryPublisher):
    def publish(self, message, to):
        self.silent = True
        future = super().publish(message, to)
        observe("test.published", id=message.id)
        threading.Timer(float(decode(message.body).subject), future.set_result, (None,)).start()
        return future

if "--impatient" in sys.argv:
    webhooks._GRACE_SECONDS = -5.0  # with the confirm time of 5 s: at once

if "--lingering" in sys.argv:
    util.close_graceful.__defaults__ = (3600.0, 65536)

def make_app():
    if "--broken" in sys.argv:
        raise SettingsError("broker.url", "is not there", "bellhop.toml")
    app = create_app(settings(**options), Publisher(), MemoryEvents(), observe=observe)
    app.add_url_rule("/file", view_func=lambda: send_file(Path("bellhop.txt").absolute()))
    return ReloadedApp(lambda: app, lambda: False, gather=None if "--threads" in sys.argv else nullcontext)

options = json.loads(sys.argv[1])
serve(settings(**options), make_app, observe=observe)
"""


class Server:
    def __init__(self, folder: Path, *words: str, **ingest: Any) -> None:
        self.port = free_port()
        self.out, self.err = folder / "out", folder / "err"
        options = {"port": self.port, "body_timeout": "1s", "threads": 2} | ingest
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, json.dumps(options), *words],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def told(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.out.read_text().splitlines() if line.endswith("}")]
        return [line for line in lines if line["event"] == event]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=15)


@contextmanager
def running(folder: Path, *words: str, **ingest: Any) -> Iterator[Server]:
    made = Server(folder, *words, **ingest)
    try:
        wait_for(lambda: answers(made), "the server answers", 20)
        yield made
    finally:
        if made.process.poll() is None:
            os.killpg(made.process.pid, signal.SIGKILL)
            made.process.wait()


@pytest.fixture
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    with running(tmp_path, *getattr(request, "param", ())) as made:
        yield made


def answers(server: Server) -> bool:
    try:
        with server.connect() as client:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return status_of(answer_of(client)) == 200
    except OSError:
        return False


def head(content: bytes, more: dict[str, str] | None = None, id_: str = "msg-1") -> bytes:
    """A signed webhook's head; `more` changes its headers, and takes those away that are empty."""
    headers = signed(content, id_, now=datetime.now(UTC)) | {"content-length": str(len(content)), "host": "x"}
    lines = [f"{name}: {value}" for name, value in (headers | (more or {})).items() if value]
    return "\r\n".join(["POST /webhooks/crm HTTP/1.1", *lines, "", ""]).encode()


def answer_of(client: socket.socket) -> bytes:
    """One answer, whole: up to its Content-Length, or to the end."""
    got = b""
    while True:
        piece = client.recv(65536)
        if not piece:
            return got
        got += piece
        top, found, content = got.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in top.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if found and lengths and len(content) >= int(lengths[0]):
            return got


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ")[1])


def problem_of(answer: bytes) -> str:
    kind: str = json.loads(answer.partition(b"\r\n\r\n")[2])["type"]
    return kind.removeprefix("urn:bellhop:problem:")


QUICK = body(data={"member_id": 0})


def test_webhooks_are_accepted_one_after_another_on_one_connection(server: Server) -> None:
    with server.connect() as client:
        for number in range(3):
            client.sendall(head(QUICK, id_=f"msg-{number}") + QUICK)
            answer = answer_of(client)
            assert status_of(answer) == 202
            assert b"Server: bellhop\r\n" in answer
    assert [line["id"] for line in server.told("test.published")] == ["crm/msg-0", "crm/msg-1", "crm/msg-2"]


UNCONFIRMED = body(data={"member_id": 1000})
"""Its confirm comes when the test is long over."""


def test_webhooks_that_wait_for_their_confirm_hold_no_thread(tmp_path: Path) -> None:
    with running(tmp_path, body_timeout="60s") as server, ExitStack() as stack:
        for number in range(5):  # more than there are threads
            client = stack.enter_context(server.connect())
            client.sendall(head(UNCONFIRMED, id_=f"msg-{number}") + UNCONFIRMED)
        wait_for(lambda: len(server.told("test.published")) == 5, "all are published", 30)
        client = stack.enter_context(server.connect())
        client.sendall(head(QUICK) + QUICK)
        assert status_of(answer_of(client)) == 202
        assert len(server.told("webhook.accepted")) == 1
        client.sendall(head(QUICK) + QUICK[:-1])  # and what does not come whole has one
        wait_for(lambda: answers(server), "it answers", 30)
        client.sendall(QUICK[-1:])
        assert status_of(answer_of(client)) == 202


@pytest.mark.parametrize("server", [("--threads",), ()], indirect=True)
def test_what_is_sent_ahead_on_one_connection_is_answered_in_its_order(server: Server) -> None:
    slow = body(data={"member_id": "0.5"})
    ids = [f"msg-{number}" for number in range(5)]
    first, *ahead = [head(slow if id_ == "msg-1" else QUICK, id_=id_) for id_ in ids]
    got = b""
    with server.connect() as client:
        client.sendall(first + QUICK)
        client.sendall(ahead[0] + slow + ahead[1] + QUICK + ahead[2])
        wait_for(lambda: len(server.told("test.published")) >= 2, "the slow one waits", 30)
        client.sendall(QUICK + ahead[3] + QUICK)
        while got.count(b"status_url") < len(ids):
            piece = client.recv(65536)
            assert piece, got
            got += piece
    assert [match.decode() for match in re.findall(rb'"id": "(msg-\d)"', got)] == ids


def test_a_client_that_leaves_before_its_answer_is_no_problem(server: Server) -> None:
    slow = body(data={"member_id": "0.5"})
    with server.connect() as client:
        client.sendall(head(slow) + slow)
        wait_for(lambda: bool(server.told("test.published")), "it is published", 30)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closes it with a reset
    wait_for(lambda: bool(server.told("webhook.accepted")), "it would be answered", 30)
    with server.connect() as client:
        client.sendall(head(QUICK) + QUICK)
        assert status_of(answer_of(client)) == 202
    assert server.told("server.problem") == []


@pytest.mark.parametrize("server", [("--lingering",)], indirect=True)
def test_clients_that_leave_their_connections_open_after_the_last_answer_hold_up_nobody(server: Server) -> None:
    with ExitStack() as stack:
        for id_, start in (("msg-1", b"GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"), ("msg-2", b"")):
            client = stack.enter_context(server.connect())
            client.sendall(start or head(QUICK, {"connection": "close"}, id_) + QUICK)
            assert status_of(answer_of(client)) == (404 if start else 202)
            assert client.recv(1) == b"", "no more will come"
        other = stack.enter_context(server.connect())
        other.sendall(head(QUICK, id_="msg-3") + QUICK)
        assert status_of(answer_of(other)) == 202


@pytest.mark.parametrize("server", [("--impatient",), ("--impatient", "--threads")], indirect=True)
def test_a_publisher_that_breaks_its_word_holds_no_connection_for_ever(server: Server) -> None:
    with server.connect() as client:
        client.sendall(head(UNCONFIRMED) + UNCONFIRMED)
        answer = answer_of(client)
        assert (status_of(answer), problem_of(answer)) == (503, "not-accepted")


def test_an_answer_that_is_not_read_waits_for_its_reader_in_a_thread_alone() -> None:
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with IngressConnection(fileno=ours.detach()) as connection, theirs:
        connection.setblocking(False)
        connection.sendall(b"HTTP/1.1 202 Accepted\r\n\r\n")
        connection.sendall(answer := b"x" * 1_000_000)
        assert connection.is_held_up
        connection.settimeout(30)
        rest = threading.Thread(target=connection.flush)
        rest.start()
        got = b""
        while len(got) < len(answer) + 25:
            got += theirs.recv(65536)
        rest.join()
        assert (got[25:], connection.is_held_up) == (answer, False)


def test_answers_without_a_body_come_at_once_and_say_when(server: Server) -> None:
    with server.connect() as client:
        for _ in range(2):
            client.sendall(b"HEAD /webhooks/crm HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                answer += client.recv(65536)
            assert status_of(answer) == 200
            (told,) = (line.partition(b": ")[2] for line in answer.split(b"\r\n") if line.startswith(b"Date: "))
            assert abs(parsedate_to_datetime(told.decode()) - datetime.now(UTC)) < timedelta(seconds=60)


def test_a_file_comes_behind_its_head(server: Server) -> None:
    """As the console's pages need theirs: it has the same server."""
    (server.out.parent / "bellhop.txt").write_text("ding")
    with server.connect() as client:
        for _ in range(2):
            client.sendall(b"GET /file HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = answer_of(client)
            assert (status_of(answer), answer.partition(b"\r\n\r\n")[2]) == (200, b"ding")


def test_who_waits_to_be_told_to_go_on_is_told(server: Server) -> None:
    with server.connect() as client:
        client.sendall(head(QUICK, {"expect": "100-continue"}))
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(QUICK)
        assert status_of(answer_of(client)) == 202


def test_a_chunked_webhook_is_accepted(server: Server) -> None:
    with server.connect() as client:
        client.sendall(head(QUICK, {"content-length": "", "transfer-encoding": "chunked"}))
        client.sendall(b"5\r\n" + QUICK[:5] + b"\r\n" + f"{len(QUICK) - 5:x}".encode() + b"\r\n" + QUICK[5:])
        client.sendall(b"\r\n0\r\n\r\n")
        assert status_of(answer_of(client)) == 202


@pytest.mark.parametrize(
    ("headers", "sent", "status", "name"),
    [
        ({"content-length": "5000"}, QUICK, 400, "body-broken"),
        ({"content-length": "", "transfer-encoding": "chunked"}, b"ff\r\n" + QUICK, 400, "body-broken"),
        ({"content-length": "", "transfer-encoding": "chunked"}, b"zz\r\n" + QUICK, 400, "body-broken"),
        ({"content-length": "", "transfer-encoding": "chunked"}, b"20000\r\n" + b"x" * 0x20000, 413, "body-too-large"),
        ({"content-length": "10000000"}, b"x" * 10_000_000, 413, "body-too-large"),
        ({"content-type": "text/html"}, QUICK, 415, "media-type"),
    ],
)
def test_a_body_that_is_cut_off_broken_or_too_large_is_refused_and_nothing_is_queued(
    server: Server, headers: dict[str, str], sent: bytes, status: int, name: str
) -> None:
    with server.connect() as client:
        client.sendall(head(QUICK, headers) + sent)
        client.shutdown(socket.SHUT_WR)
        answer = answer_of(client)
    assert (status_of(answer), problem_of(answer)) == (status, name)
    assert server.told("test.published") == []
    (told,) = server.told("webhook.refused")
    assert (told["status"], told["reason"], told["source"]) == (status, name, "crm")


def test_a_body_that_stops_coming_is_refused_and_its_thread_is_free_again(server: Server) -> None:
    with server.connect() as one, server.connect() as other:
        for client in (one, other):  # as many as there are threads
            client.sendall(head(QUICK) + QUICK[:10])
        for client in (one, other):
            answer = answer_of(client)
            assert (status_of(answer), problem_of(answer)) == (408, "body-too-slow")
            assert client.recv(1) == b""
    assert answers(server)
    assert server.told("test.published") == []


def test_a_body_that_trickles_is_held_to_the_same_time(server: Server) -> None:
    stopped = threading.Event()

    def trickle(client: socket.socket) -> None:
        for byte in QUICK:
            if stopped.wait(0.2):
                return
            client.sendall(bytes([byte]))

    with server.connect() as client:
        client.sendall(head(QUICK))
        sender = threading.Thread(target=trickle, args=(client,))
        sender.start()
        try:
            assert status_of(answer_of(client)) == 408
        finally:
            stopped.set()
            sender.join()


def test_a_head_that_stops_coming_holds_no_thread(server: Server) -> None:
    with server.connect() as one, server.connect() as other:
        for client in (one, other):
            client.sendall(b"POST /webhooks/crm HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer hidden-from-logs")
        wait_for(lambda: len(server.told("connection.slow")) == 2, "both are let go", 15)
        assert (one.recv(1), other.recv(1)) == (b"", b"")
    assert answers(server)


def test_what_is_not_http_is_answered_400_and_not_logged(server: Server) -> None:
    with server.connect() as client:
        client.sendall(b"hidden-from-logs\r\n\r\n")
        assert status_of(answer_of(client)) == 400
    assert answers(server)
    assert "hidden-from-logs" not in server.out.read_text() + server.err.read_text()


def test_told_to_stop_it_answers_what_it_has_taken_and_leaves(server: Server) -> None:
    slow = body(data={"member_id": 2})
    with server.connect() as client:
        client.sendall(head(slow) + slow)
        wait_for(lambda: bool(server.told("test.published")), "the request is at the broker")
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert status_of(answer_of(client)) == 202
    assert server.process.wait(20) == 0
    assert time.monotonic() - began < 20
    with pytest.raises(OSError, match="refused"):
        server.connect()
    assert server.err.read_text() == ""


def test_it_tells_where_it_listens(server: Server) -> None:
    assert server.told("server.listening") == [{"event": "server.listening", "host": "127.0.0.1", "port": server.port}]


def test_it_does_not_go_on_when_its_parts_cannot_be_made(tmp_path: Path) -> None:
    server = Server(tmp_path, "--broken")
    assert server.process.wait(30) != 0
    reasons = [line["error"] for line in server.told("server.problem")]
    assert "setting broker.url: is not there (in bellhop.toml)" in reasons
    assert "Traceback" not in server.err.read_text()


def test_an_address_in_use_is_one_line_at_the_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"ingest\.port: cannot listen on 127\.0\.0\.1:{port}: .*in use"):
            serve(settings(port=port), pytest.fail)


@pytest.mark.parametrize("count", ["0", "2", "many"])
def test_what_is_handed_over_must_be_one_socket(monkeypatch: pytest.MonkeyPatch, count: str) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", count)
    with pytest.raises(SettingsError, match="LISTEN_FDS: must hand over one socket"):
        serve(settings(port=free_port()), pytest.fail)
    assert "LISTEN_FDS" not in os.environ


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b"])
def test_a_host_that_is_not_here_is_one_line_at_the_start(host: str) -> None:
    with pytest.raises(SettingsError, match=rf"cannot listen on {host}:"):
        serve(settings(host=host), pytest.fail)


def test_the_number_of_processes_is_the_settings_or_fits_the_broker() -> None:
    amqp = {"broker": {"url": "amqp://localhost/"}}
    assert processes(build({})) == 1
    assert processes(build(amqp)) == 2
    assert processes(build(amqp | {"ingest": {"processes": 5}})) == 5


def test_no_secret_is_in_what_the_server_says(server: Server) -> None:
    with server.connect() as client:
        client.sendall(head(QUICK, {"authorization": f"Bearer {SECRET}"}) + QUICK)
        answer_of(client)
    assert server.stop() == 0
    assert SECRET not in server.out.read_text() + server.err.read_text()
