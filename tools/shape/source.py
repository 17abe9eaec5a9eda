"""A checkout read once: the modules of the source, and those of what stands beside it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

PACKAGE = "bellhop"
BESIDE = ("tests", "bench", "tools")
"""Folders of Python that are not what a user installs."""


@dataclass(frozen=True)
class Module:
    """One file. path: from the top of the checkout, where `bellhop/` has only links to it."""

    path: PurePosixPath
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    @property
    def top(self) -> str:
        """The top-level folder."""
        return self.path.parts[0]

    @property
    def dotted(self) -> str:
        """Its name for an import, as seen from inside the package: `ledger.records`."""
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def at(self, node: ast.stmt | ast.expr) -> str:
        return f"{self.path}:{node.lineno}"


@dataclass(frozen=True)
class Checkout:
    """source: what is installed. beside: tests, bench and tools, whose imports are ours too."""

    source: tuple[Module, ...]
    beside: tuple[Module, ...] = ()

    @cached_property
    def folders(self) -> dict[str, int]:
        """Lines by top-level folder of the source, the largest first."""
        return self.lines_of(1)

    @cached_property
    def total(self) -> int:
        return sum(module.lines for module in self.source)

    def lines_of(self, depth: int) -> dict[str, int]:
        """Lines by folder, of the folders so many names deep, each with all that is below it; the largest first."""
        found: dict[str, int] = {}
        for module in self.source:
            if len(module.path.parts) > depth:
                folder = "/".join(module.path.parts[:depth])
                found[folder] = found.get(folder, 0) + module.lines
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    @cached_property
    def vendors(self) -> frozenset[str]:
        """The vendors' names: what has a part of its own both in a folder `vendors` and in the sandbox."""
        folders = self._below("vendors", as_folders=True) & self._below("sandbox", as_folders=True)
        return frozenset(folders or self._below("vendors") & self._below("sandbox"))

    def _below(self, folder: str, *, as_folders: bool = False) -> set[str]:
        """The names right below each folder of that name: of folders, or of modules."""
        found = set()
        for module in self.source:
            parts = module.path.with_suffix("").parts
            if folder in parts[:-1]:
                below = parts[parts.index(folder) + 1 :]
                if (len(below) > 1) is as_folders and below[0] != "__init__":
                    found.add(below[0])
        return found


def read(root: Path) -> Checkout:
    """All modules of a checkout: also of one from before there was `bellhop/`, whose folders were packages."""
    tops = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    ours = [path for path in tops if path.name not in BESIDE and (path / "__init__.py").exists()]
    source = [module for path in ours if path.name != PACKAGE for module in _modules(root, path)]
    beside = [module for path in tops if path.name in BESIDE for module in _modules(root, path)]
    return Checkout(tuple(source), tuple(beside))


def _modules(root: Path, folder: Path) -> Iterator[Module]:
    for file in sorted(folder.rglob("*.py")):
        yield Module(PurePosixPath(file.relative_to(root).as_posix()), file.read_text(encoding="utf-8"))
