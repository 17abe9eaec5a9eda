"""What a stranger meets first: the workflows, the forms and the hooks say what is true of this project."""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
FILES = sorted([*GITHUB.rglob("*.yml"), ROOT / ".pre-commit-config.yaml"])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def parsed(file: Path) -> dict[Any, Any]:
    """A mapping; of a workflow the key `on` is True, as YAML 1.1 has it."""
    found = yaml.safe_load(file.read_text())
    assert isinstance(found, dict)
    return found


def workflow(name: str) -> dict[Any, Any]:
    return parsed(GITHUB / "workflows" / f"{name}.yml")


def runs(job: dict[str, Any]) -> str:
    return "\n".join(step.get("run", "") for step in job["steps"])


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_for_github_or_pre_commit_is_a_yaml_mapping(file: Path) -> None:
    assert parsed(file)


def test_the_workflow_tests_every_python_from_the_lowest_to_3_14() -> None:
    job = workflow("ci")["jobs"]["test"]
    pythons = job["strategy"]["matrix"]["python"]
    assert pythons == ["3.11", "3.12", "3.13", "3.14"]
    assert PROJECT["requires-python"] == f">={pythons[0]}"
    assert {f"Programming Language :: Python :: {python}" for python in pythons} <= set(PROJECT["classifiers"])
    assert any(step.get("with", {}).get("python-version") == "${{ matrix.python }}" for step in job["steps"])


def test_the_workflow_runs_what_everybody_can_run() -> None:
    lines = runs(workflow("ci")["jobs"]["test"]).splitlines()
    assert ".ci/run" in lines
    ours = [line for line in lines if "/" in line.partition(" ")[0]]
    assert [line for line in ours if not os.access(ROOT / line, os.X_OK)] == []


def test_the_workflow_runs_for_each_push_to_main_and_each_pull_request() -> None:
    on = workflow("ci")[True]
    assert on["push"] == {"branches": ["main"]}
    assert "pull_request" in on


@pytest.mark.parametrize("name", ["ci", "publish"])
def test_a_workflow_may_only_read_and_does_not_run_for_ever(name: str) -> None:
    found = workflow(name)
    assert found["permissions"] == {"contents": "read"}
    assert all("timeout-minutes" in job or "uses" in job for job in found["jobs"].values())


def test_a_release_is_tested_built_and_held_against_its_tag_before_it_is_published() -> None:
    found = workflow("publish")
    jobs = found["jobs"]
    assert found[True] == {"push": {"tags": ["v*"]}}
    assert jobs["test"]["uses"] == "./.github/workflows/ci.yml"
    assert "workflow_call" in workflow("ci")[True]
    assert "GITHUB_REF_NAME" in runs(jobs["build"])
    assert "twine check --strict" in runs(jobs["build"])
    assert set(jobs["publish"]["needs"]) == {"test", "build"}


def test_only_the_upload_may_prove_to_pypi_who_it_is() -> None:
    jobs = workflow("publish")["jobs"]
    assert {name for name, job in jobs.items() if "id-token" in job.get("permissions", {})} == {"publish"}
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert jobs["publish"]["environment"]["name"] == "pypi"
    assert runs(jobs["publish"]).strip() == ""


def test_pre_commit_checks_the_message_and_runs_the_tools_of_the_lock() -> None:
    config = parsed(ROOT / ".pre-commit-config.yaml")
    hooks = {hook["id"]: hook for repo in config["repos"] for hook in repo["hooks"]}
    assert hooks["commit-message"]["stages"] == ["commit-msg"]
    assert "commit-msg" in config["default_install_hook_types"]
    script = shlex.split(hooks["commit-message"]["entry"])[-1]
    assert (ROOT / script).is_file()
    tools = {hook["entry"].split()[0] for name, hook in hooks.items() if name != "commit-message"}
    assert tools == {".venv/bin/ruff", ".venv/bin/mypy"}


def test_the_bug_form_offers_every_reason_of_a_dead_letter_and_no_other() -> None:
    reasons = re.findall(r'^    [A-Z_]+ = "(\w+)"$', (ROOT / "schemas" / "reasons.py").read_text(), re.MULTILINE)
    fields = {field.get("id"): field for field in parsed(GITHUB / "ISSUE_TEMPLATE" / "bug.yml")["body"]}
    assert reasons
    assert fields["reason"]["attributes"]["options"] == ["there is no dead letter", *reasons]


def test_the_projects_addresses_are_of_one_place() -> None:
    place = PROJECT["urls"]["Source"]
    told = [*PROJECT["urls"].values()]
    told += re.findall(r"https://github\.com/\S+?(?=[)\s])", (ROOT / "SECURITY.md").read_text())
    told += [link["url"] for link in parsed(GITHUB / "ISSUE_TEMPLATE" / "config.yml")["contact_links"]]
    assert len(told) > len(PROJECT["urls"])
    assert [url for url in told if not url.startswith(place)] == []
    files = [url.removeprefix(f"{place}/blob/main/") for url in told if "/blob/main/" in url]
    assert [file for file in files if not (ROOT / file).is_file()] == []
