"""Where code outside a vendor's own folders knows that vendor."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from tools.shape.imports import imported, statements
from tools.shape.measure import Measure, count
from tools.shape.source import Checkout, Module


def vendors(checkout: Checkout) -> list[Measure]:
    outside = [module for module in checkout.source if not _is_own(module, checkout.vendors)]
    names = checkout.vendors
    return [
        count(
            "kind_questions",
            "`kind ==` a vendor, outside vendors/ and the sandbox's folders",
            [place for module in outside for place in _kinds(module, names)],
        ),
        count(
            "account_types",
            "`isinstance(…Account)` outside vendors/",
            [place for module in outside for place in _types(module)],
        ),
        count(
            "vendor_names",
            "texts with a vendor's name in the code outside, without documentation",
            [place for module in outside for place in _literals(module, names)],
        ),
        count(
            "vendor_imports",
            "imports of one vendor's modules outside vendors/ and the sandbox's folders",
            [place for module in outside for place in _imports(module, names)],
        ),
    ]


def _is_own(module: Module, names: frozenset[str]) -> bool:
    inside = module.path.parts[:-1]
    return "vendors" in inside or ("sandbox" in inside and any(name in str(module.path) for name in names))


def _kinds(module: Module, names: frozenset[str]) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(_is_kind(side) for side in sides) and any(_texts(side) & names for side in sides):
                yield f"{module.at(node)} {ast.unparse(node)}"
        elif isinstance(node, ast.Match) and _is_kind(node.subject):
            for case in node.cases:
                if _texts(case.pattern) & names:
                    yield f"{module.path}:{case.pattern.lineno} case {ast.unparse(case.pattern)}"


def _is_kind(node: ast.expr) -> bool:
    match node:
        case ast.Name(id="kind") | ast.Attribute(attr="kind") | ast.Subscript(slice=ast.Constant(value="kind")):
            return True
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value="kind"), *_]):
            return True
    return False


def _texts(node: ast.AST) -> set[str]:
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def _types(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, asked]):
                asks = {n.id for n in ast.walk(asked) if isinstance(n, ast.Name)}
                asks |= {n.attr for n in ast.walk(asked) if isinstance(n, ast.Attribute)}
                if any(name.endswith("Account") for name in asks):
                    yield f"{module.at(node)} {ast.unparse(node)}"


def _literals(module: Module, names: frozenset[str]) -> Iterator[str]:
    """As the settings spell it: `Peoplevine` in a sentence for people decides nothing."""
    documentation = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(module.tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in documentation:
                if any(name in text for name in names):
                    yield f"{module.at(node)} {text!r}"


def _imports(module: Module, names: frozenset[str]) -> Iterator[str]:
    yield from statements(module, (found for found in imported(module.tree) if _is_of_one(found[1].split("."), names)))


def _is_of_one(parts: Sequence[str], names: frozenset[str]) -> bool:
    """Whether a module below a folder `vendors` (or `handlers`, where they once were) is one vendor's."""
    below = next((parts[n + 1 :] for n, part in enumerate(parts) if part in ("vendors", "handlers")), ())
    return any(part.startswith(name) for part in below for name in names)
