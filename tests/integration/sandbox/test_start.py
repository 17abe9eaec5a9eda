"""`bellhop sandbox --switch` as a process, and the demo's sandbox with the vendor's limits."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
import urllib3
from click.testing import CliRunner

from bellhop.cli.demo.folder import close, prepare
from bellhop.cli.main import cli

DEADLINE = 30.0


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("nope=1", "nope is not a switch"),
        ("simplybook_per_second", "must be written NAME=VALUE"),
        ("simplybook_per_second=x", "a whole number from 0"),
    ],
)
def test_a_switch_that_is_none_is_one_line_and_exit_code_2(pair: str, words: str) -> None:
    answer = CliRunner().invoke(cli, ["sandbox", "--port", "0", "--switch", pair])
    assert (answer.exit_code, answer.output.count("\n")) == (2, 1)
    assert answer.output.startswith("bellhop: --switch ")
    assert words in answer.output


def test_switches_are_set_at_the_start_and_a_reset_keeps_them() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["--switch", "simplybook_per_second=5", "--switch", "peoplevine_region=2"]
    command = [sys.executable, "-m", "bellhop.cli.main", "sandbox", "--port", str(port), *words]
    process = subprocess.Popen(command)
    http = urllib3.PoolManager(retries=False, timeout=DEADLINE)
    url = f"http://127.0.0.1:{port}/_sandbox"
    try:
        _until_it_listens(port)
        http.request("POST", f"{url}/reset")
        switches = http.request("GET", f"{url}/switches").json()
    finally:
        process.terminate()
        process.wait(DEADLINE)
    assert switches["simplybook_per_second"]["value"] == 5
    assert switches["peoplevine_region"]["value"] == "2"
    assert switches["simplybook_per_day"]["value"] == 0


def test_the_demo_starts_its_sandbox_with_the_vendors_limits(tmp_path: Path) -> None:
    demo = prepare(tmp_path, None, None)
    [words] = [part.command for part in demo.parts({}) if part.name == "sandbox"]
    close(demo)
    given = [word for before, word in pairwise(words) if before == "--switch"]
    assert given == ["simplybook_per_second=5", "simplybook_at_once=2", "simplybook_per_day=5000"]


def _until_it_listens(port: int) -> None:
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "the sandbox never listened"
            time.sleep(0.05)
        else:
            return
