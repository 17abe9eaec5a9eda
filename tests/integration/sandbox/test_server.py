from __future__ import annotations

import errno
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from bellhop.sandbox.server import Sandbox

DAY = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
GUEST = {"name": "Ann Example", "email": "ann@example.com", "phone": "+38099999999"}
ACCOUNT = {"auth_id": "sandbox", "company": "4711", "user": "bellhop", "pass": "sandbox-password"}
DEADLINE = 20.0


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


class Client:
    """One keep-alive connection."""

    def __init__(self, url: str, token: str = "") -> None:
        parts = urlsplit(url)
        assert parts.hostname
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=DEADLINE)
        self.token = token

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def send(self, verb: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
        self.connection.request(verb, path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def rpc(self, method: str, *params: object, path: str = "/") -> Any:
        if not self.token and path == "/":
            self.token = self.rpc("getToken", "sandbox", "sandbox-api-key", path="/login")["result"]
        body = {"jsonrpc": "2.0", "method": method, "params": params, "id": "1"}
        headers = {"X-Company-Login": "sandbox", "X-Token": self.token}
        return json.loads(self.send("POST", path, body, **headers)[1])

    def book(self, time_: str = "13:00:00", unit: str = "3") -> Any:
        return self.rpc("book", "1", unit, DAY, time_, GUEST, {})


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with Client(sandbox.url) as made:
        made.rpc("getTimeframe")
        yield made


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        time.sleep(0.01)


def bookings(sandbox: Sandbox) -> int:
    return len(sandbox.state.snapshot()["bookings"])


def last(sandbox: Sandbox, method: str = "book") -> dict[str, Any]:
    return [call for call in sandbox.calls() if call["method"] == method][-1]


def test_a_connection_serves_many_calls(sandbox: Sandbox, client: Client) -> None:
    before = client.connection.sock
    for _ in range(5):
        assert client.rpc("getTimeframe")["result"] == "15"
    status, _ = client.send("GET", "/res/sync_member?" + urlencode(ACCOUNT | {"member_id": "1000"}))
    assert status == 200
    assert client.connection.sock is before


def test_of_32_callers_for_one_slot_exactly_one_gets_it(sandbox: Sandbox, client: Client) -> None:
    together = threading.Barrier(32)

    def caller(_: int) -> Any:
        with Client(sandbox.url, client.token) as own:
            own.rpc("getTimeframe")
            together.wait(DEADLINE)
            return own.book()

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(caller, range(32)))
    assert sum("result" in answer for answer in answers) == 1
    assert {answer["error"]["code"] for answer in answers if "error" in answer} == {-32054}
    assert [call["effect"] for call in sandbox.calls() if call["method"] == "book"].count("booked") == 1


def test_an_error_fault_is_an_rpc_error_and_books_nothing(sandbox: Sandbox, client: Client) -> None:
    sandbox.fault(method="book", kind="error", code=-32603, message="Internal error")
    assert client.book()["error"] == {"code": -32603, "message": "Internal error", "data": {}}
    assert bookings(sandbox) == 0
    assert "result" in client.book()


def test_an_http_fault_is_a_status_with_a_page(sandbox: Sandbox, client: Client) -> None:
    sandbox.fault(method="sync_member", kind="http", status=503, retry_after=30)
    client.connection.request("GET", "/res/sync_member?" + urlencode(ACCOUNT | {"member_id": "1000"}))
    answer = client.connection.getresponse()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    assert answer.read().startswith(b"<html>")


def test_a_timeout_before_does_nothing_and_ends_without_an_answer(sandbox: Sandbox, client: Client) -> None:
    sandbox.fault(method="book", kind="timeout_before", seconds=0.05)
    with pytest.raises(http.client.RemoteDisconnected):
        client.book()
    assert bookings(sandbox) == 0
    call = last(sandbox)
    assert (call["answered"], call["effect"], call["fault"]) == (False, None, "timeout_before")


def test_a_timeout_after_has_booked_and_never_says_so(sandbox: Sandbox, client: Client) -> None:
    sandbox.fault(method="book", kind="timeout_after", seconds=0.05)
    with pytest.raises(http.client.RemoteDisconnected):
        client.book()
    [booked] = sandbox.state.snapshot()["bookings"]
    call = last(sandbox)
    assert (call["answered"], call["effect"], call["id"]) == (False, "booked", booked["id"])
    assert client.book()["error"]["code"] == -32054


def test_a_late_timeout_books_after_the_caller_was_left_without_an_answer(sandbox: Sandbox, client: Client) -> None:
    sandbox.fault(method="book", kind="timeout_late", seconds=0.05, late=3600)
    sandbox.fault(method="book", kind="timeout_late", seconds=0.05, late=0.1)
    for made in (0, 1):
        with pytest.raises(http.client.RemoteDisconnected):
            client.book()
        until(lambda made=made: bookings(sandbox) == made)  # type: ignore[misc]
    call = last(sandbox)
    assert (call["answered"], call["effect"], call["fault"]) == (False, "booked", "timeout_late")


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_reset_is_a_reset_before_or_after_the_effect(sandbox: Sandbox, client: Client, when: str, made: int) -> None:
    sandbox.fault(method="book", kind="reset", when=when)
    with pytest.raises(ConnectionResetError) as caught:
        client.book()
    assert caught.value.errno == errno.ECONNRESET  # a plain close has none
    assert bookings(sandbox) == made
    assert last(sandbox)["answered"] is False


def test_a_slow_call_has_its_effect_at_once_and_its_answer_later(sandbox: Sandbox, client: Client) -> None:
    sandbox.fault(method="book", kind="slow", seconds=3600)
    released = sandbox.state.released
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.book)
        until(lambda: bookings(sandbox) == 1)
        assert not waiting.done()
        released.set()
        [booked] = waiting.result(DEADLINE)["result"]["bookings"]
    assert last(sandbox)["id"] == booked["id"]
    assert last(sandbox)["answered"] is True


