from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_COMPOSES_ALL = "ops/cli/"
_MAY_IMPORT = {
    "schemas": set(),
    "broker": {"schemas"},
    "ledger": {"schemas"},
    "ingest": {"schemas", "broker", "ledger"},
    "workers": {"schemas", "broker", "ledger"},
    "ops": {"schemas", "broker", "ledger"},
    "sandbox": {"schemas"},
}
_INSIDE_ONLY = ("tests", "bench")


def _imported(tree: ast.AST) -> Iterator[str]:
    """The top packages of all imports, those inside functions and those for types too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _wrong(package: str, path: str, text: str) -> list[str]:
    allowed = _MAY_IMPORT[package] | {package}
    if path.startswith(_COMPOSES_ALL):
        allowed = set(_MAY_IMPORT)
    ours = {*_MAY_IMPORT, *_INSIDE_ONLY}
    return [f"{path} imports {name}" for name in _imported(ast.parse(text)) if name in ours and name not in allowed]


@pytest.mark.parametrize("package", _MAY_IMPORT)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    files = sorted((_ROOT / package).rglob("*.py"))
    assert files
    wrong = [w for f in files for w in _wrong(package, str(f.relative_to(_ROOT)), f.read_text())]
    assert wrong == []


@pytest.mark.parametrize(
    ("package", "text"),
    [
        ("ingest", "import workers.run"),
        ("workers", "def f():\n    from ingest.app import create_app"),
        ("schemas", "if True:\n    from broker import port"),
        ("sandbox", "from ledger.store import Ledger"),
        ("broker", "from tests.support import facts"),
    ],
)
def test_a_wrong_import_is_seen(package: str, text: str) -> None:
    assert _wrong(package, f"{package}/x.py", text)
    assert not _wrong("ops", "ops/cli/x.py", "import workers.run")
