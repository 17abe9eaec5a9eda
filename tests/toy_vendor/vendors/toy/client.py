"""The toy vendor's API: one path for each method, JSON in and out, the key in a header."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from bellhop.vendors.toy.settings import ToyAccount

from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.held import Gate, OpenGate
from bellhop.vendors.http import HttpClient, Where
from bellhop.vendors.vendor import CallMethod

_PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {"toys": (), "lend": ("toy", "start"), "take_back": ("id",)}


class ToyClient:
    def __init__(self, account: ToyAccount, http: HttpClient, gate: Gate | None = None) -> None:
        self._account = account
        self._http = http
        self._gate = gate or OpenGate()

    def call(self, method: str, /, *arguments: Any) -> Any:
        account, where = self._account, Where("toy", method)
        with self._gate.turn(account.name):
            answer = self._http.request(
                where,
                "POST",
                f"{account.base_url.rstrip('/')}/toy/{method}",
                body=dict(zip(_PARAMETERS[method], arguments, strict=True)),
                headers={"x-toy-key": account.password},
                connect_seconds=account.connect_seconds,
                read_seconds=account.read_seconds,
            )
            if answer.status != 200:
                kind = Kind.AUTH if answer.status == 401 else Kind.REJECTED
                words = answer.words(str(answer.json))
                raise VendorFailure(kind, vendor="toy", method=method, message=words, status=answer.status)
            return answer.json


def methods() -> Mapping[str, CallMethod]:
    return {
        name: CallMethod(f"{name}({', '.join(names)})", name != "toys", name != "lend", partial(_arguments, names))
        for name, names in _PARAMETERS.items()
    }


def _arguments(names: Sequence[str], words: Sequence[str], _client: object) -> list[Any]:
    if len(words) != len(names):
        raise ValueError(f"takes {len(names)} arguments")
    return [json.loads(word) if word.startswith('"') else word for word in words]
