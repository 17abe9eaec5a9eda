"""One request to SimplyBook.me's JSON-RPC server, whatever service of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bellhop.schemas.redact import learn_secret
from bellhop.vendors.http import HttpClient, Where
from bellhop.vendors.simplybook.methods import Method
from bellhop.vendors.simplybook.reply import RpcResult, read_reply
from bellhop.vendors.simplybook.settings import SimplybookAccount

VENDOR: Final = "simplybook"
_IDS: Final = 10**14
"""A request's id is a random number from it to twice it, as text: 15 digits survive where it is made a number."""


def ask(
    http: HttpClient,
    account: SimplybookAccount,
    url: str,
    method: Method,
    params: Sequence[Any],
    token: Mapping[str, str] | None = None,
) -> RpcResult:
    """token: by its header; None at /login. Raises VendorFailure."""
    for value in (token or {}).values():
        learn_secret(value)
    number = str(secrets.randbelow(_IDS) + _IDS)
    where = Where(VENDOR, method.name)
    answer = http.request(
        where,
        "POST",
        url,
        body={"jsonrpc": "2.0", "method": method.name, "params": params, "id": number},
        headers={} if token is None else {"X-Company-Login": account.company, **token},
        connect_seconds=account.connect_seconds,
        read_seconds=account.read_seconds,
        is_read=not method.changes,
        secrets=[str(value) for param, value in zip(method.params, params, strict=False) if param.name == "sign"],
        own_id=number,
    )
    return read_reply(where, answer, number)
