"""The alerts and the dashboard of deploy/: held to the metrics there are, to Prometheus' own tester, to the runbook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bellhop.schemas.reasons import Reason
from bellhop.telemetry.series import SERIES
from tests.support.prometheus import DEPLOY, RULES, promtool

CASES = RULES.with_name("rules_test.yml")
DASHBOARD = DEPLOY / "grafana" / "bellhop.json"
RUNBOOK = DEPLOY.parent / "docs" / "runbook.md"
SECTIONS = re.findall(r"^### (.+)$", RUNBOOK.read_text(), re.MULTILINE)
ALERTS = re.findall(r"- alert: (\w+)$", RULES.read_text(), re.MULTILINE)
SCRAPED = {"job", "instance"}
NAME = re.compile(r"\bbellhop_[a-z_]+")


def metric(name: str) -> str:
    """The metric that a series is of: a histogram has three."""
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    return base if base in SERIES else name


def section(title: str) -> str:
    """The runbook's text below a heading."""
    found = re.search(rf"^### {re.escape(title)}\n(.+?)(?=^##|\Z)", RUNBOOK.read_text(), re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def cases() -> Iterator[tuple[str, bool]]:
    """Each case's alert, and whether it is expected to fire."""
    for case in CASES.read_text().split("\n  - name: ")[1:]:
        (alert,) = re.findall(r"alertname: (\w+)", case)
        yield alert, "exp_alerts: []" not in case


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def test_prometheus_takes_the_rules_and_the_settings() -> None:
    for words in (("check", "rules", RULES.name), ("check", "config", "prometheus.yml")):
        checked = promtool(*words)
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_alert_fires_when_it_should_and_not_when_it_should_not() -> None:
    tested = promtool("test", "rules", CASES.name)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_a_rule_that_is_wrong_fails_its_cases(tmp_path: Path) -> None:
    """The cases tell a rule from its opposite: with every comparison with 0 turned round, each of them fails."""
    (tmp_path / CASES.name).write_text(CASES.read_text())
    wrong = set(re.findall(r"- alert: (\w+)\n +expr: .+ > 0\n", RULES.read_text()))
    assert len(wrong) >= 8
    (tmp_path / RULES.name).write_text(RULES.read_text().replace(" > 0\n", " < 0\n"))
    tested = promtool("test", "rules", str(tmp_path / CASES.name))
    assert tested.returncode != 0
    assert {alert for alert in wrong if f"alertname: {alert}," not in tested.stdout + tested.stderr} == set()


def test_every_alert_has_a_case_where_it_fires_and_one_where_it_does_not() -> None:
    assert len(ALERTS) == len(set(ALERTS)) > 20
    assert set(cases()) == {(alert, fires) for alert in ALERTS for fires in (True, False)}


def test_the_cases_series_have_the_labels_that_the_metrics_have() -> None:
    found = re.findall(r"series: '(\w+)\{(.*?)\}'", CASES.read_text())
    assert len(found) > 2 * len(ALERTS)
    for name, labels in found:
        told = set(re.findall(r"(\w+)=", labels)) - SCRAPED - {"le"}
        assert told == (set() if name == "up" else set(SERIES[metric(name)])), (name, told)


@pytest.mark.parametrize("file", [RULES, CASES, DASHBOARD, RUNBOOK], ids=lambda file: file.name)
def test_every_metric_that_is_named_is_one_that_is_told(file: Path) -> None:
    named = {metric(name) for name in NAME.findall(file.read_text())}
    assert named - set(SERIES) == set()
    assert named


def test_the_dashboard_shows_every_metric() -> None:
    shown = {metric(name) for name in NAME.findall(DASHBOARD.read_text())}
    assert set(SERIES) - shown == set()


def test_every_alert_links_its_section_of_the_runbook() -> None:
    links = re.findall(r"runbook_url: '\{\{ \$externalLabels\.runbook \}\}#(\w+)'", RULES.read_text())
    assert links == [alert.lower() for alert in ALERTS]
    assert [title for title in SECTIONS if title.startswith("Bellhop")] == ALERTS


@pytest.mark.parametrize("title", [*ALERTS, *(f"`{reason.value}`" for reason in Reason)])
def test_a_section_says_what_it_means_how_to_see_it_what_to_do_and_what_not(title: str) -> None:
    assert re.findall(r"^- \*\*(.+?)\.\*\*", section(title), re.MULTILINE) == ["Means", "See", "Do", "Do not"]


def test_every_alert_has_a_severity_and_a_summary() -> None:
    text = RULES.read_text()
    assert len(re.findall(r"labels: \{severity: (?:critical|warning)\}$", text, re.MULTILINE)) == len(ALERTS)
    assert len(re.findall(r"^ +summary: '.+'$", text, re.MULTILINE)) == len(ALERTS)


def test_the_dashboard_names_no_prometheus_but_the_one_that_is_chosen() -> None:
    uids = re.findall(r'"uid": "(.*?)"', DASHBOARD.read_text())
    assert set(uids) == {"${datasource}", "bellhop"}
    assert uids.count("bellhop") == 1
    variables = {one["name"]: one["type"] for one in json.loads(DASHBOARD.read_text())["templating"]["list"]}
    assert variables == {"datasource": "datasource", "route": "query", "account": "query"}


def test_panels_have_a_place_of_their_own_and_a_title() -> None:
    assert len({panel["id"] for panel in panels()}) == len(panels())
    assert len({panel["title"] for panel in panels()}) == len(panels())
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        columns, rows = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        cells = {(x, y) for x in columns for y in rows}
        assert max(columns) < 24
        assert not cells & taken, panel["title"]
        taken |= cells
