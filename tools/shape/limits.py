"""The numbers that do not reach their goal yet, in a file: nothing may grow beyond them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.shape.measure import Measure

_MOST = "[most]\n"


@dataclass(frozen=True)
class Limits:
    """floors: the folders, each above those that it may import. most: by measure."""

    floors: tuple[str, ...]
    most: Mapping[str, float]

    def of(self, measure: Measure) -> float:
        return max(self.most.get(measure.name, measure.goal), measure.goal)

    def worse(self, measures: Iterable[Measure]) -> list[Measure]:
        return [one for one in measures if one.number is not None and one.number > self.of(one)]


def read(file: Path) -> Limits:
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    return Limits(tuple(told["floors"]), told["most"])


def write(file: Path, measures: Iterable[Measure]) -> None:
    """The numbers of today, of what is not as it should be; what stands above them in the file stays."""
    text = file.read_text(encoding="utf-8")
    kept = text[: text.index(_MOST) + len(_MOST)]
    rows = [f"{one.name} = {one.number:g}\n" for one in measures if one.number is not None and one.number > one.goal]
    file.write_text(kept + "".join(rows), encoding="utf-8")
