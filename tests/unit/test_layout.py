"""The tests mirror the source: who looks for a folder's tests finds them under its name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
KINDS = ("unit", "contract", "integration")
BESIDE = {"bench", "deploy", "docs", "tools"}


def astray(modules: Iterable[Path], folders: set[str]) -> list[str]:
    """Test modules, as paths below their kind's folder, whose folders are none of the source or of what is beside."""
    return [
        str(module)
        for module in modules
        if module.parts[1:] and not (module.parts[0] in folders and (ROOT / module.parent).is_dir())
    ]


def test_each_folder_of_tests_has_the_name_of_a_folder_of_the_source() -> None:
    source = {path.name for path in (ROOT / "bellhop").iterdir() if path.is_symlink()}
    found = {kind: [file.relative_to(TESTS / kind) for file in (TESTS / kind).rglob("test_*.py")] for kind in KINDS}
    assert all(found.values())
    assert {kind: astray(modules, source | BESIDE) for kind, modules in found.items()} == {kind: [] for kind in KINDS}


def test_a_folder_of_tests_that_mirrors_nothing_is_seen() -> None:
    right = ["test_layout.py", "ledger/test_x.py", "broker/embedded/test_x.py"]
    wrong = ["ops/test_x.py", "broker/nowhere/test_x.py", "tests/test_x.py"]
    assert astray(map(Path, [*right, *wrong]), {"ledger", "broker"}) == wrong
