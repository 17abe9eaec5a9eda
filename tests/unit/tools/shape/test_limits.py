from __future__ import annotations

from pathlib import Path

import pytest

from tools.shape.limits import Limits, read, write
from tools.shape.measure import Measure

FILE = '# Why.\nfloors = ["a", "b"]\n\n# Of today.\n[most]\nlong_files = 7\n'


def found(name: str, number: float | None, goal: float = 0) -> Measure:
    return Measure(name, "something", number, (), goal)


@pytest.mark.parametrize(
    "one",
    [
        found("long_files", 8),
        found("asserts", 1),
        found("folder_share", 20.1, goal=20),
    ],
)
def test_what_is_beyond_its_limit_or_its_goal_is_worse(one: Measure) -> None:
    assert Limits((), {"long_files": 7}).worse([one]) == [one]


@pytest.mark.parametrize(
    "one",
    [
        found("long_files", 7),
        found("long_files", 0),
        found("asserts", 0),
        found("folder_share", 20.0, goal=20),
        found("toy_vendor", None),
    ],
)
def test_what_is_as_good_or_better_or_cannot_be_measured_is_not_worse(one: Measure) -> None:
    assert Limits((), {"long_files": 7}).worse([one]) == []


def test_the_written_limits_are_what_does_not_reach_its_goal_and_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "shape.toml"
    file.write_text(FILE)
    write(
        file,
        [
            found("long_files", 3),
            found("asserts", 0),
            found("folder_share", 15.2, goal=20),
            found("subfolder_share", 20.5, goal=20),
            found("toy_vendor", None),
        ],
    )
    assert file.read_text() == FILE.replace("long_files = 7\n", "long_files = 3\nsubfolder_share = 20.5\n")
    assert read(file) == Limits(("a", "b"), {"long_files": 3, "subfolder_share": 20.5})
