"""What the image is made of."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_IGNORE = ROOT / "deploy" / "Dockerfile.dockerignore"


def kept() -> list[str]:
    """The names at the top of the checkout that .dockerignore lets through."""
    return [line[1:] for line in _IGNORE.read_text().splitlines() if line.startswith("!")]


def copy_context(folder: Path) -> Path:
    """What `COPY . .` of the Dockerfile sees: the links of bellhop/ as links."""
    folder.mkdir()
    for name in kept():
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder
