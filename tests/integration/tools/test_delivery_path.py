"""The tool that follows one delivery, on a real worker, broker file, ledger and sandbox."""

from __future__ import annotations

import pytest

from tools.delivery_path import record


@pytest.mark.parametrize(("fails", "steps"), [(False, set()), (True, {"failures", "questions", "retry"})])
def test_the_steps_of_a_delivery_stand_in_the_files_that_the_architecture_names(fails: bool, steps: set[str]) -> None:
    files = list(dict.fromkeys(record(fails=fails).functions.values()))
    assert files[0] == "workers/executor.py"
    own = {file.removeprefix("workers/").removesuffix(".py") for file in files if file.startswith("workers/")}
    at_the_door = {"ports", "lanes", "admission", "precedence", "gate", "suspects", "pool", "threads"}
    assert own == {"executor", "marker", "worker", "delivery", "messages"} | at_the_door | steps
