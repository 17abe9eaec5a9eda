"""`docs/vendors.md`, made of the vendors' tables: `make docs` writes it, and a test holds the file against this."""

from __future__ import annotations

from typing import Final

from bellhop.vendors.registry import VENDORS

_INTRODUCTION: Final = """# The vendors' methods and errors

Made from the tables in `vendors/` by `make docs`; do not edit it. A test fails where it differs from them, and
another where a row has no test. The tests run against the sandbox, which pretends the vendors as their documents
and its switches have them.

*changes*: the method alters something at the vendor; `bellhop call` asks for `--yes`. *twice*: whether calling it twice
does more than once; what does is marked in the ledger before it is called.
"""


def render_document() -> str:
    """The whole document."""
    return "\n\n".join((_INTRODUCTION.rstrip(), *("\n".join(vendor.document()) for vendor in VENDORS))) + "\n"


if __name__ == "__main__":
    print(render_document(), end="")  # noqa: T201
