"""The linter knows our folders' names: by these nothing may be imported, anywhere."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = sorted(path.name for path in (ROOT / "bellhop").iterdir() if path.is_symlink())


def told(text: str, path: str) -> list[str]:
    asked = [sys.executable, "-m", "ruff", "check", "--output-format", "json", "--stdin-filename", path, "-"]
    done = subprocess.run(asked, cwd=ROOT, input=text, capture_output=True, text=True, check=False)
    return [found["message"] for found in json.loads(done.stdout) if found["code"] == "TID251"]


def test_every_folder_of_the_package_is_banned_by_its_bare_name() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    banned = lint["flake8-tidy-imports"]["banned-api"]
    assert banned == {name: {"msg": f"import bellhop.{name}"} for name in FOLDERS}


@pytest.mark.parametrize("path", ["cli/x.py", "tests/unit/test_x.py", "bench/x.py", "tools/x.py"])
@pytest.mark.parametrize("text", ["import {}\n", "from {} import x\n", "import {}.x\n", "from {}.x import y\n"])
def test_a_bare_import_is_refused_everywhere(path: str, text: str) -> None:
    (message,) = told(text.format("ledger"), path)
    assert message == "`ledger` is banned: import bellhop.ledger"


def test_the_package_itself_is_not() -> None:
    assert told("import bellhop.ledger\nfrom bellhop import workers\n", "cli/x.py") == []
