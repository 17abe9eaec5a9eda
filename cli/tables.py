"""Tables for a terminal, from which ids and commands can be copied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import PaddingDimensions
from rich.table import Table
from rich.text import Text

_COMMAND: Final = "bellhop "
_WORD: Final = 30  # a longer one in prose may be cut
_WIDE: Final = (0, 1)  # how rich pads a cell
_NARROW: Final = (0, 1, 0, 0)


@dataclass(frozen=True, slots=True)
class WholeRows:
    """A table whose prose goes on in further lines where it is too wide, and whose ids and commands never do: where
    they leave no room, each row has its cells one below the other. A header that begins with > is aligned to the
    right."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        columns = list(zip(self._titles(), *self.rows, strict=True))
        widest, least = ([max(map(size, one)) for one in columns] for size in (cell_len, _least))
        for padding, taken in ((_WIDE, 3 * len(columns) - 1), (_NARROW, 2 * len(columns))):
            if widths := _fit(widest, least, options.max_width - taken):
                yield self._table(widths, padding)
                return
        yield from self._records()

    def _titles(self) -> list[str]:
        return [header.removeprefix(">") for header in self.headers]

    def _table(self, widths: Sequence[int], padding: PaddingDimensions) -> Table:
        made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=padding)
        for header, title, width in zip(self.headers, self._titles(), widths, strict=True):
            made.add_column(title, justify="right" if header.startswith(">") else "left", overflow="fold", width=width)
        for row in self.rows:
            made.add_row(*map(Text, row))  # Text: brackets in it are no markup
        return made

    def _records(self) -> Iterator[RenderableType]:
        titles = self._titles()
        wide = max(map(cell_len, titles))
        for row in self.rows:
            yield ""
            for title, cell in zip(titles, row, strict=True):
                if cell:
                    yield Text(f" {title:<{wide}}  {cell}", no_wrap=True, overflow="ignore")
        yield ""


def _least(cell: str) -> int:
    """How narrow its column may be."""
    words = cell.split()
    if len(words) < 2 or cell.startswith(_COMMAND):
        return cell_len(cell)
    return max(min(cell_len(word), _WORD) for word in words)


def _fit(widest: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """The columns' widths, the widest cut first; none where they do not fit."""
    if sum(least) > room:
        return []
    widths = list(widest)
    while sum(widths) > room:
        widths[max((width, place) for place, width in enumerate(widths) if width > least[place])[1]] -= 1
    return widths
