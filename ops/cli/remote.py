"""Bellhop far away: its console's HTTP API, for `bellhop --server URL …`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import click

from ops.cli.common import Failed, Misused

COMMANDS: Final = ("dead", "events", "queues", "routes", "jobs", "tokens")
"""Those that can be about a Bellhop far away."""
PREFIX: Final = "/api/v1"
PAGE: Final = 500

_SECONDS: Final = 60.0
_CONNECT_SECONDS: Final = 10.0
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")


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


class Remote:
    """One console. Every method raises Failed with one line: what the API said, or that it is not there."""

    def __init__(self, server: str, token: str) -> None:
        import urllib3

        parts = urlsplit(server)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Misused("--server must be the console's address, such as https://bellhop.example.com")
        if parts.scheme == "http" and parts.hostname not in _LOCAL:
            click.echo("bellhop: without https the token can be read on its way", err=True)
        self.server = server.rstrip("/").removesuffix(PREFIX)
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=_SECONDS)
        self._http = urllib3.PoolManager(retries=False, timeout=timeout)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """query: without what is None; lists are repeated."""
        given = {name: value for name, value in query.items() if value not in (None, "", ())}
        return self._ask("GET", f"{path}?{urlencode(given, doseq=True)}" if given else path)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._ask("POST", path, dict(body))

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

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        import urllib3

        url = f"{self.server}{PREFIX}{path}"
        try:  # no redirect is followed: the token is for this server alone
            sent = {"json": body} if body is not None else {}
            answer = self._http.request(method, url, headers=self._headers, redirect=False, **sent)
        except urllib3.exceptions.HTTPError as error:
            raise Failed(f"there is no console at {self.server} ({_reason(error)})") from None
        try:
            told = json.loads(answer.data)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise Failed(
                f"{self.server} answered {answer.status}, but not as Bellhop does: is it the console's address?"
            )
        if answer.status >= 400:
            raise Failed(_problem(told, answer.status))
        return told


def part(text: object) -> str:
    """A part of a path."""
    return quote(str(text), safe="")


def _reason(error: Exception) -> str:
    return type(error).__name__.removesuffix("Error")


def _problem(told: Mapping[str, Any], status: int) -> str:
    """A problem document in one line, as the commands say such things."""
    detail = str(told.get("detail") or f"the API answered {status}")
    listed = told.get("errors")
    errors = [f"{one.get('field')} {one.get('rule')}" for one in listed or () if isinstance(one, Mapping)]
    if errors:
        return "; ".join(errors)
    first = detail[:1] if detail[:3].isupper() else detail[:1].lower()
    return f"{first}{detail[1:].removesuffix('.')}"
