"""A client of a remote console's HTTP API, for `bellhop --server URL …`."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import quote, urlencode, urlsplit

from bellhop.cli.common import Failed, Misused, printable
from bellhop.schemas.problems import NOTHING_HERE

COMMANDS: Final = (
    *("accounts", "attention", "audit", "dead", "events", "floods", "forget", "jobs", "parts", "queues", "refused"),
    "reload",
    *("routes", "tokens", "users"),
)
"""Those that can be about a Bellhop on another host."""
PREFIX: Final = "/api/v1"
PAGE: Final = 500

_SECONDS: Final = 60.0
_CONNECT_SECONDS: Final = 10.0
_AGAIN_SECONDS: Final = (1.0, 3.0)
_AWAY: Final = 503
_PROXYS: Final = (502, 503, 504)


def token_of(given: str | None, file: Path | None) -> str:
    """The API token: from `--token-file`, else from BELLHOP_TOKEN. Raises Misused."""
    if file is not None:
        try:
            given = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "is not a text"
            raise Misused(f"--token-file {file}: {why}") from None
    token = (given or "").strip()
    if not token:
        raise Misused("--server needs an API token: in BELLHOP_TOKEN, or in a file named by --token-file")
    if not token.isascii() or not token.isprintable():
        raise Misused("the API token holds characters that no token has")
    return token


class Away(Failed):
    """Raised where nobody answered as they should: the same may go well a little later."""


class _Answer(dict[str, Any]):
    """What the API said. Raises Failed where a program asks for what is not in it."""

    def __missing__(self, key: str) -> NoReturn:
        raise Failed(f"the answer lacks {key!r}: is the server a Bellhop, and of this version?")


class Remote:
    """One console. Every method raises Failed with one line: what the API said, or that it is not there."""

    def __init__(self, server: str, token: str, pause: Callable[[float], None] = time.sleep) -> None:
        import urllib3

        self.server = _address(server)
        self._pause = pause
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=_SECONDS)
        self._http = urllib3.PoolManager(retries=False, timeout=timeout)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """query: without what is None; lists are repeated."""
        given = {name: value for name, value in query.items() if value not in (None, "", ())}
        return self._ask("GET", f"{path}?{urlencode(given, doseq=True)}" if given else path)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._ask("POST", path, dict(body))

    def patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._ask("PATCH", path, dict(body))

    def delete(self, path: str) -> dict[str, Any]:
        return self._ask("DELETE", path)

    def post_once(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Where nobody answers it is sent again, by a key that makes the two one act."""
        key = {"Idempotency-Key": secrets.token_urlsafe(24)}
        for seconds in _AGAIN_SECONDS:
            try:
                return self._ask("POST", path, dict(body), key)
            except Away:
                self._pause(seconds)
        return self._ask("POST", path, dict(body), key)

    def rows(self, path: str, limit: int, **query: Any) -> Iterator[dict[str, Any]]:
        """The rows of a paged list, at most `limit`."""
        cursor: str | None = None
        while limit > 0:
            page = self.get(path, **query, limit=min(limit, PAGE), cursor=cursor)
            yield from page["rows"]
            limit -= len(page["rows"])
            cursor = page["next"]
            if not cursor:
                return

    def _ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        import urllib3

        url = f"{self.server}{PREFIX}{path}"
        try:  # no redirect is followed: the token is for this server alone
            sent = {"json": body} if body is not None else {}
            all_headers = {**self._headers, **(headers or {})}
            answer = self._http.request(method, url, headers=all_headers, redirect=False, **sent)
        except urllib3.exceptions.HTTPError as error:
            lasts = isinstance(error, urllib3.exceptions.SSLError)  # it will not go well a little later
            raise (Failed if lasts else Away)(f"{self.server}: {_reason(error, acts=method != 'GET')}") from None
        try:
            told = json.loads(answer.data, object_hook=_Answer)
        except (ValueError, RecursionError):
            told = None
        if isinstance(told, dict) and answer.status < 300:
            return told
        if isinstance(told, dict) and answer.status >= 400:
            raise (Away if answer.status == _AWAY else Failed)(_problem(told, answer.status))
        if answer.status in _PROXYS:
            raise Away(f"{self.server} answered {answer.status}: what stands before Bellhop does not reach it")
        raise Failed(f"{self.server} answered {answer.status}, but not as Bellhop does: is it the console's address?")


def _address(server: str) -> str:
    """The console's, without the API's prefix. Raises Misused: its text must hold no password."""
    try:
        parts = urlsplit(server)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise Misused("--server must be the console's address, such as https://bellhop.example.com")
    if "@" in parts.netloc:
        raise Misused("--server must hold no name or password: the API token is what lets in")
    if parts.scheme == "http" and not _is_here(host):
        raise Misused(
            "--server by http would let anybody on the way read the token: use https, or a tunnel "
            "(ssh -L 8070:127.0.0.1:8070 HOST, then --server http://127.0.0.1:8070)"
        )
    return server.rstrip("/").removesuffix(PREFIX)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def part(text: object) -> str:
    """A part of a path. One that is dots alone is no step up."""
    quoted = quote(str(text), safe="")
    return quoted if quoted.strip(".") else quoted.replace(".", "%2E")


def _reason(error: Exception, *, acts: bool) -> str:
    """Why there is no answer, and what that means for what was asked."""
    from urllib3 import exceptions

    if isinstance(error, exceptions.SSLError):
        found = re.search(r"certificate verify failed: ([\w ,.'()-]+?)(?: \(_ssl|$)", str(error))
        if found:
            return f"its certificate is not trusted ({found[1]}); SSL_CERT_FILE may name your own authority's"
        return "there is no TLS to be had: is it https at all?"
    if isinstance(error, exceptions.NameResolutionError):
        return "there is no host of that name"
    if isinstance(error, exceptions.ConnectTimeoutError | exceptions.NewConnectionError):
        return "there is no console at this address: nobody answers"
    done = "; whether it was done is not known: look before you try again" if acts else ""
    if isinstance(error, exceptions.ReadTimeoutError):
        return f"there was no answer within {_SECONDS:.0f} s{done}"
    return f"the connection broke ({type(error).__name__}){done}"


def _problem(told: Mapping[str, Any], status: int) -> str:
    """A problem document in one line, as the commands say such things."""
    detail = str(told.get("detail") or f"the API answered {status}")
    if (status, detail) == (404, NOTHING_HERE):
        return "there is nothing at this address: is it the console's, and does that have this version?"
    listed = told.get("errors")
    errors = [f"{one.get('field')} {one.get('rule')}" for one in listed or () if isinstance(one, Mapping)]
    if errors:
        return printable("; ".join(errors))
    first = detail[:1] if detail[:3].isupper() else detail[:1].lower()
    return printable(f"{first}{detail[1:].removesuffix('.')}")
