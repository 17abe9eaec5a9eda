"""What a peer's task does: books one slot at SimplyBook.me (`simplybook-public-service-methods`), as most would
write it. Whatever is not a booking is an error, and errors are retried."""

from __future__ import annotations

import os
from functools import cache
from typing import Any, Final

import urllib3

_COMPANY: Final = "sandbox"
_TIMEOUT: Final = urllib3.Timeout(connect=1, read=1)
_http: Final = urllib3.PoolManager(maxsize=64, block=True, retries=False, timeout=_TIMEOUT)


class NotBooked(Exception):
    """Raised where the answer is no booking."""


def book(reference: str, unit: str, start: str) -> None:
    """start: venue-local, ISO 8601. Raises NotBooked, urllib3's HTTPError."""
    date, _, time = start.partition("T")
    client = {"name": f"Ada {reference}", "email": f"{reference}@example.test", "phone": "+442071234567"}
    _call("/", "book", [7, int(unit), date, time, client], {"X-Company-Login": _COMPANY, "X-Token": _token()})


@cache
def _token() -> str:
    token: str = _call("/login", "getToken", [_COMPANY, "sandbox-api-key"], {})
    return token


def _call(path: str, method: str, params: list[Any], headers: dict[str, str]) -> Any:
    request = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
    answer = _http.request("POST", os.environ["BENCH_VENDOR"] + path, json=request, headers=headers)
    try:
        told = answer.json()
    except ValueError:
        raise NotBooked(f"{method} was answered {answer.status}") from None
    if told.get("error") or "result" not in told:
        raise NotBooked(f"{method} was answered {told.get('error')}")
    return told["result"]
