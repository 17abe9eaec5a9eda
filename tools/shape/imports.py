"""Which folder imports which: upwards, in circles, or by a bare name."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tools.shape.measure import Measure, count
from tools.shape.source import BESIDE, PACKAGE, Checkout, Module


class Edge(NamedTuple):
    """One import. Both modules as seen from inside the package; place: where it stands."""

    importer: str
    imports: str
    place: str


def imports(checkout: Checkout, floors: Sequence[str]) -> list[Measure]:
    edges = [*_edges(checkout)]
    return [
        _upward(edges, floors),
        count("circles", "circles of folders", list(_circles(edges, _folders(checkout)))),
        count("bare_imports", "imports of ours by a bare name, in tests, bench and tools too", [*_bare(checkout)]),
    ]


def imported(tree: ast.AST) -> Iterator[tuple[ast.Import | ast.ImportFrom, str]]:
    """Every import with the name of its module, those inside functions and those for types too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def _edges(checkout: Checkout) -> Iterator[Edge]:
    for module in checkout.source:
        for node, name in imported(module.tree):
            ours = name.removeprefix(f"{PACKAGE}.")
            if _top(ours) in checkout.folders:
                yield Edge(module.dotted, ours, f"{module.at(node)} {name}")


def _upward(edges: Sequence[Edge], floors: Sequence[str]) -> Measure:
    says = "imports of a folder above"
    if not floors:
        return Measure("upward_imports", says, None, ["no floors are named for this checkout"])
    height = {folder: number for number, folder in enumerate(floors)}
    tops = [(edge, _top(edge.importer), _top(edge.imports)) for edge in edges]
    unknown = sorted({top for _, *both in tops for top in both} - set(height))
    up = [edge.place for edge, here, there in tops if here in height and height.get(there, -1) > height[here]]
    return count("upward_imports", says, [*(f"{folder}/ has no floor" for folder in unknown), *up])


def _folders(checkout: Checkout) -> frozenset[str]:
    return frozenset(
        ".".join(module.path.parts[:depth]) for module in checkout.source for depth in range(1, len(module.path.parts))
    )


def _circles(edges: Sequence[Edge], folders: frozenset[str]) -> Iterator[str]:
    """Of folders that stand side by side, each with all that is below it, at every height of the tree."""
    graph: dict[str, dict[str, str]] = {}
    for edge in edges:
        here, there = edge.importer.split("."), edge.imports.split(".")
        same = next((n for n, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), None)
        if same is not None:
            a, b = ".".join(here[: same + 1]), ".".join(there[: same + 1])
            if a in folders and b in folders:
                graph.setdefault(a, {}).setdefault(b, edge.place)
    for circle in _knots({folder: set(graph.get(folder, ())) for folder in sorted(folders)}):
        inside = [f"{a} -> {b}: {graph[a][b]}" for a in circle for b in graph.get(a, ()) if b in circle]
        yield f"{', '.join(circle)}  ({'; '.join(inside)})"


def _knots(graph: Mapping[str, set[str]]) -> Iterator[list[str]]:
    """Sets of more than one node each of which reaches all others."""
    reach = {node: _reach(graph, node) for node in graph}
    done: set[str] = set()
    for node in graph:
        knot = [other for other in graph if other in reach[node] and node in reach[other]]
        if len(knot) > 1 and node not in done:
            done.update(knot)
            yield knot


def _reach(graph: Mapping[str, set[str]], start: str) -> set[str]:
    found, ahead = set[str](), [start]
    while ahead:
        for other in graph.get(ahead.pop(), ()):
            if other not in found:
                found.add(other)
                ahead.append(other)
    return found


def _bare(checkout: Checkout) -> Iterator[str]:
    """What is installed may not import tests, bench or tools either, which may import one another."""
    ours = frozenset(checkout.folders)
    for modules, forbidden in ((checkout.source, ours.union(BESIDE)), (checkout.beside, ours)):
        for module in modules:
            yield from statements(module, (found for found in imported(module.tree) if _top(found[1]) in forbidden))


def _top(name: str) -> str:
    return name.partition(".")[0]


def statements(module: Module, found: Iterable[tuple[ast.stmt, str]]) -> list[str]:
    """The places of imports, each statement once, with the first of its names."""
    places: dict[str, str] = {}
    for node, name in found:
        places.setdefault(module.at(node), name)
    return [f"{place} {name}" for place, name in places.items()]
