"""`bellhop.example.toml`, made of what the keys say of themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Final

from bellhop.schemas.settings.accounts import AccountKind
from bellhop.schemas.settings.build import ALERT, SECTIONS, VENUE
from bellhop.schemas.settings.editors import ADDRESS
from bellhop.schemas.settings.keys import Key, Section, keys_of
from bellhop.schemas.settings.source_tables import SourceVenue, SourceVenues
from bellhop.schemas.settings.sources import SourceSettings, source_keys

_HEAD: Final = """\
Every setting of Bellhop. Copy it to bellhop.toml, keep what you need: what is left out has the value shown, except
for accounts, sources, venues and alerts, which are yours to name. Where … stands, write your own: … itself is refused.

The file is named by --config, else BELLHOP_CONFIG, else it is ./bellhop.toml.
The environment overrides it: BELLHOP_BROKER__URL, BELLHOP_ACCOUNTS__CLUB__PASSWORD (names in capitals, - as _).
With _FILE at the end the value is read from a file: BELLHOP_ACCOUNTS__CLUB__PASSWORD_FILE=/run/secrets/password.
Lists are given there with commas. A BELLHOP_ variable that names no setting stops the start: on Kubernetes, which adds
such variables for a service called bellhop, set `enableServiceLinks: false`.

Durations are seconds, or a text with a unit: "500ms", "30s", "2m", "1h", "90d".
`bellhop config check` tells whether all is well, `bellhop config example` prints this file. The first line tells
editors what may stand here (VS Code: Even Better TOML); `bellhop config schema` prints what it names."""
_SOURCE: Final = "crm"


def example(kinds: Mapping[str, AccountKind]) -> str:
    """The whole file. kinds: the vendors' accounts."""
    parts = [[f"#:schema {ADDRESS}", *_comment(_HEAD)]]
    parts += [[*_about(part.of), f"[{name}]", *_keys(part.keys)] for name, part in SECTIONS.items()]
    parts += _source(source_keys(kinds))
    for name, kind in kinds.items():
        header = f"[accounts.{kind.example_name or name}]"
        parts.append([*_about(kind.section), header, *_keys(keys_of(kind.section))])
    about = _about(VENUE.of)
    for name, kind in kinds.items():
        values = {"account": kind.example_name or name}
        parts.append([*about, f"[venues.{kind.example_venue or name}]", *_keys(VENUE.keys, values, told=bool(about))])
        about = []
    parts.append([*_about(ALERT.of), "[alerts.team]", *_keys(ALERT.keys)])
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def _source(keys: Mapping[str, Key]) -> Iterator[list[str]]:
    """The source, and the tables in it: those come last, as what follows a table's header is the table's."""
    tables = {name: key for name, key in keys.items() if isinstance(key.shown, dict)}
    plain = {name: key for name, key in keys.items() if name not in tables}
    yield [*_about(SourceSettings), f"[sources.{_SOURCE}]", *_keys(plain)]
    for key in tables.values():
        header = f"[sources.{_SOURCE}.{key.name}]"
        sample = []
        if isinstance(key.kind, SourceVenues):
            sample = [f'#   [sources.{_SOURCE}.{key.name}."12345"]', *_sample(keys_of(SourceVenue))]
        yield [*_comment(key.doc), *sample, header]


def _sample(keys: Mapping[str, Key]) -> Iterator[str]:
    for key in keys.values():
        note = f"  # {key.doc[:1].lower()}{key.doc[1:].rstrip('.')}" if key.doc else ""
        yield f"#   {key.line}{note}"


def _keys(keys: Mapping[str, Key], values: Mapping[str, str] | None = None, *, told: bool = True) -> Iterator[str]:
    """values: instead of what the keys show. told: with what they say of themselves."""
    for name, key in keys.items():
        if told:
            yield from _comment(key.doc)
        yield f'{key.name} = "{values[name]}"' if values and name in values else key.line


def _about(part: type[Section]) -> list[str]:
    return _comment(inspect.getdoc(part) or "")


def _comment(doc: str) -> list[str]:
    return [f"# {line}".rstrip() for line in doc.splitlines()]
