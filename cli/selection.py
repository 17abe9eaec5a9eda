"""The options that select dead letters: numbers, or a filter."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

import click

from bellhop.schemas.asked_times import HOW, RULES, read_time
from bellhop.schemas.clock import utc_now
from bellhop.schemas.reasons import Reason

if TYPE_CHECKING:
    from bellhop.ledger.letters import Letters
    from bellhop.ledger.records import Letter, LetterFilter, LetterState

_PAGE: Final = 500

_REASONS: Final = tuple(reason.value for reason in Reason)


class TimeParam(click.ParamType[datetime]):
    """A time that is over: see `asked_times.read_time`."""

    name = "time"
    is_ahead: ClassVar[bool] = False
    how: ClassVar[str] = HOW

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return read_time(value, self._now(), ahead=self.is_ahead)
        except (ValueError, OverflowError):
            self.fail(f"must be {self.how}; {RULES}", param, ctx)


class Ahead(TimeParam):
    """A time to come."""

    is_ahead: ClassVar[bool] = True
    how: ClassVar[str] = "02:10 (the next time it is), an ISO 8601 time, or how long from now: 30m, 2h, 3d"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        moment = super().convert(value, param, ctx)
        if moment <= self._now():
            self.fail("must be in the future", param, ctx)
        return moment


@dataclass(frozen=True, slots=True)
class Selection:
    numbers: tuple[int, ...]
    reason: str | None
    route: str | None
    account: str | None
    source: str | None
    event_id: str | None
    since: datetime | None
    until: datetime | None
    cause: str | None = None
    text: str = ""

    @property
    def everything(self) -> bool:
        """Whether nothing narrows it."""
        return self == Selection.all()

    @classmethod
    def all(cls) -> Selection:
        return cls((), None, None, None, None, None, None, None)

    @property
    def query(self) -> dict[str, Any]:
        """As the API is asked for it."""
        moments = {name: getattr(self, name) for name in ("since", "until")}
        words = {name: getattr(self, name) for name in ("reason", "route", "account", "source", "event_id", "cause")}
        return {
            "id": list(self.numbers),
            **words,
            **{name: moment.isoformat() if moment else None for name, moment in moments.items()},
        }

    def filter(self, states: Sequence[LetterState]) -> LetterFilter:
        from bellhop.ledger.records import LetterFilter

        return LetterFilter(
            reason=self.reason,
            route=self.route,
            account=self.account,
            source=self.source,
            event_id=self.event_id,
            since=self.since,
            until=self.until,
            ids=self.numbers,
            cause=self.cause,
            text=self.text,
            states=tuple(states),
        )


def selecting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the arguments of a selection, as its parameter `selection`."""

    @functools.wraps(command)  # with what click has noted on it: the options below this decorator
    def select(*args: Any, **values: Any) -> Any:
        names = ("numbers", "reason", "route", "account", "source", "event_id", "since", "until", "cause", "text")
        chosen = Selection(**{name: values.pop(name) for name in names})
        return command(*args, selection=_with_cause(chosen), **values)

    for option in (
        click.option("--text", default="", help="Words that all stand in it: reference, guest, error."),
        click.option("--cause", metavar="KEY", help="Its cause's key; see `bellhop dead causes`."),
        click.option("--until", type=TimeParam(), help="Died at or before this time, said likewise."),
        click.option(
            "--since",
            type=TimeParam(),
            help="Died at or after: 02:10, 30m, 2h, 3d, ISO 8601; UTC, or 02:10 Europe/London.",
        ),
        click.option("--id", "event_id", help="The event's id."),
        click.option("--source", help="Source that posted the event."),
        click.option("--account", help="Account it was for."),
        click.option("--route", help="Route it died on."),
        click.option("--reason", metavar="REASON", type=click.Choice(_REASONS), help=f"One of {', '.join(_REASONS)}."),
        click.argument("numbers", metavar="[NUMBER]...", nargs=-1, type=click.IntRange(1)),
    ):
        select = option(select)
    return select


def _with_cause(chosen: Selection) -> Selection:
    """The cause itself in its key's place. Raises Failed."""
    if chosen.cause is None:
        return chosen
    from bellhop.cli.triage_desks import cause_named, triage_desk

    with triage_desk(click.get_current_context().obj) as at:
        return replace(chosen, cause=cause_named(at, chosen.cause)["cause"])


def pages(letters: Letters, which: LetterFilter) -> Iterator[Letter]:
    """Every letter of the filter, a page at a time."""
    after = 0
    while page := letters.find(which, _PAGE, after):
        yield from page
        after = page[-1].id
