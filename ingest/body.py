"""Reading a request's body, and what is in it, within limits."""

from __future__ import annotations

import contextlib
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.http import parse_options_header
from werkzeug.sansio.utils import get_content_length

from bellhop.schemas.nesting import is_nested_too_deep
from bellhop.schemas.problems import Problem

_DISCARD_BYTES: Final = 32 * 1024 * 1024
_PIECE_BYTES: Final = 64 * 1024
_MOST_FIELDS: Final = 1000

FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = re.compile(r"(?:application/json|[a-z]+/[^/\s]+\+json)?")
_BOM: Final = b"\xef\xbb\xbf"
_GZIP: Final = ("gzip", "x-gzip")
_GZIP_WINDOW: Final = 31  # zlib's way to say: with gzip's header and checksum
_MOST_MEMBERS: Final = 100
"""Of one gzip. After each zlib copies all the rest: of tens of thousands of empty ones it would be at that for minutes,
for anyone who posts, as what is signed may be what was packed."""


@dataclass(frozen=True, slots=True)
class Body:
    """sent: byte for byte, as its sender may have signed it. content: without its Content-Encoding, the same bytes
    where it has none. problem: why the content cannot be read, which is told to whoever has proved who it is."""

    sent: bytes
    content: bytes
    is_form: bool = False
    problem: Problem | None = None

    @property
    def signed(self) -> Sequence[bytes]:
        """What a signature may be over: most sign what they send, some what they had before a proxy packed it."""
        return (self.sent,) if self.sent == self.content else (self.sent, self.content)

    def decode(self) -> object:
        """Raises Problem 400, 413 or 415."""
        if self.problem is not None:
            raise self.problem
        return decode_form(self.content) if self.is_form else decode_json(self.content)


def read_body(request: Request, limit: int, *, takes_forms: bool = False) -> Body:
    """The body of at most `limit` bytes, packed and unpacked. Raises Problem: 413 over the limit (chunked ones too,
    which tell no length ahead), 408 too slow, 400 cut off or not framed as HTTP asks for."""
    sent = _read(request, limit)
    content, problem = _unpack(sent, request.environ.get("HTTP_CONTENT_ENCODING", ""), limit)
    media, is_utf8 = _media_of(request.environ.get("CONTENT_TYPE", ""))
    is_form = is_form_body(media, content)
    is_known = is_taken(media, is_form=is_form, takes_forms=takes_forms)
    if problem is None and not (is_utf8 and is_known):
        wanted = f"application/json{f' or {FORM}' if takes_forms else ''}"
        problem = Problem(415, "media-type", f"The Content-Type must be {wanted}, in UTF-8.")
    return Body(sent, content, is_form, problem)


@lru_cache(256)  # the same few are sent with every post, and are slow to read
def _media_of(content_type: str) -> tuple[str, bool]:
    """The media type, in lower case, and whether its texts are UTF-8."""
    media, parameters = parse_options_header(content_type)
    return media.lower(), parameters.get("charset", "utf-8").lower() in ("utf-8", "utf8")


def is_form_body(media: str, content: bytes) -> bool:
    """PHP and curl call whatever they post a form, unless they are told otherwise: JSON is known by how it begins."""
    return media == FORM and not content.removeprefix(_BOM).lstrip().startswith((b"{", b"["))


def is_taken(media: str, *, is_form: bool, takes_forms: bool) -> bool:
    """Whether a body of such a type can be read: JSON, also without a type or by a wrong one, and forms of some."""
    return takes_forms if is_form else media == FORM or bool(_JSON.fullmatch(media))


