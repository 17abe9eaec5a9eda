"""A small disk of a drill's own: a file system in a file, which a drill fills, and breaks. Needs root.

ext4 turns read-only at an error (`errors=remount-ro`), also for what is open, and `trigger_fs_error` is its own way to
have one: https://www.kernel.org/doc/html/latest/admin-guide/ext4.html
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bellhop.drill.nodes.rabbitmq import NodeError

_MEGABYTES: Final = 96
_FILLER: Final = "filler"
_PROGRAMS: Final = ("mkfs.ext4", "e2fsck", "mount", "umount", "findmnt")


def can_be_had() -> bool:
    """Whether this process may make one here."""
    is_there = all(map(shutil.which, _PROGRAMS)) and Path("/sys/fs/ext4").is_dir()
    return os.geteuid() == 0 and is_there and bool(list(Path("/dev").glob("loop*")))


class Disk:
    """Mounted at `folder` until the end of the block. What was written there is gone with it. is_broken: by `fail`,
    until it is repaired."""

    def __init__(self, folder: Path, image: Path) -> None:
        self.folder, self._image = folder, image
        self.is_broken = False

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._image.open("wb") as file:
            file.truncate(_MEGABYTES << 20)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", "-e", "remount-ro", str(self._image))
        self._mount()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self.folder.is_mount():
            _run("umount", "--lazy", str(self.folder))  # lazily: whoever is still at it must not keep it for ever
        self._image.unlink()

    def fill(self) -> None:
        """Not a byte is left."""
        with (self.folder / _FILLER).open("wb", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue

    def free(self) -> None:
        (self.folder / _FILLER).unlink(missing_ok=True)

    def fail(self) -> None:
        """An error, as of a bad block: nothing can be written any more."""
        device = _run("findmnt", "--noheadings", "--output", "SOURCE", "--mountpoint", str(self.folder)).strip()
        Path("/sys/fs/ext4", Path(device).name, "trigger_fs_error").write_text("drill")
        self.is_broken = True

    def is_left(self) -> bool:
        """Unmounts it, for `repair`, unless a file is still open there: then it is false, and nothing is done."""
        with contextlib.suppress(NodeError):
            _run("umount", str(self.folder))
        return not self.folder.is_mount()

    def repair(self) -> None:
        """As an operator does after `fail` and `is_left`."""
        _run("e2fsck", "-y", "-f", str(self._image), fine=(0, 1))
        self._mount()
        self.is_broken = False

    def _mount(self) -> None:
        _run("mount", "-o", "loop", str(self._image), str(self.folder))


def _run(program: str, *words: str, fine: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603  # ours
    if done.returncode not in fine:
        raise NodeError(f"{program} failed: {done.stdout}{done.stderr}")
    return done.stdout
