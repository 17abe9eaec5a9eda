"""How a vendor's HTTP can fail, over real sockets: what was certainly not done, and what may have been."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.serving import make_ssl_devcert

from bellhop.schemas.redact import Redactor
from bellhop.vendors import sockets
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.http import HttpClient
from bellhop.vendors.peoplevine.client import PeoplevineClient
from bellhop.vendors.peoplevine.settings import PeoplevineAccount
from tests.support.service import free_port

PASSWORD = "very-secret-password"
OK = b'{"success": true, "reason": null, "message": "77", "success_count": 1, "error_count": 0}'


def answer(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


Act = Callable[[socket.socket], None]


@contextmanager
def vendor(act: Act, *, reads: bool = True) -> Iterator[str]:
    """A server that does `act` on each connection, after the request's head and body have come, unless `act` reads."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(5)
                if reads:
                    connection.recv(65536)
                act(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        thread.join()
        listener.close()


def client(url: str) -> PeoplevineClient:
    account = PeoplevineAccount("pv", url, "auth-9876", "4711", "bellhop", PASSWORD, "2", True, 1.0, 0.5)
    return PeoplevineClient(account, HttpClient(pool_size=2, redactor=Redactor([PASSWORD, "auth-9876"])))


def failing(url: str) -> VendorFailure:
    with pytest.raises(VendorFailure) as caught:
        client(url).create_service_reservation("3125141", "", [])
    failure = caught.value
    whole = f"{failure} {failure!r} {failure.answer} {failure.__cause__}"
    assert PASSWORD not in whole
    assert "auth-9876" not in whole
    return failure


def send(data: bytes) -> Act:
    return lambda connection: connection.sendall(data)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def silence(connection: socket.socket) -> None:
    threading.Event().wait(0.8)


def test_a_port_where_nobody_listens_was_certainly_not_called() -> None:
    assert failing(f"http://127.0.0.1:{free_port()}").kind is Kind.TRANSIENT


def test_a_name_that_does_not_exist_was_certainly_not_called() -> None:
    assert failing("http://vendor.invalid").kind is Kind.TRANSIENT


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (silence, Kind.UNKNOWN),
        (reset, Kind.UNKNOWN),
        (lambda _: None, Kind.UNKNOWN),
        (send(answer(OK, length=500)), Kind.UNKNOWN),
        (send(b"nonsense\r\n\r\n"), Kind.UNKNOWN),
        (send(answer(b"<html>", "502 Bad Gateway")), Kind.UNKNOWN),
        (send(answer(b"<html>", "503 Service Unavailable", "Retry-After: 7")), Kind.UNKNOWN),
        (send(answer(b"<html>ok</html>")), Kind.UNKNOWN),
        (send(answer(b"[]")), Kind.UNKNOWN),
        (send(answer(b'{"success": true, "message": null}')), Kind.UNKNOWN),
        (send(answer(b'{"success": "yes"}')), Kind.UNKNOWN),
        (send(answer(b"x" * 100, "200 OK", length=6_000_000)), Kind.UNKNOWN),
        (send(answer(b"", "429 Too Many Requests", "Retry-After: 7")), Kind.THROTTLED),
        (send(answer(b"Too many requests", "403 Forbidden")), Kind.THROTTLED),
        (send(answer(b"", "401 Unauthorized")), Kind.AUTH),
        (send(answer(b"", "404 Not Found")), Kind.TRANSIENT),
        (send(answer(b"", "302 Found", "Location: http://elsewhere.test/")), Kind.UNKNOWN),
        (send(answer(b'{"success": false, "reason": "Invalid member ID"}')), Kind.REJECTED),
        (send(answer(b'{"success": false, "reason": "Invalid credentials"}')), Kind.AUTH),
        (send(answer(b'{"success": false, "reason": "something new"}')), Kind.REJECTED),
        (send(answer(b'{"success": false, "reason": "Row handler gave no row"}')), Kind.UNKNOWN),
    ],
    ids=lambda value: value.value if isinstance(value, Kind) else "",
)
def test_each_way_to_fail_has_its_kind(act: Act, kind: Kind) -> None:
    with vendor(act) as url:
        assert failing(url).kind is kind


def test_retry_after_is_read_as_seconds() -> None:
    with vendor(send(answer(b"", "429 Too Many Requests", "Retry-After: 7"))) as url:
        assert failing(url).retry_after == 7.0


def test_a_vendor_that_echoes_the_credentials_does_not_get_them_into_the_failure() -> None:
    echo = json.dumps({"success": False, "reason": f"no user bellhop with pass={PASSWORD}"}).encode()
    with vendor(send(answer(echo))) as url:
        failing(url)


