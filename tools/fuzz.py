"""`make fuzz`: gives each fuzz target of `tests/fuzz` thousands of inputs, and says how many it was given.

With atheris the inputs are chosen by which lines of Bellhop they reach; without it, by Hypothesis alone. Each target
runs in a process of its own, as one that fails ends with it.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / "tests" / "fuzz"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", help="words of the targets' names; all where none is given")
    parser.add_argument("--inputs", type=int, default=8000, help="for each target (default: 8000)")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        return _run_here(asked.one, asked.inputs)
    failed, total = [], 0
    for name in _names():
        if asked.targets and not any(word in name for word in asked.targets):
            continue
        if _run_apart(name, asked.inputs) != 0:
            failed.append(name)
        else:
            total += asked.inputs
    print(f"{total} inputs held all laws" if not failed else f"FAILED: {', '.join(failed)}")
    return 1 if failed or not total else 0


def _names() -> Iterator[str]:
    """`test_wire.test_any_body…`, of all targets."""
    for file in sorted(FOLDER.glob("test_*.py")):
        module = importlib.import_module(f"tests.fuzz.{file.stem}")
        yield from (f"{file.stem}.{name}" for name in vars(module) if name.startswith("test_"))


def _run_apart(name: str, inputs: int) -> int:
    command = [sys.executable, "-m", "tools.fuzz", "--one", name, "--inputs", str(inputs)]
    environment = os.environ | {"FUZZ_EXAMPLES": str(inputs), "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _run_here(name: str, inputs: int) -> int:
    file, _, function = name.partition(".")
    try:
        atheris = importlib.import_module("atheris")
    except ImportError:
        test = getattr(importlib.import_module(f"tests.fuzz.{file}"), function)
        began = time.monotonic()
        test()
        _tell(name, "Hypothesis", began)
        return 0
    with atheris.instrument_imports(include=["bellhop"]), contextlib.redirect_stderr(io.StringIO()):  # it tells of each
        test = getattr(importlib.import_module(f"tests.fuzz.{file}"), function)
    _guided(atheris, name, test.hypothesis.fuzz_one_input, inputs)
    return 0


def _guided(atheris: Any, name: str, give: Callable[[bytes], object], inputs: int) -> None:
    from tests.support.fuzzing import TRIED

    began = time.monotonic()

    def give_one(data: bytes) -> None:
        give(data)
        if _tried(TRIED) >= inputs:
            _tell(name, "atheris", began)
            os._exit(0)  # libFuzzer counts also what makes no input

    inputs_folder = f"-artifact_prefix={tempfile.mkdtemp(prefix='bellhop-fuzz-')}/"  # of one that breaks a law
    atheris.Setup([sys.argv[0], "-max_len=8192", "-len_control=0", "-verbosity=0", inputs_folder], give_one)
    atheris.Fuzz()


def _tell(name: str, how: str, began: float) -> None:
    from tests.support.fuzzing import TRIED

    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(TRIED.items()) if not kind.startswith("test_"))
    print(
        f"{name}: {_tried(TRIED)} inputs by {how} in {time.monotonic() - began:.0f} s{f' ({kinds})' if kinds else ''}",
        flush=True,
    )


def _tried(counts: Mapping[str, int]) -> int:
    """How many inputs the target was given."""
    return sum(count for kind, count in counts.items() if kind.startswith("test_"))


if __name__ == "__main__":
    sys.exit(main())
