"""The wheel in an environment of its own, beside packages of others that have our folders' names."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.support.image import ROOT, copy_context
from tests.support.require import missing

STRANGERS = Path(__file__).with_name("strangers.txt")
NAMES = ("broker", "ops", "schemas")


def run(*words: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("BELLHOP_", "PYTHONPATH"))}
    asked = [str(word) for word in words]
    return subprocess.run(asked, cwd=folder, env=environment, capture_output=True, text=True, timeout=110, check=False)


def pip(*words: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "pip", "--disable-pip-version-check", *words, folder=folder)


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the others' wheels."""
    folder = tmp_path_factory.mktemp("strangers")
    made = pip("wheel", "--no-deps", "--require-hashes", "-r", STRANGERS, "-w", folder, folder=folder)
    if made.returncode:
        missing("a package index", f"pip cannot fetch {', '.join(NAMES)}:\n{made.stderr}")
    return folder


@pytest.fixture(scope="module")
def wheel(strangers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ours, made of what the image is made of. It comes after the others', whose index its setuptools comes from."""
    folder = tmp_path_factory.mktemp("wheel")
    made = pip("wheel", "--no-deps", "-w", folder, copy_context(folder / "context"), folder=folder)
    assert made.returncode == 0, made.stderr
    (found,) = folder.glob("*.whl")
    return found


class Environment:
    """A new environment with the wheel. What Bellhop needs it finds where these tests find it."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.folder = folder
        self.bin = folder / "venv" / "bin"
        made = run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", folder=folder)
        assert made.returncode == 0, made.stderr
        self.pip("install", "--no-deps", "--no-index", wheel)
        (self.packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
        (self.packages / "needs.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def pip(self, *words: str | Path) -> None:
        done = pip("--python", self.bin / "python", *words, folder=self.folder)
        assert done.returncode == 0, done.stderr

    def bellhop(self, *words: str | Path) -> str:
        done = run(self.bin / "bellhop", *words, folder=self.folder)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ours(self) -> dict[str, str]:
        """Each file of the package with its digest."""
        files = [file for file in (self.packages / "bellhop").rglob("*") if file.is_file() and file.suffix != ".pyc"]
        return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    def theirs(self) -> list[str]:
        return [name for name in NAMES if (self.packages / name / "__init__.py").exists()]


def test_the_wheel_holds_one_package_with_all_its_files(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.partition("/")[0] for name in names}
    assert sorted(top.partition("-")[0] for top in tops) == ["bellhop", "bellhop_bookings"]
    links = [path for path in (ROOT / "bellhop").iterdir() if path.is_symlink()]
    asked = ["git", "ls-files", "--", *(link.name for link in links)]
    files = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert {Path(file).suffix for file in files} >= {".py", ".html", ".css", ".js", ".toml", ".mako"}
    assert [file for file in files if f"bellhop/{file}" not in names] == []
    assert "bellhop/py.typed" in names


def test_others_packages_of_our_folders_names_come_and_go_and_bellhop_still_works(
    wheel: Path, strangers: Path, tmp_path: Path
) -> None:
    environment = Environment(tmp_path, wheel)
    before = environment.ours()
    assert str(environment.packages / "bellhop" / "__init__.py") in before
    assert environment.theirs() == []
    environment.pip("install", "--no-deps", "--no-index", *sorted(strangers.glob("*.whl")))
    assert environment.theirs() == list(NAMES)
    assert environment.ours() == before
    assert "stopped" in environment.bellhop("up", "--once", "--folder", tmp_path / "demo")
    environment.pip("uninstall", "--yes", *NAMES)
    assert environment.theirs() == []
    assert environment.ours() == before
    assert "ok" in environment.bellhop("--config", tmp_path / "demo" / "demo.toml", "config", "check")
