"""SimplyBook.me's sandbox under clients that are not ours: the vendor's own, byte for byte, and public libraries."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonrpc_requests
import jsonrpcclient
import pytest
import urllib3

from bellhop.sandbox.server import Sandbox
from tests.support.require import missing

DAY = "2026-03-10"
GUEST = {"name": "Ann Example", "email": "ann@example.com", "phone": "+38099999999"}
TAKEN = "Selected time start is not available"
NODE = Path(__file__).parents[2] / "support" / "node"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Each test books with a provider of its own."""
    with Sandbox(now=lambda: datetime(2026, 3, 9, 12, 0, tzinfo=UTC)) as running:
        yield running


def signed(booking: dict[str, str]) -> str:
    text = f"{booking['id']}{booking['hash']}sandbox-secret-key"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def exchange(sandbox: Sandbox, request: bytes) -> tuple[int, Any]:
    """Sends these bytes on a connection of its own, as they stand: the status and the body's JSON."""
    parts = urlsplit(sandbox.url)
    with socket.create_connection((parts.hostname, parts.port), 20) as sock:
        sock.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer or len(answer.partition(b"\r\n\r\n")[2]) < _length(answer):
            part = sock.recv(65_536)
            assert part, answer
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/json" in head
    return int(head.split()[1]), json.loads(body)


def _length(answer: bytes) -> int:
    found = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
    return int(found[1]) if found else 0


def test_the_vendors_javascript_client_finds_its_methods_and_books(sandbox: Sandbox) -> None:
    """What a browser sends for its JSONRpcClient: the service map of each address, then calls whose ids are numbers."""
    browser = (
        b"Host: user-api.simplybook.me\r\nAccept: */*\r\nAccept-Language: en-GB,en;q=0.9\r\n"
        b"Origin: https://example.com\r\nUser-Agent: Mozilla/5.0\r\n"
    )
    token, number = "", 0

    def load(path: bytes) -> Any:
        status, told = exchange(sandbox, b"GET " + path + b" HTTP/1.1\r\n" + browser + b"\r\n")
        assert status == 200
        return told["methods"]

    def call(path: bytes, method: str, *params: object) -> Any:
        nonlocal number
        number += 1
        body = json.dumps(
            {"jsonrpc": "2.0", "method": method, "params": params, "id": number}, separators=(",", ":")
        ).encode()
        keys = f"X-Company-Login: sandbox\r\nX-Token: {token}\r\n".encode() if token else b""
        head = b"POST " + path + b" HTTP/1.1\r\n" + browser + b"Content-Type: application/json\r\n" + keys
        status, told = exchange(sandbox, head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert (status, told["id"], told["jsonrpc"]) == (200, str(number), "2.0")
        return told.get("result", told.get("error"))

    assert load(b"/login/")["getToken"]["transport"] == "POST"
    token = call(b"/login/", "getToken", "sandbox", "sandbox-api-key")
    assert {"getEventList", "getStartTimeMatrix", "book", "getBookingDetails"} < load(b"/").keys()
    assert call(b"/", "getEventList")["7"]["name"] == "Quick treatment"
    matrix = call(b"/", "getStartTimeMatrix", DAY, DAY, "7", "1", 1)
    assert call(b"/", "getCaptchaChallenge") == {"provider": None}
    [booking] = call(b"/", "book", "7", "1", DAY, matrix[DAY][0], GUEST, {}, 1, None)["bookings"]
    details = call(b"/", "getBookingDetails", booking["id"], signed(booking))
    assert (details["booking_code"], details["start_date_time"]) == (booking["code"], f"{DAY} 00:00:00")
    free = call(b"/", "getCartesianStartTimeMatrix", DAY, DAY, "7", None, 1)
    assert next(row for row in free if "00:00:00" in row["timeslots"][DAY])["provider_id"] == "2"
    assert call(b"/", "book", "7", "1", DAY, "00:00:00", GUEST, {}, 1, None)["message"] == TAKEN


def test_the_vendors_php_client_books(sandbox: Sandbox) -> None:
    """What PHP's file_get_contents sends for its JsonRpcClient: no version, so none comes back; the answer's id is
    compared with a number by ==."""
    token, number = "", 0

    def call(path: str, method: str, *params: object) -> Any:
        nonlocal number
        number += 1
        body = json.dumps({"method": method, "params": params, "id": number}, separators=(",", ":"))
        body = body.replace("/", "\\/")
        keys = f"X-Company-Login: sandbox\r\nX-Token: {token}\r\n" if token else ""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: user-api.simplybook.me\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\nContent-type: application/json\r\n{keys}\r\n"
        )
        status, told = exchange(sandbox, (head + body).encode())
        assert (status, int(told["id"])) == (200, number)
        assert "jsonrpc" not in told
        return told.get("result", told.get("error"))

    token = call("/login/", "getToken", "sandbox", "sandbox-api-key")
    assert call("/", "getEventList")["7"]["name"] == "Quick treatment"
    [booking] = call("/", "book", 7, 3, DAY, "09:00:00", GUEST, [])["bookings"]
    assert call("/", "getBookingDetails", booking["id"], signed(booking))["booking_code"] == booking["code"]
    assert call("/", "cancelBooking", booking["id"], signed(booking)) is True
    assert call("/", "cancelBooking", booking["id"], signed(booking))["code"] == -32080


