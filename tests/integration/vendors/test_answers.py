"""What becomes of each answer that a vendor may give, over real sockets; `docs/vendor-answers.md` has the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

import pytest

from bellhop.schemas.redact import Redactor
from bellhop.vendors.http import HttpClient
from tools.vendor_answers import (
    COLUMNS,
    PAGE_SAMPLES,
    PEOPLEVINE_SAMPLES,
    SIMPLYBOOK_SAMPLES,
    Sample,
    answer_to,
    fate,
)

RETRY, DOUBT, AGAIN = "retry", "in doubt", ", believed the second time"
REFUSED, AUTH = "dead letter `rejected`", "refused"
TURNED_AWAY = (RETRY, RETRY, RETRY)
MAYBE = (RETRY, RETRY, DOUBT)
NO_CREDENTIALS = (AUTH, AUTH, AUTH)
NO = (AUTH, REFUSED, REFUSED)
UNREADABLE = (AUTH, REFUSED, DOUBT)

PAGES: Final[Mapping[str, tuple[str, str, str]]] = {
    "HTTP 200, a page": MAYBE,
    "HTTP 303, a page": MAYBE,
    "HTTP 400, a page": TURNED_AWAY,
    "HTTP 401, a page": NO_CREDENTIALS,
    "HTTP 403, a page": TURNED_AWAY,
    "HTTP 404, a page": TURNED_AWAY,
    "HTTP 408, a page": MAYBE,
    "HTTP 429, a page": TURNED_AWAY,
    "HTTP 500, a page": MAYBE,
    "HTTP 502, a page": MAYBE,
    "HTTP 503, a page": MAYBE,
    "HTTP 504, a page": MAYBE,
    "HTTP 521, a page": TURNED_AWAY,
    "HTTP 403, a page that speaks of too many requests": TURNED_AWAY,
    "HTTP 403, a gateway's JSON": TURNED_AWAY,
    "HTTP 403, a gateway's JSON with its status as a code": TURNED_AWAY,
    "HTTP 502, a gateway's JSON": MAYBE,
    "HTTP 200 with an empty body": MAYBE,
    "HTTP 500 with an empty body": MAYBE,
}
SIMPLYBOOK: Final[Mapping[str, tuple[str, str, str]]] = {
    **PAGES,
    "-32054 Selected time start is not available": NO,
    "its words with a code of no table": NO,
    "its code with other words": NO,
    "its words and code with HTTP 500": NO,
    "the same after a byte order mark": NO,
    'its refusal with the id ""': NO,
    "its refusal with another id": MAYBE,
    "-32600 Access denied": NO_CREDENTIALS,
    "-32000 Your session token has expired": NO_CREDENTIALS,
    "HTTP 401 with its JSON": NO_CREDENTIALS,
    "-32000 Wrong API key": NO_CREDENTIALS,
    "-32000 Too many requests": TURNED_AWAY,
    "-32000 Please try again later": TURNED_AWAY,
    "-32603 Internal error": MAYBE,
    "-32000 SQLSTATE[40001]: Serialization failure": MAYBE,
    "-32000 Captcha is required": NO,
    "-32000 The limit of bookings per day is reached": NO,
    "-32000 External Booking Validator: phone is not one of ours": NO,
    "a refusal in words that nobody knows": (AUTH, RETRY + AGAIN, DOUBT + AGAIN),
    "a result with another id": MAYBE,
    "both a result and an error": MAYBE,
    "a result with HTTP 404": MAYBE,
    "a result of another form": UNREADABLE,
    "a list of no bookings": UNREADABLE,
    'a booking with the id "0"': UNREADABLE,
    "a booking with a sentence for an id": UNREADABLE,
}
PEOPLEVINE: Final[Mapping[str, tuple[str, str, str]]] = {
    **{title: ("", repeatable, once) for title, (_, repeatable, once) in PAGES.items()},
    "Invalid member ID": ("", REFUSED, REFUSED),
    "Technician is not available": ("", REFUSED, REFUSED),
    "a refusal with HTTP 400": ("", REFUSED, REFUSED),
    "a refusal with HTTP 500": ("", RETRY, DOUBT),
    "no reason at all": ("", RETRY + AGAIN, DOUBT + AGAIN),
    "a bare reason: Error": ("", RETRY + AGAIN, DOUBT + AGAIN),
    "Error; Object reference not set …": ("", RETRY, DOUBT),
    "The operation has timed out": ("", RETRY, DOUBT),
    "Invalid username or password": ("", AUTH, AUTH),
    "Error; Company is not active": ("", AUTH, AUTH),
    "Rate limit exceeded": ("", RETRY, RETRY),
    "Please try again later": ("", RETRY, RETRY),
    "a refusal whose message is an id": ("", REFUSED, DOUBT),
    'success with the id "0"': ("", REFUSED, DOUBT),
    "success with a sentence for an id": ("", REFUSED, DOUBT),
    "success with HTTP 404": ("", RETRY, DOUBT),
    "success with errors counted": ("", REFUSED, DOUBT),
    "success with errors counted as 1.0": ("", REFUSED, DOUBT),
}
SAMPLES: Final[Mapping[str, tuple[Sample, ...]]] = {
    "simplybook": (*PAGE_SAMPLES, *SIMPLYBOOK_SAMPLES),
    "peoplevine": (*PAGE_SAMPLES, *PEOPLEVINE_SAMPLES),
}
CASES: Final = [
    (vendor, place, column, expected[sample.title][number])
    for vendor, expected in (("simplybook", SIMPLYBOOK), ("peoplevine", PEOPLEVINE))
    for place, sample in enumerate(SAMPLES[vendor])
    for number, column in enumerate(COLUMNS)
    if expected[sample.title][number]
]


class _Handler(BaseHTTPRequestHandler):
    """Answers /vendor/place/column/… with the sample of that place."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        _, vendor, place, column, *rest = self.path.partition("?")[0].split("/")
        target = "/" + "/".join(rest)
        status, sent = answer_to(SAMPLES[vendor][int(place)], COLUMNS[int(column)], target, body or None)
        self.send_response_only(status)
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def http() -> HttpClient:
    return HttpClient(pool_size=2, redactor=Redactor())


@pytest.mark.parametrize(("vendor", "place", "column", "expected"), CASES)
def test_each_answer_to_each_kind_of_call_has_its_fate(
    url: str, http: HttpClient, vendor: str, place: int, column: str, expected: str
) -> None:
    told, _ = fate(vendor, http, f"{url}/{vendor}/{place}/{COLUMNS.index(column)}", column)
    assert told == expected, SAMPLES[vendor][place].title
