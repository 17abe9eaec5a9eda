"""A private Prometheus for the tests, and its rule checker."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import urllib3

from tests.support.require import missing
from tests.support.service import free_port, wait_for

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "rules.yml"


def program(name: str) -> str:
    """`prometheus` or `promtool`; the test ends where there is none."""
    found = shutil.which(name)
    if found is None:
        missing(name, "apt-get install prometheus")
    return found


def promtool(*words: str) -> subprocess.CompletedProcess[str]:
    """Runs it in the folder of the rules."""
    command = [program("promtool"), *words]
    return subprocess.run(command, cwd=RULES.parent, capture_output=True, text=True, timeout=60, check=False)


class Prometheus:
    """A real one in `folder`, which scrapes `jobs` (name → host:port) each second and evaluates Bellhop's rules."""

    def __init__(self, folder: Path, jobs: Mapping[str, Sequence[str]]) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        self._http = urllib3.PoolManager(retries=False, timeout=10)
        scraped = [{"job_name": job, "static_configs": [{"targets": list(targets)}]} for job, targets in jobs.items()]
        settings = {
            "global": {
                "scrape_interval": "1s",
                "evaluation_interval": "1s",
                "external_labels": {"runbook": "https://runbook.example"},
            },
            "rule_files": [str(RULES)],
            "scrape_configs": scraped,
        }
        folder.mkdir()
        (folder / "prometheus.yml").write_text(json.dumps(settings))  # JSON is YAML

    def __enter__(self) -> Prometheus:
        command = [
            program("prometheus"),
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address={self.url.removeprefix('http://')}",
            "--log.level=warn",
        ]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            wait_for(self._ready, "Prometheus is ready")
        except AssertionError as error:
            self.__exit__(None, None, None)
            raise AssertionError((self.folder / "log").read_text()[-2000:]) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait(timeout=30)
        self._http.clear()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an instant query finds. Fails with Prometheus' own words where it is not understood."""
        found = self._asked("query", {"query": expression})["result"]
        assert isinstance(found, list), f"no vector: {expression}"
        return found

    def value(self, expression: str) -> float | None:
        """The one number of a query, None where it finds nothing."""
        found = self.query(expression)
        return float(found[0]["value"][1]) if found else None

    def label_values(self, series: str, label: str) -> list[str]:
        values: list[str] = self._asked(f"label/{label}/values", {"match[]": series})
        return values

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self._asked("rules", {})["groups"] for rule in group["rules"]]

    def _asked(self, path: str, fields: Mapping[str, str]) -> Any:
        answer = self._http.request("GET", f"{self.url}/api/v1/{path}", fields=fields)
        told = answer.json()
        assert told["status"] == "success", f"{fields}: {told.get('error')}"
        return told["data"]

    def _ready(self) -> bool:
        assert self._process.poll() is None, "it has ended"
        try:
            return self._http.request("GET", f"{self.url}/-/ready").status == 200
        except urllib3.exceptions.HTTPError:
            return False
