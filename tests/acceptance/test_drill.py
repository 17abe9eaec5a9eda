"""The promise under fire: what was accepted is booked once and whole, or stands in front of a person.

A few of `bellhop drill`'s faults, the same each time unless DRILL_SEED=… chooses others. `make drill` does all.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bellhop.drill.backends import Backends
from bellhop.drill.checker import check
from bellhop.drill.history import DrillRun, SeenCall, read_history
from bellhop.drill.nodes.postgres import PostgresNode
from bellhop.drill.nodes.rabbitmq import RabbitNode
from bellhop.drill.report import describe
from bellhop.drill.run import Drill, choose_faults, run

SEED = int(os.environ.get("DRILL_SEED", "86349"))
FAULTS = 3
LATE = "bookings_late"
"""Always one of them over the embedded broker: calls that fail, and are carried out before `late_after` is over."""
EVENTS = 48


def test_the_command_runs_a_drill_and_keeps_the_promise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Over the embedded broker and SQLite; the record it leaves is judged the same by `check`."""
    record = tmp_path / "history.jsonl"
    names = [LATE, *(fault.name for fault in choose_faults(SEED, FAULTS - 1, Backends().has()))]
    words = ("--seed", str(SEED), "--events", str(EVENTS), *(word for name in names for word in ("--fault", name)))
    done = bellhop("run", *words, "--folder", str(tmp_path / "site"), "--record", str(record))
    with capsys.disabled():
        print(f"\n{done.stderr}{done.stdout}")
    assert done.returncode == 0, done.stderr
    assert f"accepted {EVENTS} = " in done.stdout
    with record.open(encoding="utf-8") as lines:
        late = [one for one in read_history(lines) if isinstance(one, SeenCall) and one.fault == "timeout_late"]
    assert late, "the vendors carried calls out that nobody answered"
    checked = bellhop("check", str(record))
    assert (checked.returncode, checked.stdout) == (0, done.stdout)


def test_nothing_is_lost_and_nothing_is_booked_twice_on_rabbitmq_and_postgresql(
    tmp_path: Path, rabbitmq_node: RabbitNode, postgres_node: PostgresNode, capsys: pytest.CaptureFixture[str]
) -> None:
    on = Backends((rabbitmq_node.vhost(),), postgres_node.database(), rabbitmq_node, postgres=postgres_node)
    faults = choose_faults(SEED, FAULTS, on.has())
    names = ", ".join(fault.name for fault in faults)
    with capsys.disabled():
        print(f"\nseed {SEED}: {names}")
        records = run(Drill(SEED, EVENTS, faults), on, tmp_path, print)
        verdict = check(records)
        print(describe(verdict))
    assert verdict.violations == [], f"seed {SEED}: {names}"
    assert verdict.accepted == EVENTS == sum(verdict.counts.values())
    assert all(record.calm for record in records if isinstance(record, DrillRun)), "not everything had come to rest"


def bellhop(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bellhop.cli.main", "drill", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
