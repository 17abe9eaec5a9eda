from __future__ import annotations

from typing import Literal

import pytest

from tests.support.slowest import seconds_by_file


def took(file: str, when: Literal["setup", "call", "teardown"], seconds: float) -> pytest.TestReport:
    return pytest.TestReport(f"{file}::test_one", (file, 1, "test_one"), {}, "passed", None, when, duration=seconds)


def test_a_file_took_what_its_tests_and_their_fixtures_took_whatever_came_of_them() -> None:
    reports = {
        "": [took("test_a.py", "setup", 4.0), took("test_a.py", "teardown", 0.5)],
        "passed": [took("test_a.py", "call", 1.0), took("test_b.py", "call", 7.0)],
        "failed": [took("test_b.py", "call", 0.25)],
        "deselected": ["what is no report of a test"],
    }
    assert seconds_by_file(reports).most_common() == [("test_b.py", 7.25), ("test_a.py", 5.5)]
