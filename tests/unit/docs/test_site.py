"""The site has every page, leads where the repository leads, and keeps its versions apart. `make site` builds it."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from tools.docs_site import ROOT, config, enter, fit, page, publish, sources

REPOSITORY = "https://forge.test/bellhop"


def pages(nav: list[Any]) -> list[str]:
    """The files that a navigation names, in order."""
    found: list[str] = []
    for one in nav:
        inner = next(iter(one.values())) if isinstance(one, dict) else one
        found += pages(inner) if isinstance(inner, list) else [inner]
    return found


def fitted(text: str, source: str = "docs/alerts.md") -> str:
    return fit(text, PurePosixPath(source), REPOSITORY)


def test_every_page_stands_in_the_navigation_once() -> None:
    made = {"decisions/index.md"}
    written = [page(source) for source in sources() if source.suffix == ".md"]
    assert sorted(pages(config("1.0")["nav"])) == sorted([*map(str, written), *made])


def test_every_document_that_the_readme_or_the_docs_lead_to_is_a_page_or_in_the_repository() -> None:
    for source in sources():
        if source.suffix == ".md":
            fit((ROOT / source).read_text(), source, REPOSITORY)


@pytest.mark.parametrize(
    ("source", "link", "leads_to"),
    [
        ("README.md", "docs/runbook.md#in_doubt", "runbook.md#in_doubt"),
        ("README.md", "deploy/", "deploy.md"),
        ("README.md", "docs/decisions/", "decisions/index.md"),
        ("README.md", "docs/img/overview.png", "img/overview.png"),
        ("README.md", "LICENSE", f"{REPOSITORY}/blob/main/LICENSE"),
        ("docs/operations.md", "../CHANGELOG.md", "changelog.md"),
        ("docs/operations.md", "../bench/", "bench.md"),
        ("docs/webhooks.md", "snippets/webhook.py", f"{REPOSITORY}/blob/main/docs/snippets/webhook.py"),
        ("docs/webhooks.md", "samples/tripleseat", f"{REPOSITORY}/tree/main/docs/samples/tripleseat"),
        ("docs/decisions/0009-uv-compiled-locks.md", "../../README.md", "../index.md"),
        ("deploy/kubernetes/README.md", "../README.md#with-compose", "deploy.md#with-compose"),
        ("docs/alerts.md", "#quiet", "#quiet"),
        ("docs/alerts.md", "https://example.test/x.md", "https://example.test/x.md"),
    ],
)
def test_a_link_leads_to_the_page_or_to_the_repository(source: str, link: str, leads_to: str) -> None:
    assert fitted(f"See [this]({link}).", source) == f"See [this]({leads_to})."


def test_a_link_to_a_file_that_is_not_there_is_told_with_its_page() -> None:
    with pytest.raises(FileNotFoundError, match=r"docs/alerts\.md: leads to docs/nowhere\.toml"):
        fitted("[x](nowhere.toml)")


def test_what_two_kinds_of_markdown_read_differently_is_written_for_the_site() -> None:
    assert fitted("**Choice**\n- one\n- two\n  more\n- three\n") == "**Choice**\n\n- one\n- two\n  more\n- three\n"
    assert fitted("| `a(b\\|null)` | c |\n") == "| `a(b|null)` | c |\n"
    shell = "```sh\necho '[x](nowhere.toml)'\n- one\n```\n"
    assert fitted(shell) == shell


def test_the_newest_version_stands_first_and_one_alone_is_the_latest() -> None:
    first = enter([], "0.1", True)
    both = enter(enter(first, "dev", False), "0.2", True)
    assert [(one["version"], one["aliases"]) for one in both] == [("0.2", ["latest"]), ("dev", []), ("0.1", [])]
    assert enter(first, "0.1", False) == first  # built again it stays what it was


def test_versions_are_kept_beside_each_other_and_the_front_door_leads_to_the_latest(tmp_path: Path) -> None:
    built, target = tmp_path / "built", tmp_path / "target"
    built.mkdir()
    target.mkdir()
    for version, is_latest in (("0.1", True), ("0.2", True), ("dev", False)):
        (built / "index.html").write_text(version)
        publish(built, target, version, is_latest)
    told = {name: (target / name / "index.html").read_text() for name in ("0.1", "0.2", "dev", "latest")}
    assert told == {"0.1": "0.1", "0.2": "0.2", "dev": "dev", "latest": "0.2"}
    assert "url=latest/" in (target / "index.html").read_text()
    assert [one["version"] for one in json.loads((target / "versions.json").read_text())] == ["dev", "0.2", "0.1"]
