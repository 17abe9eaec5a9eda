"""Peoplevine's part of `docs/vendors.md`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from bellhop.vendors.markdown import markdown_table, twice, yes
from bellhop.vendors.peoplevine.client import METHODS, Endpoint
from bellhop.vendors.peoplevine.guide import STATUSES
from bellhop.vendors.peoplevine.reasons import DOCUMENTED
from bellhop.vendors.phrases import PHRASES

_TEST: Final = "tests/integration/vendors/test_methods.py::test_peoplevine"


def lines() -> Iterator[str]:
    yield "## Peoplevine Bookings\n"
    yield "Source: `peoplevine-bookings`. Credentials travel in the query string, so no error quotes a URL.\n"
    yield from markdown_table(
        ("method", "in the document", "call", "changes", "twice", "test"), map(_method, METHODS.values())
    )
    yield "\nWhat a `success: false` means, by what `reason` and `message` speak of together:\n"
    rows = [(phrase.title, phrase.kind.value, phrase.advice) for phrase in PHRASES]
    yield from markdown_table(("what they speak of", "kind", "what a person does"), rows)
    documented = " and ".join(f"`{words}`" for words in DOCUMENTED)
    yield f"\nDocumented are only {documented}, both rejected. So is any other refusal but one without words,"
    yield "or in words of programmers: that is one when it is said again while nothing of it stands."

    yield "\n## SevenRooms: the statuses of its reservations\n"
    yield "Source: `sevenrooms-setup`. Live systems send more; `schemas/statuses.py` has what Bellhop makes of each.\n"
    yield from markdown_table(("status", "category", "display", "description"), STATUSES)


def _method(method: Endpoint) -> Sequence[str]:
    return (
        f"`{method.name}`",
        method.title,
        f"{method.verb} `/res/{method.path}`",
        yes(method.changes),
        twice(method.repeatable),
        f"`{_TEST}[{method.name}]`",
    )
