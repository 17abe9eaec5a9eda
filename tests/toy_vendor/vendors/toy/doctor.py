"""The checks of a toy account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bellhop.vendors.toy.client import ToyClient

from bellhop.vendors.doctor.checks import Check, Finding, Trouble, fail, general, ok, troubles


class ToyChecks:
    def __init__(self, client: ToyClient) -> None:
        self._call: Callable[..., Any] = troubles(client.call)

    def checks(self) -> list[Check]:
        return [Check("toys", self._toys, ("reach",))]

    def explain(self, trouble: Trouble) -> Finding:
        return fail(str(trouble), "set the account's key anew") if trouble.kind == "auth" else general(trouble)

    def _toys(self) -> Finding:
        return ok(", ".join(row["name"] for row in self._call("toys")))
