"""Outside its own folder nothing asks which vendor it is: whatever differs is reached through the vendor's row."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bellhop.sandbox.registry import PRETENDED
from bellhop.schemas.settings.sources import FORMATS
from bellhop.vendors.registry import ROUTES, VENDORS

_ROOT = Path(__file__).resolve().parents[2]
_FLOORS = sorted(path.name for path in (_ROOT / "bellhop").iterdir() if path.is_symlink())
_NAMES = tuple(vendor.kind for vendor in VENDORS)
_REGISTRIES = {"vendors/registry.py", "sandbox/registry.py"}


def _owner(path: str) -> str:
    """The vendor whose folder a file is in, "" for none."""
    floor, _, rest = path.partition("/")
    folder = rest.partition("/")[0]
    return folder if floor in ("vendors", "sandbox") and folder in _NAMES else ""


def _documents(tree: ast.AST) -> set[int]:
    """The docstrings, and what stands after a name to explain it."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def _asked(node: ast.AST) -> Iterator[str]:
    """The classes that isinstance, issubclass or a match's case names."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("isinstance", "issubclass"):
        yield from (one.id for argument in node.args[1:] for one in ast.walk(argument) if isinstance(one, ast.Name))
        yield from (
            one.attr for argument in node.args[1:] for one in ast.walk(argument) if isinstance(one, ast.Attribute)
        )
    elif isinstance(node, ast.MatchClass) and isinstance(node.cls, ast.Name):
        yield node.cls.id


def _wrong(path: str, text: str) -> list[str]:
    owner, found = _owner(path), []
    others = [name for name in _NAMES if name != owner]
    tree = ast.parse(text)
    documents = _documents(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and path not in _REGISTRIES:
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
            modules += [f"{node.module}.{one.name}" for one in node.names] if isinstance(node, ast.ImportFrom) else []
            found += [f"{path} imports {one}" for one in modules if any(f".{name}" in one for name in others)]
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            found += [f"{path}:{node.lineno} has the name {name}" for name in others if name in node.value]
        if not owner:
            found += [f"{path} asks for {name}" for name in _asked(node) if name.endswith("Account")]
    return found


@pytest.mark.parametrize("floor", _FLOORS)
def test_a_vendor_is_named_in_its_own_folder_alone(floor: str) -> None:
    files = sorted((_ROOT / floor).rglob("*.py"))
    assert files
    assert [wrong for file in files for wrong in _wrong(str(file.relative_to(_ROOT)), file.read_text())] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("ingest/x.py", 'def f(account):\n    return account.kind == "peoplevine"'),
        ("workers/x.py", 'def f(kind):\n    return kind in ("a", "simplybook")'),
        ("cli/x.py", 'TABLE = {"simplybook": 1}'),
        ("letters/x.py", 'ROUTE = "bookings.peoplevine"'),
        ("console/x.py", "def f(one):\n    return isinstance(one, (int, PeoplevineAccount))"),
        ("schemas/x.py", "def f(one):\n    return isinstance(one, settings.ToyAccount)"),
        ("telemetry/x.py", "def f(one):\n    match one:\n        case SimplybookAccount():\n            return 1"),
        ("cli/x.py", "def f():\n    from bellhop.vendors.simplybook.client import SimplybookClient"),
        ("cli/x.py", "import bellhop.sandbox.peoplevine.seed"),
        ("cli/x.py", "from bellhop.vendors import simplybook"),
        ("vendors/handlers.py", "from bellhop.vendors.peoplevine.members import Members"),
        ("vendors/simplybook/x.py", "from bellhop.vendors.peoplevine.client import PeoplevineClient"),
        ("sandbox/state.py", "from bellhop.sandbox.simplybook.app import SimplyBook"),
    ],
)
def test_who_asks_for_a_vendor_is_found(path: str, text: str) -> None:
    assert _wrong(path, text)


def test_a_vendor_may_speak_of_itself_and_a_docstring_of_all() -> None:
    assert not _wrong("vendors/simplybook/x.py", 'from bellhop.vendors.simplybook import types\nKIND = "simplybook"')
    assert not _wrong("cli/x.py", '"""As in peoplevine."""')


# --- the rows agree with what else is told of a vendor ------------------------------------------------------------


def test_every_vendor_is_pretended_and_every_kind_is_its_own() -> None:
    assert {row.name for row in PRETENDED} == set(_NAMES)
    assert len(set(_NAMES)) == len(VENDORS)
    assert len(set(ROUTES)) == len(ROUTES)
    assert not set(FORMATS) & set(_NAMES)