def test_peoplevine_faults_and_slots_work_over_the_wire(sandbox: Sandbox, client: Client) -> None:
    offer = {
        "start": f"{DAY}T09:15:00",
        "end": f"{DAY}T10:15:00",
        "price": 100.0,
        "technician_id": "100",
        "service_id": "24422569",
        "facility_id": "24422054",
    }
    path = "/res/create_service_reservation?" + urlencode(ACCOUNT)
    body = {"member_id": 3125141, "notes": "", "offers": [offer]}
    sandbox.fault(method="create_service_reservation", vendor="peoplevine", kind="timeout_after", seconds=0.05)
    with pytest.raises(http.client.RemoteDisconnected):
        client.send("POST", path, body)
    assert len(sandbox.state.snapshot()["reservations"]) == 1
    assert json.loads(client.send("POST", path, body)[1])["reason"] == "Time is not available"


def test_held_calls_keep_nobody_else_waiting_and_a_reset_lets_them_go(sandbox: Sandbox, client: Client) -> None:
    sandbox.fault(method="book", kind="timeout_before", seconds=3600, times=None)

    def held(index: int) -> str:
        with Client(sandbox.url, client.token) as own:
            try:
                own.book(unit=str(index + 1))
            except http.client.RemoteDisconnected:
                return "let go"
        return "answered"

    with ThreadPoolExecutor(48) as pool:
        waiting = [pool.submit(held, index) for index in range(48)]
        until(lambda: sum(call["method"] == "book" for call in sandbox.calls()) == 48)
        assert client.rpc("getTimeframe")["result"] == "15"
        sandbox.reset()
        assert {future.result(DEADLINE) for future in waiting} == {"let go"}
    assert sandbox.calls() == []


def test_a_held_call_whose_caller_hung_up_is_let_go(sandbox: Sandbox, client: Client) -> None:
    sandbox.fault(method="book", kind="timeout_before", seconds=3600)
    before = threading.active_count()
    with Client(sandbox.url, client.token) as own:
        own.connection.connect()
        own.connection.sock.sendall(_book_request(client.token))
        until(lambda: any(call["method"] == "book" for call in sandbox.calls()))
        assert threading.active_count() > before
    until(lambda: threading.active_count() <= before)


def test_stopping_does_not_wait_for_held_calls_nor_for_idle_connections() -> None:
    before = threading.active_count()
    with ExitStack() as stack:
        running = stack.enter_context(ExitStack())
        sandbox = running.enter_context(Sandbox())
        idle, held = (stack.enter_context(Client(sandbox.url)) for _ in range(2))
        held.token = idle.rpc("getToken", "sandbox", "sandbox-api-key", path="/login")["result"]
        sandbox.fault(method="book", kind="timeout_before", seconds=3600)
        held.connection.connect()
        held.connection.sock.sendall(_book_request(held.token))
        until(lambda: any(call["method"] == "book" for call in sandbox.calls()))
        running.close()
        assert held.connection.sock.recv(1) == b""
        assert threading.active_count() == before
        with pytest.raises(ConnectionRefusedError):
            Client(sandbox.url).rpc("getTimeframe")


def test_a_request_of_unknown_length_is_refused_and_its_connection_closed(sandbox: Sandbox) -> None:
    address = urlsplit(sandbox.url)
    with socket.create_connection((address.hostname, address.port), timeout=DEADLINE) as raw:
        raw.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        answer = b""
        while chunk := raw.recv(4096):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_the_process_stops_on_sigterm_while_a_call_is_held() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = f"from bellhop.sandbox.server import run_sandbox; run_sandbox('127.0.0.1', {port})"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    try:
        until(lambda: _listens(port) or process.poll() is not None)
        with Client(f"http://127.0.0.1:{port}") as client:
            client.rpc("getTimeframe")
            client.send("POST", "/_sandbox/faults", {"method": "book", "kind": "timeout_after", "seconds": 3600})
            with Client(f"http://127.0.0.1:{port}") as held:
                held.connection.connect()
                held.connection.sock.sendall(_book_request(client.token))
                until(lambda: json.loads(client.send("GET", "/_sandbox/state")[1])["bookings"])
                process.send_signal(signal.SIGTERM)
                _, errors = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, errors) == (0, b"")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _book_request(token: str) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", "method": "book", "params": ["1", "3", DAY, "13:00:00", GUEST], "id": "1"})
    head = f"POST / HTTP/1.1\r\nHost: x\r\nX-Company-Login: sandbox\r\nX-Token: {token}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
