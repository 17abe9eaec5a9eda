"""The toy vendor, pretended, as a row of the sandbox's registry: at `/toy/…`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import Flask, Response, request

from bellhop.sandbox.answers import Reply, ids
from bellhop.sandbox.front import Counter, Front, json_body
from bellhop.sandbox.pretended import Pretended
from bellhop.sandbox.switch import switch

_NAME: Final = "toy"


@dataclass(frozen=True, slots=True)
class ToySwitches:
    toy_shut: bool = switch(False, "I", "nothing is lent")


@dataclass(frozen=True, slots=True)
class ToySeed:
    key: str = "sandbox-toy-key"
    toys: tuple[str, ...] = ("bear", "train")


class ToyShelf:
    def __init__(self, seed: ToySeed, switches: Callable[[], ToySwitches], now: Callable[[], datetime]) -> None:
        self._seed = seed
        self._switches = switches
        self._ids = ids(now())
        self.lent: dict[str, dict[str, Any]] = {}

    def snapshot(self) -> dict[str, Any]:
        return {"toys_lent": [{"id": id_, **one} for id_, one in self.lent.items()]}

    def call(self, method: str, key: str, asked: dict[str, Any]) -> Reply:
        if key != self._seed.key:
            return refused("wrong key", 401)
        if method == "toys":
            return Reply([{"id": toy, "name": f"a {toy}"} for toy in self._seed.toys])
        if method == "lend" and asked["toy"] in self._seed.toys and not self._switches().toy_shut:
            id_ = next(self._ids)
            self.lent[id_] = {**asked, "back": False}
            return Reply({"id": id_}, effect="booked", id=id_)
        if method == "take_back" and asked["id"] in self.lent:
            self.lent[asked["id"]]["back"] = True
            return Reply({}, effect="cancelled", id=asked["id"])
        return refused("no such thing")


def refused(why: str, status: int = 400) -> Reply:
    return Reply({"error": why}, status, refusal=why)


def _serve(app: Flask, front: Front) -> None:
    @app.post("/toy/<method>")
    def toy(method: str) -> Response:
        asked, key = json_body(), request.headers.get("x-toy-key", "")
        counter = Counter(
            _NAME,
            perform=lambda: front.state.vendors[_NAME].call(method, key, asked),
            refuse=lambda fault: refused(fault.message),
        )
        return front.answer(counter, method, body=asked)


TOY: Final = Pretended(_NAME, switches=ToySwitches, seed=ToySeed, open=ToyShelf, serve=_serve)
