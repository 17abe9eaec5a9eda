"""The filter of dead letters, read from a page's address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, urlencode

from bellhop.console.searches import Asked
from bellhop.ledger.records import LetterFilter, LetterState, Order
from bellhop.schemas.asked_times import HOW, RULES, read_time

AGES: Final[Mapping[str, tuple[str, timedelta | None, timedelta | None]]] = {
    "1h": ("the last hour", timedelta(hours=1), None),
    "6h": ("the last 6 hours", timedelta(hours=6), None),
    "1d": ("the last day", timedelta(days=1), None),
    "7d": ("the last week", timedelta(days=7), None),
    "older-1d": ("more than a day ago", None, timedelta(days=1)),
    "older-7d": ("more than a week ago", None, timedelta(days=7)),
}
STATES: Final[Mapping[str, tuple[LetterState, ...]]] = {
    "open": (LetterState.OPEN,),
    "replaying": (LetterState.REPLAYING,),
    "replayed": (LetterState.REPLAYED,),
    "discarded": (LetterState.DISCARDED,),
    "all": tuple(LetterState),
}
ORDERS: Final = {Order.URGENT: "soonest start first", Order.NEWEST: "newest first", Order.OLDEST: "oldest first"}

_NAMES: Final = (
    *("k", "reason", "route", "account", "source", "age", "since", "until", "state", "assignee", "cause", "order"),
)
_NOTHING: Final = LetterFilter(since=datetime.max.replace(tzinfo=UTC))
_LONGEST: Final = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """args: what the address said, without what it need not say, and the words searched for as their key; a time as the
    moment that it meant when it was asked for. problem: what of it cannot be understood; then nothing is chosen."""

    which: LetterFilter
    order: Order
    args: Mapping[str, str]
    problem: str = ""

    @property
    def query(self) -> str:
        return urlencode(self.args)

    @property
    def is_narrowed(self) -> bool:
        return bool(set(self.args) - {"order", "state"}) or self.which.states != STATES["open"]

    @property
    def any_time(self) -> str:
        """The address of the same whenever they died."""
        return urlencode({name: value for name, value in self.args.items() if name not in ("since", "until", "age")})

    def of_cause(self, cause: str) -> Mapping[str, str]:
        """The address of those of one cause among these."""
        return {**self.args, "cause": cause}

    def open_only(self) -> LetterFilter:
        """The same of letters that wait for a person."""
        return replace(self.which, states=(LetterState.OPEN,))


def choose(args: Mapping[str, str], now: datetime, asked: Asked) -> Choice:
    """What is unknown in the address counts as not said; but for a search that is forgotten: raises SearchForgotten.

    The words stand in `q` where somebody wrote the address, or sends the form; else under their key in `k`.
    """
    said = {name: clean_text(args.get(name, "")) for name in _NAMES}
    words = clean_text(args["q"]) if "q" in args else asked.words(said["k"]) if said["k"] else ""
    said["k"] = asked.keep(words) if words else ""
    order = Order(said["order"]) if said["order"] in list(Order) else Order.URGENT
    _, newer, older = AGES.get(said["age"], ("", None, None))
    try:
        since, until = (_moment(said[name], now) for name in ("since", "until"))
    except ValueError:
        problem = f"Since and until must be {HOW}. {RULES[0].upper()}{RULES[1:]}."
        return Choice(_NOTHING, order, {name: value for name, value in said.items() if value}, problem)
    said |= {name: _minute(moment) for name, moment in (("since", since), ("until", until)) if moment}
    which = LetterFilter(
        reason=said["reason"] or None,
        route=said["route"] or None,
        account=said["account"] or None,
        source=said["source"] or None,
        cause=said["cause"] or None,
        assignee=said["assignee"] or None,
        since=max(filter(None, (since, now - newer if newer else None)), default=None),
        until=min(filter(None, (until, now - older if older else None)), default=None),
        states=STATES.get(said["state"], STATES["open"]),
        text=words,
    )
    return Choice(which, order, {name: value for name, value in said.items() if value})


def read_selection(query: str, now: datetime, asked: Asked) -> Choice:
    """The same of an address' query alone, as forms carry it. Read whole: a filter cut short would mean more letters.
    Raises SearchForgotten."""
    return choose(dict(parse_qsl(query)), now, asked)


def _moment(text: str, now: datetime) -> datetime | None:
    """Raises ValueError."""
    return read_time(text, now) if text else None


def _minute(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def clean_text(text: str, most: int | None = _LONGEST) -> str:
    """Without NUL, which nothing stores, and space around it; of so many characters at most, None for any number."""
    return text.replace("\x00", "").strip()[:most]