def test_a_success_gives_the_reservations_id() -> None:
    with vendor(send(answer(OK))) as url:
        assert client(url).create_service_reservation("3125141", "", []) == "77"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner)
    | st.dictionaries(st.sampled_from(["success", "reason", "message", "offers"]) | st.text(max_size=3), inner))
)  # fmt: skip
def test_whatever_json_a_vendor_answers_is_a_result_or_a_classified_failure(body: object) -> None:
    with vendor(send(answer(json.dumps(body).encode()))) as url:
        try:
            made = client(url).create_service_reservation("3125141", "", [])
        except VendorFailure:
            return
        assert made


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """A server's, for the name localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*make_ssl_devcert(str(tmp_path / "own"), cn="localhost"))
    return context


@pytest.fixture
def is_trusted(certificate: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusting = ssl.create_default_context(cafile=str(tmp_path / "own.crt"))
    monkeypatch.setattr(sockets, "_tls", lambda: trusting)


def with_tls(context: ssl.SSLContext, act: Act) -> Act:
    def serve(connection: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as agreed:
            agreed.recv(65536)
            act(agreed)

    return serve


@contextmanager
def tls_vendor(context: ssl.SSLContext, act: Act) -> Iterator[str]:
    with vendor(with_tls(context, act), reads=False) as url:
        yield url.replace("http://127.0.0.1", "https://localhost")


@pytest.mark.usefixtures("is_trusted")
def test_a_trusted_vendor_is_called_over_tls(certificate: ssl.SSLContext) -> None:
    with tls_vendor(certificate, send(answer(OK))) as url:
        assert client(url).create_service_reservation("3125141", "", []) == "77"


@pytest.mark.usefixtures("is_trusted")
@pytest.mark.parametrize("act", [lambda _: None, send(answer(OK)[:-1]), reset], ids=["nothing", "cut off", "reset"])
def test_tls_that_breaks_after_the_request_was_sent_leaves_a_doubt(certificate: ssl.SSLContext, act: Act) -> None:
    with tls_vendor(certificate, act) as url:
        assert failing(url).kind is Kind.UNKNOWN


def test_a_vendor_whose_certificate_cannot_be_trusted_was_not_asked_anything(certificate: ssl.SSLContext) -> None:
    with tls_vendor(certificate, send(answer(OK))) as url:
        failure = failing(url)
    assert failure.kind is Kind.TRANSIENT
    assert "its certificate cannot be trusted" in str(failure)


@pytest.mark.parametrize(
    "act", [lambda _: None, reset, send(b"\x15\x03\x03\x00\x02\x02\x28")], ids=["closed", "reset", "alert"]
)
def test_a_vendor_that_breaks_tls_off_before_it_is_agreed_was_not_asked_anything(act: Act) -> None:
    with vendor(act) as url:
        assert failing(url.replace("http:", "https:")).kind is Kind.TRANSIENT


def test_a_server_that_does_not_speak_tls_was_not_asked_anything() -> None:
    with vendor(send(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as url:
        assert failing(url.replace("http:", "https:")).kind is Kind.TRANSIENT


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        ("500 Internal Server Error", "something new", Kind.UNKNOWN),
        ("500 Internal Server Error", "Invalid member ID", Kind.REJECTED),
        ("200 OK", "A timeout occurred while contacting Book4Time", Kind.UNKNOWN),
        ("400 Bad Request", "something new", Kind.REJECTED),
    ],
)
def test_a_failure_that_may_have_come_after_the_booking_leaves_a_doubt(status: str, reason: str, kind: Kind) -> None:
    with vendor(send(answer(json.dumps({"success": False, "reason": reason}).encode(), status))) as url:
        assert failing(url).kind is kind


@pytest.mark.parametrize("value", ["1893456000", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_a_pause_beyond_an_hour_is_taken_for_an_hour(value: str) -> None:
    with vendor(send(answer(b"", "429 Too Many Requests", f"Retry-After: {value}"))) as url:
        assert failing(url).retry_after == 3600.0


def test_a_retry_after_that_only_looks_like_a_number_is_none() -> None:
    with vendor(send(answer(b"", "429 Too Many Requests", "Retry-After: \xb2"))) as url:
        assert failing(url).retry_after is None


def test_what_nothing_can_store_is_taken_out_of_an_answer() -> None:
    body = b'{"success": false, "reason": "half \\ud800 and \\u0000", "n": NaN, "i": 1e999, "k\\udfff": [1.5]}'
    with vendor(send(answer(body))) as url:
        failure = failing(url)
    kept = json.dumps(failure.answer, ensure_ascii=False, allow_nan=False).encode()
    assert b"\x00" not in kept
    assert str(failure).encode()
    assert failure.answer is not None
    assert failure.answer["body"]["n"] is None
    assert failure.answer["body"]["i"] is None
