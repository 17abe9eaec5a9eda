"""Bellhop is imported and its command answers under each CPython of this machine; all of them in CI's matrix."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tools.pythons import ROOT, VERSIONS, installed_pythons

PYTHONS = installed_pythons()
_COMPILE = """
import compileall, pathlib, sys
folders = [path for path in pathlib.Path("bellhop").iterdir() if path.is_dir()]
sys.exit(not all(compileall.compile_dir(str(path.resolve()), quiet=1, force=True, legacy=False) for path in folders))
"""


@pytest.mark.parametrize("version", sorted(PYTHONS))
def test_every_module_is_understood_by_each_python_of_this_machine(version: str, tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    done = subprocess.run(
        [PYTHONS[version], "-W", "error", "-c", _COMPILE],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", sorted(PYTHONS))
def test_the_command_answers_under_each_python_that_has_its_environment(version: str) -> None:
    """`make test-pythons` makes the environments; that of the tests is one by itself."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    python = Path(sys.executable) if version == own else ROOT / f".venv-{version}" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no environment for {version}: make test-pythons")
    words = [python, "-W", "error", "-m", "bellhop.cli.main"]
    for more in (["--help"], ["config", "example"]):
        done = subprocess.run([*words, *more], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout


def test_what_the_package_promises_is_what_the_workflow_tries() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    promised = [one.rpartition(":: ")[2] for one in project["classifiers"] if re.search(r":: 3\.\d+$", one)]
    (tried,) = re.findall(r"python: \[(.+)\]", (ROOT / ".github" / "workflows" / "ci.yml").read_text())
    assert tuple(promised) == VERSIONS
    assert re.findall(r'"([\d.]+)"', tried) == promised
