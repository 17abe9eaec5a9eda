"""Faults on order: which calls they hit, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bellhop.sandbox.switch import ControlError

WHEN: Final = ("before", "after", "late")
TIMEOUTS: Final = tuple(f"timeout_{when}" for when in WHEN)
KINDS: Final = ("error", "http", *TIMEOUTS, "reset", "slow")
_FIELDS: Final = (
    *("method", "vendor", "kind", "when", "late", "times", "every"),
    *("code", "message", "status", "seconds", "retry_after"),
)


@dataclass(slots=True)
class Fault:
    """One rule. id: the number under which it can be taken back.

    method: a method's name, or "*". vendor: "" for all.
    kind: "error" fails the vendor's own way (an RPC error with code and message; `success: false` with message as the
    reason), "http" answers `status` with a page of HTML, "timeout_before", "timeout_after" and "timeout_late" hold the
    connection for `seconds` and close it without an answer, "reset" resets it, "slow" answers after `seconds`.
    when: "before" it is carried out (so it never is), "after" it was, or "late": it is failed, and carried out all the
    same `late` seconds after it came.
    times: how many calls are hit (None: until reset). every: only each so-manieth matching call is hit.
    """

    method: str
    kind: str
    vendor: str = ""
    when: str = "before"
    late: float = 0.0
    times: int | None = 1
    every: int = 1
    code: int = -32603
    message: str = ""
    status: int = 503
    seconds: float = 60.0
    retry_after: str = ""
    seen: int = 0
    hit: int = 0
    id: int = 0

    def hits(self, vendor: str, method: str) -> bool:
        """Counts this call; whether it is hit."""
        if self.method not in ("*", method) or self.vendor not in ("", vendor) or self.hit == self.times:
            return False
        self.seen += 1
        if self.seen % self.every:
            return False
        self.hit += 1
        return True


def parse_fault(body: Mapping[str, Any], vendors: tuple[str, ...]) -> Fault:
    """The fault a control request asks for. Raises ControlError with what is wrong.

    `times` absent is once, null is until reset. `when` is for error, http and reset.
    """
    for name in body:
        if name not in _FIELDS:
            raise ControlError(f"{name} is not a field of a fault; the fields are {', '.join(_FIELDS)}")
    kind = _one_of(body, "kind", KINDS)
    method = body.get("method")
    if not isinstance(method, str) or not method:
        raise ControlError('method must be a method\'s name, or "*"')
    when = _when(body, kind)
    retry_after = body.get("retry_after")
    if retry_after is not None and (isinstance(retry_after, bool) or not isinstance(retry_after, str | int)):
        raise ControlError("retry_after must be seconds or an HTTP date")
    message = body.get("message", "")
    if not isinstance(message, str):
        raise ControlError("message must be a text")
    return Fault(
        method=method,
        kind=kind,
        vendor=_one_of(body, "vendor", ("", *vendors), ""),
        when=when,
        late=_seconds(body, "late", 0, 7 * 86400),
        times=None if body.get("times", 1) is None else _whole(body, "times", 1, 1, 10**9),
        every=_whole(body, "every", 1, 1, 10**9),
        code=_whole(body, "code", -32603, -99999, 99999),
        message=message,
        status=_whole(body, "status", 503, 200, 599),
        seconds=_seconds(body, "seconds", 60, 3600),
        retry_after="" if retry_after is None else str(retry_after),
    )


def _when(body: Mapping[str, Any], kind: str) -> str:
    if kind not in ("error", "http", "reset"):
        if "when" in body:
            raise ControlError("when is for error, http and reset only")
        when = kind.removeprefix("timeout_") if kind in TIMEOUTS else "after"
    else:
        when = _one_of(body, "when", WHEN, "before")
    if ("late" in body) is not (when == "late"):
        raise ControlError("late, a number of seconds, is for what is carried out late, and needed there")
    return when


def _one_of(body: Mapping[str, Any], name: str, values: tuple[str, ...], default: str | None = None) -> str:
    value = body.get(name, default)
    if value not in values:
        raise ControlError(f"{name} must be one of {', '.join(filter(None, values))}")
    return str(value)


def _whole(body: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ControlError(f"{name} must be a whole number from {least} to {most}")
    return value


def _seconds(body: Mapping[str, Any], name: str, default: float, most: int) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ControlError(f"{name} must be a number from 0 to {most}")
    return float(value)
