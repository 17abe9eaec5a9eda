"""docs/api.md, by hand: its commands are run one after the other, as a newcomer would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bellhop.broker.topology import work_queue
from bellhop.ledger.records import JobState, LetterState, Role
from bellhop.letters.bulk import JobRunner
from bellhop.schemas.clock import Clock
from bellhop.schemas.envelope import decode
from bellhop.schemas.reasons import Reason
from bellhop.schemas.settings.floods import FloodLimits
from tests.support.api import Api
from tests.support.ledger import BOOK_A_SLOT, die, die_in_doubt, event, finish, letter
from tests.support.require import missing

_ROOT = Path(__file__).parents[3]
_PAGE = _ROOT / "docs" / "api.md"
_START = """
set -u
bellhop() { "$PYTHON" -m bellhop.cli.main "$@"; }
ran() { local code=$?; echo "exit $code: $1" >> ran.txt; }
"""


def commands() -> list[str]:
    """Every command of the page, several lines where it has them."""
    blocks = re.findall(r"^```console\n(.*?)^```", _PAGE.read_text("utf-8"), re.S | re.M)
    return [command.strip() for block in blocks for command in re.split(r"^\$ ", block, flags=re.M) if command.strip()]


@pytest.fixture
def api(tmp_path: Path) -> Api:
    for tool in ("bash", "curl", "jq"):
        if shutil.which(tool) is None:
            missing(tool, f"apt-get install {tool}")
    one = Api(tmp_path, second_approver=True)
    one.dead(20)
    one.dead(3, Reason.AUTH)
    gone = event("evt_123", subject="R-1001", data={"venue": "salon"})
    die(one.ledger, gone, Reason.REJECTED)
    one.ledger.letters.archive([letter(gone)])
    for number in (25, 26):
        doubtful = event(f"evt_{number}", subject=f"R-{number}")
        die_in_doubt(one.ledger, doubtful, BOOK_A_SLOT)
        one.ledger.letters.archive([letter(doubtful, Reason.IN_DOUBT)])
    for number in (1, 2):  # the page's own are job 3 and edit 4
        one.post("/jobs", {"ids": [number], "why": "x"}, Role.ADMIN)
        one.post(f"/jobs/{number}/cancel", {"why": "x"}, Role.ADMIN)
    _hold_floods(one, "pos", "till", "crm")  # the page's is the third
    for number in (3, 4, 5):
        one.post(f"/letters/{number}/edits", {"changes": {"notes": "x"}, "why": "x"}, Role.ADMIN)
    return one


def _hold_floods(api: Api, *sources: str) -> None:
    api.ledger.floods.limits = dict.fromkeys(sources, FloodLimits(cancels=1))
    for source in sources:
        for number in (1, 2):
            cancel = event(f"flood-{number}", "booking.cancelled", source=source, subject=f"F-{number}")
            api.ledger.claim([cancel], "w-1", 60.0)
    api.ledger.floods.limits = {}
    assert [flood.id for flood in api.ledger.floods.open()] == [1, 2, 3]


def test_every_command_of_the_page_does_what_it_says(api: Api) -> None:
    others, _ = api.add_token(Role.OPERATOR, who="bob")
    tokens = iter([api.tokens[Role.OPERATOR], api.tokens[Role.ADMIN]])
    script = [_START]
    (api.folder / ".bellhop-token").write_text(api.tokens[Role.ADMIN])
    with api.served() as address:
        for command in commands():
            run = command.replace("https://bellhop.example.com", address).replace("=salon", "=sb")
            run = run.replace('"account": "salon"', '"account": "sb"').replace("revoke 2", "revoke 6")
            if "bh_…" in run:
                run = run.replace("bh_…", next(tokens))
            script += [run, f"ran {_quoted(command)}"]
        done = _run(api, "\n".join(script), others)
    assert "bh_" not in re.sub(r"bh_[\w-]{43}\n", "", done.stdout)
    ran = (api.folder / "ran.txt").read_text().splitlines()
    assert len(ran) == sum(len(command.splitlines()) for command in commands())
    assert [line for line in ran if line.startswith("exit") and not line.startswith("exit 0:")] == [], done.stderr
    job = api.ledger.jobs.get(3)
    assert job is not None
    assert (job.state, job.total, job.why, job.rate) == (JobState.CANCELLED, 3, "the key is renewed", 5.0)
    edited = api.ledger.letters.get(18)
    assert edited is not None
    assert edited.state is LetterState.REPLAYED
    kept = (api.folder / "audit.jsonl").read_text().splitlines()
    assert sum('"approve replay"' in line for line in kept) == 2


def _run(api: Api, script: str, others: str) -> subprocess.CompletedProcess[str]:
    """While `bellhop archive` and a worker are at work, for the replay at the end."""
    stop = threading.Event()

    def work() -> None:
        publisher = api.broker.publisher()
        runner = JobRunner(api.ledger, publisher, api.settings, by="w-1", clock=Clock(now=api.clock))
        consumer = api.broker.consumer(work_queue("bookings.simplybook"), 10)
        while not stop.is_set():
            job = api.ledger.jobs.get(4)  # the third is for the page to watch, pause and cancel
            if job is not None:
                runner.step()
            for delivery in consumer.take(10, 0.05):
                finish(api.ledger, decode(delivery.message.body))
                consumer.ack([delivery])
        consumer.close()
        publisher.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(api.folder),
        "PYTHON": sys.executable,
        "PYTHONPATH": str(_ROOT),
        "BELLHOP_CONFIG": str(api.file),
        "ANOTHERS": others,
        "LANG": "C.UTF-8",
    }
    try:
        return subprocess.run(
            ["bash", "-c", script],
            cwd=api.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    finally:
        stop.set()
        thread.join()
        api.close()


def _quoted(command: str) -> str:
    return "'" + command.replace("'", "'\\''") + "'"
