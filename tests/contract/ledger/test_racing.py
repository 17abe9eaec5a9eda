"""Several ledgers on one database at once, and processes that die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from bellhop.ledger.engine import CONNECTIONS
from bellhop.ledger.records import Claimed, Settled, Settlement, State
from bellhop.ledger.store import Ledger
from bellhop.schemas.settings.services import LedgerSettings
from tests.support.ledger import BOOK, LEASE, Clock, OpenLedger, event, take

ROOT = Path(__file__).parents[3]
EVENTS = 120


def together(*work: threading.Thread) -> None:
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()


def test_no_event_is_claimed_twice_by_workers_that_race(open_ledger: OpenLedger) -> None:
    """Every worker asks for everything, in another order and other batches."""
    envelopes = [event(f"e-{n}", subject=f"R-{n}") for n in range(EVENTS)]
    claimed: Counter[str] = Counter()
    failed: list[BaseException] = []
    start = threading.Barrier(4)

    def work(ledger: Ledger, number: int) -> None:
        try:
            step = 5 + 3 * number
            mine = envelopes[number * 17 :] + envelopes[: number * 17]
            start.wait()
            for at in range(0, EVENTS, step):
                some = mine[at : at + step] if number % 2 else mine[at : at + step][::-1]
                for envelope, answer in zip(some, ledger.claim(some, f"w-{number}", LEASE), strict=True):
                    if isinstance(answer, Claimed):
                        claimed[envelope.id] += 1
                        if number == 0:
                            ledger.calling(answer, BOOK, None, LEASE)
                        assert ledger.settle([Settlement(answer, envelope, State.DONE, applies=True)]) == []
        except BaseException as error:
            failed.append(error)
            raise

    ledgers = [open_ledger(), open_ledger()]
    together(*(threading.Thread(target=work, args=(ledgers[n % 2], n)) for n in range(4)))
    assert failed == []
    assert claimed == Counter({envelope.id: 1 for envelope in envelopes})


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_threads_share_the_connections_that_the_settings_allow(ledger_url: str, clock: Clock) -> None:
    bounded = ledger_url + ("&" if "?" in ledger_url else "?") + "application_name=bounded"
    ended: list[State] = []

    def work(number: int) -> None:
        claimed = take(ledger, one := event(f"e-{number}", subject=f"R-{number}"))
        ledger.calling(claimed, BOOK, None, LEASE)
        assert ledger.settle([Settlement(claimed, one, State.DONE, applies=True)]) == []
        ended.append(State.DONE)

    with closing(Ledger.open(bounded, keep_seconds=86400, connections=2, now=clock)) as ledger:
        together(*(threading.Thread(target=work, args=(number,)) for number in range(24)))
        with psycopg.connect(ledger_url) as connection:
            asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'bounded'"
            assert connection.execute(asked).fetchall() == [(2,)]
    assert len(ended) == 24


def test_the_connections_of_the_settings_are_those_of_a_ledger_that_is_told_none() -> None:
    assert LedgerSettings().connections == CONNECTIONS


def test_of_many_ids_that_carry_one_fact_one_is_worked(open_ledger: OpenLedger) -> None:
    answers: list[object] = []
    start = threading.Barrier(8)

    def work(ledger: Ledger, number: int) -> None:
        start.wait()
        answers.extend(ledger.claim([event(f"e-{number}")], "w", LEASE))

    ledgers = [open_ledger(), open_ledger()]
    together(*(threading.Thread(target=work, args=(ledgers[n % 2], n)) for n in range(8)))
    assert Counter(type(answer) for answer in answers) == {Claimed: 1, Settled: 7}


CHILD = """
import sys, time
from datetime import timedelta
from bellhop.ledger.store import Ledger
from tests.support.ledger import BOOK, LEASE, Clock, event, take
ledger = Ledger.open(sys.argv[1], keep_seconds=1e7, now=Clock())
ledger.calling(take(ledger, event()), BOOK, None, LEASE)
print("calling", flush=True)
time.sleep(600)
"""


def test_a_process_killed_in_its_call_leaves_the_event_in_doubt(
    ledger_url: str, open_ledger: OpenLedger, clock: Clock
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, ledger_url], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "calling\n"
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()
    ledger = open_ledger()
    clock.advance(seconds=LEASE)
    claimed = take(ledger, event())
    assert (claimed.in_doubt, claimed.token) == (BOOK, 2)


@pytest.mark.parametrize("times", range(2))
def test_processes_that_open_a_new_ledger_at_once_all_get_one(empty_url: str, times: int) -> None:
    code = "import sys; from bellhop.ledger.store import Ledger; Ledger.open(sys.argv[1], keep_seconds=1e7).ping()"
    children = [
        subprocess.Popen([sys.executable, "-c", code, empty_url], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    errors = [child.communicate()[1] for child in children]
    assert [child.returncode for child in children] == [0] * 4, errors
