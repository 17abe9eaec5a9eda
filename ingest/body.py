"""Reading a request's body, and the JSON in it, within limits."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl

from flask import Request

from bellhop.schemas.nesting import is_nested_too_deep
from bellhop.schemas.problems import Problem

_DISCARD_BYTES: Final = 32 * 1024 * 1024
_PIECE_BYTES: Final = 64 * 1024
_MOST_FIELDS: Final = 1000

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"


def read_body(request: Request, limit: int, media: Sequence[str] = (JSON,)) -> bytes:
    """The body, byte for byte. Raises Problem: 413 over `limit` bytes (chunked ones too, which tell no length ahead),
    415 for another media type than those of `media`, 408 too slow, 400 cut off or not framed as HTTP asks for."""
    length = request.content_length  # None where chunked
    stream = request.environ["wsgi.input"]
    if length is None and not request.environ.get("wsgi.input_terminated"):
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
        raise Problem(413, "body-too-large", f"The body is over {limit} bytes.")
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in media or charset not in ("utf-8", "utf8"):
        raise Problem(415, "media-type", f"The Content-Type must be {' or '.join(media)}, in UTF-8.")
    if length is not None and len(body) < length:
        raise Problem(400, "body-broken", "The body is shorter than its Content-Length.")
    return body


def _discard(stream: Any, count: int) -> None:
    """Reads on, within reason: a sender that is cut off while it sends sees a broken connection, not its answer."""
    left = min(count, _DISCARD_BYTES)
    with contextlib.suppress(Exception):  # however it ends, the answer is the same
        while left > 0 and (piece := stream.read(min(left, _PIECE_BYTES))):
            left -= len(piece)


def decode_json(body: bytes) -> object:
    """The JSON in the body. Raises Problem 400. Strict where Python is not: UTF-8 only, no NaN, and no name twice in
    one object, as the sender and we might each believe another of the two."""
    if is_nested_too_deep(body):
        raise _malformed_json("it is nested too deep")
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
