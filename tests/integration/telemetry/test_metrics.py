"""Metrics of a process that forks, and of one that serves them itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import urllib3

from bellhop.schemas import zones
from bellhop.telemetry.health import Health
from bellhop.telemetry.metrics import Metrics
from bellhop.telemetry.metrics_folder import shared_folder
from bellhop.telemetry.processes import PROC

_ROOT = Path(__file__).resolve().parents[3]
_FORKS = """
import os
from bellhop.telemetry.metrics import Metrics

pids = []
for _ in range(3):
    pid = os.fork()
    if not pid:
        metrics = Metrics()
        for _ in range(2):
            metrics("webhook.accepted", {"source": "crm", "status": 202, "seconds": 0.1})
        os._exit(0)
    pids.append(pid)
for pid in pids:
    os.waitpid(pid, 0)
open(f"{os.environ['PROMETHEUS_MULTIPROC_DIR']}/counter_1.db", "w").close()  # of one killed as it made its file
print(Metrics().exposition().decode())
"""


def test_the_numbers_of_all_processes_of_the_ingress_are_added_up(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": str(_ROOT)}
    told = subprocess.run(
        [sys.executable, "-c", _FORKS], env=environment, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert 'bellhop_webhooks_total{source="crm",status="202"} 6.0' in told
    assert 'bellhop_webhook_seconds_count{source="crm"} 6.0' in told


_SHARES = """
import os, signal
from bellhop.telemetry.metrics import Metrics

def child(act):
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        metrics = Metrics()
        os.write(writing, b".")
        act(metrics)
        os._exit(0)
    os.read(reading, 1)
    return pid

ended = child(lambda metrics: None)
os.waitpid(ended, 0)
waits = child(lambda metrics: signal.pause())
asked = child(lambda metrics: print(metrics.exposition().decode(), flush=True))
os.waitpid(asked, 0)
os.kill(waits, signal.SIGKILL)
print("pids", os.getpid(), waits, asked, ended)
"""


@pytest.mark.skipif(not PROC.exists(), reason="process metrics need /proc")
def test_whichever_process_of_the_ingress_answers_tells_what_each_of_them_uses(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": str(_ROOT)}
    (tmp_path / "gauge_max_1.db").write_bytes(
        bytes(64)
    )  # of a process that is no child of theirs: the number was given anew
    told = subprocess.run(
        [sys.executable, "-c", _SHARES], env=environment, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    living = set(told.rpartition("pids ")[2].split()[:3])
    for name in ("cpu_seconds_total", "resident_memory_bytes", "open_fds", "max_fds", "start_time_seconds"):
        found = dict(re.findall(rf'^process_{name}{{pid="(\d+)"}} (\S+)$', told, re.MULTILINE))
        assert set(found) == living, name
        assert name == "cpu_seconds_total" or all(float(value) > 0 for value in found.values()), name
    assert told.count("# TYPE process_open_fds gauge") == 1


_HOLDS = """
import sys
from pathlib import Path
from bellhop.telemetry.metrics_folder import shared_folder

print(shared_folder(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def test_a_start_removes_the_folders_of_the_killed_and_none_that_is_in_use(tmp_path: Path) -> None:
    def held() -> tuple[subprocess.Popen[str], Path]:
        command, environment = [sys.executable, "-c", _HOLDS, str(tmp_path)], {**os.environ, "PYTHONPATH": str(_ROOT)}
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        return process, Path(process.stdout.readline().strip())

    killed, left = held()
    living, used = held()
    assert left.is_dir()
    killed.kill()
    killed.communicate(timeout=30)
    (left / "counter_1.db").write_bytes(b"an old number")
    mine = Path(shared_folder(tmp_path))
    assert (left.exists(), used.is_dir(), list(mine.iterdir())) == (False, True, [])
    living.communicate("", timeout=30)


def test_health_readiness_and_metrics_are_served() -> None:
    metrics, wrong = Metrics(), {"members": "it stands still"}
    health = Health(metrics.exposition)
    health.check("members", lambda: wrong.get("members"))
    base = f"http://127.0.0.1:{health.serve('127.0.0.1', 0)}"
    try:
        assert urllib3.request("GET", f"{base}/healthz").status == 200
        unready = urllib3.request("GET", f"{base}/readyz")
        assert (unready.status, unready.json()["problems"]) == (503, wrong)
        wrong.clear()
        ready = urllib3.request("GET", f"{base}/readyz")
        assert (ready.status, ready.json()) == (200, {"status": "ready", "problems": {}, "tzdata": zones.VERSION})
        metrics("worker.stalled", {"route": "members"})
        assert b'bellhop_stalls_total{route="members"} 1.0' in urllib3.request("GET", f"{base}/metrics").data
        assert urllib3.request("GET", f"{base}/secret").status == 404
    finally:
        health.close()
