from __future__ import annotations

import pytest

from tests.support.checkouts import checkout, taken
from tools.shape.imports import imports

FLOORS = ("schemas", "broker", "cli")
FOLDERS = {"schemas/a.py": "", "broker/b.py": "", "cli/c.py": ""}


def places(name: str, files: dict[str, str], floors: tuple[str, ...] = FLOORS) -> list[str]:
    return list(taken(imports(checkout({**FOLDERS, **files}), floors), name).places)


@pytest.mark.parametrize(
    "text",
    ["from bellhop.cli.c import x", "from bellhop import cli", "def f():\n    import bellhop.cli.c", "import cli.c"],
)
def test_an_import_of_a_folder_above_is_seen(text: str) -> None:
    (place,) = places("upward_imports", {"broker/x.py": text})
    assert place.startswith("broker/x.py:")


def test_imports_of_a_folder_below_and_of_ones_own_are_right() -> None:
    text = "from bellhop.schemas import a\nfrom bellhop.broker.b import x\nimport click\n"
    assert places("upward_imports", {"broker/x.py": text}) == []


def test_a_folder_that_imports_or_is_imported_must_have_its_floor() -> None:
    files = {"new/x.py": "from bellhop.schemas import a"}
    assert places("upward_imports", files) == ["new/ has no floor"]


def test_without_floors_nothing_is_above_and_the_measure_says_so() -> None:
    found = taken(imports(checkout({"a/x.py": "from bellhop.a import y"}), ()), "upward_imports")
    assert found.number is None
    assert found.places


def test_a_circle_of_folders_is_seen_with_the_imports_it_is_made_of() -> None:
    files = {
        "schemas/x.py": "from bellhop.cli import c",
        "broker/x.py": "import bellhop.schemas.a",
        "cli/x.py": "from bellhop.broker.b import y",
    }
    (circle,) = places("circles", files)
    assert circle.startswith("broker, cli, schemas  (")
    assert "cli -> broker: cli/x.py:1 bellhop.broker.b.y" in circle


def test_a_circle_of_sub_folders_is_seen_and_one_of_a_folder_with_its_own_modules_is_none() -> None:
    files = {
        "cli/d/x.py": "from bellhop.cli.e import y",
        "cli/e/y.py": "from bellhop.cli.d import x",
        "broker/b.py": "from bellhop.broker.d import x",
        "broker/d/x.py": "from bellhop.broker import b",
    }
    (circle,) = places("circles", files)
    assert circle.startswith("cli.d, cli.e  (")


def test_a_way_without_return_is_no_circle() -> None:
    files = {"cli/x.py": "import bellhop.broker.b\nimport bellhop.schemas.a", "broker/x.py": "import bellhop.schemas.a"}
    assert places("circles", files) == []


@pytest.mark.parametrize("path", ["cli/x.py", "tests/x.py", "bench/x.py", "tools/x.py"])
def test_a_bare_import_is_seen_everywhere(path: str) -> None:
    assert places("bare_imports", {path: "from broker.b import x, y\nimport click\n"}) == [f"{path}:1 broker.b.x"]


def test_what_is_installed_imports_no_test_but_tests_do() -> None:
    files = {"cli/x.py": "from tests.support import harness", "tests/x.py": "from tests.support import harness"}
    assert places("bare_imports", files) == ["cli/x.py:1 tests.support.harness"]
