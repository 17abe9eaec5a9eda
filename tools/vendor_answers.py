"""`docs/vendor-answers.md`: what becomes of an event for each answer that a vendor's host may give.

    python -m tools.vendor_answers > docs/vendor-answers.md

Nothing is said of the code here: each answer is given to the vendors' own clients, and what becomes of it is written
down. `tests/integration/vendors/test_answers.py` gives the same answers over real sockets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from bellhop.ledger.records import VendorCall
from bellhop.ledger.records.accounts import Ended
from bellhop.schemas.reasons import Reason
from bellhop.schemas.redact import Redactor
from bellhop.vendors.connections import Connections
from bellhop.vendors.exchange import BrokenOff, NotSent, RawAnswer, Request, Unanswered
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.http import HttpClient
from bellhop.vendors.markdown import markdown_table
from bellhop.vendors.outcome import Dead, InDoubt, Retry
from bellhop.vendors.pages import PAGES
from bellhop.vendors.peoplevine.client import PeoplevineClient
from bellhop.vendors.peoplevine.settings import PeoplevineAccount
from bellhop.vendors.simplybook.client import SimplybookClient
from bellhop.vendors.simplybook.settings import SimplybookAccount
from bellhop.workers.failures import failure_outcome
from bellhop.workers.questions import call_end

ID: Final = "$ID"
"""Stands in a body for the id of the request."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer. title: what is seen."""

    title: str
    status: int
    body: str


def _error(code: int, words: str, status: int = 200, id_: str = ID) -> Callable[[str], Sample]:
    body = {"jsonrpc": "2.0", "id": id_, "error": {"code": code, "message": words, "data": {}}}
    return lambda title: Sample(title or f"{code} {words}", status, json.dumps(body))


def _result(result: Any, id_: str = ID) -> str:
    return json.dumps({"result": result, "id": id_, "jsonrpc": "2.0"})


def _said(reason: str | None, message: str | None = None, *, success: object = False, errors: float = 0) -> str:
    counts = {"success_count": 0, "error_count": errors}
    return json.dumps({"success": success, "reason": reason, "message": message, **counts})


_PAGE: Final = "<html><body>Sorry</body></html>"
PAGE_STATUSES: Final = (200, 303, 400, 401, 403, 404, 408, 429, 500, 502, 503, 504, 521)
PAGE_SAMPLES: Final = (
    *(Sample(f"HTTP {status}, a page", status, _PAGE) for status in PAGE_STATUSES),
    Sample("HTTP 403, a page that speaks of too many requests", 403, "<h1>Too many requests</h1>"),
    Sample("HTTP 403, a gateway's JSON", 403, '{"message": "Forbidden", "requestId": "1"}'),
    Sample(
        "HTTP 403, a gateway's JSON with its status as a code", 403, '{"error": {"code": 403, "message": "Blocked"}}'
    ),
    Sample("HTTP 502, a gateway's JSON", 502, '{"error": "Bad Gateway"}'),
    Sample("HTTP 200 with an empty body", 200, ""),
    Sample("HTTP 500 with an empty body", 500, ""),
)
_ROW: Final = {"hash": "h", "start_date_time": "2027-05-10 09:00:00"}
SIMPLYBOOK_SAMPLES: Final = (
    _error(-32054, "Selected time start is not available")(""),
    _error(-32000, "Selected time start is not available")("its words with a code of no table"),
    _error(-32054, "Choisissez une autre heure")("its code with other words"),
    _error(-32054, "Selected time start is not available", 500)("its words and code with HTTP 500"),
    Sample("the same after a byte order mark", 200, f"\ufeff{_error(-32054, 'Selected time start')('').body}"),
    _error(-32054, "Selected time start is not available", id_="")('its refusal with the id ""'),
    _error(-32054, "Selected time start is not available", id_="7")("its refusal with another id"),
    _error(-32600, "Access denied")(""),
    _error(-32000, "Your session token has expired")(""),
    _error(-32000, "Unauthorized", 401)("HTTP 401 with its JSON"),
    _error(-32000, "Wrong API key")(""),
    _error(-32000, "Too many requests")(""),
    _error(-32000, "Please try again later")(""),
    _error(-32603, "Internal error")(""),
    _error(-32000, "SQLSTATE[40001]: Serialization failure")(""),
    _error(-32000, "Captcha is required")(""),
    _error(-32000, "The limit of bookings per day is reached")(""),
    _error(-32000, "External Booking Validator: phone is not one of ours")(""),
    _error(-32000, "Sorry, members only")("a refusal in words that nobody knows"),
    Sample("a result with another id", 200, _result(True, "7")),
    Sample("both a result and an error", 200, json.dumps({"result": {"a": 1}, "error": {"code": 1}, "id": ID})),
    Sample("a result with HTTP 404", 404, _result(True)),
    Sample("a result of another form", 200, _result({"made": [{"booking_id": 434}]})),
    Sample("a list of no bookings", 200, _result({"bookings": []})),
    Sample('a booking with the id "0"', 200, _result({"bookings": [{**_ROW, "id": "0"}]})),
    Sample("a booking with a sentence for an id", 200, _result({"bookings": [{**_ROW, "id": "Thank you"}]})),
)
PEOPLEVINE_SAMPLES: Final = (
    Sample("Invalid member ID", 200, _said("Invalid member ID")),
    Sample("Technician is not available", 200, _said("Technician is not available")),
    Sample("a refusal with HTTP 400", 400, _said("Technician is not available")),
    Sample("a refusal with HTTP 500", 500, _said("Technician is not available")),
    Sample("no reason at all", 200, _said(None)),
    Sample("a bare reason: Error", 200, _said("Error")),
    Sample("Error; Object reference not set …", 200, _said("Error", "Object reference not set to an instance")),
    Sample("The operation has timed out", 200, _said("The operation has timed out")),
    Sample("Invalid username or password", 200, _said("Invalid username or password")),
    Sample("Error; Company is not active", 200, _said("Error", "Company is not active")),
    Sample("Rate limit exceeded", 200, _said("Rate limit exceeded")),
    Sample("Please try again later", 200, _said("Please try again later")),
    Sample("a refusal whose message is an id", 200, _said("Not created", "30396436")),
    Sample('success with the id "0"', 200, _said(None, "0", success=True)),
    Sample("success with a sentence for an id", 200, _said(None, "Reservation was created", success=True)),
    Sample("success with HTTP 404", 404, _said(None, "30396436", success=True)),
    Sample("success with errors counted as 1.0", 200, _said(None, "30396436", success=True, errors=1.0)),
    Sample("success with errors counted", 200, _said(None, "30396436", success=True, errors=1)),
)

