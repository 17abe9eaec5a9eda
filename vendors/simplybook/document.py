"""SimplyBook.me's part of `docs/vendors.md`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from bellhop.vendors.markdown import markdown_table, twice, yes
from bellhop.vendors.simplybook.codes import LOGIN_ROWS, ROWS, SPOKEN, ErrorCode
from bellhop.vendors.simplybook.methods import ADMIN_METHODS, LOGIN_METHODS, METHODS, Method

_METHOD_TEST: Final = "tests/integration/vendors/test_methods.py::test_simplybook"
_CODE_TEST: Final = "tests/integration/vendors/test_methods.py::test_code"
_METHOD: Final = ("method", "changes", "twice", "test")
_CODE: Final = ("code", "words", "exception", "kind", "what a person does", "test")


def lines() -> Iterator[str]:
    yield "## SimplyBook.me: the public service\n"
    yield "Source: `simplybook-public-service-methods`. In brackets: what may be left out; `|null`: what may be null.\n"
    yield from markdown_table(_METHOD, map(_method, METHODS.values()))
    yield "\nCalled at `/login`, without a token:\n"
    yield from markdown_table(_METHOD, map(_method, LOGIN_METHODS.values()))
    yield "\nOf the administration, for an account with `admin_user`. The first is called at `/login`, its token goes"
    yield "in `X-User-Token` to `/admin`. The filter and the fields are known of others' clients, and of one answer of"
    yield "the live API (`vendors/simplybook/admin.py`). Test: `tests/integration/vendors/test_company_list.py`.\n"
    asked = [(f"`{one.signature}`", yes(one.changes), twice(one.repeatable)) for one in ADMIN_METHODS.values()]
    yield from markdown_table(_METHOD[:3], asked)
    yield "\n## SimplyBook.me: the error codes\n"
    yield "In the document's own words. *kind*: what it means for an event, see `vendors/failure.py`.\n"
    yield from markdown_table(_CODE, map(_code, ROWS))
    yield "\nOf logging in; second hand, not in the document:\n"
    yield from markdown_table(_CODE, map(_code, LOGIN_ROWS))
    yield "\nThe words count before the code. Where neither is in a row, the words may speak of one of these:\n"
    rows = [(row.words, f"`{row.name}`", row.kind.value, row.advice) for row in SPOKEN.values()]
    yield from markdown_table(("what the words speak of", "exception", "kind", "what a person does"), rows)
    yield "\nThrottling counts before all; any other refusal is unknown, and one when it is said again of a free slot."


def _method(method: Method) -> Sequence[str]:
    return (
        f"`{method.signature}`" + (", deprecated" if method.deprecated else ""),
        yes(method.changes),
        twice(method.repeatable),
        f"`{_METHOD_TEST}[{method.name}]`",
    )


def _code(row: ErrorCode) -> Sequence[str]:
    return str(row.code), row.words, f"`{row.name}`", row.kind.value, row.advice, f"`{_CODE_TEST}[{row.name}]`"
