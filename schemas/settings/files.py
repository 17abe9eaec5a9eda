"""Reads the settings: one TOML file, with the environment laid over it.

`BELLHOP_<SECTION>__<KEY>` overrides a key, `BELLHOP_ACCOUNTS__<NAME>__<KEY>` one of an account (source, venue); with
`_FILE` at the end the value is read from the file it names. Names match without regard to case, and `-` as `_`.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bellhop.schemas.errors import SettingsError
from bellhop.schemas.settings import Settings
from bellhop.schemas.settings.build import build
from bellhop.schemas.settings.sections import AccountKind

DEFAULT: Final = Path("bellhop.toml")
PREFIX: Final = "BELLHOP_"
RESERVED: Final = ("BELLHOP_CONFIG", "BELLHOP_SERVER", "BELLHOP_TOKEN")
"""Read by the command itself; not settings."""

_TABLES: Final = ("accounts", "sources", "venues")
_LISTS: Final = ("broker.ladder",)  # a text of the environment is split at its commas; texts lists do so themselves

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Override:
    """One setting from the environment. variable: as it is written there. place: for the error's line."""

    variable: str
    path: tuple[str, ...]
    value: str
    place: str


@dataclass(frozen=True, slots=True)
class Config:
    """place: where a dotted key's value came from, for errors found later."""

    settings: Settings
    place: Callable[[str], str]


def read(path: Path | None, environ: Mapping[str, str], kinds: Mapping[str, AccountKind]) -> Config:
    """The settings and their places. path: `--config`, else `BELLHOP_CONFIG`, else `./bellhop.toml`, which may
    be missing where the environment has settings. kinds: the vendors' accounts.

    Raises SettingsError, whose text is the one line the operator sees.
    """
    overrides = [
        _override(name, environ) for name in sorted(environ) if name.startswith(PREFIX) and name not in RESERVED
    ]
    file = path or (Path(environ["BELLHOP_CONFIG"]) if environ.get("BELLHOP_CONFIG") else None)
    if file is None and overrides and not DEFAULT.exists():
        return _built({}, "the environment", overrides, kinds)
    return _built(_read(file or DEFAULT, given=file is not None), str(file or DEFAULT), overrides, kinds)


def _built(document: Document, file: str, overrides: list[_Override], kinds: Mapping[str, AccountKind]) -> Config:
    in_file = copy.deepcopy(document)
    places: dict[str, str] = {}
    for override in overrides:
        key = _lay(document, override, file)
        if key in places:
            raise SettingsError(key, "is set twice", f"{places[key]} and {override.place}")
        places[key] = override.place

    def place(key: str) -> str:
        """The variable that gave the key (or the list it stands in), or a table that the file knows nothing of."""
        table = key.rpartition(".")[0]
        if told := places.get(key) or places.get(table):
            return told
        for missing in (name for name in (key, table) if name and not _holds(in_file, name)):
            if told := next((at for known, at in places.items() if known.startswith(f"{missing}.")), None):
                return told
        return file

    return Config(build(document, kinds, place), place)


def _holds(document: Document, key: str) -> bool:
    value: Any = document
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True


def _read(file: Path, *, given: bool) -> Document:
    try:
        text = file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        hint = "" if given else ": name another with --config or BELLHOP_CONFIG"
        raise SettingsError("file", f"does not exist{hint}", str(file)) from None
    except OSError as error:
        raise SettingsError("file", f"cannot be read: {error.strerror}", str(file)) from None
    except UnicodeDecodeError:
        raise SettingsError("file", "is not UTF-8", str(file)) from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem, _, at = str(error).partition(" (at ")
        found = re.match(r"line (\d+)", at)
        line = found[1] if found else str(len(text.splitlines()) or 1)
        raise SettingsError("file", f"is not TOML: {problem[:1].lower()}{problem[1:]}", f"{file}:{line}") from None


def _override(variable: str, environ: Mapping[str, str]) -> _Override:
    name = variable.removeprefix(PREFIX).lower()
    place = f"environment variable {variable}"
    from_file = name.endswith("_file")
    path = tuple(name.removesuffix("_file").split("__"))
    deep = 3 if path[0] in _TABLES else 2
    if len(path) != deep or not all(path):
        raise SettingsError(".".join(path), "is not a setting", place)
    if not from_file:
        return _Override(variable, path, environ[variable], place)
    file = environ[variable]
    try:
        value = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise SettingsError(".".join(path), f"its file cannot be read: {why}", f"{place}: {file}") from None
    return _Override(variable, path, value, f"{place}: {file}")


def _lay(document: Document, override: _Override, file: str) -> str:
    """Puts the value where it belongs; its dotted key, in the document's own spelling."""
    table: Any = document
    key: list[str] = []
    for wanted in override.path[:-1]:
        name = _spelled(table, wanted, override)
        key.append(name)
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise SettingsError(".".join(key), "must be a table", file)
    dotted = ".".join((*key, override.path[-1]))
    value = override.value
    table[override.path[-1]] = [part.strip() for part in value.split(",")] if dotted in _LISTS else value
    return dotted


def _spelled(table: Mapping[str, Any], wanted: str, override: _Override) -> str:
    """The name in `table` that the variable means: `SPA_EAST` means `spa-east` where there is one."""
    meant = [name for name in table if name.lower().replace("-", "_") == wanted]
    if len(meant) > 1:
        raise SettingsError(wanted, f"may mean {' or '.join(meant)}", override.place)
    return meant[0] if meant else wanted
