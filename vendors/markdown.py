"""Tables of `docs/vendors.md`, and the words in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


def markdown_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headers)} |"
    yield f"|{'---|' * len(headers)}"
    for row in rows:
        cells = (cell.replace("|", r"\|") for cell in row)  # else it would begin the next cell, also inside `…`
        yield f"| {' | '.join(cells)} |"


def yes(holds: bool) -> str:
    return "yes" if holds else ""


def twice(repeatable: bool) -> str:
    return "" if repeatable else "**books twice**"
