"""`bellhop --server`: the same words and exit codes far away as here."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger.records import LetterFilter, Role, Verdict
from ops.cli import desks
from ops.cli.main import main
from ops.jobs import JobRunner
from ops.preflight import WORDS
from schemas.reasons import Reason
from tests.support.api import Api
from tests.support.ledger import event, finish

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    one = Api(tmp_path)
    yield one
    one.close()


@pytest.fixture
def url(api: Api) -> Iterator[str]:
    with api.served() as address:
        yield address


@pytest.fixture
def run(api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit code, stdout, stderr."""
    monkeypatch.chdir(api.folder)
    for name in ("BELLHOP_CONFIG", "BELLHOP_SERVER", "BELLHOP_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def run_(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bellhop", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return run_


@pytest.fixture
def far(run: Run, api: Api, url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("BELLHOP_TOKEN", api.tokens[Role.ADMIN])
    return lambda *words: run("--server", url, *words)


def _same(run: Run, far: Run, *words: str) -> tuple[int, str, str]:
    here = run(*words)
    assert far(*words) == here
    return here


@pytest.mark.parametrize(
    "words",
    [
        ("dead", "list"),
        ("dead", "list", "--json"),
        ("dead", "list", "--limit", "2", "--json"),
        ("dead", "list", "--reason", "in_doubt"),
        ("dead", "list", "3", "1", "--since", "2026-11-21", "--until", "2026-11-22", "--json"),
        ("dead", "list", "--state", "discarded"),
        ("dead", "list", *map(str, range(1, 450)), "--json"),
        ("dead", "list", *map(str, range(1, 450)), "--limit", "2"),
        ("dead", "show", "1"),
        ("dead", "show", "1", "--json"),
        ("dead", "show", "4711"),
        ("dead", "replay", "--reason", "rejected", "--dry-run", "--json"),
        ("dead", "discard", "4711", "--why", "x", "--yes"),
        ("dead", "audit"),
        ("dead", "audit", "--json"),
        ("events", "show", "crm", "e-1"),
        ("events", "show", "crm", "e-1", "--json"),
        ("events", "show", "crm", "no/where"),
        ("queues",),
        ("queues", "--json"),
        ("routes", "list"),
        ("routes", "list", "--json"),
        ("routes", "resume", "members", "--why", "x"),
        ("jobs", "list"),
        ("jobs", "list", "--json"),
        ("jobs", "show", "1"),
        ("jobs", "show", "1", "--items", "waiting", "--json"),
        ("jobs", "show", "4711"),
        ("jobs", "resume", "1", "--why", "x"),
        ("jobs", "pause", "4711", "--why", "x"),
        ("tokens", "list"),
        ("tokens", "revoke", "4711"),
        ("dead", "replay", "--yes"),
    ],
)
def test_what_is_asked_far_away_is_answered_as_here(api: Api, run: Run, far: Run, words: tuple[str, ...]) -> None:
    api.dead(2)
    api.dead(1, Reason.IN_DOUBT)
    finish(api.ledger, event("e-9", "member.updated"))
    api.post("/jobs", {"ids": [1], "why": "mended"})
    api.ledger.pauses.pause("pulls", "ann", "it is ill")
    api.get("/queues", Role.ADMIN)  # notes the token's use, which the list of tokens tells
    _same(run, far, *words)


def test_letters_are_discarded_and_restored_far_away(api: Api, far: Run) -> None:
    api.dead(2)
    assert far("dead", "discard", "--all", "--why", "a test", "--yes") == (0, "discarded 2 of 2\n", "")
    assert far("dead", "restore", "2", "--why", "no test", "--yes", "--json")[:2] == (0, '{\n  "restored": 1\n}\n')
    assert [letter.id for letter in api.ledger.letters.find(LetterFilter(), 9)] == [2]
    assert [row.who for row in api.ledger.audit(1)] == ["token 3 admins"]


def test_a_replay_far_away_is_a_job_and_says_what_came_of_it(
    api: Api, far: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "_LOOK_SECONDS", 0.01)
    api.dead(2)
    with _worked(api):
        code, out, err = far("dead", "replay", "1", "--why", "mended", "--yes")
        assert (code, out, err) == (0, "replayed 1 of 1\n", "")
        api.ledger.letters.discard([2], "ann", "a test")
    (job,) = api.get("/jobs")["rows"]
    assert (job["why"], job["who"]) == ("mended", "token 3 admins")


def test_a_replay_that_a_job_leaves_out_is_told_and_exit_code_1(
    api: Api, far: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "_LOOK_SECONDS", 0.01)
    api.dead(1)
    finish(api.ledger, event("e-2", subject="R-1", at=60))  # a newer event of its booking
    with _worked(api):
        code, out, err = far("dead", "replay", "1", "--why", "mended", "--yes")
    assert (code, out) == (1, "replayed 0 of 1\n")
    assert err == f"bellhop: 1 were skipped: {WORDS[Verdict.SUPERSEDED]}\n"


def test_routes_are_held_and_resumed_far_away(api: Api, far: Run) -> None:
    assert far("routes", "pause", "members", "--why", "it is ill") == (0, "members is held\n", "")
    assert [(pause.route, pause.who) for pause in api.ledger.pauses.all()] == [("members", "token 3 admins")]
    assert far("routes", "resume", "members", "--why", "it is well") == (0, "members goes on\n", "")
    assert far("routes", "retry-now", "members", "--why", "x") == (0, "0 messages of members are tried now\n", "")


def test_tokens_are_made_here_and_far_away(api: Api, run: Run, far: Run) -> None:
    for at in (run, far):
        code, out, err = at("tokens", "add", "dashboard")
        assert (code, out[:3], len(out.strip())) == (0, "bh_", 46)
        assert "shown this once" in err
        number = err.split()[1]
        headers = {"Authorization": f"Bearer {out.strip()}"}
        assert api.client.get("/queues", headers=headers).status_code == 200
        assert at("tokens", "revoke", number)[1] == f"token {number} of dashboard is revoked\n"
        assert api.client.get("/queues", headers=headers).status_code == 401


def test_what_goes_wrong_far_away_is_one_line(api: Api, run: Run, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = api.folder / "token"
    viewer.write_text(api.tokens[Role.VIEWER] + "\n")
    api.dead(1)
    cases = [
        (2, "needs an API token", ("--server", url, "dead", "list")),
        (2, "No such file", ("--server", url, "--token-file", "nowhere", "dead", "list")),
        (2, "console's address", ("--server", "bellhop", "--token-file", "token", "dead", "list")),
        (2, "--server is for", ("--server", url, "work")),
        (2, "--who is for this host", ("--server", url, "--token-file", "token", "dead", "discard", "1", "--why", "x",
                                       "--yes", "--who", "me")),
        (1, "role operator", ("--server", url, "--token-file", "token", "dead", "discard", "1", "--why", "x", "--yes")),
        (1, "there is no console at", ("--server", "http://127.0.0.1:9", "--token-file", "token", "queues")),
        (1, "not as Bellhop does", ("--server", f"{url}/elsewhere", "--token-file", "token", "queues")),
    ]  # fmt: skip
    for code, text, words in cases:
        ended, out, err = run(*words)
        assert (ended, out, err.count("\n"), text in err) == (code, "", 1, True), (words, err)
    monkeypatch.setenv("BELLHOP_TOKEN", "bh_" + "x" * 43)
    ended, out, err = run("--server", url, "queues")
    assert (ended, out, err.count("\n"), "needs an API token" in err) == (1, "", 1, True)
    assert "xxx" not in err


@contextmanager
def _worked(api: Api) -> Iterator[None]:
    """`bellhop archive`'s job runner, in a thread."""
    stop, publisher = threading.Event(), api.broker.publisher()
    runner = JobRunner(api.ledger, publisher, api.settings, by="w-1", now=api.clock)

    def run() -> None:
        while not stop.wait(0.01):
            runner.step()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join()
    publisher.close()


def test_a_row_is_json_that_programs_can_read(api: Api, far: Run) -> None:
    api.dead(1)
    (row,) = json.loads(far("dead", "list", "--json")[1])
    assert (row["id"], row["event_id"], row["died"]) == (1, "e-1", "2026-11-21T12:00:00Z")