def _read(request: Request, limit: int) -> bytes:
    environ = request.environ
    length = get_content_length(environ.get("CONTENT_LENGTH"), environ.get("HTTP_TRANSFER_ENCODING"))  # None: chunked
    stream = environ["wsgi.input"]
    if length is None and not environ.get("wsgi.input_terminated"):
        length = 0  # a server that does not mark the body's end: reading on would wait for ever
    too_large = length is not None and length > limit
    try:
        body: bytes = b"" if too_large else stream.read(limit + 1 if length is None else length)
    except TimeoutError:
        raise Problem(408, "body-too-slow", "The body did not come in time.") from None
    except Exception:  # noqa: BLE001  # each server has its own for a body cut off or a chunk it cannot read
        raise Problem(400, "body-broken", "The body was cut off or wrongly chunked.") from None
    if too_large or len(body) > limit:
        _discard(stream, _DISCARD_BYTES if length is None else length)
        raise _too_large(limit)
    if length is not None and len(body) < length:
        raise Problem(400, "body-broken", "The body is shorter than its Content-Length.")
    return body


def _too_large(limit: int) -> Problem:
    return Problem(413, "body-too-large", f"The body is over {limit} bytes.")


def _unpack(sent: bytes, encoding: str, limit: int) -> tuple[bytes, Problem | None]:
    """The content, of at most `limit` bytes however small it was packed; and what is wrong with it."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return sent, None
    if encoding not in _GZIP:
        accepted = {"Accept-Encoding": "gzip, identity"}
        return b"", Problem(415, "content-encoding", "The Content-Encoding must be gzip, or none.", headers=accepted)
    content, rest, members = b"", sent, 0
    try:
        while rest and len(content) <= limit:  # it may be several, one behind the other
            if (members := members + 1) > _MOST_MEMBERS:
                return b"", Problem(400, "body-broken", f"The body's gzip has more than {_MOST_MEMBERS} members.")
            unpacking = zlib.decompressobj(_GZIP_WINDOW)
            content += unpacking.decompress(rest, limit + 1 - len(content))
            if not unpacking.eof and len(content) <= limit:
                return b"", Problem(400, "body-broken", "The body is cut off: its gzip has no end.")
            rest = unpacking.unused_data
    except zlib.error:
        return b"", Problem(400, "body-broken", "The body is not gzip, as its Content-Encoding says.")
    return (content, None) if len(content) <= limit else (b"", _too_large(limit))


def _discard(stream: Any, count: int) -> None:
    """Reads on, within reason: a sender that is cut off while it sends sees a broken connection, not its answer."""
    left = min(count, _DISCARD_BYTES)
    with contextlib.suppress(Exception):  # however it ends, the answer is the same
        while left > 0 and (piece := stream.read(min(left, _PIECE_BYTES))):
            left -= len(piece)


def decode_json(body: bytes) -> object:
    """The JSON in the body. Raises Problem 400. Strict where Python is not: UTF-8 only, no NaN, and no name twice in
    one object, as the sender and we might each believe another of the two. A byte order mark before it counts for
    nothing."""
    if is_nested_too_deep(body):
        raise _malformed_json("it is nested too deep")
    body = body.removeprefix(_BOM)
    try:
        return _DECODER.decode(body.decode())
    except UnicodeDecodeError:
        raise _malformed_json("it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _malformed_json(f"line {error.lineno}, column {error.colno}" if body.strip() else "it is empty") from None
    except ValueError as error:
        raise _malformed_json(str(error) if isinstance(error, _Refused) else "a number has too many digits") from None


def decode_form(body: bytes) -> dict[str, str]:
    """The fields of the form in the body, all texts. Raises Problem 400, also for a name that stands twice."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:  # UnicodeError is one
        raise Problem(400, "malformed-form", "The body is not a well-formed form in UTF-8.") from None
    fields = dict(pairs)
    if not fields or len(fields) != len(pairs):
        raise Problem(400, "malformed-form", "The body is a form without fields, or with a name that stands twice.")
    return fields


class _Refused(ValueError):
    """What JSON's grammar leaves open, or Python reads beyond it."""


def _malformed_json(why: str) -> Problem:
    return Problem(400, "malformed-json", f"The body is not well-formed JSON: {why}.")


def _constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is not a JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Refused("a name stands twice in one object")
    return made


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
