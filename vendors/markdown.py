"""Tables of `docs/vendors.md`, and the words in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


def markdown_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headers)} |"
    yield f"|{'---|' * len(headers)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def yes(holds: bool) -> str:
    return "yes" if holds else ""


def twice(repeatable: bool) -> str:
    return "" if repeatable else "**books twice**"
