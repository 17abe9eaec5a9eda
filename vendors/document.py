"""`docs/vendors.md`, made of the tables: `make docs` writes it, and a test holds the file against this."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from bellhop.vendors.peoplevine.client import METHODS as PEOPLEVINE
from bellhop.vendors.peoplevine.client import REASONS
from bellhop.vendors.peoplevine.client import Method as SpaMethod
from bellhop.vendors.simplybook.codes import LOGIN_ROWS, ROWS, Row
from bellhop.vendors.simplybook.methods import LOGIN_METHODS, METHODS, Method

_METHOD_TEST: Final = "tests/integration/vendors/test_methods.py::test_simplybook"
_CODE_TEST: Final = "tests/integration/vendors/test_methods.py::test_code"
_SPA_TEST: Final = "tests/integration/vendors/test_methods.py::test_peoplevine"

_INTRODUCTION: Final = """# The vendors' methods and errors

Made from the tables in `workers/vendors/` by `make docs`; do not edit it. A test fails where it differs from them, and
another where a row has no test. The tests run against the sandbox, which pretends the vendors as their documents
and `sandbox/switches.py` have them.

*changes*: the method alters something at the vendor; `bellhop call` asks for `--yes`. *twice*: whether calling it twice
does more than once; what does is marked in the ledger before it is called.
"""


def described() -> str:
    """The whole document."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    yield "## SimplyBook.me: the public service\n"
    yield "Source: `simplybook-public-service-methods`. In brackets: what may be left out.\n"
    yield from _table(("method", "changes", "twice", "test"), map(_method, METHODS.values()))
    yield "\nCalled at `/login`, without a token:\n"
    yield from _table(("method", "changes", "twice", "test"), map(_method, LOGIN_METHODS.values()))
    yield "\n## SimplyBook.me: the error codes\n"
    yield "In the document's own words. *kind*: what it means for an event, see `vendors/failure.py`.\n"
    yield from _table(("code", "words", "exception", "kind", "what a person does", "test"), map(_code, ROWS))
    yield "\nOf logging in; second hand, not in the document:\n"
    yield from _table(("code", "words", "exception", "kind", "what a person does", "test"), map(_code, LOGIN_ROWS))
    yield "\nAn error that speaks of too many requests is throttled whatever its code; a code in no row is unknown.\n"
    yield "## Peoplevine Bookings\n"
    yield "Source: `peoplevine-bookings`. Credentials travel in the query string, so no error quotes a URL.\n"
    yield from _table(("method", "in the document", "call", "changes", "twice", "test"), map(_spa, PEOPLEVINE.values()))
    yield "\nA `success: false` is a refusal (rejected), unless its reason holds one of these words:\n"
    yield from _table(("words", "kind"), [(f"`{words}`", kind.value) for words, kind in REASONS])


def _method(method: Method) -> Sequence[str]:
    return (
        f"`{method.signature}`",
        _word(method.changes),
        _twice(method.repeatable),
        f"`{_METHOD_TEST}[{method.name}]`",
    )


def _spa(method: SpaMethod) -> Sequence[str]:
    return (
        f"`{method.name}`",
        method.title,
        f"{method.verb} `/res/{method.path}`",
        _word(method.changes),
        _twice(method.repeatable),
        f"`{_SPA_TEST}[{method.name}]`",
    )


def _code(row: Row) -> Sequence[str]:
    return (
        str(row.code),
        row.words,
        f"`{row.name}`",
        row.kind.value,
        row.advice,
        f"`{_CODE_TEST}[{row.name}]`",
    )


def _word(changes: bool) -> str:
    return "yes" if changes else ""


def _twice(repeatable: bool) -> str:
    return "" if repeatable else "**books twice**"


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headers)} |"
    yield f"|{'---|' * len(headers)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


if __name__ == "__main__":
    print(described(), end="")  # noqa: T201
