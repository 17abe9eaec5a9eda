"""The unit tests under each CPython that Bellhop may run on and this machine has: `make test-pythons`.

python3.11 to python3.14 are looked for on the PATH, among pyenv's versions and among uv's. Each gets an environment of
its own, `.venv-3.13` and so on, from the lock. One that is not there is named and left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
VERSIONS: Final = ("3.11", "3.12", "3.13", "3.14")
_ASK: Final = "import sys; print('%d.%d' % sys.version_info[:2], sys.implementation.name, sys.flags.no_site)"


def installed_pythons(home: Path | None = None) -> dict[str, Path]:
    """By version the interpreter that runs; the first that is found."""
    home = home or Path.home()
    found: dict[str, Path] = {}
    for version in VERSIONS:
        folders = [
            *home.glob(f".pyenv/versions/{version}.*/bin"),
            *home.glob(f".local/share/uv/python/cpython-{version}.*/bin"),
        ]
        named = [Path(folder) / f"python{version}" for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
        for candidate in (*named, *(folder / f"python{version}" for folder in sorted(folders, reverse=True))):
            if candidate.is_file() and _is_python(candidate, version):
                found[version] = candidate
                break
    return found


def _is_python(path: Path, version: str) -> bool:
    """pyenv's shims are files too, of versions that are not there."""
    try:
        told = subprocess.run([path, "-c", _ASK], capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return False
    return told.stdout.split()[:2] == [version, "cpython"]


def environment(version: str, python: Path) -> Path:
    """The interpreter of an environment with all that the tests need; made anew where the lock has changed."""
    folder, lock = ROOT / f".venv-{version}", ROOT / "requirements-dev.lock"
    stamp, inside = folder / ".dev", folder / "bin" / "python"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", folder], check=True)
        words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([inside, *words, "--require-hashes", "--requirement", lock], check=True)
        subprocess.run([inside, *words, "--no-deps", "--editable", ROOT], check=True)
        stamp.touch()
    return inside


def main(words: list[str]) -> int:
    """words: for pytest; without any the unit tests. 1 where a version fails, or none is there."""
    pythons: Mapping[str, Path] = installed_pythons()
    failed = []
    for version in VERSIONS:
        if version not in pythons:
            print(f"{version}: not on this machine", flush=True)
            continue
        print(f"{version}: {pythons[version]}", flush=True)
        command = [str(environment(version, pythons[version])), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        if subprocess.run([*command, *(words or ["tests/unit"])], cwd=ROOT, check=False).returncode:
            failed.append(version)
    print("failed under " + ", ".join(failed) if failed else "no failure", flush=True)
    return 1 if failed or not pythons else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
