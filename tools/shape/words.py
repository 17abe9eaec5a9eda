"""What things are called, and what is asserted only because a type does not say it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tools.shape.measure import Measure, count
from tools.shape.source import Checkout, Module

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


_REGISTERS = frozenset({"command", "delete", "errorhandler", "get", "group", "patch", "post", "put", "route"})
"""Decorators of Flask and click by which a function is a page or a command."""


def words(checkout: Checkout) -> list[Measure]:
    """A class's name is taken once. So is a function's, but where nobody finds it by its name alone: what a decorator
    registers (a page, a command), and the parts of an interface, which have one name on purpose."""
    classes: dict[str, dict[tuple[str, ...], list[str]]] = {}
    functions: dict[str, dict[tuple[str, ...], list[str]]] = {}
    for module in checkout.source:
        seen: set[str] = set()
        for node in _top_level(module.tree.body):
            if not node.name.startswith("_") and node.name not in seen | _FROM_A_LIBRARY:
                seen.add(node.name)  # an overload, or another version's, is the same thing
                if isinstance(node, ast.ClassDef):
                    kept, part = classes, module.path.parts
                elif _is_registered(node):
                    continue
                else:
                    kept, part = functions, _part(module, node, checkout.vendors)
                kept.setdefault(node.name, {}).setdefault(part, []).append(module.at(node))
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


def _is_registered(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    called = (one.func for one in function.decorator_list if isinstance(one, ast.Call))
    return any(isinstance(one, ast.Attribute) and one.attr in _REGISTERS for one in called)


def _part(module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef, vendors: frozenset[str]) -> tuple[str, ...]:
    """What is equal for the parts of one interface: functions in the same module of two vendors' folders, and those of
    one folder's modules whose parameters and result are the same, too."""
    parts = module.path.parts
    if vendors.intersection(parts[:-1]):
        return tuple("a vendor" if part in vendors else part for part in parts)
    result = ast.unparse(function.returns) if function.returns else ""
    return (*parts[:-1], ast.unparse(function.args), result)


def _doubles(places: dict[str, dict[tuple[str, ...], list[str]]]) -> list[str]:
    """Of each name: where it stands, if it means more than one thing."""
    double = (
        (name, [at for where in parts.values() for at in where]) for name, parts in places.items() if len(parts) > 1
    )
    many = sorted((-len(where), name, where) for name, where in double)
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
