"""What the ledger knows of an account: its breaker, the day's calls, how far it has been pulled; and what its venues'
clocks are, by whose rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim

from bellhop.schemas import zones
from bellhop.schemas.settings import Account
from bellhop.vendors.doctor.checks import Check, Finding, Subject, fail, ok, warn

_NEARLY: Final = 0.8
_WEEKS: Final = 104


def state_checks(account: Account, subject: Subject) -> list[Check]:
    """`breaker`, `budget`, `tzdata`, and `pulls` where the account has some."""
    checks = [
        Check("breaker", lambda: _breaker(subject)),
        Check("budget", lambda: _budget(account, subject)),
        Check("tzdata", lambda: _tzdata(subject)),
    ]
    if account.pulls:
        checks.append(Check("pulls", lambda: _pulls(account, subject)))
    return checks


def _breaker(subject: Subject) -> Finding:
    view = subject.view
    if view is None or view.breaker == "closed":
        return ok("closed" if view is None or not view.failures else f"closed, after {view.failures} failed in a row")
    until = f" until {view.open_until.astimezone(UTC):%H:%M:%S} UTC" if view.open_until else ""
    found = "refused the credentials of" if view.refused else "was away for"
    return warn(
        f"{view.breaker}{until}: the vendor {found} {view.failures} calls; last: {view.error}",
        "events wait, and one call will try again by itself; the checks here call the vendor all the same",
    )


def _budget(account: Account, subject: Subject) -> Finding:
    used = subject.view.used if subject.view else 0
    most = account.limits.per_day
    if not most:
        return ok("no limit of calls a day")
    seen = f"{used} of {most} calls used today (UTC); these checks are not counted"
    if used >= _NEARLY * most:
        return warn(seen, "members, pulls and callbacks wait until midnight UTC: the last fifth is kept for bookings")
    return ok(seen)


def _tzdata(subject: Subject) -> Finding:
    """Bookings are made by the package's rules. Newer ones mean that some zone's clock may have changed since."""
    host = subject.host_zones
    seen = zones.difference(host) or f"time zones are tzdata {zones.VERSION}"
    if host > zones.VERSION:
        return warn(seen, "or bookings of zones that changed since are made at the wrong hour")
    return ok(seen)


def _pulls(account: Account, subject: Subject) -> Finding:
    """A pull that missed its last two ticks is late."""
    marks = {mark.what: mark for mark in subject.marks}
    late, told = [], []
    for what, cron in account.pulls.items():
        ticks = CronSim(cron, subject.now().astimezone(UTC), reverse=True)
        next(ticks)
        before_last = next(ticks)
        mark = marks.get(what)
        told.append(f"{what} {'never' if mark is None else f'{mark.pulled.astimezone(UTC):%Y-%m-%d %H:%M} UTC'}")
        if mark is None or mark.pulled < before_last:
            late.append(what)
    seen = f"last pulled: {', '.join(told)}"
    if not late:
        return ok(seen)
    return warn(seen, f"late: {', '.join(late)}; is `bellhop work` running? see `bellhop dead list --route pulls`")


def zone_of(name: str) -> ZoneInfo | None:
    """The zone of a name as the vendor spells it: SimplyBook.me writes "Europe London" for Europe/London."""
    known = {_spelling(one): one for one in available_timezones()}
    found = known.get(_spelling(name))
    return None if found is None else ZoneInfo(found)


def _spelling(name: str) -> str:
    return " ".join(re.split(r"[\s/_]+", name.strip().lower()))


def _offset_finding(name: str, offset: timedelta | None, subject: Subject) -> Finding:
    """For a zone that nobody knows here: its clock now is all there is to compare."""
    seen = f"the vendor names no time zone that is known here: {name or 'none at all'}"
    if offset is None or not subject.zones:
        return warn(seen)
    now = subject.now()
    wrong = [venue for venue, ours in subject.zones.items() if now.astimezone(ours).utcoffset() != offset]
    if not wrong:
        return warn(f"{seen}; its clock is the venues' at the moment")
    return fail(
        f"{seen}; its clock is {offset.total_seconds() / 60:+.0f} minutes from UTC, and not that of {', '.join(wrong)}",
        f"bookings would be made at the wrong times: set venues.{wrong[0]}.timezone to the vendor's,",
        "or correct the company's time zone at the vendor",
    )


def zone_finding(name: str, subject: Subject, offset: timedelta | None = None) -> Finding:
    """Whether the vendor's time zone is the venues' of the settings: the same name, or clocks that always agree.

    offset: what the vendor's clock is ahead of UTC, for a name that is not known here; None where it does not tell.
    """
    zone = zone_of(name)
    if zone is None:
        return _offset_finding(name, offset, subject)
    if not subject.zones:
        return warn(f"{name}; no venue of the settings is of this account", "add one: [venues.NAME] with account")
    wrong = [venue for venue, ours in subject.zones.items() if not _same_clock(ours, zone, subject.now())]
    if not wrong:
        return ok(f"{name}, as of {', '.join(subject.zones)} in the settings")
    ours = ", ".join(f"{venue} is {subject.zones[venue].key}" for venue in wrong)
    return fail(
        f"the company's is {name}, but in the settings {ours}",
        f"bookings would be made at the wrong times: set venues.{wrong[0]}.timezone to the vendor's,",
        "or correct the company's time zone at the vendor",
    )


def _same_clock(one: ZoneInfo, other: ZoneInfo, now: datetime) -> bool:
    return one.key == other.key or all(
        moment.astimezone(one).utcoffset() == moment.astimezone(other).utcoffset() for moment in _weeks(now)
    )


def _weeks(now: datetime) -> Iterator[datetime]:
    """Two years of weeks: both changes of the clock, twice."""
    yield from (now + timedelta(weeks=ahead) for ahead in range(_WEEKS))


def unknown_ids(what: str, kind: str, wanted: frozenset[str], found: frozenset[str]) -> Finding | None:
    """A failure where the settings name ids that the vendor does not have."""
    missing = sorted(wanted - found)
    if not missing:
        return None
    return fail(
        f"{len(found)} found, but the settings name {what} that are not there: {', '.join(missing)}",
        f"correct the ids in [sources.NAME.venues]: see `bellhop catalog ACCOUNT {kind}`",
    )
