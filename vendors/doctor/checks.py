"""Checks in an order, each with what it found and, where it failed, what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import ParamSpec, Protocol, TypeVar
from zoneinfo import ZoneInfo

from bellhop.ledger.pulls import Watermark
from bellhop.ledger.records.accounts import AccountView
from bellhop.schemas.errors import BellhopError
from bellhop.vendors.failure import VendorFailure

P = ParamSpec("P")
T = TypeVar("T")


class CheckStatus(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


class Trouble(BellhopError):
    """Raised by a vendor call that did not succeed. kind: a value of `vendors.failure.Kind`. words: the
    vendor's or ours, without secrets. code: the vendor's own, "" where it has none. status: HTTP's, None without an
    answer."""

    def __init__(
        self, method: str, kind: str, words: str, *, code: str = "", status: int | None = None, advice: str = ""
    ) -> None:
        super().__init__(f"{method}: {words}" + (f" ({code})" if code else ""))
        self.method = method
        self.kind = kind
        self.words = words
        self.code = code
        self.status = status
        self.advice = advice


def troubles(call: Callable[P, T]) -> Callable[P, T]:
    """The same call, its failures as Trouble."""

    def call_or_trouble(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except VendorFailure as failure:
            raise Trouble(
                failure.method,
                failure.kind.value,
                failure.message,
                code=failure.code,
                status=failure.status,
                advice=failure.advice,
            ) from None

    return call_or_trouble


@dataclass(frozen=True, slots=True)
class Subject:
    """What Bellhop itself knows of the account. zones: of its venues, by their names. services and providers: the ids
    that the settings name for it. view: None where the ledger has no state of it. host_zones: the version of
    the host's time zones, "" where it has none."""

    zones: Mapping[str, ZoneInfo]
    services: frozenset[str]
    providers: frozenset[str]
    view: AccountView | None
    marks: Sequence[Watermark]
    now: Callable[[], datetime]
    host_zones: str = ""

    def today(self) -> date:
        """At the account's first venue; UTC's where it has none."""
        return self.now().astimezone(next(iter(self.zones.values()), UTC)).date()


@dataclass(frozen=True, slots=True)
class Finding:
    """seen: one line. advice: what to do, a line each."""

    status: CheckStatus
    seen: str
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """look: may raise Trouble. needs: the checks without which this one tells nothing."""

    name: str
    look: Callable[[], Finding]
    needs: tuple[str, ...] = ()


class Examination(Protocol):
    """A vendor's own checks of one account."""

    def checks(self) -> list[Check]:
        """In their order, after those of the host."""
        ...

    def explain(self, trouble: Trouble) -> Finding:
        """What to do about a call that failed."""
        ...


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    finding: Finding

    @property
    def failed(self) -> bool:
        return self.finding.status is CheckStatus.FAIL


def ok(seen: str, *advice: str) -> Finding:
    return Finding(CheckStatus.OK, seen, advice)


def warn(seen: str, *advice: str) -> Finding:
    return Finding(CheckStatus.WARN, seen, advice)


def fail(seen: str, *advice: str) -> Finding:
    return Finding(CheckStatus.FAIL, seen, advice)


def skip(seen: str, *advice: str) -> Finding:
    return Finding(CheckStatus.SKIPPED, seen, advice)


def examine(checks: Iterable[Check], explain: Callable[[Trouble], Finding]) -> list[Result]:
    """Makes the checks in their order; those that need one that failed, or could not be made for that, are skipped."""
    results: list[Result] = []
    lost: set[str] = set()
    for check in checks:
        missing = [name for name in check.needs if name in lost]
        if missing:
            finding = skip(f"not tried, as {missing[0]} failed")
        else:
            try:
                finding = check.look()
            except Trouble as trouble:
                finding = explain(trouble)
        if missing or finding.status is CheckStatus.FAIL:
            lost.add(check.name)
        results.append(Result(check.name, finding))
    return results


def general(trouble: Trouble) -> Finding:
    """What can be said of a failed call whoever the vendor is."""
    seen = str(trouble)
    if trouble.status is not None and trouble.words.startswith("HTTP") and trouble.kind != "throttled":
        advice = "what answers there is not the vendor's API, or it is out of order: check base_url"
        turned = "or a firewall before it turns this host away: have its address admitted there"
        return fail(seen, advice, *([turned] if trouble.status in (401, 403, 406) else []))
    if trouble.kind == "transient":
        return fail(seen, "check base_url, this host's network and the vendor's status page")
    if trouble.kind == "throttled":
        return fail(seen, "the vendor asks for a pause: wait, and lower the account's limits if it comes again")
    if trouble.status is None and trouble.kind == "unknown":
        return fail(seen, "the vendor did not answer: try again, raise read_timeout, or see the vendor's status page")
    return fail(seen, *([trouble.advice] if trouble.advice else []))


def name_list(names: Sequence[str], most: int = 5) -> str:
    """A few names in a row, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