# --- giving an answer to a client ------------------------------------------------------------------------------------

LOGIN: Final = "a login"
REPEATABLE: Final = "a call that may be repeated"
ONCE: Final = "a call that must not happen twice"
COLUMNS: Final = (LOGIN, REPEATABLE, ONCE)


def answer_to(sample: Sample, column: str, target: str, body: bytes | None) -> tuple[int, bytes]:
    """Status and body of the answer to a request. Where the login is not what is answered so, it goes well, and a
    harmless question always does."""
    asked = json.loads(body or b"{}")
    id_ = asked.get("id", "")
    told, status = sample.body, sample.status
    if target.endswith("/login") and column != LOGIN:
        told, status = _result("a-token"), 200
    elif asked.get("method") == "getTimeframe":
        told, status = _result("15"), 200
    elif "/res/metadata" in target:
        told, status = _said(None, success=True), 200
    return status, told.replace(ID, str(id_)).encode()


class _Tokens:
    """Of a process that has logged in before."""

    def __init__(self, token: str | None) -> None:
        self.shared = token

    def token(self, account: str) -> str | None:
        return self.shared

    def replace_token(self, account: str, stale: str | None, login: Callable[[], str]) -> str:
        self.shared = login()
        return self.shared

    def renew_token(self, account: str, login: Callable[[], str]) -> str:
        return self.replace_token(account, None, login)


def _simplybook(http: HttpClient, url: str, column: str) -> Callable[[], object]:
    account = SimplybookAccount("salon", url, "salon", "key-of-salon", "secret-of-salon", True, 5.0, 5.0)
    client = SimplybookClient(account, http, _Tokens(None if column == LOGIN else "shared"))
    if column == ONCE:
        return lambda: client.book(1, 3, "2027-05-10", "09:00:00", {}, {}, None, None, None)
    return lambda: client.confirm_booking("434", "h")


def _peoplevine(http: HttpClient, url: str, column: str) -> Callable[[], object]:
    account = PeoplevineAccount("club", url, "auth-of-club", "42", "someone", "password", "", True, 5.0, 5.0)
    client = PeoplevineClient(account, http)
    if column == ONCE:
        return lambda: client.create_service_reservation("1000", "", [])
    return lambda: client.sync_member("1000")


MAKE: Final[Mapping[str, Callable[[HttpClient, str, str], Callable[[], object]]]] = {
    "simplybook": _simplybook,
    "peoplevine": _peoplevine,
}


def fate(vendor: str, http: HttpClient, url: str, column: str) -> tuple[str, str]:
    """What becomes of the event whose call is answered by what is at the URL, and what it says of the account."""
    try:
        MAKE[vendor](http, url, column)()
    except VendorFailure as failure:
        is_once = column == ONCE
        outcome = failure_outcome(failure, VendorCall("a", failure.method, {}, repeatable=not is_once), None)
        told = outcome.name if not isinstance(outcome, Dead) else f"dead letter `{outcome.reason.value}`"
        if isinstance(outcome, Retry) and outcome.reason is Reason.AUTH:
            told = "refused"
        if isinstance(outcome, InDoubt):
            told = "in doubt"
        is_believed_later = failure.said_no and failure.kind is Kind.UNKNOWN
        return told + (", believed the second time" if is_believed_later else ""), _ACCOUNT[
            call_end(failure, is_marked=True)
        ]
    return "done", ""


_ACCOUNT: Final[Mapping[Ended, str]] = {
    Ended.ANSWERED: "",
    Ended.LOGGED_IN: "",
    Ended.AWAY: "counts as away",
    Ended.ILL: "counts as ill",
    Ended.REFUSED: "counts as refused",
    Ended.THROTTLED: "pauses",
}

