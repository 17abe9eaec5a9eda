"""A webhook that has come whole, read at once where its head is of the common form.

gunicorn's parser goes from line to line, ready for anything. Nearly every webhook's head is plain, which one pattern
knows. Where it is not, this says so, and gunicorn's parser has the word, also on what is to be refused: here nothing
is. What both make of the same head is the same; a test holds them to it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BEGINNING: Final = b"POST /webhooks/"
_MOST_BYTES: Final = 4000
"""Of a head: below each of gunicorn's limits, of a line, of a field and of how many there are."""
_PLAIN: Final = re.compile(
    rb"POST (/webhooks/[A-Za-z0-9._~/-]+)(?:\?([A-Za-z0-9._~=&%+/-]*))? HTTP/1\.1\r\n"
    rb"((?:[A-Za-z0-9-]+:[\t\x20-\x7e]*\r\n){1,60})\r\n"
)
"""Path, query and fields. Nothing that is decoded in the path, beyond ASCII or in two lines, and no name with `_`,
which another's could be taken for."""
_GUNICORNS: Final = frozenset(
    (
        *("HTTP_TRANSFER_ENCODING", "HTTP_EXPECT", "HTTP_UPGRADE", "HTTP_HTTP2_SETTINGS"),
        *("HTTP_X_FORWARDED_PROTOCOL", "HTTP_X_FORWARDED_SSL"),  # which may contradict X-Forwarded-Proto
    )
)
_CONNECTION: Final = {"": False, "keep-alive": False, "close": True}
_LENGTH: Final = re.compile(r"[0-9]{1,9}")


def read_webhook(came: bytes, base: Mapping[str, object]) -> WSGIEnvironment | None:
    """The environ of the one webhook in `came`: `base`, with what WSGI has of a request. None where it is not whole, is
    more than one, or is for gunicorn's parser to read."""
    plain = _PLAIN.match(came, 0, _MOST_BYTES)
    if plain is None:
        return None
    path, query, fields = plain.groups(b"")
    environ: WSGIEnvironment = {**base, "PATH_INFO": path.decode(), "QUERY_STRING": query.decode()}
    for line in fields.decode().splitlines():
        name, _, value = line.partition(":")
        key = environ_key(name)
        if key in environ or key in _GUNICORNS:  # what stands twice is joined, or refused
            return None
        environ[key] = value.strip(" \t")
    length = environ.get("CONTENT_LENGTH", "")
    if not _LENGTH.fullmatch(length) or len(came) != plain.end() + int(length):
        return None
    if environ.get("HTTP_CONNECTION", "").lower() not in _CONNECTION:
        return None
    environ["wsgi.input"] = io.BytesIO(came[plain.end() :])
    return environ


def is_last(environ: WSGIEnvironment) -> bool:
    """Whether its sender says that no more will come on its connection."""
    return _CONNECTION[environ.get("HTTP_CONNECTION", "").lower()]


class PostHeaders:
    """A request's headers as its environ has them: werkzeug's take five calls for each that is looked for."""

    __slots__ = ("_environ",)

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._environ = environ

    def get(self, name: str, /) -> str | None:
        value: str | None = self._environ.get(environ_key(name))
        return value


@lru_cache(512)  # they are few, though anybody may send others
def environ_key(name: str) -> str:
    """WSGI's name for a header."""
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_LENGTH", "CONTENT_TYPE") else f"HTTP_{key}"
