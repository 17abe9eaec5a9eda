"""How deep JSON may be nested, found out before a parser reads it: each Python's has a limit of its own."""

from __future__ import annotations

import re
from typing import Final

MAX_NESTING: Final = 100
"""Far above `contract.MAX_DEPTH`, which is told with the field that breaks it, and far below any parser's."""

_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_OTHER: Final = re.compile(rb"[^\[\]{}]+")
_ALIKE: Final = bytes.maketrans(b"{}", b"[]")


def is_nested_too_deep(text: bytes, most: int = MAX_NESTING) -> bool:
    """Whether the JSON in `text` is nested deeper than `most`. What is no JSON counts by what it opens."""
    if text.count(b"[") + text.count(b"{") <= most:
        return False
    left = _OTHER.sub(b"", _STRING.sub(b"", text)).translate(_ALIKE)
    for _ in range(most):  # each round takes the innermost level away
        outer = left.replace(b"[]", b"")
        if len(outer) == len(left):
            return left.count(b"[") > most
        left = outer
    return b"[" in left
