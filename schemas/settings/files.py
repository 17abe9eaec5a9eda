"""Reads the settings: one TOML file, with the environment laid over it.

`BELLHOP_<SECTION>__<KEY>` overrides a key, `BELLHOP_ACCOUNTS__<NAME>__<KEY>` one of an account (source, venue); with
`_FILE` at the end the value is read from the file it names. Names match without regard to case, and `-` as `_`.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bellhop.schemas.errors import SettingProblem, SettingsError
from bellhop.schemas.settings import Settings
from bellhop.schemas.settings.accounts import AccountKind
from bellhop.schemas.settings.build import TABLES, SourceCheck, build_settings
from bellhop.schemas.settings.lines import line_numbers
from bellhop.schemas.settings.reload import digest
from bellhop.schemas.settings.sections import UNKNOWN

DEFAULT: Final = Path("bellhop.toml")
PREFIX: Final = "BELLHOP_"
RESERVED: Final = ("BELLHOP_CONFIG", "BELLHOP_SERVER", "BELLHOP_TOKEN")
"""Read by the command itself; not settings."""

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
    """place: where a dotted key's value came from, for errors found later. digest: see `settings.reload`."""

    settings: Settings
    place: Callable[[str], str]
    digest: str = ""


def read_files(
    path: Path | None,
    environ: Mapping[str, str],
    kinds: Mapping[str, AccountKind],
    check: SourceCheck = lambda _source: None,
) -> Config:
    """The settings and their places. path: `--config`, else `BELLHOP_CONFIG`, else `./bellhop.toml`, which may
    be missing where the environment has settings. kinds: the vendors' accounts. check: what else a source must be.

    Raises SettingsError, which has a line for each thing that is wrong.
    """
    laid = _Laid(environ)
    file = path or (Path(environ["BELLHOP_CONFIG"]) if environ.get("BELLHOP_CONFIG") else None)
    if file is None and laid.overrides and not DEFAULT.exists():
        laid.over({}, "the environment", {})
    else:
        document, at = _read(file or DEFAULT, given=file is not None)
        laid.over(document, str(file or DEFAULT), at)
    try:
        settings = build_settings(laid.document, kinds, laid.place, check)
    except SettingsError as error:
        told = {wrong.key for wrong in laid.wrong}
        laid.wrong += [wrong for wrong in error.problems if wrong.key not in told]
    if laid.wrong:
        raise SettingsError.of(sorted(laid.wrong, key=lambda wrong: laid.line(wrong.key)))
    return Config(settings, laid.place, digest(laid.document, kinds))


class _Laid:
    """The document with the environment laid over it. wrong: what could not be laid. place: see `Config`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.document: Document = {}
        self.overrides: list[_Override] = []
        self.wrong: list[SettingProblem] = []
        self._file = ""
        self._in_file: Document = {}
        self._lines: Mapping[str, int] = {}
        self._places: dict[str, str] = {}
        for name in sorted(environ):
            if name.startswith(PREFIX) and name not in RESERVED:
                with self._collect():
                    self.overrides.append(_override(name, environ))

    def over(self, document: Document, file: str, at: Mapping[str, int]) -> None:
        """Lays the environment over the document. at: the line of each dotted key."""
        self.document, self._file, self._lines = document, file, at
        self._in_file = copy.deepcopy(document)
        for override in self.overrides:
            with self._collect():
                key = _lay(document, override, self.place)
                if key in self._places:
                    raise SettingsError(key, "is set twice", f"{self._places[key]} and {override.place}")
                self._places[key] = override.place

    def place(self, key: str) -> str:
        """The variable that gave the key (or the list it stands in), or a table that the file knows nothing of; else
        the file with the line of the key, or of the table that lacks it."""
        table = key.rpartition(".")[0]
        if told := self._places.get(key) or self._places.get(table):
            return told
        for missing in (name for name in (key, table) if name and not _holds(self._in_file, name)):
            if told := next((at for known, at in self._places.items() if known.startswith(f"{missing}.")), None):
                return told
        line = self.line(key)
        return f"{self._file}:{line}" if line else self._file

    def line(self, key: str) -> int:
        """Where the key stands in the file, or the innermost table around it; 0 where neither does."""
        if key in self._places:
            return 0
        while key and key not in self._lines:
            key = key.rpartition(".")[0]
        return self._lines.get(key, 0)

    @contextmanager
    def _collect(self) -> Iterator[None]:
        try:
            yield
        except SettingsError as error:
            self.wrong += error.problems


def _holds(document: Document, key: str) -> bool:
    value: Any = document
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True


def _read(file: Path, *, given: bool) -> tuple[Document, Mapping[str, int]]:
    """The document, and the line of each dotted key."""
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
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem, _, where = str(error).partition(" (at ")
        found = re.match(r"line (\d+)", where)
        line = found[1] if found else str(len(text.splitlines()) or 1)
        raise SettingsError("file", f"is not TOML: {problem[:1].lower()}{problem[1:]}", f"{file}:{line}") from None
    at: dict[str, int] = {}
    for path, line in line_numbers(text).items():
        at.setdefault(".".join(map(str, path)), line)
    return document, at


def _override(variable: str, environ: Mapping[str, str]) -> _Override:
    name = variable.removeprefix(PREFIX).lower()
    place = f"environment variable {variable}"
    from_file = name.endswith("_file")
    path = tuple(name.removesuffix("_file").split("__"))
    deep = 3 if path[0] in TABLES else 2
    if len(path) != deep or not all(path):
        shape = "<SECTION>__<KEY>" if deep == 2 else f"{path[0].upper()}__<NAME>__<KEY>"
        raise SettingsError(".".join(path), UNKNOWN, place, advice=f"write {PREFIX}{shape}")
    if not from_file:
        return _Override(variable, path, environ[variable], place)
    file = environ[variable]
    try:
        value = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise SettingsError(".".join(path), f"its file cannot be read: {why}", f"{place}: {file}") from None
    return _Override(variable, path, value, f"{place}: {file}")


def _lay(document: Document, override: _Override, place: Callable[[str], str]) -> str:
    """Puts the value where it belongs; its dotted key, in the document's own spelling."""
    table: Any = document
    key: list[str] = []
    for wanted in override.path[:-1]:
        name = _spelling(table, wanted, override)
        key.append(name)
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise SettingsError(".".join(key), "must be a table", place(".".join(key)))
    dotted = ".".join((*key, override.path[-1]))
    table[override.path[-1]] = override.value
    return dotted


def _spelling(table: Mapping[str, Any], wanted: str, override: _Override) -> str:
    """The name in `table` that the variable means: `SPA_EAST` means `spa-east` where there is one."""
    meant = [name for name in table if name.lower().replace("-", "_") == wanted]
    if len(meant) > 1:
        raise SettingsError(wanted, f"may mean {' or '.join(meant)}", override.place)
    return meant[0] if meant else wanted
