"""Made-up checkouts for the measures of tools/shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from tools.shape.measure import Measure
from tools.shape.source import BESIDE, Checkout, Module


def checkout(files: Mapping[str, str]) -> Checkout:
    modules = [Module(PurePosixPath(path), text) for path, text in files.items()]
    return Checkout(
        tuple(module for module in modules if module.top not in BESIDE),
        tuple(module for module in modules if module.top in BESIDE),
    )


def taken(measures: Sequence[Measure], name: str) -> Measure:
    (found,) = [one for one in measures if one.name == name]
    return found
