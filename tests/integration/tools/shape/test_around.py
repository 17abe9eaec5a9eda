from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tools.shape.__main__ import main
from tools.shape.around import help_lines, subjects, toy
from tools.shape.source import read

COMMAND = """
import click

@click.group()
def main():
    "A command."

@main.command()
def short():
    "Fits."

@main.command()
def long():
    "Goes on and on about what it does, far beyond the eighty columns that a terminal has, and then some."

main()
"""


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def git(root: Path, *words: str) -> None:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.test", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)


def test_a_checkout_is_read_through_its_folders_not_through_the_links_to_them(tmp_path: Path) -> None:
    write(tmp_path, {"cli/__init__.py": "", "cli/x.py": "x = 1", "bellhop/__init__.py": "", "tests/a.py": "y = 1"})
    write(tmp_path, {"docs/conf.py": "", ".venv/lib/__init__.py": ""})
    (tmp_path / "bellhop" / "cli").symlink_to("../cli")
    found = read(tmp_path)
    assert [str(module.path) for module in found.source] == ["cli/__init__.py", "cli/x.py"]
    assert [str(module.path) for module in found.beside] == ["tests/a.py"]


def test_a_long_subject_is_seen_unless_it_is_older_than_the_base(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--allow-empty", "--message", "x" * 73)
    git(tmp_path, "tag", "base")
    git(tmp_path, "commit", "--allow-empty", "--message", f"{'y' * 72}\n\n{'why ' * 30}")
    assert subjects(tmp_path, "").number == 1
    assert subjects(tmp_path, "").places[0].endswith("x" * 73)
    assert subjects(tmp_path, "base").number == 0
    git(tmp_path, "commit", "--allow-empty", "--message", "z" * 80)
    assert subjects(tmp_path, "base").number == 1


def test_without_a_history_or_its_base_the_measure_says_so(tmp_path: Path) -> None:
    assert subjects(tmp_path, "").places == ["no git checkout"]
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--allow-empty", "--message", "x" * 73)
    assert subjects(tmp_path, "nowhere").number is None
    assert subjects(tmp_path, "nowhere").places


def test_a_line_of_help_that_is_cut_is_seen(tmp_path: Path) -> None:
    write(tmp_path, {"bellhop/__init__.py": "", "bellhop/cli/__init__.py": "", "bellhop/cli/main.py": COMMAND})
    found = help_lines(tmp_path)
    assert [place.split()[0] for place in found.places] == ["long"]


def test_a_command_line_that_does_not_start_says_why(tmp_path: Path) -> None:
    assert help_lines(tmp_path).places == ["no command line"]
    write(tmp_path, {"bellhop/__init__.py": "", "bellhop/cli/__init__.py": "", "bellhop/cli/main.py": "import nowhere"})
    assert help_lines(tmp_path).number is None
    assert "nowhere" in help_lines(tmp_path).places[0]


def test_a_toy_vendor_that_is_named_outside_the_tests_is_seen(tmp_path: Path) -> None:
    assert toy(tmp_path).number is None
    write(tmp_path, {"tests/toy_vendor/client.py": "", "tests/unit/test_toy.py": "from tests import toy_vendor"})
    write(tmp_path, {"cli/x.py": "", "pyproject.toml": ""})
    assert toy(tmp_path).number == 0
    assert "1 files are inside, 1 tests" in toy(tmp_path).says
    write(tmp_path, {"cli/x.py": "name = 'toy_vendor'", "pyproject.toml": "# toy_vendor"})
    assert toy(tmp_path).places == ["cli/x.py", "pyproject.toml"]


def test_the_check_fails_where_something_is_worse_and_not_where_it_was_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = tmp_path / "shape.toml"
    limits.write_text("floors = []\n[most]\n")
    repo = tmp_path / "repo"
    write(repo, {"a/__init__.py": "", "a/x.py": "def f(y):\n    assert y\n"})
    given = ["--repo", str(repo), "--limits", str(limits)]
    assert main([*given, "--check"]) == 1
    assert "a/x.py:2 y" in capsys.readouterr().out
    assert main([*given, "--write"]) == 0
    assert main([*given, "--check"]) == 0
    assert capsys.readouterr().out == ""
    write(repo, {"a/y.py": "assert True\n"})
    assert main([*given, "--check"]) == 1
    assert capsys.readouterr().out.startswith("     2  asserts: ")
    assert main([*given, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["asserts"]
    assert (told["number"], told["limit"], told["places"]) == (2, 1, ["a/x.py:2 y", "a/y.py:1 True"])
