"""The command line, run in this process as a person runs it in a folder."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bellhop.cli.main import main

Run = Callable[..., tuple[int, str, str]]
"""Words to exit code, stdout and stderr."""


def runner(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs commands in the folder, with nothing of this process' own settings."""
    monkeypatch.chdir(folder)
    for name in ("BELLHOP_CONFIG", "BELLHOP_SERVER", "BELLHOP_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bellhop", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return run
