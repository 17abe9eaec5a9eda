"""Where each key of a TOML text stands: `tomllib` reads the values, and keeps no lines.

The text must be TOML, which `tomllib` has said before; so the scanner need not know what is wrong, only where each key
begins and where each value ends.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Final

Path = tuple[str | int, ...]

_GAP: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_KEY: Final = re.compile(r"""[ \t]*([A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')[ \t]*""")
_SCALAR: Final = re.compile(
    "|".join(
        (
            r'"""(?:\\.|[^\\])*?"""(?!")',
            r"'''.*?'''(?!')",
            r'"(?:[^"\\]|\\.)*"',
            r"'[^']*'",
            r"[^,\]}#\n]+",
        )
    ),
    re.DOTALL,
)


def line_numbers(text: str) -> Mapping[Path, int]:
    """The line, from 1, of each key and of each item of an array, by the keys and numbers that lead to it. What stands
    in several places (a table that is gone on with) has its first line. Raises ValueError where it cannot be TOML."""
    scanner = _Scanner(text.replace("\r\n", "\n"))
    scanner.document()
    return scanner.lines


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0
        self._lists: dict[Path, int] = {}
        self.lines: dict[Path, int] = {}

    def document(self) -> None:
        table: Path = ()
        self._skip()
        while self._at < len(self._text):
            if self._take("[["):
                table = self._header(is_item=True)
                self._take("]]")
            elif self._take("["):
                table = self._header(is_item=False)
                self._take("]")
            else:
                self._pair(table)
            self._skip()

    def _header(self, *, is_item: bool) -> Path:
        """A table's path: through an array of tables it leads by its last item."""
        line = self._line
        path: Path = ()
        names = self._names()
        for number, name in enumerate(names, start=1):
            path = (*path, name)
            self.lines.setdefault(path, line)
            if is_item and number == len(names):
                self._lists[path] = self._lists.get(path, -1) + 1
            if path in self._lists:
                path = (*path, self._lists[path])
                self.lines.setdefault(path, line)
        return path

    def _pair(self, table: Path) -> None:
        self._count()
        line = self._line
        path = table
        for name in self._names():
            path = (*path, name)
            self.lines.setdefault(path, line)
        self._take("=")
        self._value(path)

    def _names(self) -> tuple[str, ...]:
        names = []
        while found := _KEY.match(self._text, self._at):
            self._at = found.end()
            names.append(_unquote(found[1]))
            if not self._take("."):
                break
        if not names:
            raise ValueError(f"no key in line {self._line}")
        return tuple(names)

    def _value(self, path: Path) -> None:
        self._skip()
        if self._take("["):
            self._items(path)
        elif self._take("{"):
            self._skip()
            while not self._take("}"):
                self._pair(path)
                self._skip()
                self._take(",")
                self._skip()
        elif found := _SCALAR.match(self._text, self._at):
            self._at = found.end()
        else:
            raise ValueError(f"no value in line {self._line}")

    def _items(self, path: Path) -> None:
        number = 0
        self._skip()
        while not self._take("]"):
            self.lines[(*path, number)] = self._line
            self._value((*path, number))
            number += 1
            self._skip()
            self._take(",")
            self._skip()

    def _take(self, mark: str) -> bool:
        if not self._text.startswith(mark, self._at):
            return False
        self._at += len(mark)
        return True

    def _skip(self) -> None:
        found = _GAP.match(self._text, self._at)
        self._at = found.end() if found else self._at
        self._count()

    def _count(self) -> None:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at


def _unquote(word: str) -> str:
    if word.startswith('"'):
        return str(tomllib.loads(f"k = {word}")["k"])
    return word[1:-1] if word.startswith("'") else word
