"""The folders are floors: each imports only those below it, so that there is no way up and no way round."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_MAY_IMPORT: dict[str, set[str]] = {
    "schemas": set(),
    "broker": {"schemas"},
    "ledger": {"schemas"},
    "vendors": {"schemas", "broker", "ledger"},
    "telemetry": {"schemas", "broker", "ledger", "vendors"},
    "ingest": {"schemas", "broker", "ledger", "vendors"},
    "workers": {"schemas", "broker", "ledger", "vendors"},
    "letters": {"schemas", "broker", "ledger", "vendors"},
    "console": {"schemas", "broker", "ledger", "vendors", "letters"},
    "sandbox": {"schemas"},
    "drill": {"schemas", "broker", "ledger", "vendors", "letters"},
}
_COMPOSES_ALL = "cli"
_INSIDE_ONLY = ("tests", "bench", "tools")


def _imported(tree: ast.AST) -> Iterator[str]:
    """The names of all imported modules, those inside functions and those for types too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "bellhop")


def _wrong(package: str, path: str, text: str) -> list[str]:
    """What a file imports that it may not: a folder above it, one of ours by its bare name, or a test."""
    ours = {*_MAY_IMPORT, _COMPOSES_ALL}
    allowed = ours if package == _COMPOSES_ALL else _MAY_IMPORT[package] | {package}
    found = []
    for name in _imported(ast.parse(text)):
        top, _, rest = name.partition(".")
        folder = rest.partition(".")[0]
        if top in ours or top in _INSIDE_ONLY or (top == "bellhop" and folder and folder not in allowed):
            found.append(f"{path} imports {name}")
    return found


def test_every_folder_of_the_package_has_its_floor() -> None:
    links = {path.name for path in (_ROOT / "bellhop").iterdir() if path.is_symlink()}
    assert links == {*_MAY_IMPORT, _COMPOSES_ALL}


def test_the_floors_lie_one_above_the_other() -> None:
    built: list[str] = []
    for package, allowed in _MAY_IMPORT.items():
        assert allowed <= set(built), f"{package} may import what is above it"
        built.append(package)


@pytest.mark.parametrize("package", [*_MAY_IMPORT, _COMPOSES_ALL])
def test_a_package_imports_only_what_it_may(package: str) -> None:
    files = sorted((_ROOT / package).rglob("*.py"))
    assert files
    wrong = [w for f in files for w in _wrong(package, str(f.relative_to(_ROOT)), f.read_text())]
    assert wrong == []


@pytest.mark.parametrize(
    ("package", "text"),
    [
        ("ingest", "import bellhop.workers.run"),
        ("ingest", "from bellhop import workers"),
        ("workers", "def f():\n    from bellhop.ingest.app import create_app"),
        ("schemas", "if True:\n    from bellhop.broker import port"),
        ("sandbox", "from bellhop.ledger.store import Ledger"),
        ("ledger", "from bellhop.vendors.outcome import Done"),
        ("broker", "from tests.support import facts"),
        ("cli", "from ledger.store import Ledger"),
    ],
)
def test_a_wrong_import_is_seen(package: str, text: str) -> None:
    assert _wrong(package, f"{package}/x.py", text)


def test_the_command_line_may_import_everything() -> None:
    assert not _wrong("cli", "cli/x.py", "import bellhop.workers.run\nfrom bellhop.ingest.app import create_app")
