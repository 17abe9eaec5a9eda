from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from click.testing import CliRunner

from bellhop.cli import queues
from bellhop.cli.common import App

SEEN: dict[str, Any] = {"routes": [], "dead": {"letters": 3, "queue": 0}}


@pytest.mark.parametrize("words", [["--watch"], ["--watch", "--json"]])
def test_who_watches_through_a_pipe_is_shown_each_look(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    slept: list[float] = []

    @contextmanager
    def looking(_app: App) -> Iterator[Callable[[], dict[str, Any]]]:
        yield lambda: SEEN

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(queues, "_looking", looking)
    monkeypatch.setattr("time.sleep", sleep)
    told = CliRunner().invoke(queues.queues, words, obj=App(None)).output
    assert told.count("3 dead letters" if words == ["--watch"] else '"letters": 3') == 3