def test_jsonrpcclient_books(sandbox: Sandbox) -> None:
    http, headers = urllib3.PoolManager(retries=False, timeout=20), {"X-Company-Login": "sandbox"}

    def call(path: str, method: str, params: Any) -> jsonrpcclient.Ok | jsonrpcclient.Error:
        asked = jsonrpcclient.request(method, params=params)
        answer = http.request("POST", f"{sandbox.url}{path}", json=asked, headers=headers)
        parsed: Any = jsonrpcclient.parse(answer.json())
        assert parsed.id == str(asked["id"])
        assert isinstance(parsed, jsonrpcclient.Ok | jsonrpcclient.Error)
        return parsed

    def ok(method: str, *params: Any, path: str = "/") -> Any:
        parsed = call(path, method, params)
        assert isinstance(parsed, jsonrpcclient.Ok), parsed
        return parsed.result

    headers["X-Token"] = ok("getToken", "sandbox", "sandbox-api-key", path="/login")
    [booking] = ok("book", "7", "4", DAY, "09:00:00", GUEST)["bookings"]
    by_name = call("/", "getBookingDetails", {"sign": signed(booking), "id": booking["id"]})
    assert isinstance(by_name, jsonrpcclient.Ok)
    assert by_name.result["booking_code"] == booking["code"]
    assert call("/", "book", ("7", "4", DAY, "09:00:00", GUEST)) == jsonrpcclient.Error(-32054, TAKEN, {}, "4")


def test_jsonrpc_requests_books(sandbox: Sandbox) -> None:
    login = jsonrpc_requests.Server(f"{sandbox.url}/login", timeout=20)
    token = login.getToken("sandbox", "sandbox-api-key")
    server = jsonrpc_requests.Server(
        f"{sandbox.url}/", headers={"X-Company-Login": "sandbox", "X-Token": token}, timeout=20
    )
    [booking] = server.book("7", "5", DAY, "09:00:00", GUEST)["bookings"]
    assert server.getBookingDetails(sign=signed(booking), id=booking["id"])["booking_code"] == booking["code"]
    with pytest.raises(jsonrpc_requests.ProtocolError, match=f"-32054 {TAKEN}"):
        server.book("7", "5", DAY, "09:00:00", GUEST)
    login.session.close()
    server.session.close()


@pytest.mark.parametrize(("library", "unit"), [("jayson", "6"), ("open-rpc", "7")])
def test_public_clients_of_javascript_book(sandbox: Sandbox, library: str, unit: str) -> None:
    node = shutil.which("node")
    if node is None or not (NODE / "node_modules").is_dir():
        missing("Node.js with its packages", "apt install nodejs npm, then tests/support/install_parts.sh")
    run = subprocess.run(
        [node, str(NODE / "clients.mjs"), library, sandbox.url, DAY, unit],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    booked = next(one for one in sandbox.state.snapshot()["bookings"] if one["unit_id"] == unit)
    told = json.loads(run.stdout)
    assert (told["event"], told["id"], bool(told["code"])) == ("Quick treatment", booked["id"], True)
    assert told["refusal"] == {"code": -32054, "message": TAKEN}
