from __future__ import annotations

from tests.support.checkouts import checkout, taken
from tools.shape.sizes import FILE, FUNCTION, sizes


def function(lines: int, name: str = "f") -> str:
    return f"def {name}():\n" + "    x = 1\n" * (lines - 1)


def test_a_folders_share_is_of_all_lines_with_all_that_is_below_it() -> None:
    found = sizes(checkout({"a/x.py": "x = 1\n" * 50, "a/b/y.py": "x = 1\n" * 25, "c/z.py": "x = 1\n" * 25}))
    top, below = taken(found, "folder_share"), taken(found, "subfolder_share")
    assert (top.number, top.goal) == (75.0, 20.0)
    assert [place.split()[-1] for place in top.places] == ["a/", "c/"]
    assert below.number == 25.0
    assert [place.split()[-1] for place in below.places] == ["a/b/"]


def test_tests_bench_and_tools_are_not_the_source() -> None:
    found = sizes(checkout({"a/x.py": "x = 1\n", "tests/y.py": function(1000), "tools/z.py": function(1000)}))
    assert [one.number for one in found] == [100.0, 0.0, 0, 0]


def test_a_file_is_long_from_one_line_more_than_it_may_have() -> None:
    found = taken(sizes(checkout({"a/x.py": "x = 1\n" * FILE, "a/y.py": "x = 1\n" * (FILE + 1)})), "long_files")
    assert found.number == 1
    assert found.places == [f"{FILE + 1} lines  a/y.py"]


def test_a_function_is_long_from_one_line_more_than_it_may_have_wherever_it_stands() -> None:
    method = "class C:\n" + "".join(f"    {line}\n" for line in function(FUNCTION + 2, "g").splitlines())
    files = {"a/x.py": function(FUNCTION), "a/y.py": "@decorated\n" + function(FUNCTION + 1), "a/z.py": method}
    found = taken(sizes(checkout(files)), "long_functions")
    assert found.places == [f"{FUNCTION + 2} lines  a/z.py:2 g", f"{FUNCTION + 1} lines  a/y.py:2 f"]
