"""`docs/sandbox.md` is what the switches and faults say."""

from __future__ import annotations

from pathlib import Path

from bellhop.sandbox.app import create_sandbox
from bellhop.sandbox.document import render_switches

ROOT = Path(__file__).resolve().parents[3]


def test_the_document_is_as_the_switches_have_it() -> None:
    assert (ROOT / "docs" / "sandbox.md").read_text() == render_switches(), "run `make docs`"


def test_it_names_every_route_of_the_control() -> None:
    told = render_switches()
    for rule in create_sandbox().url_map.iter_rules():
        if rule.rule.startswith("/_sandbox/"):
            name = rule.rule.removeprefix("/_sandbox/")
            for verb in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                assert f"`{verb} {name}" in told, f"{verb} {name}"
