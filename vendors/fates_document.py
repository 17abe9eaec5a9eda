"""`docs/fields.md`, made of the vendors' tables: `make docs` writes it, and a test holds the file against this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from bellhop.vendors.fates import OF_EVERY_EVENT, CallFates, FieldFate
from bellhop.vendors.markdown import markdown_table
from bellhop.vendors.registry import VENDORS

_INTRODUCTION: Final = """# What becomes of each field

Made from the tables in `vendors/` by `make docs`; do not edit it. No field of an event is silent: a test fails where
the contract has one that a table has not, and another works events of every kind and looks for what they said in the
vendor's call, in a warning or in a refusal.

*carried*: it stands in the vendor's call. *checked*: it is held against something; where it differs it is refused, or
it decides what is called. *warned of*: it is not sent; the answer to the post says so in `warnings`, and so do the
event's history and its result. *refused*: the post is answered 422, or the event becomes a dead letter.

What is only recorded (a HOLD, a NO_SHOW) calls nothing and says so: `recorded`. A source with a `pull_account` posts no
more than a reason to pull: its bookings are made elsewhere, and only the reference of each is read."""


def render_fields() -> str:
    """The whole document."""
    parts = [_INTRODUCTION, "\n".join(_section("Beside `data`, of every event", OF_EVERY_EVENT))]
    for vendor in VENDORS:
        parts += [f"## {vendor.title}", *("\n".join(_section(_heading(one), one.fields)) for one in vendor.fates)]
    return "\n\n".join(parts) + "\n"


def _heading(fates: CallFates) -> str:
    types = ", ".join(f"`{type_}`" for type_ in fates.types)
    return f"{types}: {f'`{fates.call}`' if fates.call else 'no call'}"


def _section(heading: str, fields: Mapping[str, FieldFate]) -> Iterator[str]:
    yield f"### {heading}"
    yield ""
    rows = [(f"`{name}`", one.fate.value + _where(one), one.words) for name, one in fields.items()]
    yield from markdown_table(("field", "fate", "as which argument, against what, or why"), rows)


def _where(one: FieldFate) -> str:
    return f" with `{one.needs}` in the account's settings, else warned of" if one.needs else ""


if __name__ == "__main__":
    print(render_fields(), end="")  # noqa: T201
