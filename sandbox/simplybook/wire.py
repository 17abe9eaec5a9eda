"""How SimplyBook.me's server reads a request and writes an answer, byte for byte.

It is probably Zend's JSON-RPC server (Zend Framework 1, PHP); what is said of it here was seen of zf1-future 1.25 on
PHP 8.2. Each of its habits is a switch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from bellhop.sandbox.answers import Reply
from bellhop.sandbox.simplybook.signatures import Signature
from bellhop.sandbox.simplybook.switches import SimplybookSwitches

_METHOD: Final = re.compile(r"[a-z][a-z0-9_.]*", re.ASCII | re.IGNORECASE)
_STANDARD: Final = (-32768, -32600, -32601, -32602, -32603)
_TOO_LARGE: Final = 2**63
"""PHP reads a whole number from here on as one with a fraction."""
_PAGE: Final = "text/html; charset=UTF-8"


class ScriptError(Exception):
    """Raised for what ends the server's script: no JSON, or a value of a type that it does not take."""


@dataclass(frozen=True, slots=True)
class RpcRequest:
    """method: "" where there is none, or what is none. has_id: without, nobody waits for a result."""

    method: str = ""
    params: list[Any] | dict[str, Any] | None = None
    id: Any = None
    has_id: bool = False
    is_version_2: bool = False

    @property
    def arguments(self) -> list[Any] | dict[str, Any]:
        return [] if self.params is None else self.params


def read_request(body: bytes) -> RpcRequest:
    """Raises ScriptError."""
    if body in (b"", b"0"):
        return RpcRequest()
    found = _decode(body)
    if not isinstance(found, dict):
        return RpcRequest()  # a list: a batch is taken for one request, without a method
    method, params = found.get("method"), found.get("params", [])
    if isinstance(method, list | dict) or not isinstance(params, list | dict):
        raise ScriptError
    if isinstance(params, dict) and all(name.isdigit() for name in params):
        params = list(params.values())
    return RpcRequest(
        method=method if isinstance(method, str) and _METHOD.fullmatch(method) else "",
        params=params,
        id=found.get("id"),
        has_id="id" in found,
        is_version_2=found.get("jsonrpc", found.get("version")) in ("2.0", 2),
    )


def read_batch(body: bytes) -> list[bytes]:
    """The requests of a list of them; none where it is no list."""
    try:
        found = _decode(body)
    except ScriptError:
        return []
    return [json.dumps(one).encode() for one in found] if isinstance(found, list) else []


def _decode(body: bytes) -> list[Any] | dict[str, Any]:
    try:
        found = json.loads(body.decode(), parse_constant=_refuse_constant)
        json.dumps(found, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError):
        raise ScriptError from None
    if not isinstance(found, list | dict):
        raise ScriptError
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def arguments_of(signature: Signature, request: RpcRequest, switches: SimplybookSwitches) -> list[Any] | None:
    """What the method is called with; None where the call is refused for it. What is too much is left out.

    Raises ScriptError.
    """
    given, parameters = request.arguments, signature.parameters
    if isinstance(given, dict):
        if not switches.simplybook_named_parameters:
            return None
        if any(not one.optional and one.name not in given for one in parameters):
            raise ScriptError
        values = [given.get(one.name, one.default) for one in parameters]
    else:
        needed = sum(not one.optional for one in parameters)
        if not switches.simplybook_missing_as_null and not needed <= len(given) <= len(parameters):
            return None
        values = [*given, *(one.default for one in parameters[len(given) :])][: len(parameters)]
    for one, value in zip(parameters, values, strict=True):
        if one.type == "array" and not isinstance(value, list | dict):
            raise ScriptError
    return values


def result_body(request: RpcRequest, value: Any, switches: SimplybookSwitches) -> bytes:
    members = {"result": value}
    if switches.simplybook_null_members:
        members["error"] = None
    id_ = request.id
    if switches.simplybook_id_echo == "text" or (switches.simplybook_id_echo == "document" and type(id_) is int):
        id_ = _text(id_)
    return _write(members, id_, request)


def error_body(
    request: RpcRequest, code: int, message: str, switches: SimplybookSwitches, *, thrown: bool = True
) -> tuple[int, bytes]:
    """The code that is told, and the answer. thrown: by the method, so that `data` holds the exception, of which PHP
    writes nothing; else null."""
    if switches.simplybook_codes_replaced and code not in _STANDARD and not -32099 <= code <= -32000:
        code = -32000
    said: dict[str, Any] = {"code": code, "message": message}
    if switches.simplybook_error_data:
        said["data"] = {} if thrown else None
    members: dict[str, Any] = {"error": said}
    if switches.simplybook_null_members:
        members["result"] = None
    echoes = request.has_id and switches.simplybook_id_echo == "text"
    return code, _write(members, _text(request.id) if echoes else request.id, request)


def script_error(how: str, request: RpcRequest, code: int, message: str, switches: SimplybookSwitches) -> Reply:
    """The script has ended with an error: HTTP 500 without a body, or, as other servers do, an RPC error."""
    refusal = f"{code} {message}"
    if how == "500":
        return Reply(b"", 500, refusal=refusal, mimetype=_PAGE)
    return Reply(error_body(request, code, message, switches, thrown=False)[1], refusal=refusal)


def write_json(value: Any) -> bytes:
    """As PHP's json_encode writes it."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode()


def _write(members: Mapping[str, Any], id_: Any, request: RpcRequest) -> bytes:
    version = {"jsonrpc": "2.0"} if request.is_version_2 else {}
    return write_json({**members, "id": id_, **version})


def _text(value: Any) -> str:
    """As PHP makes a text of it."""
    if isinstance(value, list | dict):
        return "Array"
    if value is None or value is False:
        return ""
    if isinstance(value, float) or (isinstance(value, int) and abs(value) >= _TOO_LARGE):
        return f"{float(value):.14G}"
    return "1" if value is True else str(value)
