"""What a pretended vendor is to the sandbox: the row that `registry.py` has of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from flask import Blueprint, Flask

if TYPE_CHECKING:
    from bellhop.sandbox.front import Front
    from bellhop.sandbox.state import SandboxState


class Holdings(Protocol):
    """What a pretended vendor holds. Not safe between threads: its owner holds a lock."""

    def snapshot(self) -> dict[str, Any]:
        """What stands there, as plain JSON, under names that no other vendor has."""
        ...


def _no_control(_control: Blueprint, _state: SandboxState) -> None:
    """Nothing of its own."""


@dataclass(frozen=True, slots=True)
class Pretended:
    """switches: a dataclass of `switch.switch`, its names unlike others'. seed: what it holds at the start, unless
    given. open: its state, from a seed, its switches and the clock. serve: adds its URLs. control: adds its own to
    /_sandbox. told: where it is served and what its own control does, as Markdown."""

    name: str
    switches: type[Any]
    seed: Callable[[], Any]
    open: Callable[[Any, Callable[[], Any], Callable[[], datetime]], Holdings]
    serve: Callable[[Flask, Front], None]
    control: Callable[[Blueprint, SandboxState], None] = _no_control
    told: str = ""
