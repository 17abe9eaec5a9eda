"""What only a whole checkout shows: its history, its command line, the toy vendor of its tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.commit_message import LONGEST
from tools.shape.measure import Measure, count

COLUMNS = 80
TOY = "toy_vendor"


def around(root: Path, since: str) -> list[Measure]:
    return [subjects(root, since), help_lines(root), toy(root)]


def subjects(root: Path, since: str) -> Measure:
    """Of the commits after `since`, of all where it is empty; merges are worded by git."""
    says = f"commit subjects over {LONGEST} characters"
    asked = ["git", "log", "--no-merges", "--format=%h %s", f"{since}..HEAD" if since else "HEAD"]
    if not (root / ".git").exists():
        return Measure("long_subjects", says, None, ["no git checkout"])
    done = subprocess.run(asked, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        return Measure("long_subjects", says, None, [done.stderr.strip()])
    lines = done.stdout.splitlines()
    return count(
        "long_subjects",
        f"{says}, of {len(lines)}",
        [f"{len(s)} characters  {h} {s}" for h, _, s in (line.partition(" ") for line in lines) if len(s) > LONGEST],
    )


def help_lines(root: Path) -> Measure:
    says = f"lines of `bellhop --help` that are cut at {COLUMNS} columns"
    main = next((name for name in ("bellhop.cli.main", "ops.cli.main") if _file(root, name).exists()), None)
    if main is None:
        return Measure("cut_help", says, None, ["no command line"])
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "PYTHONPATH": str(root)}
    asked = [sys.executable, "-m", main, "--help"]
    done = subprocess.run(asked, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return Measure("cut_help", says, None, [done.stderr.strip()])
    cut = [line.strip() for line in done.stdout.splitlines() if line.endswith("...")]
    return count("cut_help", says, [line for line in cut if not line.startswith("Usage:")])


def _file(root: Path, module: str) -> Path:
    return root.joinpath(*module.split(".")).with_suffix(".py")


def toy(root: Path) -> Measure:
    """A vendor is a folder and a row: the tests' toy must be named nowhere outside the tests."""
    folder = root / "tests" / TOY
    says = f"files that the toy vendor needs outside tests/{TOY}/"
    if not folder.is_dir():
        return Measure("toy_vendor", says, None, ["no toy vendor yet"])
    own = sum(1 for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    tests = [file for file in (root / "tests").rglob("*.py") if folder not in file.parents and TOY in file.read_text()]
    suffixes = (".py", ".toml", ".yaml", ".yml", ".json")
    outside = [
        str(file.relative_to(root))
        for top in sorted(root.iterdir())
        if not top.name.startswith(".") and not top.is_symlink() and top.name not in ("tests", "tools")
        for file in ([top] if top.is_file() else sorted(top.rglob("*")))
        if file.suffix in suffixes and TOY in file.read_text(encoding="utf-8")
    ]
    return count("toy_vendor", f"{says} ({own} files are inside, {len(tests)} tests use them)", outside)