# --- the document ----------------------------------------------------------------------------------------------------


class _Canned(Connections):
    """Connections on which each request has one answer, or none."""

    def __init__(self, answer: Callable[[Request], RawAnswer]) -> None:
        super().__init__(0)
        self._answer = answer

    def exchange(self, host: object, request: Request, **_: object) -> RawAnswer:
        return self._answer(request)


def _row(vendor: str, title: str, answer: Callable[[str, Request], RawAnswer], columns: Sequence[str]) -> list[str]:
    found = []
    for column in columns:
        http = HttpClient(
            pool_size=1,
            redactor=Redactor(),
            connections=_Canned(partial(answer, column)),
        )
        found.append(fate(vendor, http, "http://vendor.example", column))
    return [title, *(told for told, _ in found), found[-1][1]]


def _given(sample: Sample) -> Callable[[str, Request], RawAnswer]:
    def answer(column: str, request: Request) -> RawAnswer:
        status, body = answer_to(sample, column, request.target, request.body)
        return RawAnswer(status, {}, body)

    return answer


def _nothing(error: Exception) -> Callable[[str, Request], RawAnswer]:
    def answer(column: str, request: Request) -> RawAnswer:
        if request.target.endswith("/login") and column != LOGIN:
            return _given(Sample("", 200, ""))(column, request)
        raise error

    return answer


def _timed_out() -> Unanswered:
    error = Unanswered()
    error.__cause__ = TimeoutError()
    return error


_NO_ANSWER: Final[Sequence[tuple[str, Exception]]] = (
    ("no connection, no such name, no TLS", NotSent()),
    ("no answer in time", _timed_out()),
    ("the connection breaks before an answer", Unanswered()),
    ("the answer breaks off", BrokenOff(RawAnswer(200, {}, b'{"res'))),
)
_INTRODUCTION: Final = """# What vendors answer, and what becomes of it

Made by `make docs` by giving each answer to the vendors' clients; do not edit it. A test fails where it differs, and
`tests/integration/vendors/test_answers.py` gives the same answers over real sockets.

- **done**: the call went well.
- **retry**: certainly not done. It is tried again along the ladder, and is a person's once that ends.
- **refused**: certainly not done, for the account's credentials or permissions. It is tried again, and five refusals
  in a row hold the account: its events wait until the vendor takes them again, and none dies of it. What is refused so
  often while the account is not held is a dead letter `auth`.
- **in doubt**: it may have been done. The vendor is asked whether the slot is still free; it is made again only if that
  proves that nothing was booked, else it is a dead letter `in_doubt`. What was answered is kept with it, and ids of
  bookings that stand in it are named to look for.
- **dead letter**: in front of a person at once, with the vendor's words.
- **believed the second time**: the vendor itself said no, in words of no table. Said again while the slot is free it is
  a dead letter `rejected`; so is a second no to a call that may be repeated.

*The account*, told of the last column: five answers in a row that count as *away* or *ill* open its breaker, five that
count as *refused* hold it for its credentials; in each case its events wait and one call tries, less often where that
may be carried out. *Pauses*: as long as the vendor says, else a second. Of a login, a retry counts as away.

With SimplyBook.me, a refusal with the shared token is worth one new login before any of this, in words that nobody
knows where a harmless question with the same token is refused alike; the rows tell of what is refused again. Where
everything is refused in the same words with the new token, too, it counts as refused.
"""


def render_document() -> str:
    """The whole document."""
    return "\n".join((_INTRODUCTION, *_lines())) + "\n"


def _lines() -> Iterator[str]:
    yield "## No answer\n"
    yield from markdown_table(("seen", *COLUMNS, "the account"), _rows_of_nothing())
    yield "\n## Not the vendor's word: a firewall's, a proxy's or a gateway's\n"
    yield from _table("simplybook", PAGE_SAMPLES, COLUMNS)
    yield "\nWhy, by status, in the order in which they count:\n"
    yield from markdown_table(("status", "it proves", "why"), [(r.title, r.kind.value, r.why) for r in PAGES])
    yield "\n## SimplyBook.me\n"
    yield "*A login*: getToken; what may be repeated: confirmBooking; what must not happen twice: book.\n"
    yield from _table("simplybook", SIMPLYBOOK_SAMPLES, COLUMNS)
    yield "\n## Peoplevine\n"
    yield "*What may be repeated*: sync_member; what must not happen twice: create_service_reservation.\n"
    yield from _table("peoplevine", PEOPLEVINE_SAMPLES, COLUMNS[1:])


def _rows_of_nothing() -> Iterator[list[str]]:
    for title, error in _NO_ANSWER:
        yield _row("simplybook", title, _nothing(error), COLUMNS)


def _table(vendor: str, samples: Sequence[Sample], columns: Sequence[str]) -> Iterator[str]:
    rows = [_row(vendor, sample.title, _given(sample), columns) for sample in samples]
    yield from markdown_table(("seen", *columns, "the account"), rows)


if __name__ == "__main__":
    print(render_document(), end="")
