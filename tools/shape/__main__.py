"""Measures a checkout: `python -m tools.shape [--check | --write | --json]`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.shape import limits, source
from tools.shape.around import around
from tools.shape.imports import imports
from tools.shape.limits import Limits
from tools.shape.measure import Measure
from tools.shape.sizes import sizes
from tools.shape.vendors import vendors
from tools.shape.words import words

_ROOT = Path(__file__).resolve().parents[2]


def measure(root: Path, floors: Sequence[str], since: str = "") -> list[Measure]:
    checkout = source.read(root)
    return [
        *sizes(checkout),
        *words(checkout),
        *vendors(checkout),
        *imports(checkout, floors),
        *around(root, since),
    ]


def main(arguments: Sequence[str]) -> int:
    """The exit code: 1 where --check finds something worse."""
    given = _parser().parse_args(arguments)
    held = limits.read(given.limits)
    # Another checkout's floors are its own; one from before there were any has none.
    floors = held.floors if given.repo == _ROOT else ()
    found = measure(given.repo.resolve(), floors, given.since)
    if given.write:
        limits.write(given.limits, found)
    elif given.json:
        print(json.dumps({one.name: _as_json(one, held) for one in found}, indent=1))
    elif given.check:
        worse = held.worse(found)
        _tell(worse, held)
        return 1 if worse else 0
    else:
        _tell(found, held)
    return 0


def _tell(found: Sequence[Measure], held: Limits) -> None:
    for one in found:
        number = "-" if one.number is None else f"{one.number:g}"
        print(f"{number:>6}  {one.name}: {one.says} (goal {one.goal:g}, limit {held.of(one):g})")
    for one in found:
        if one.places:
            print(f"\n{one.name}: {one.says}", *(f"  {place}" for place in one.places), sep="\n")


def _as_json(one: Measure, held: Limits) -> dict[str, object]:
    told = {"says": one.says, "number": one.number, "goal": one.goal, "limit": held.of(one)}
    return {**told, "places": list(one.places)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.shape", description="Measures the shape of the source.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="tell only what is worse than its limit, and fail")
    what.add_argument("--write", action="store_true", help="make the numbers of now the limits")
    what.add_argument("--json", action="store_true")
    parser.add_argument("--repo", type=Path, default=_ROOT, metavar="DIR", help="another checkout, an old one too")
    parser.add_argument("--limits", type=Path, default=_ROOT / "tools" / "shape.toml", metavar="FILE")
    parser.add_argument("--since", default="", metavar="REF", help="judge only the commits after this one")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
