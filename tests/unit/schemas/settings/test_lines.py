from __future__ import annotations

import contextlib
import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.schemas.settings.lines import Path, line_numbers

# What a scanner could stumble over: ends of strings, brackets, comments and pairs where they are only text.
TRICKY = ["#", "]", "}", ",", "=", '"', "'", '"""', "'''", "\\", "[x]", "a.b", " ", "\t", "é", "😀", "k = 1", ""]
SNIPPETS = st.lists(st.sampled_from([*TRICKY, "\n", "word"]), max_size=5).map("".join)
NAMES = st.one_of(st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True), SNIPPETS)
SCALARS = st.one_of(
    st.integers(-999, 999), st.booleans(), st.just(1.5), st.just("1979-05-27 07:32:00"), SNIPPETS.map(lambda s: [s])
)  # a text is wrapped in a list here, so that a date, which is written bare, is none
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple), st.dictionaries(NAMES, inner, max_size=3, dict_class=dict)
    ),
    max_leaves=6,
)


class Writer:
    """A TOML document as somebody might write it, and where it put each key."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.text = ""
        self.lines: dict[Path, int] = {}

    def any(self, *choices: str) -> str:
        return str(self.draw(st.sampled_from(choices)))

    def mark(self, path: Path) -> None:
        self.lines.setdefault(path, self.text.count("\n") + 1)

    def name(self, name: str) -> str:
        bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
        styles = [name] if bare else []
        if "'" not in name and "\n" not in name and name.isprintable():
            styles.append(f"'{name}'")
        return self.any(json.dumps(name, ensure_ascii=False), *styles)

    def string(self, value: str) -> str:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        styles = [json.dumps(value, ensure_ascii=False), f'"""\n{escaped}"""', f'"""\\\n   {escaped}"""']
        if '"""' not in value and "\\" not in value:
            styles.append(f'"""\n{value}"""')
        if "'''" not in value:
            styles.append(f"'''\n{value}'''")
        if "'" not in value and "\n" not in value:
            styles.append(f"'{value}'")
        return self.any(*styles)

    def pair(self, base: Path, names: list[str], value: object, *, inline: bool) -> None:
        path = base
        written = []
        for name in names:
            path = (*path, name)
            self.mark(path)
            written.append(self.name(name))
        self.text += self.any(" . ", ".").join(written) + self.any(" = ", "=")
        self.value(path, value, inline=inline)

    def value(self, path: Path, value: object, *, inline: bool) -> None:
        if isinstance(value, list):
            self.text += self.string(value[0])
        elif isinstance(value, tuple):
            gaps = ("", " ", "\n", " # ] a comment, \"'\n")
            self.text += "["
            for number, item in enumerate(value):
                self.text += self.any(*gaps)
                self.mark((*path, number))
                self.value((*path, number), item, inline=inline)
                self.text += self.any(*gaps) + ("," if number < len(value) - 1 else self.any("", ","))
            self.text += self.any(*gaps) + "]"
        elif isinstance(value, dict):
            self.text += "{" + self.any("", " ")
            for number, (name, inner) in enumerate(value.items()):
                self.text += ", " if number else ""
                self.pair(path, [name], inner, inline=True)
            self.text += self.any("", " ") + "}"
        else:
            self.text += str(value).lower() if isinstance(value, bool) else str(value)

    def end(self) -> None:
        self.text += self.any("\n", " # k = [ \"'\n", "\n\n", "\n# a = 1\n\t")

    def header(self, base: Path, opening: str, closing: str) -> None:
        path: Path = ()
        for name in base:
            path = (*path, name)
            self.mark(path)
        words = [self.name(str(name)) for name in base if isinstance(name, str)]
        self.text += opening + self.any("", " ") + self.any(".", " . ").join(words) + self.any("", " ") + closing
        self.end()


@st.composite
def documents(draw: Any) -> tuple[str, dict[Path, int]]:
    writer = Writer(draw)
    writer.text += writer.any("", "\n", "# 'first'\n")
    tables = draw(st.lists(st.lists(NAMES, min_size=1, max_size=3), max_size=4, unique_by=lambda names: names[0]))
    names = st.lists(NAMES, max_size=3, unique=True)
    for name in draw(names):
        if all(name != table[0] for table in tables):
            dotted = [name, *draw(st.lists(NAMES, max_size=2))]
            writer.pair((), dotted, draw(VALUES), inline=False)
            writer.end()
    for table in tables:
        is_list = draw(st.booleans())
        for number in range(draw(st.integers(1, 3)) if is_list else 1):
            path: Path = (*table, number) if is_list else tuple(table)
            writer.header(path, "[[" if is_list else "[", "]]" if is_list else "]")
            for name in draw(names):
                writer.pair(path, [name], draw(VALUES), inline=False)
                writer.end()
    return writer.text, writer.lines


def _paths(value: object, path: Path = ()) -> Iterator[Path]:
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for name, inner in items:
        yield (*path, name)
        yield from _paths(inner, (*path, name))


@given(documents())
def test_every_key_that_tomllib_reads_has_the_line_it_was_written_in(document: tuple[str, dict[Path, int]]) -> None:
    text, written = document
    for ending in ("\n", "\r\n"):
        whole = text.replace("\n", ending)
        found = line_numbers(whole)
        assert set(found) == set(_paths(tomllib.loads(whole)))
        assert found == written


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ('a = """x""""" # five\nb = 1', ("b",), 2),
        ("a = '''x'''''\nb = 1", ("b",), 2),
        ('a = ""\nb = \'\'\n"c d"."e" = 1', ("c d", "e"), 3),
        ('a = """\n]\\"""\n# b = 1\n"""\nb = 2', ("b",), 5),
        ("a = [\n  1, # [\n  [2,\n   3],\n]\n", ("a", 1, 1), 4),
        ("a = { b = { c = 1 }, d = [ { e = 2 } ] }", ("a", "d", 0, "e"), 1),
        ("[[a]]\nb = 1\n[[a]]\n[a.c]\nd = 2", ("a", 1, "c", "d"), 5),
        ("[[a]]\n[[a.b]]\n[[a.b]]\nc = 1\n[[a]]\n[[a.b]]\nc = 2", ("a", 1, "b", 0, "c"), 7),
        ("[a.b]\nx = 1\n[a]\ny = 2", ("a",), 1),
        ("a.b.c = 1\na.b.d = 2", ("a", "b", "d"), 2),
        ("a = 1979-05-27 07:32:00 # [x]\nb = 1", ("b",), 2),
        ('"\\u0061" = 1\n', ("a",), 1),
    ],
)
def test_a_key_is_found_where_toml_is_odd(text: str, path: Path, line: int) -> None:
    assert path in set(_paths(tomllib.loads(text)))
    assert line_numbers(text)[path] == line


@given(st.lists(st.sampled_from([*TRICKY, "a", "\n", "[", "[[", "{", "1", "."]), max_size=12).map("".join))
def test_what_is_no_toml_ends_too(text: str) -> None:
    with contextlib.suppress(ValueError):
        line_numbers(text)
