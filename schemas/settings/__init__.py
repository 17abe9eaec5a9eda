"""The settings: one frozen object, built and checked once at the start of each process and passed in.

Each key is declared once (`keys`), in the section that it stands in. `build` takes the parsed TOML document with
overrides already laid over it (`files` reads files and the environment); `example` and `editors` write what
`bellhop config` prints of them.
"""

from bellhop.schemas.settings.accounts import Account, Limits
from bellhop.schemas.settings.console import ConsoleSettings, OidcSettings
from bellhop.schemas.settings.model import Settings
from bellhop.schemas.settings.services import (
    ArchiveSettings,
    BrokerSettings,
    IngestSettings,
    LedgerSettings,
    SentrySettings,
    WorkSettings,
)
from bellhop.schemas.settings.source_tables import SourceVenue
from bellhop.schemas.settings.sources import SourceSettings

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
