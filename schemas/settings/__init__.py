"""The settings: one frozen object, built and checked once at the start of each process and passed in.

`build` takes the parsed TOML document with overrides already laid over it (`files` reads files and the environment).
`bellhop.example.toml` documents every key.
"""

from bellhop.schemas.settings.model import (
    Account,
    ArchiveSettings,
    BrokerSettings,
    ConsoleSettings,
    IngestSettings,
    LedgerSettings,
    Limits,
    OidcSettings,
    SentrySettings,
    Settings,
    SourceSettings,
    SourceVenue,
    WorkSettings,
)

__all__ = [
    "Account",
    "ArchiveSettings",
    "BrokerSettings",
    "ConsoleSettings",
    "IngestSettings",
    "LedgerSettings",
    "Limits",
    "OidcSettings",
    "SentrySettings",
    "Settings",
    "SourceSettings",
    "SourceVenue",
    "WorkSettings",
]
