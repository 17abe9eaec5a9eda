"""`docs/sandbox.md`, made of the switches and faults: `make docs` writes it, and a test holds the file against this."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from bellhop.sandbox.faults import KINDS, WHEN
from bellhop.sandbox.pretended import Pretended
from bellhop.sandbox.registry import PRETENDED
from bellhop.sandbox.switch import comma_list

_BEGINNING: Final = """# The sandbox

Made from the tables in `sandbox/` by `make docs`; do not edit it. A test fails where it differs from them.

`bellhop sandbox --port 8090` serves every vendor at one address. It holds what is booked, and forgets it when it ends.
`make up` has one running and prints where.

## Control

By HTTP, while it runs, at `/_sandbox/…`; a request that cannot be followed is answered 400 with what is wrong.

| request | it does |
|---|---|
| `GET switches`, `POST switches` `{"NAME": value, …}` | tells every switch with its value; changes some |
| `GET faults`, `POST faults` `{"method", "kind", …}` | tells the faults on order, with `id` and `hit`s; orders one |
| `DELETE faults/<int:number>`, `DELETE faults` | takes one back, or all; the rest stays as it is |
| `GET calls?after=N` | every call received, its credentials masked, with what it changed |
| `GET state` | what stands at each vendor |
| `POST reset` | back to how it started |

A switch is set at the start, too: `bellhop sandbox --switch NAME=VALUE`. In a test:
`with Sandbox() as sandbox: sandbox.switch(NAME=value); sandbox.fault(method="book", kind="reset")`.

## Faults

`{"method": "book", "kind": "timeout_late", "seconds": 2, "late": 30}` holds one `book` for two seconds, closes the
connection without an answer, and carries the booking out thirty seconds after it came.
"""

_FIELDS: Final = f"""| field | it says |
|---|---|
| `method` | which calls: a method's name, or `*` |
| `vendor` | of which vendor; left out: of any |
| `kind` | one of {comma_list(f"`{kind}`" for kind in KINDS)} |
| `when` | of `error`, `http` and `reset`: one of {comma_list(f"`{when}`" for when in WHEN)} the call is carried out |
| `late` | seconds after which a call that was failed `late` is carried out all the same, up to a week |
| `times`, `every` | how many calls are hit, `null` for all until a reset; only each so-manieth |
| `seconds` | how long a connection is held, or an answer put off |
| `status`, `retry_after` | of `http`: the status of the page, and its `Retry-After` |
| `code`, `message` | of `error`: the vendor's own error |
"""

_SWITCHES: Final = """## Switches

What public material does not settle is a switch; so is what only some companies meet. `grade` tells how well the
default is known: **V** the vendor's own document or code, **L** seen on the live API by others, **S** second hand,
**I** inferred.
"""


def render_switches() -> str:
    """The whole document."""
    parts = [_BEGINNING, _FIELDS, _SWITCHES, *(_vendor(row) for row in PRETENDED)]
    return "\n".join(parts)


def _vendor(row: Pretended) -> str:
    lines = [f"### {row.name}", "", row.told, "", "| switch | default | grade | it means |", "|---|---|---|---|"]
    for item in fields(row.switches):
        means, allowed = item.metadata["means"], item.metadata["allowed"]
        if allowed:
            means += f". One of {comma_list(map(_code_of, allowed))}"
        cells = (f"`{item.name}`", _code_of(item.default), item.metadata["grade"], means)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _code_of(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text}`" if text else "empty"


if __name__ == "__main__":
    print(render_switches(), end="")  # noqa: T201
