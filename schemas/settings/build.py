"""From a parsed TOML document, with overrides already laid over it, to the settings, or all that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from marshmallow import ValidationError

from bellhop.schemas.errors import SettingProblem, SettingsError
from bellhop.schemas.events import VenueFacts
from bellhop.schemas.settings import checks
from bellhop.schemas.settings.accounts import AccountKind, VenueSettings
from bellhop.schemas.settings.alerts import AlertReceiver
from bellhop.schemas.settings.console import ConsoleSettings
from bellhop.schemas.settings.model import Settings
from bellhop.schemas.settings.sections import UNKNOWN, SectionPart, problems_in, suggest
from bellhop.schemas.settings.services import (
    ArchiveSettings,
    BrokerSettings,
    IngestSettings,
    LedgerSettings,
    LogSettings,
    OtelSettings,
    SentrySettings,
    WorkSettings,
)
from bellhop.schemas.settings.sources import SourceSettings, source_keys

SECTIONS: Final[Mapping[str, SectionPart[Any]]] = {
    "broker": SectionPart(BrokerSettings),
    "ledger": SectionPart(LedgerSettings),
    "ingest": SectionPart(IngestSettings),
    "work": SectionPart(WorkSettings),
    "archive": SectionPart(ArchiveSettings),
    "console": SectionPart(ConsoleSettings),
    "sentry": SectionPart(SentrySettings),
    "otel": SectionPart(OtelSettings),
    "log": SectionPart(LogSettings),
}
TABLES: Final = ("sources", "accounts", "venues", "alerts")
VENUE: Final = SectionPart(VenueSettings)
ALERT: Final = SectionPart(AlertReceiver)
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")

SourceCheck = Callable[[SourceSettings], "tuple[str, str, str] | None"]
"""What else must be true of a source: of one that is wrong the key, the problem, and what to write."""


def build_settings(
    document: Mapping[str, Any],
    kinds: Mapping[str, AccountKind],
    place: Callable[[str], str] = lambda _key: "bellhop.toml",
    check: SourceCheck = lambda _source: None,
) -> Settings:
    """The settings in `document`. kinds: the vendors' accounts, by what `kind` says. `place` tells where a dotted
    key's value came from.

    Raises SettingsError, which has all that is wrong.
    """
    builder = _Builder(document, kinds)
    builder.make(check)
    if builder.wrong:
        raise SettingsError.of([SettingProblem(key, what, place(key), do) for key, (what, do) in builder.wrong.items()])
    return builder.settings()


class _Builder:
    """wrong: by key, the first problem of each, and what to write."""

    def __init__(self, document: Mapping[str, Any], kinds: Mapping[str, AccountKind]) -> None:
        self._document = document
        self._source = SectionPart(SourceSettings, source_keys(kinds))
        self._accounts = {name: SectionPart(kind.section) for name, kind in kinds.items()}
        self._parts = checks.Parts(kinds, {name: list(self._table(name)) for name in TABLES})
        self.wrong: dict[str, tuple[str, str]] = {}

    def make(self, check: SourceCheck) -> None:
        parts = self._parts
        for key in self._document:
            if key not in SECTIONS and key not in TABLES:
                self._tell(key, UNKNOWN, suggest(key, (*SECTIONS, *TABLES)))
        for name, part in SECTIONS.items():
            self._load(parts.sections, part, self._document.get(name, {}), name)
        for name, value in self._entries("accounts"):
            kind = str(value.get("kind")) if isinstance(value, Mapping) else ""
            if kind in parts.kinds:
                self._load(parts.accounts, self._accounts[kind], value, f"accounts.{name}", name=name)
            else:
                problem = f"must be one of {', '.join(parts.kinds)}"
                self._tell(f"accounts.{name}.kind", problem, suggest(kind, parts.kinds))
        for name, value in self._entries("sources"):
            self._load(parts.sources, self._source, value, f"sources.{name}", name=name)
        for name, value in self._entries("venues"):
            self._load(parts.venues, VENUE, value, f"venues.{name}")
        for name, value in self._entries("alerts"):
            self._load(parts.alerts, ALERT, value, f"alerts.{name}", name=name)
        for key, problem, advice in checks.find_conflicts(parts):
            self._tell(key, problem, advice)
        for name, source in parts.sources.items():
            if wrong := check(source):
                key, problem, advice = wrong
                self._tell(f"sources.{name}.{key}", problem, advice)

    def settings(self) -> Settings:
        parts = self._parts
        sections = dict(parts.sections)
        log = sections.pop("log")
        return Settings(
            log_level=log.level,
            log_fields=log.fields,
            accounts=parts.accounts,
            sources=parts.sources,
            venues={name: self._facts(name, venue) for name, venue in parts.venues.items()},
            alerts=parts.alerts,
            **sections,
        )

    def _facts(self, name: str, venue: VenueSettings) -> VenueFacts:
        kind = self._parts.accounts[venue.account].kind
        return VenueFacts(name, venue.account, kind, venue.zone, self._parts.kinds[kind].check_booking)

    def _table(self, name: str) -> Mapping[str, Any]:
        value = self._document.get(name, {})
        return value if isinstance(value, Mapping) else {}

    def _entries(self, table: str) -> Iterator[tuple[str, Any]]:
        """The table's entries whose names are well."""
        if not isinstance(self._document.get(table, {}), Mapping):
            self._tell(table, "must be a table", "")
        for name, value in self._table(table).items():
            if NAME.fullmatch(name):
                yield name, value
            else:
                problem = "must be 1 to 40 of a-z, 0-9, - and _, and start with a letter or digit"
                self._tell(f"{table}.{name}", problem, "")

    def _load(self, made: dict[str, Any], part: SectionPart[Any], value: object, key: str, **given: str) -> None:
        try:
            made[key.rpartition(".")[2]] = part.load(value, **given)
        except ValidationError as error:
            if isinstance(error.valid_data, Mapping):
                self._parts.well[key] = error.valid_data
            for path, problem in problems_in(error.messages):
                self._tell(".".join((key, *path)), problem, part.advice(path, problem, value))

    def _tell(self, key: str, problem: str, advice: str) -> None:
        self.wrong.setdefault(key, (problem, advice))
