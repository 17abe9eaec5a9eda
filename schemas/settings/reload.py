"""What of settings that were read anew can be taken by a process that runs, and what waits for its next start."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Final

from bellhop.schemas.settings.accounts import AccountKind
from bellhop.schemas.settings.build import ALERT, SECTIONS, VENUE
from bellhop.schemas.settings.keys import keys_of
from bellhop.schemas.settings.model import Settings
from bellhop.schemas.settings.sources import source_keys

_TABLES: Final = ("sources", "accounts", "venues", "alerts")
_WHOLE: Final = ("broker", "ledger", "console", "sentry", "otel")
_ADDRESSES: Final = ("host", "port")
_FIXED: Final[Mapping[str, tuple[str, ...]]] = {
    "ingest": (*_ADDRESSES, "processes", "threads"),
    "work": _ADDRESSES,
    "archive": _ADDRESSES,
}
"""What is listened on, connected to or made before the first fork stays as it was at the start."""
_LOG: Final = {"log.level": "log_level", "log.fields": "log_fields"}


@dataclass(frozen=True, slots=True)
class Taken:
    """settings: what the process works with from now on. changed: what is new in them, restart: what only a start
    takes; both by name (`sources.crm`, `work.threads`), never with a value."""

    settings: Settings
    changed: tuple[str, ...]
    restart: tuple[str, ...]


def take_over(running: Settings, read: Settings) -> Taken:
    changed: list[str] = []
    restart: list[str] = []
    kept: dict[str, Any] = {}
    for name in (*_WHOLE, *_FIXED):
        old, new = getattr(running, name), getattr(read, name)
        differing = [attribute for attribute in _attributes(new) if getattr(old, attribute) != getattr(new, attribute)]
        fixed = [one for one in differing if name in _WHOLE or one in _FIXED[name]]
        names = {attribute: key.name for attribute, key in keys_of(type(new)).items()}
        restart += [f"{name}.{names.get(one, one)}" for one in fixed]
        changed += [f"{name}.{names.get(one, one)}" for one in differing if one not in fixed]
        kept[name] = replace(new, **{one: getattr(old, one) for one in fixed})
    for name, attribute in _LOG.items():
        if getattr(running, attribute) != getattr(read, attribute):
            restart.append(name)
        kept[attribute] = getattr(running, attribute)
    for table in _TABLES:
        before, after = getattr(running, table), getattr(read, table)
        changed += [f"{table}.{one}" for one in sorted({*before, *after}) if before.get(one) != after.get(one)]
    return Taken(replace(read, **kept), tuple(changed), tuple(restart))


def _attributes(section: Any) -> list[str]:
    return [field.name for field in fields(section)] if is_dataclass(section) else []


def digest(document: Mapping[str, Any], kinds: Mapping[str, AccountKind]) -> str:
    """By which processes with the same settings are known: `1a2b3c4d5e6f-7a8b`. The first part is of all that is no
    secret. The second is 16 bits of what is: it differs when one is rotated, and none can be worked out from it."""
    secret_keys = _secret_keys(kinds)
    plain: dict[str, Any] = {}
    secret: dict[str, Any] = {}
    for path, value in _leaves(document):
        kept = secret if _is_secret(path, secret_keys, document) else plain
        kept[".".join(path)] = value
    return f"{_hash(plain)[:12]}-{_hash(secret)[:4]}"


def _secret_keys(kinds: Mapping[str, AccountKind]) -> Mapping[str, frozenset[str]]:
    named = {
        **{name: part.keys for name, part in SECTIONS.items()},
        "sources": source_keys(kinds),
        "venues": VENUE.keys,
        "alerts": ALERT.keys,
        **{f"accounts.{name}": keys_of(kind.section) for name, kind in kinds.items()},
    }
    return {name: frozenset(key.name for key in keys.values() if key.secret) for name, keys in named.items()}


def _is_secret(path: tuple[str, ...], secret_keys: Mapping[str, frozenset[str]], document: Mapping[str, Any]) -> bool:
    table = path[0]
    if table not in _TABLES:
        return len(path) > 1 and path[1] in secret_keys.get(table, ())
    kind = str(document[table][path[1]].get("kind", "")) if table == "accounts" and len(path) > 2 else ""
    # An address that results go to may hold a token, though no redactor looks for it.
    hidden = {"result_url"} if table == "sources" else set()
    return len(path) > 2 and path[2] in {*secret_keys.get(f"{table}.{kind}" if kind else table, ()), *hidden}


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, str(name)))
    else:
        yield path, value


def _hash(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()
