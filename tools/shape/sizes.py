"""How much stands in one place: folders, files, functions."""

from __future__ import annotations

import ast

from tools.shape.measure import Measure, count
from tools.shape.source import Checkout

SHARE = 20.0
"""Percent of the source that one folder may hold."""
FILE = 300
FUNCTION = 40


def sizes(checkout: Checkout) -> list[Measure]:
    return [
        _share(checkout, "folder_share", "the largest folder's share of the source, %", 1),
        _share(checkout, "subfolder_share", "the largest sub-folder's share of the source, %", 2),
        _files(checkout),
        _functions(checkout),
    ]


def _share(checkout: Checkout, name: str, says: str, depth: int) -> Measure:
    lines = checkout.lines_of(depth)
    shares = {folder: round(100 * found / checkout.total, 1) for folder, found in lines.items()}
    places = [f"{shares[folder]:4.1f} %  {found:5} lines  {folder}/" for folder, found in lines.items()]
    return Measure(name, says, max(shares.values(), default=0.0), places, SHARE)


def _files(checkout: Checkout) -> Measure:
    long = sorted((-module.lines, str(module.path)) for module in checkout.source if module.lines > FILE)
    return count("long_files", f"files over {FILE} lines", [f"{-lines} lines  {path}" for lines, path in long])


def _functions(checkout: Checkout) -> Measure:
    """From its `def`, without decorators, to its last line."""
    long = []
    for module in checkout.source:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION:
                    long.append((-lines, f"{module.at(node)} {node.name}"))
    places = [f"{-lines} lines  {place}" for lines, place in sorted(long)]
    return count("long_functions", f"functions over {FUNCTION} lines", places)
