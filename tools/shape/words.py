"""What things are called, and what is asserted only because a type does not say it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tools.shape.measure import Measure, count
from tools.shape.source import Checkout

_NO_PARTICIPLE = re.compile(
    "bed|bleed|breed|embed|exceed|feed|heed|indeed|need|proceed|red|seed|shed|shred|sled|speed|succeed|wed|weed"
    "|children|even|garden|golden|happen|hasten|listen|men|open|oven|screen|seven|ten|then|token|when|women"
)
"""Words that only end like one."""
_PARTICIPLE = re.compile(
    "[a-z]+(?:ed|en)|begun|born|bought|bound|bred|brought|built|caught|clung|dealt|done|drawn|drunk|dug|fed|felt|flown"
    "|fought|found|gone|got|grown|heard|held|hung|kept|known|laid|led|left|lent|lost|made|meant|met|paid|said|sent|shone"
    "|shown|slept|sold|sought|spent|spun|stood|struck|stuck|sung|sworn|swept|taught|thought|thrown|told|torn|understood"
    "|withdrawn|won|worn|wound"
)
"""Those that are also the verb itself (cut, put, read, run, set, split) are left out: only reading tells them apart."""
_FROM_A_LIBRARY = frozenset({"upgrade", "downgrade"})
"""Names that Alembic asks of every migration."""


def words(checkout: Checkout) -> list[Measure]:
    classes: dict[str, list[str]] = {}
    functions: dict[str, list[str]] = {}
    for module in checkout.source:
        seen: set[str] = set()
        for node in _top_level(module.tree.body):
            if not node.name.startswith("_") and node.name not in seen | _FROM_A_LIBRARY:
                seen.add(node.name)  # an overload, or another version's, is the same thing
                kept = classes if isinstance(node, ast.ClassDef) else functions
                kept.setdefault(node.name, []).append(module.at(node))
    return [
        count("double_classes", f"names of more than one class, of {len(classes)}", _doubles(classes)),
        count("double_functions", f"names of more than one function, of {len(functions)}", _doubles(functions)),
        count("participles", "functions that are named by a participle", _participles(checkout)),
        count("asserts", "asserts in the source", _asserts(checkout)),
    ]


def is_participle(name: str) -> bool:
    """Whether a name is one word, and that a participle, as far as its letters tell."""
    word = name.strip("_").lower()
    return bool(_PARTICIPLE.fullmatch(word)) and not _NO_PARTICIPLE.fullmatch(word)


def _top_level(body: list[ast.stmt]) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Classes and functions of a module, also those that stand in an `if` or a `try`."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        elif isinstance(node, ast.If | ast.Try):
            handlers = node.handlers if isinstance(node, ast.Try) else []
            for branch in (node.body, node.orelse, *(handler.body for handler in handlers)):
                yield from _top_level(branch)


def _doubles(places: dict[str, list[str]]) -> list[str]:
    many = sorted((-len(where), name, where) for name, where in places.items() if len(where) > 1)
    return [f"{name} x{-number}  {', '.join(where)}" for number, name, where in many]


def _participles(checkout: Checkout) -> list[str]:
    """Methods too, but no property: that says how something is."""
    return [
        f"{module.at(node)} {node.name}"
        for module in checkout.source
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and is_participle(node.name)
        and not any("property" in ast.unparse(decorator) for decorator in node.decorator_list)
    ]


def _asserts(checkout: Checkout) -> list[str]:
    return [
        f"{module.at(node)} {ast.unparse(node.test)}"
        for module in checkout.source
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Assert)
    ]
