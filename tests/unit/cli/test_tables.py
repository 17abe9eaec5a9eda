from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from rich.console import Console

from bellhop.cli.common import echo, rich_table

KEY, EVENT, COMMAND = "752c9fcc", "demo/sample-6b4138603d97", "bellhop dead list --cause 752c9fcc"
ERROR = (
    "peoplevine sync_member: Member not found; data.attributes: not sent to Peoplevine, which has a record of its own"
)
HEADERS = ("key", ">letters", "event", "error", "where")
ROW = (KEY, 1, EVENT, ERROR, COMMAND)


def _shown(width: int, headers: Sequence[str] = HEADERS, row: Sequence[object] = ROW) -> list[str]:
    """The lines at a terminal of that width, which goes on with a longer one by itself."""
    written = io.StringIO()
    Console(file=written, width=width, force_terminal=True, color_system=None, highlight=False).print(
        rich_table(headers, [row]), crop=False
    )
    return written.getvalue().splitlines()


@pytest.mark.parametrize("width", range(20, 240, 7))
def test_at_a_terminal_of_any_width_ids_and_commands_are_in_one_piece(width: int) -> None:
    lines = _shown(width)
    for whole in (KEY, EVENT, COMMAND):
        assert any(whole in line for line in lines), whole


def test_a_table_is_no_wider_than_the_terminal_and_where_it_does_not_fit_it_is_none() -> None:
    drawn = {width: _shown(width) for width in range(60, 200)}
    tables = {width: lines for width, lines in drawn.items() if any("─" in line for line in lines)}
    assert [width for width, lines in tables.items() if max(map(len, lines)) > width] == []
    assert list(tables) == list(range(min(tables), 200))
    assert [line.split(maxsplit=1) for line in _shown(min(tables) - 1) if line.strip()] == [
        [header.removeprefix(">"), str(cell)] for header, cell in zip(HEADERS, ROW, strict=True)
    ]


@pytest.mark.parametrize("width", range(20, 240, 7))
def test_what_is_cut_is_cut_between_words_and_nothing_of_it_is_left_out(width: int) -> None:
    words = " ".join(_shown(width, ("key", "error"), (KEY, ERROR))).split()
    assert [word for word in words if word in ERROR.split()] == ERROR.split()


def test_in_a_pipe_each_row_is_one_line_whatever_a_terminal_before_was(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    echo(rich_table(HEADERS, [ROW, (*ROW[:3], ERROR * 20, COMMAND)]))
    rows = [line for line in capsys.readouterr().out.splitlines() if KEY in line]
    assert [line.split()[0] for line in rows] == [KEY, KEY]
    assert ERROR * 20 in rows[1]
